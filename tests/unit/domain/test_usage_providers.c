/* Usage objects in formats of their own. Written from the documented formats. */
#include "lib/test.h"
#include "usage_cases.h"

#define COUNT(cases) (sizeof(cases) / sizeof((cases)[0]))

TEST(the_format_of_anthropic_is_read)
{
	static const struct usage_case cases[] = {
		{"nothing is inside", "anthropic",
			"{'input_tokens':100,'cache_creation_input_tokens':300,'cache_read_input_tokens':600,'output_tokens':500,"
			"'service_tier':'standard'}",
			"input=100 cached_input=600 cache_write=300 output=500 mode=standard", 6070000},
		{"writes for five minutes and for an hour", "claude",
			"{'input_tokens':4,'cache_creation_input_tokens':556,'cache_read_input_tokens':0,'output_tokens':7,"
			"'cache_creation':{'ephemeral_5m_input_tokens':456,'ephemeral_1h_input_tokens':100}}",
			"input=4 cache_write=456 output=7 cache_write_1h=100", 1618000},
		{"the split alone", "anthropic",
			"{'input_tokens':4,'output_tokens':7,'cache_creation':{'ephemeral_5m_input_tokens':456,"
			"'ephemeral_1h_input_tokens':100}}",
			"input=4 cache_write=456 output=7 cache_write_1h=100", 1618000},
		{"a split larger than its sum", "anthropic",
			"{'input_tokens':4,'output_tokens':7,'cache_creation_input_tokens':300,'cache_creation':"
			"{'ephemeral_5m_input_tokens':456,'ephemeral_1h_input_tokens':100}}",
			"input=4 cache_write=456 output=7 cache_write_1h=100 inconsistent", 1618000},
		{"tools, tier, region", "anthropic",
			"{'type':'message','model':'claude-opus-5','usage':{'input_tokens':105,'output_tokens':6039,"
			"'cache_creation_input_tokens':7345,'cache_read_input_tokens':7123,'server_tool_use':"
			"{'web_search_requests':2,'web_fetch_requests':1,'code_execution_requests':3},'service_tier':'priority',"
			"'inference_geo':'us'}}",
			"input=105 cached_input=7123 cache_write=7345 output=6039 web_searches=2 code_executions=3 "
			"model=claude-opus-5 mode=priority region=us",
			190387100},
		{"fast mode, anywhere", "anthropic",
			"{'input_tokens':1,'output_tokens':2,'service_tier':'standard','speed':'fast','inference_geo':'global'}",
			"input=1 output=2 mode=fast", 22000},
		{"compaction: the iterations are what was billed", "anthropic",
			"{'input_tokens':23000,'output_tokens':1000,'cache_read_input_tokens':0,'server_tool_use':"
			"{'web_search_requests':1},'iterations':[{'type':'compaction','input_tokens':180000,'output_tokens':3500},"
			"{'type':'message','input_tokens':23000,'output_tokens':1000}]}",
			"input=203000 output=4500 web_searches=1 rounds=2", 461000000},
		{"an iteration of another model", "anthropic",
			"{'input_tokens':10,'output_tokens':20,'iterations':[{'type':'message','input_tokens':10,'output_tokens':20},"
			"{'type':'advisor_message','model':'claude-opus-5','input_tokens':800,'output_tokens':90}]}",
			"input=810 output=110 rounds=2", 2720000},
		{"iterations that are not all there", "anthropic",
			"{'input_tokens':23000,'output_tokens':1000,'iterations':[{'type':'message','input_tokens':3000,"
			"'output_tokens':100}]}",
			"input=23000 output=1000 inconsistent", 56000000},
		{"no iterations", "anthropic", "{'input_tokens':10,'output_tokens':20,'iterations':null}",
			"input=10 output=20", 220000},
		{"a stream: fields of its first and its last event", "anthropic",
			"[{'type':'message_start','message':{'model':'claude-sonnet-5','usage':{'input_tokens':2679,"
			"'cache_creation_input_tokens':0,'cache_read_input_tokens':50,'output_tokens':3}}},{'type':'ping'},"
			"{'type':'message_delta','usage':{'output_tokens':510,'server_tool_use':{'web_search_requests':1}}}]",
			"input=2679 cached_input=50 output=510 web_searches=1 model=claude-sonnet-5", 20468000},
		{"a recognized stream", "",
			"[{'type':'message_start','message':{'usage':{'input_tokens':25,'output_tokens':1}}},"
			"{'type':'message_delta','usage':{'output_tokens':15}}]",
			"input=25 output=15", 200000},
		{"a line of a batch's results", "auto",
			"{'custom_id':'a','result':{'type':'succeeded','message':{'type':'message','model':'claude-haiku-5',"
			"'usage':{'input_tokens':11,'output_tokens':36,'service_tier':'batch'}}}}",
			"input=11 output=36 model=claude-haiku-5 mode=batch", 382000},
		{"thinking is inside", "anthropic",
			"{'input_tokens':1,'output_tokens':90,'output_tokens_details':{'thinking_tokens':80}}",
			"input=1 output=10 reasoning=80", 902000},
	};

	usage_cases_check(cases, COUNT(cases));
}

