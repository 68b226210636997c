/* Usage objects of OpenAI, and of those that send its format. Written from the documented formats. */
#include "lib/test.h"
#include "usage_cases.h"

#define COUNT(cases) (sizeof(cases) / sizeof((cases)[0]))

TEST(chat_completions_are_read)
{
	static const struct usage_case cases[] = {
		{"cached and reasoning are inside", "openai",
			"{'prompt_tokens':1000,'completion_tokens':500,'total_tokens':1500,"
			"'prompt_tokens_details':{'cached_tokens':600,'audio_tokens':0},"
			"'completion_tokens_details':{'reasoning_tokens':200,'audio_tokens':0,"
			"'accepted_prediction_tokens':10,'rejected_prediction_tokens':4}}",
			"input=400 cached_input=600 output=300 reasoning=200", 5920000},
		{"without details", "openai", "{'prompt_tokens':12,'completion_tokens':3,'total_tokens':15}",
			"input=12 output=3", 54000},
		{"numbers in quotes, as protobuf writes large ones", "openai",
			"{'prompt_tokens':'12','completion_tokens':3}", "input=12 output=3", 54000},
		{"details that are null", "azure",
			"{'prompt_tokens':12,'completion_tokens':3,'total_tokens':15,'prompt_tokens_details':null,"
			"'completion_tokens_details':{'reasoning_tokens':null}}",
			"input=12 output=3", 54000},
		{"audio in and out", "openai-chat",
			"{'prompt_tokens':200,'completion_tokens':90,'total_tokens':290,"
			"'prompt_tokens_details':{'cached_tokens':0,'audio_tokens':150},"
			"'completion_tokens_details':{'reasoning_tokens':0,'audio_tokens':70}}",
			"input=50 output=20 audio_input=150 audio_output=70", 11900000},
		{"a whole response tells model and tier", "",
			"{'id':'chatcmpl-1','object':'chat.completion','created':1790000000,'model':'gpt-5.6-2026-08-01',"
			"'choices':[{'index':0,'message':{'role':'assistant','content':'hi \\\"you\\\" \\u00e9'}}],"
			"'usage':{'prompt_tokens':9,'completion_tokens':12,'total_tokens':21},'service_tier':'flex'}",
			"input=9 output=12 model=gpt-5.6-2026-08-01 mode=flex", 138000},
		{"the default tier is the standard one", "openai",
			"{'model':'gpt-5.6','service_tier':'default','usage':{'prompt_tokens':1,'completion_tokens':1}}",
			"input=1 output=1 model=gpt-5.6 mode=standard", 12000},
		{"a line of a batch's output", "openai",
			"{'id':'batch_req_1','custom_id':'a','response':{'status_code':200,'body':{'model':'gpt-5.6',"
			"'service_tier':'default','usage':{'prompt_tokens':30,'completion_tokens':5,'total_tokens':35}}}}",
			"input=30 output=5 model=gpt-5.6 mode=batch", 110000},
		{"of a stream the last usage counts", "openai",
			"[{'choices':[{}],'usage':null},{'choices':[{}],'usage':{'prompt_tokens':7,'completion_tokens':1}},"
			"{'choices':[],'usage':{'prompt_tokens':7,'completion_tokens':40,'total_tokens':47}}]",
			"input=7 output=40", 414000},
		{"members that nobody knows are listed", "openai",
			"{'prompt_tokens':7,'completion_tokens':2,'total_tokens':9,'smell_tokens':3,"
			"'prompt_tokens_details':{'cached_tokens':0,'haptic_tokens':1}}",
			"input=7 output=2 unknown:smell_tokens=3 prompt_tokens_details.haptic_tokens=1", 34000},
	};

	usage_cases_check(cases, COUNT(cases));
}

