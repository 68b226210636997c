/* The objects of agent frameworks, and what does not add up. Written from the documented formats. */
#include "lib/test.h"
#include "usage_cases.h"

#define COUNT(cases) (sizeof(cases) / sizeof((cases)[0]))

TEST(agent_frameworks_are_read)
{
	static const struct usage_case cases[] = {
		{"pydantic-ai", "pydantic-ai",
			"{'requests':1,'tool_calls':0,'input_tokens':1000,'cache_read_tokens':600,'cache_write_tokens':300,"
			"'output_tokens':500,'input_audio_tokens':0,'details':{'reasoning_tokens':200}}",
			"input=100 cached_input=600 cache_write=300 output=300 reasoning=200", 6070000},
		{"pydantic-ai: writes for an hour", "pydantic-ai",
			"{'input_tokens':1000,'cache_read_tokens':600,'cache_write_tokens':300,'cache_write_1h_tokens':100,"
			"'output_tokens':50,'output_reasoning_tokens':20,'audio_seconds':1.5,'details':{},'cost':'0.01'}",
			"input=100 cached_input=600 cache_write=200 output=30 reasoning=20 cache_write_1h=100 audio_seconds=2",
			1920000},
		{"pydantic-ai: one of the responses had no usage", "pydantic-ai",
			"{'requests':2,'input_tokens':10,'output_tokens':5,'unmeasured_requests':1}",
			"input=10 output=5 inconsistent", 70000},
		{"pydantic-ai: cached audio", "pydantic",
			"{'input_tokens':100,'cache_read_tokens':30,'input_audio_tokens':50,'cache_audio_read_tokens':20,"
			"'output_tokens':9,'output_audio_tokens':4}",
			"input=40 cached_input=10 output=5 audio_input=30 audio_output=4 cached_audio_input=20",
			1660000},
		{"openai-agents: entries are the rounds", "openai-agents",
			"{'requests':2,'input_tokens':300,'input_tokens_details':{'cached_tokens':100},'output_tokens':30,"
			"'output_tokens_details':{'reasoning_tokens':10},'total_tokens':330,'request_usage_entries':["
			"{'input_tokens':100,'output_tokens':10,'total_tokens':110,'input_tokens_details':{'cached_tokens':0},"
			"'output_tokens_details':{'reasoning_tokens':0}},{'input_tokens':200,'output_tokens':20,'total_tokens':220,"
			"'input_tokens_details':{'cached_tokens':100},'output_tokens_details':{'reasoning_tokens':10}}]}",
			"input=200 cached_input=100 output=20 reasoning=10 rounds=2", 720000},
		{"@openai/agents: details are lists", "openai-agents",
			"{'requests':2,'inputTokens':300,'outputTokens':30,'totalTokens':330,'inputTokensDetails':[{'cached_tokens':40},"
			"{'cached_tokens':60}],'outputTokensDetails':[{'reasoning_tokens':4},{'reasoning_tokens':6}]}",
			"input=200 cached_input=100 output=20 reasoning=10", 720000},
		{"openai-agents: an entry is missing", "openai-agents",
			"{'requests':2,'input_tokens':300,'output_tokens':30,'total_tokens':330,'request_usage_entries':"
			"[{'input_tokens':100,'output_tokens':10,'total_tokens':110}]}",
			"input=300 output=30 inconsistent", 900000},
		{"LangChain", "langchain",
			"{'input_tokens':350,'output_tokens':240,'total_tokens':590,'input_token_details':{'audio':10,"
			"'cache_creation':200,'cache_read':100},'output_token_details':{'audio':10,'reasoning':200}}",
			"input=40 cached_input=100 cache_write=200 output=30 reasoning=200 audio_input=10 audio_output=10",
			4100000},
		{"LangChain: writes under other names", "langgraph",
			"{'usage_metadata':{'input_tokens':1000,'output_tokens':20,'total_tokens':1020,'input_token_details':"
			"{'cache_read':600,'cache_creation':0,'ephemeral_5m_input_tokens':200,'ephemeral_1h_input_tokens':100}},"
			"'response_metadata':{'model_name':'claude-sonnet-5'}}",
			"input=100 cached_input=600 cache_write=200 output=20 cache_write_1h=100 model=claude-sonnet-5",
			1420000},
		{"LangChain: the sum of the writes as well", "langchain",
			"{'input_tokens':1000,'output_tokens':20,'total_tokens':1020,'input_token_details':"
			"{'cache_read':600,'cache_creation':300,'ephemeral_5m_input_tokens':200,'ephemeral_1h_input_tokens':100}}",
			"input=100 cached_input=600 cache_write=200 output=20 cache_write_1h=100", 1420000},
		{"LangChain: the parts of another tier", "langchain",
			"{'input_tokens':100000,'output_tokens':1000,'total_tokens':101000,'input_token_details':"
			"{'flex_cache_read':90000,'flex':10000},'output_token_details':{'flex_reasoning':400,'flex':600}}",
			"input=10000 cached_input=90000 output=600 reasoning=400 mode=flex", 48000000},
		{"LangChain: the sum of requests in several tiers is of none", "langchain",
			"{'input_tokens':100000,'output_tokens':1000,'total_tokens':101000,'input_token_details':"
			"{'flex_cache_read':90000,'flex':5000},'output_token_details':{'flex_reasoning':400,'flex':600}}",
			"input=10000 cached_input=90000 output=600 reasoning=400", 48000000},
		{"LangChain: recognized by them", "",
			"{'input_tokens':100000,'output_tokens':1000,'total_tokens':101000,'input_token_details':"
			"{'priority_cache_read':90000,'priority':10000},'output_token_details':{'priority_reasoning':400,'priority':600}}",
			"input=10000 cached_input=90000 output=600 reasoning=400 mode=priority", 48000000},
		{"LangChain: messages add up", "langchain",
			"[{'input_tokens':5,'output_tokens':1,'total_tokens':6},{'input_tokens':9,'output_tokens':2,'total_tokens':11}]",
			"input=14 output=3 rounds=2", 58000},
		{"LangChain: an answer from its own cache is free", "langchain",
			"{'input_tokens':1000,'output_tokens':500,'total_tokens':1500,'total_cost':0}", "", 0},
		{"LangChain: so it is without the name", "",
			"{'input_tokens':1000,'output_tokens':500,'total_tokens':1500,'total_cost':0.0}", "", 0},
		{"LangChain: of several messages, those from the cache", "langchain",
			"[{'input_tokens':1000,'output_tokens':500,'total_tokens':1500,'total_cost':0},"
			"{'input_tokens':9,'output_tokens':2,'total_tokens':11}]",
			"input=9 output=2", 38000},
		{"LangChain: one from the cache, one that says nothing", "langchain",
			"[{'input_tokens':5,'total_tokens':5,'total_cost':0},{'input_tokens':0,'output_tokens':0,'total_tokens':0}]",
			"estimated", 0},
		{"dspy: a hit of its own cache is free", "dspy", "{}", "", 0},
		{"dspy", "dspy",
			"{'completion_tokens':500,'prompt_tokens':1000,'total_tokens':1500,'completion_tokens_details':"
			"{'reasoning_tokens':200},'prompt_tokens_details':{'cached_tokens':600,'text_tokens':null}}",
			"input=400 cached_input=600 output=300 reasoning=200", 5920000},
		{"crewai", "crewai",
			"{'total_tokens':1500,'prompt_tokens':1000,'cached_prompt_tokens':600,'completion_tokens':500,"
			"'reasoning_tokens':200,'cache_creation_tokens':0,'successful_requests':2}",
			"input=400 cached_input=600 output=300 reasoning=200", 5920000},
		{"autogen", "autogen", "{'prompt_tokens':1000,'completion_tokens':500}", "input=1000 output=500",
			7000000},
		{"mirascope", "mirascope",
			"{'input_tokens':1000,'output_tokens':500,'cache_read_tokens':600,'cache_write_tokens':0,"
			"'reasoning_tokens':200,'total_tokens':1500}",
			"input=400 cached_input=600 output=300 reasoning=200", 5920000},
		{"mastra: steps are the rounds", "mastra",
			"{'usage':{'inputTokens':300,'outputTokens':30,'totalTokens':330,'cachedInputTokens':100,'reasoningTokens':10,"
			"'cacheCreationInputTokens':50,'raw':{'input_tokens':1}},'steps':[{'usage':{'inputTokens':100,"
			"'outputTokens':10,'totalTokens':110,'cachedInputTokens':0}},{'usage':{'inputTokens':200,'outputTokens':20,"
			"'totalTokens':220,'cachedInputTokens':100,'reasoningTokens':10,'cacheCreationInputTokens':50}}]}",
			"input=150 cached_input=100 cache_write=50 output=20 reasoning=10 rounds=2", 745000},
		{"ai 7: details, and the total of all steps", "ai-sdk",
			"{'usage':{'inputTokens':5,'outputTokens':5},'totalUsage':{'inputTokens':1000,'inputTokenDetails':"
			"{'noCacheTokens':100,'cacheReadTokens':600,'cacheWriteTokens':300},'outputTokens':500,"
			"'outputTokenDetails':{'textTokens':300,'reasoningTokens':200},'totalTokens':1500}}",
			"input=100 cached_input=600 cache_write=300 output=300 reasoning=200", 6070000},
		{"genkit", "genkit",
			"{'inputTokens':100,'outputTokens':20,'totalTokens':150,'thoughtsTokens':30,'cachedContentTokens':40,"
			"'inputCharacters':380,'inputImages':0}",
			"input=60 cached_input=40 output=20 reasoning=30", 628000},
		{"haystack: what the provider sent", "haystack",
			"{'meta':{'model':'gpt-5.6','usage':{'prompt_tokens':3,'completion_tokens':4}}}",
			"input=3 output=4 model=gpt-5.6", 46000},
		{"smolagents: the raw message", "smolagents",
			"{'message':{'raw':{'model':'gpt-5.6','usage':{'prompt_tokens':3,'completion_tokens':4,'total_tokens':7}}}}",
			"input=3 output=4 model=gpt-5.6", 46000},
		{"llama-index", "llama-index",
			"{'raw':{'usage':{'input_tokens':3,'output_tokens':4,'cache_read_input_tokens':5}}}",
			"input=3 cached_input=5 output=4", 47000},
	};

	usage_cases_check(cases, COUNT(cases));
}