TEST(the_formats_of_google_are_read)
{
	static const struct usage_case cases[] = {
		{"thoughts and tools are beside", "google",
			"{'promptTokenCount':1000,'cachedContentTokenCount':600,'candidatesTokenCount':300,'thoughtsTokenCount':200,"
			"'toolUsePromptTokenCount':50,'totalTokenCount':1550,'trafficType':'ON_DEMAND'}",
			"input=450 cached_input=600 output=300 reasoning=200 mode=standard", 6020000},
		{"thoughts that were counted with the answer", "gemini",
			"{'promptTokenCount':10,'candidatesTokenCount':90,'thoughtsTokenCount':80,'totalTokenCount':100}",
			"input=10 output=10 reasoning=80", 920000},
		{"snake case, and modalities", "vertex-ai",
			"{'model_version':'gemini-3.7-flash','usage_metadata':{'prompt_token_count':1000,"
			"'candidates_token_count':1400,'total_token_count':2400,'cached_content_token_count':300,"
			"'prompt_tokens_details':[{'modality':'TEXT','token_count':100},{'modality':'AUDIO','token_count':400},"
			"{'modality':'VIDEO','token_count':200},{'modality':'IMAGE','token_count':300}],"
			"'cache_tokens_details':[{'modality':'AUDIO','token_count':100},{'modality':'IMAGE','token_count':50},"
			"{'modality':'TEXT','token_count':100},{'modality':'VIDEO','token_count':50}],"
			"'candidates_tokens_details':[{'modality':'IMAGE','token_count':1290},{'modality':'TEXT','token_count':110}],"
			"'traffic_type':'ON_DEMAND_PRIORITY'}}",
			"cached_input=150 output=110 audio_input=300 cached_audio_input=100 image_input=250 cached_image_input=50 "
			"image_output=1290 video_input=150 model=gemini-3.7-flash mode=priority",
			53595000},
		{"enumerations with their type", "google-genai",
			"{'prompt_token_count':20,'candidates_token_count':2,'total_token_count':22,'prompt_tokens_details':"
			"[{'modality':'MediaModality.AUDIO','token_count':15}]}",
			"input=5 output=2 audio_input=15", 630000},
		{"of a stream the last usage counts", "google",
			"[{'usageMetadata':{'promptTokenCount':7,'candidatesTokenCount':5,'totalTokenCount':12}},"
			"{'usageMetadata':{'promptTokenCount':7,'candidatesTokenCount':31,'totalTokenCount':38},"
			"'modelVersion':'gemini-3.6-flash'}]",
			"input=7 output=31 model=gemini-3.6-flash", 324000},
		{"Live", "gemini-live",
			"{'usageMetadata':{'promptTokenCount':300,'responseTokenCount':100,'totalTokenCount':420,"
			"'thoughtsTokenCount':20,'promptTokensDetails':[{'modality':'AUDIO','tokenCount':250},"
			"{'modality':'TEXT','tokenCount':50}],'responseTokensDetails':[{'modality':'AUDIO','tokenCount':90}]}}",
			"input=50 output=10 reasoning=20 audio_input=250 audio_output=90", 17600000},
		{"Live: turns add up", "auto",
			"[{'usageMetadata':{'promptTokenCount':30,'responseTokenCount':10,'totalTokenCount':40}},{'serverContent':{}},"
			"{'usageMetadata':{'promptTokenCount':50,'responseTokenCount':5,'totalTokenCount':55}}]",
			"input=80 output=15 rounds=2", 310000},
		{"ADK: events add up, previews do not", "google-adk",
			"[{'partial':true,'usage_metadata':{'prompt_token_count':9,'candidates_token_count':1,'total_token_count':10}},"
			"{'usage_metadata':{'prompt_token_count':9,'candidates_token_count':4,'total_token_count':13}},"
			"{'usage_metadata':{'prompt_token_count':20,'candidates_token_count':6,'total_token_count':26}}]",
			"input=29 output=10 rounds=2", 158000},
		{"ADK over LiteLLM: thoughts inside", "adk",
			"{'prompt_token_count':1000,'cached_content_token_count':600,'candidates_token_count':500,"
			"'thoughts_token_count':200,'total_token_count':1500}",
			"input=400 cached_input=600 output=300 reasoning=200", 5920000},
	};

	usage_cases_check(cases, COUNT(cases));
}