TEST(responses_realtime_audio_images_and_embeddings_are_read)
{
	static const struct usage_case cases[] = {
		{"Responses", "openai-responses",
			"{'input_tokens':36000,'input_tokens_details':{'cached_tokens':30000},'output_tokens':870,"
			"'output_tokens_details':{'reasoning_tokens':640},'total_tokens':36870}",
			"input=6000 cached_input=30000 output=230 reasoning=640", 26700000},
		{"Responses: writes that last half a day", "openai",
			"{'input_tokens':1000,'output_tokens':10,'total_tokens':1010,'input_tokens_details':{'cached_tokens':0,"
			"'cache_write_tokens':900,'cache_write_tokens_details':{'ttl_30m_tokens':500,'ttl_12h_tokens':400}}}",
			"input=100 cache_write=500 output=10 cache_write_1h=400", 3150000},
		{"searches of a whole response", "openai",
			"{'object':'response','model':'gpt-5.6','output':[{'type':'web_search_call','action':{'type':'search'}},"
			"{'type':'web_search_call','action':{'type':'open_page'}},{'type':'file_search_call'},"
			"{'type':'web_search_call','action':{'type':'search'}},{'type':'message'}],"
			"'usage':{'input_tokens':100,'output_tokens':10,'total_tokens':110}}",
			"input=100 output=10 web_searches=2 file_searches=1 model=gpt-5.6", 22800000},
		{"Realtime: cached audio is in the audio and in the cached", "openai-realtime",
			"{'type':'response.done','response':{'object':'realtime.response','usage':{'total_tokens':253,"
			"'input_tokens':132,'output_tokens':121,'input_token_details':{'text_tokens':119,'audio_tokens':13,"
			"'image_tokens':0,'cached_tokens':64,'cached_tokens_details':{'text_tokens':56,'audio_tokens':8,"
			"'image_tokens':0}},'output_token_details':{'text_tokens':30,'audio_tokens':91}}}}",
			"input=63 cached_input=56 output=30 audio_input=5 audio_output=91 cached_audio_input=8",
			7920400},
		{"Realtime: responses of a session add up", "realtime",
			"[{'usage':{'input_tokens':10,'output_tokens':2,'total_tokens':12}},"
			"{'usage':{'input_tokens':20,'output_tokens':3,'total_tokens':23}}]",
			"input=30 output=5 rounds=2", 110000},
		{"a cached image", "openai-realtime",
			"{'input_tokens':100,'output_tokens':1,'total_tokens':101,'input_token_details':{'image_tokens':60,"
			"'cached_tokens':50,'cached_tokens_details':{'image_tokens':40}}}",
			"input=30 cached_input=10 output=1 image_input=20 cached_image_input=40", 192000},
		{"transcription by tokens", "openai-audio",
			"{'text':'hello','usage':{'type':'tokens','input_tokens':14,'input_token_details':{'text_tokens':0,"
			"'audio_tokens':14},'output_tokens':45,'total_tokens':59}}",
			"output=45 audio_input=14", 1010000},
		{"transcription by time, rounded up", "openai", "{'type':'duration','seconds':8.47}", "audio_seconds=9",
			900000},
		{"an image", "openai-images",
			"{'created':1,'size':'1024x1024','quality':'high','output_format':'png','usage':{'total_tokens':100,"
			"'input_tokens':50,'output_tokens':50,'input_tokens_details':{'text_tokens':10,'image_tokens':40}}}",
			"input=10 image_input=40 image_output=50", 1720000},
		{"an image is recognized", "auto",
			"{'created':1,'quality':'high','output_format':'png','usage':{'total_tokens':4210,'input_tokens':50,"
			"'output_tokens':4160,'input_tokens_details':{'text_tokens':50,'image_tokens':0},"
			"'output_tokens_details':{'image_tokens':4160,'text_tokens':0}}}",
			"input=50 image_output=4160", 124900000},
		{"embeddings", "openai-embeddings",
			"{'object':'list','model':'text-embedding-3-small','data':[{'embedding':[0.1,-2.5e-3]}],"
			"'usage':{'prompt_tokens':8,'total_tokens':8}}",
			"input=8 model=text-embedding-3-small", 16000},
	};

	usage_cases_check(cases, COUNT(cases));
}