TEST(what_is_not_told_is_estimated_and_what_does_not_add_up_is_flagged)
{
	static const struct usage_case cases[] = {
		{"zeros", "openai", "{'prompt_tokens':0,'completion_tokens':0,'total_tokens':0}", "estimated", 0},
		{"nulls", "pydantic-ai", "{'input_tokens':null,'output_tokens':null}", "estimated", 0},
		{"no usage in a response", "openai", "{'id':'x','choices':[],'usage':null}", "estimated", 0},
		{"an empty object", "anthropic", "{}", "estimated", 0},
		{"a stream without usage", "openai", "[{'choices':[]},null]", "estimated", 0},
		{"nothing at all", "", "[]", "estimated", 0},
		{"a cost without tokens", "openrouter", "{'prompt_tokens':0,'completion_tokens':0,'cost':'0.0012'}",
			" cost=1200000 estimated", 0},
		{"a total that is larger counts as output", "openai",
			"{'prompt_tokens':10,'completion_tokens':5,'total_tokens':65}",
			"input=10 output=55 inconsistent", 570000},
		{"a total that is smaller does not count", "openai",
			"{'prompt_tokens':10,'completion_tokens':5,'total_tokens':12}",
			"input=10 output=5 inconsistent", 70000},
		{"a part that is larger than the whole", "openai",
			"{'prompt_tokens':10,'completion_tokens':5,'prompt_tokens_details':{'cached_tokens':40}}",
			"input=10 cached_input=40 output=5 inconsistent", 78000},
		{"a total alone", "openai", "{'total_tokens':9}", "output=9 inconsistent", 90000},
		{"reasoning larger than the completion can only be beside it", "openai",
			"{'prompt_tokens':1,'completion_tokens':5,'completion_tokens_details':{'reasoning_tokens':9}}",
			"input=1 output=5 reasoning=9", 142000},
		{"another provider's object under this name", "anthropic",
			"{'prompt_tokens':3,'completion_tokens':4,'total_tokens':7}", "input=3 output=4", 46000},
	};

	usage_cases_check(cases, COUNT(cases));
}