TEST(cohere_bedrock_and_ollama_are_read)
{
	static const struct usage_case cases[] = {
		{"Cohere: billed units, which may be decimals", "cohere",
			"{'billed_units':{'input_tokens':5.0,'output_tokens':418.0},'tokens':{'input_tokens':71.0,'output_tokens':418.0}}",
			"input=5 output=418", 4190000},
		{"Cohere: reranking", "cohere",
			"{'id':'r','results':[],'meta':{'api_version':{'version':'2'},'billed_units':{'search_units':1}}}",
			"search_units=1", 2000000},
		{"Cohere: embeddings of images", "cohere-ai", "{'meta':{'billed_units':{'input_tokens':3,'images':2}}}",
			"input=3 input_images=2", 206000},
		{"Bedrock: the total has the cache", "bedrock",
			"{'usage':{'inputTokens':30,'outputTokens':628,'totalTokens':1758,'cacheReadInputTokens':1000,"
			"'cacheWriteInputTokens':100,'cacheDetails':[{'ttl':'1h','inputTokens':60},{'ttl':'5m','inputTokens':40}]},"
			"'metrics':{'latencyMs':1275},'serviceTier':{'type':'priority'}}",
			"input=30 cached_input=1000 cache_write=40 output=628 cache_write_1h=60 mode=priority",
			6880000},
		{"Bedrock: a Claude called by itself", "bedrock",
			"{'input_tokens':30,'output_tokens':6,'cache_read_input_tokens':1000,'cache_creation_input_tokens':100,"
			"'cache_creation':{'ephemeral_5m_input_tokens':40,'ephemeral_1h_input_tokens':60}}",
			"input=30 cached_input=1000 cache_write=40 output=6 cache_write_1h=60", 660000},
		{"Bedrock: the total leaves the cache out", "bedrock-converse",
			"{'inputTokens':30,'outputTokens':628,'totalTokens':658,'cacheReadInputTokens':1000,'cacheWriteInputTokens':0}",
			"input=30 cached_input=1000 output=628", 6540000},
		{"Bedrock: the end of a stream", "auto",
			"[{'messageStart':{'role':'assistant'}},{'metadata':{'usage':{'inputTokens':3,'outputTokens':4,"
			"'totalTokens':7,'cacheReadInputTokens':0}}}]",
			"input=3 output=4", 46000},
		{"Bedrock: a model called by itself", "bedrock",
			"{'amazon-bedrock-invocationMetrics':{'inputTokenCount':21,'outputTokenCount':8,'invocationLatency':900,"
			"'firstByteLatency':300}}",
			"input=21 output=8", 122000},
		{"Ollama", "ollama",
			"{'model':'llama3.2','done':true,'total_duration':5043500667,'load_duration':5025959,'prompt_eval_count':26,"
			"'prompt_eval_duration':325953000,'eval_count':290,'eval_duration':4709213000}",
			"input=26 output=290 model=llama3.2", 2952000},
	};

	usage_cases_check(cases, COUNT(cases));
}