TEST(providers_that_send_the_format_of_openai_are_read)
{
	static const struct usage_case cases[] = {
		{"xAI: reasoning beside the completion", "xai",
			"{'prompt_tokens':32,'completion_tokens':9,'total_tokens':135,'prompt_tokens_details':{'text_tokens':32,"
			"'audio_tokens':0,'image_tokens':0,'cached_tokens':6},'completion_tokens_details':"
			"{'reasoning_tokens':94,'audio_tokens':0,'accepted_prediction_tokens':0,'rejected_prediction_tokens':0},"
			"'num_sources_used':0}",
			"input=26 cached_input=6 output=9 reasoning=94", 1083200},
		{"xAI: reasoning inside the completion", "grok",
			"{'prompt_tokens':32,'completion_tokens':103,'total_tokens':135,'completion_tokens_details':"
			"{'reasoning_tokens':94},'num_sources_used':3,'cost_in_usd_ticks':37756001}",
			"input=32 output=9 reasoning=94 web_searches=3 cost=3775601", 31094000},
		{"xAI: tools of its server", "x-ai",
			"{'input_tokens':1000,'input_tokens_details':{'cached_tokens':500},'output_tokens':100,"
			"'output_tokens_details':{'reasoning_tokens':60},'total_tokens':1100,'num_sources_used':0,"
			"'num_server_side_tools_used':4,'server_side_tool_usage_details':{'web_search_calls':2,"
			"'x_search_calls':1,'code_interpreter_calls':1}}",
			"input=500 cached_input=500 output=40 reasoning=60 web_searches=3 code_executions=1", 62100000},
		{"xAI: the object of its own client", "xai",
			"{'prompt_tokens':300,'completion_tokens':20,'reasoning_tokens':100,'total_tokens':420,'prompt_text_tokens':"
			"200,'cached_prompt_text_tokens':50,'prompt_image_tokens':100,'cost_in_usd_ticks':10}",
			"input=150 cached_input=50 output=20 reasoning=100 image_input=100 cost=1", 2010000},
		{"DeepSeek: hits and misses", "deepseek",
			"{'prompt_tokens':1100,'completion_tokens':50,'total_tokens':1150,'prompt_cache_hit_tokens':1024,"
			"'prompt_cache_miss_tokens':76,'prompt_tokens_details':{'cached_tokens':1024},"
			"'completion_tokens_details':{'reasoning_tokens':30}}",
			"input=76 cached_input=1024 output=20 reasoning=30", 856800},
		{"Mistral", "mistral",
			"{'model':'mistral-large-2512','usage':{'prompt_tokens':16,'completion_tokens':34,'total_tokens':50,"
			"'num_cached_tokens':0}}",
			"input=16 output=34 model=mistral-large-2512", 372000},
		{"Mistral: speech", "mistralai",
			"{'prompt_audio_seconds':203,'prompt_tokens':4,'total_tokens':3264,'completion_tokens':3260}",
			"input=4 output=3260 audio_seconds=203", 52908000},
		{"Mistral: pages", "auto",
			"{'model':'mistral-ocr-2512','usage_info':{'pages_processed':29,'doc_size_bytes':3002783}}",
			"pages=29 model=mistral-ocr-2512", 29000000},
		{"Groq: times are no amounts", "groq",
			"{'queue_time':0.0378,'prompt_tokens':18,'prompt_time':0.00068,'completion_tokens':556,"
			"'completion_time':0.463,'total_tokens':574,'total_time':0.4639}",
			"input=18 output=556", 5596000},
		{"Groq: the end of a stream", "groq",
			"[{'x_groq':{'id':'r'}},{'x_groq':{'usage':{'prompt_tokens':3,'completion_tokens':4}}}]",
			"input=3 output=4", 46000},
		{"Perplexity: what its total leaves out", "perplexity",
			"{'prompt_tokens':33,'completion_tokens':7163,'total_tokens':7196,'citation_tokens':20016,"
			"'num_search_queries':18,'reasoning_tokens':73997,'search_context_size':'low',"
			"'cost':{'input_tokens_cost':0.0001,'output_tokens_cost':0.0573,'total_cost':0.4098123456}}",
			"input=33 output=7163 reasoning=73997 citation=20016 web_searches=18 cost=409812346",
			1031698000},
		{"OpenRouter: its cost", "openrouter",
			"{'model':'anthropic/claude-sonnet-5','provider':'Anthropic','usage':{'prompt_tokens':194,"
			"'completion_tokens':2,'total_tokens':196,'prompt_tokens_details':{'cached_tokens':100,"
			"'cache_write_tokens':50,'audio_tokens':0,'video_tokens':0},'completion_tokens_details':"
			"{'reasoning_tokens':0,'image_tokens':0},'cost':0.00014,'is_byok':false,"
			"'cost_details':{'upstream_inference_cost':null,'upstream_inference_prompt_cost':0.0001}}}",
			"input=44 cached_input=100 cache_write=50 output=2 model=anthropic/claude-sonnet-5 cost=140000",
			253000},
		{"OpenRouter: a key of the caller's own costs both", "auto",
			"{'prompt_tokens':194,'completion_tokens':2,'total_tokens':196,'cost':1.5e-5,'is_byok':true,"
			"'cost_details':{'upstream_inference_cost':0.00019},'server_tool_use':{'web_search_requests':2}}",
			"input=194 output=2 web_searches=2 cost=205000", 20408000},
		{"LiteLLM: Anthropic's fields at the top", "litellm",
			"{'prompt_tokens':1000,'completion_tokens':20,'total_tokens':1020,'cache_creation_input_tokens':300,"
			"'cache_read_input_tokens':600,'prompt_tokens_details':{'cached_tokens':600,'cache_creation_tokens':300,"
			"'cache_creation_token_details':{'ephemeral_5m_input_tokens':200,'ephemeral_1h_input_tokens':100}}}",
			"input=100 cached_input=600 cache_write=200 output=20 cache_write_1h=100", 1420000},
		{"LiteLLM: prompt without the cached, as the total shows", "vllm",
			"{'prompt_tokens':100,'completion_tokens':20,'total_tokens':1020,'cache_read_input_tokens':900}",
			"input=100 cached_input=900 output=20", 580000},
	};

	usage_cases_check(cases, COUNT(cases));
}
