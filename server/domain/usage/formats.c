/*
 * Which member of which usage object is what (domain/usage/formats.h). The rules of a format are applied from the first to the last;
 * rules of one meter add up.
 */
#include "domain/usage/formats.h"

#include <string.h>

#include "domain/usage/raw_json.h"

#define WHOLE(METER, path) \
	{ \
		RULE_WHOLE, METER_##METER, INSIDE, path \
	}
#define TOTAL(path) \
	{ \
		RULE_TOTAL, METER_INPUT, INSIDE, path \
	}
#define ADD(METER, PLACE, path) \
	{ \
		RULE_ADD, METER_##METER, PLACE, path \
	}
#define UP(METER, path) \
	{ \
		RULE_ADD_UP, METER_##METER, BESIDE, path \
	}
#define EACH(METER, path) \
	{ \
		RULE_ADD_COUNT, METER_##METER, BESIDE, path \
	}
#define REST(METER, PLACE, path) \
	{ \
		RULE_REST, METER_##METER, PLACE, path \
	}
#define OVERLAP(METER, path) \
	{ \
		RULE_OVERLAP, METER_##METER, INSIDE, path \
	}
#define DOUBT(path) \
	{ \
		RULE_DOUBT, METER_INPUT, INSIDE, path \
	}
#define KNOWN(path) \
	{ \
		RULE_KNOWN, METER_INPUT, INSIDE, path \
	}

/* OpenAI's names for the parts, of Chat Completions, Responses and Realtime. */
#define IN(part) \
	"prompt_tokens_details." part "|input_tokens_details." part "|input_token_details." part \
	"|prompt_token_details." part
#define OUT(part) \
	"completion_tokens_details." part "|output_tokens_details." part "|output_token_details." part \
	"|completion_token_details." part

/*
 * Input includes cached and written tokens, images and audio; output includes reasoning. Servers that imitate the format add the
 * fields of other providers: DeepSeek's hits, Anthropic's cache fields (LiteLLM), the names of crewai.
 */
#define OPENAI_INPUT \
	WHOLE(INPUT, "prompt_tokens|input_tokens"), \
		ADD(CACHED_INPUT, INSIDE, \
			IN("cached_tokens") "|prompt_cache_hit_tokens|cached_prompt_tokens|num_cached_tokens|" \
					    "cache_read_input_tokens|cached_tokens|cached_prompt_text_tokens"), \
		ADD(CACHE_WRITE, INSIDE, \
			IN("cache_write_tokens") "|" IN( \
				"cache_creation_tokens") "|cache_creation_input_tokens|cache_creation_tokens"), \
		ADD(CACHE_WRITE_1H, INSIDE, OPENAI_HOUR), OVERLAP(CACHE_WRITE, OPENAI_HOUR), \
		ADD(AUDIO_INPUT, INSIDE, IN("audio_tokens")), \
		ADD(IMAGE_INPUT, INSIDE, IN("image_tokens") "|prompt_image_tokens"), \
		ADD(VIDEO_INPUT, INSIDE, IN("video_tokens")), \
		ADD(CACHED_AUDIO_INPUT, INSIDE, IN("cached_tokens_details.audio_tokens")), \
		OVERLAP(CACHED_INPUT, IN("cached_tokens_details.audio_tokens")), \
		OVERLAP(AUDIO_INPUT, IN("cached_tokens_details.audio_tokens")), \
		ADD(CACHED_IMAGE_INPUT, INSIDE, IN("cached_tokens_details.image_tokens")), \
		OVERLAP(CACHED_INPUT, IN("cached_tokens_details.image_tokens")), \
		OVERLAP(IMAGE_INPUT, IN("cached_tokens_details.image_tokens"))
#define OPENAI_HOUR \
	IN("cache_creation_token_details.ephemeral_1h_input_tokens") \
	"|cache_creation.ephemeral_1h_input_tokens|" IN("cache_write_tokens_details.ttl_12h_tokens")
#define OPENAI_KNOWN \
	KNOWN(IN("text_tokens")), KNOWN(IN("cached_tokens_details.text_tokens")), KNOWN(OUT("text_tokens")), \
		KNOWN(IN("cache_creation_token_details") "|" IN("cache_write_tokens_details")), \
		KNOWN("cache_creation"), \
		KNOWN(OUT("accepted_prediction_tokens") "|" OUT("rejected_prediction_tokens")), \
		KNOWN("prompt_cache_miss_tokens|queue_time|prompt_time|completion_time|total_time"), \
		KNOWN("requests|tool_calls|successful_requests|prompt_text_tokens")
#define OPENAI_OUTPUT \
	WHOLE(OUTPUT, "completion_tokens|output_tokens"), \
		ADD(REASONING, FLOATING, OUT("reasoning_tokens") "|reasoning_tokens"), \
		ADD(AUDIO_OUTPUT, INSIDE, OUT("audio_tokens")), ADD(IMAGE_OUTPUT, INSIDE, OUT("image_tokens")), \
		TOTAL("total_tokens")
#define OPENAI \
	OPENAI_INPUT, OPENAI_OUTPUT, OPENAI_KNOWN, UP(AUDIO_SECONDS, "[type=duration].seconds"), \
		EACH(WEB_SEARCHES, "^output[type=web_search_call].action[type=search]"), \
		EACH(FILE_SEARCHES, "^output[type=file_search_call]")

/* Input includes cached tokens and those of all modalities; thoughts are beside the answer; tool results are input. */
#define GOOGLE_CACHED(MODALITY) "cache_tokens_details[modality=" MODALITY "].token_count"
#define GOOGLE(OUTPUT_COUNT, OUTPUT_DETAILS) \
	WHOLE(INPUT, "prompt_token_count"), WHOLE(INPUT, "tool_use_prompt_token_count"), \
		ADD(CACHED_INPUT, INSIDE, "cached_content_token_count"), \
		ADD(AUDIO_INPUT, INSIDE, "prompt_tokens_details[modality=audio].token_count"), \
		ADD(IMAGE_INPUT, INSIDE, "prompt_tokens_details[modality=image].token_count"), \
		ADD(VIDEO_INPUT, INSIDE, "prompt_tokens_details[modality=video].token_count"), \
		ADD(AUDIO_INPUT, INSIDE, "tool_use_prompt_tokens_details[modality=audio].token_count"), \
		ADD(IMAGE_INPUT, INSIDE, "tool_use_prompt_tokens_details[modality=image].token_count"), \
		ADD(VIDEO_INPUT, INSIDE, "tool_use_prompt_tokens_details[modality=video].token_count"), \
		ADD(CACHED_AUDIO_INPUT, INSIDE, GOOGLE_CACHED("audio")), \
		OVERLAP(CACHED_INPUT, GOOGLE_CACHED("audio")), OVERLAP(AUDIO_INPUT, GOOGLE_CACHED("audio")), \
		ADD(CACHED_IMAGE_INPUT, INSIDE, GOOGLE_CACHED("image")), \
		OVERLAP(CACHED_INPUT, GOOGLE_CACHED("image")), OVERLAP(IMAGE_INPUT, GOOGLE_CACHED("image")), \
		OVERLAP(VIDEO_INPUT, GOOGLE_CACHED("video")), WHOLE(OUTPUT, OUTPUT_COUNT), \
		ADD(REASONING, FLOATING_OUT, "thoughts_token_count"), \
		ADD(AUDIO_OUTPUT, INSIDE, OUTPUT_DETAILS "[modality=audio].token_count"), \
		ADD(IMAGE_OUTPUT, INSIDE, OUTPUT_DETAILS "[modality=image].token_count"), TOTAL("total_token_count"), \
		KNOWN("prompt_tokens_details|tool_use_prompt_tokens_details|cache_tokens_details|" OUTPUT_DETAILS), \
		KNOWN("tool_use_prompt_tokens_details"), KNOWN("cache_tokens_details"), KNOWN(OUTPUT_DETAILS)

/* Converse, and what a Claude answers if it is called by itself. */
#define BEDROCK_HOUR "cache_details[ttl=1h].input_tokens|cache_creation.ephemeral_1h_input_tokens"

#define LANGCHAIN_TIER(mode) \
	{ \
		mode, \
		{ \
			"input_token_details." mode, "input_token_details." mode "_cache_read", \
				"input_token_details." mode "_cache_creation" \
		} \
	}

static const struct usage_format formats[] = {
	{.name = "openai", .plain_output = METER_OUTPUT, .rule = {OPENAI}},
	{.name = "openai-realtime", .stream = STREAM_SUM, .plain_output = METER_OUTPUT, .rule = {OPENAI}},
	{.name = "openai-images",
		.plain_output = METER_IMAGE_OUTPUT,
		.rule = {OPENAI_INPUT, WHOLE(OUTPUT, "output_tokens|completion_tokens"),
			ADD(OUTPUT, INSIDE, OUT("text_tokens")), TOTAL("total_tokens"), KNOWN(OUT("image_tokens")),
			KNOWN(IN("text_tokens"))}},
	{.name = "openai-agents", .plain_output = METER_OUTPUT, .rounds = "request_usage_entries", .rule = {OPENAI}},
	{.name = "anthropic",
		.stream = STREAM_FIELDS,
		.plain_output = METER_OUTPUT,
		.rounds = "iterations",
		.rounds_lead = true,
		.rule = {ADD(INPUT, BESIDE, "input_tokens"), ADD(CACHED_INPUT, BESIDE, "cache_read_input_tokens"),
			ADD(CACHE_WRITE, BESIDE, "cache_creation_input_tokens"),
			ADD(CACHE_WRITE_1H, BESIDE, "cache_creation.ephemeral_1h_input_tokens"),
			OVERLAP(CACHE_WRITE, "cache_creation.ephemeral_1h_input_tokens"),
			REST(CACHE_WRITE, BESIDE, "cache_creation.ephemeral_5m_input_tokens"),
			WHOLE(OUTPUT, "output_tokens"),
			ADD(REASONING, INSIDE,
				"output_tokens_details.thinking_tokens|output_tokens_details.reasoning_tokens"),
			ADD(WEB_SEARCHES, BESIDE, "server_tool_use.web_search_requests"),
			ADD(CODE_EXECUTIONS, BESIDE, "server_tool_use.code_execution_requests"),
			KNOWN("server_tool_use.web_fetch_requests|server_tool_use.tool_search_requests"),
			KNOWN("iterations")}},
	{.name = "google",
		.plain_output = METER_OUTPUT,
		.rule = {GOOGLE("candidates_token_count", "candidates_tokens_details")}},
	{.name = "google-live",
		.stream = STREAM_SUM,
		.plain_output = METER_OUTPUT,
		.rule = {GOOGLE("response_token_count", "response_tokens_details")}},
	{.name = "google-adk",
		.stream = STREAM_SUM,
		.plain_output = METER_OUTPUT,
		.rule = {GOOGLE("candidates_token_count|response_token_count", "candidates_tokens_details")}},
	{.name = "xai",
		.plain_output = METER_OUTPUT,
		.cost = "cost_in_usd_ticks", /* of 10^-10 USD */
		.cost_scale = -1,
		.rule = {OPENAI,
			ADD(WEB_SEARCHES, BESIDE, "server_side_tool_usage_details.web_search_calls|num_sources_used"),
			ADD(WEB_SEARCHES, BESIDE, "server_side_tool_usage_details.x_search_calls"),
			ADD(FILE_SEARCHES, BESIDE,
				"server_side_tool_usage_details.file_search_calls|"
				"server_side_tool_usage_details.document_search_calls"),
			ADD(CODE_EXECUTIONS, BESIDE, "server_side_tool_usage_details.code_interpreter_calls"),
			KNOWN("num_server_side_tools_used|server_side_tool_usage_details")}},
	{.name = "mistral",
		.plain_output = METER_OUTPUT,
		.rule = {OPENAI, UP(AUDIO_SECONDS, "prompt_audio_seconds"), ADD(PAGES, BESIDE, "pages_processed"),
			KNOWN("doc_size_bytes")}},
	{.name = "perplexity",
		.plain_output = METER_OUTPUT,
		.cost = "cost.total_cost",
		.cost_scale = 9,
		.rule = {OPENAI_INPUT, WHOLE(OUTPUT, "completion_tokens|output_tokens"), TOTAL("total_tokens"),
			ADD(REASONING, APART, "reasoning_tokens"), ADD(CITATION, APART, "citation_tokens"),
			ADD(WEB_SEARCHES, BESIDE, "num_search_queries"), KNOWN("cost")}},
	{.name = "openrouter",
		.plain_output = METER_OUTPUT,
		.cost = "cost",
		.cost_scale = 9,
		.more_cost = "[is_byok=true].cost_details.upstream_inference_cost",
		.rule = {OPENAI, ADD(WEB_SEARCHES, BESIDE, "server_tool_use.web_search_requests"),
			KNOWN("cost_details")}},
	{.name = "cohere",
		.plain_output = METER_OUTPUT,
		.rule = {WHOLE(INPUT, "billed_units.input_tokens|billed_units.text_tokens|tokens.input_tokens"),
			ADD(CACHED_INPUT, INSIDE, "cached_tokens"),
			ADD(IMAGE_INPUT, BESIDE, "billed_units.image_tokens"),
			WHOLE(OUTPUT, "billed_units.output_tokens|tokens.output_tokens"),
			ADD(INPUT_IMAGES, BESIDE, "billed_units.images"), ADD(PAGES, BESIDE, "billed_units.pages"),
			ADD(SEARCH_UNITS, BESIDE, "billed_units.search_units"),
			ADD(CALLS, BESIDE, "billed_units.classifications"), KNOWN("tokens")}},
	{.name = "bedrock",
		.plain_output = METER_OUTPUT,
		.rule = {ADD(INPUT, BESIDE, "input_tokens|input_token_count"),
			ADD(CACHED_INPUT, MAYBE, "cache_read_input_tokens|cache_read_input_token_count"),
			ADD(CACHE_WRITE, MAYBE,
				"cache_write_input_tokens|cache_write_input_token_count|cache_creation_input_tokens"),
			ADD(CACHE_WRITE_1H, MAYBE, BEDROCK_HOUR), OVERLAP(CACHE_WRITE, BEDROCK_HOUR),
			REST(CACHE_WRITE, MAYBE,
				"cache_details[ttl=5m].input_tokens|cache_creation.ephemeral_5m_input_tokens"),
			WHOLE(OUTPUT, "output_tokens|output_token_count"), TOTAL("total_tokens"),
			KNOWN("cache_details|invocation_latency|first_byte_latency")}},
	{.name = "ollama",
		.plain_output = METER_OUTPUT,
		.rule = {WHOLE(INPUT, "prompt_eval_count|prompt_tokens|input_tokens"),
			ADD(CACHED_INPUT, INSIDE, IN("cached_tokens")),
			WHOLE(OUTPUT, "eval_count|completion_tokens|output_tokens"), TOTAL("total_tokens"),
			KNOWN("total_duration"), KNOWN("load_duration"), KNOWN("prompt_eval_duration"),
			KNOWN("eval_duration")}},
	{.name = "pydantic-ai",
		.plain_output = METER_OUTPUT,
		.rule = {WHOLE(INPUT, "input_tokens"), ADD(CACHED_INPUT, INSIDE, "cache_read_tokens"),
			ADD(CACHE_WRITE, INSIDE, "cache_write_tokens"),
			ADD(CACHE_WRITE_1H, INSIDE, "cache_write_1h_tokens"),
			OVERLAP(CACHE_WRITE, "cache_write_1h_tokens"), UP(AUDIO_SECONDS, "audio_seconds"),
			DOUBT("unmeasured_requests"), ADD(AUDIO_INPUT, INSIDE, "input_audio_tokens"),
			ADD(CACHED_AUDIO_INPUT, INSIDE, "cache_audio_read_tokens"),
			OVERLAP(CACHED_INPUT, "cache_audio_read_tokens"),
			OVERLAP(AUDIO_INPUT, "cache_audio_read_tokens"), WHOLE(OUTPUT, "output_tokens"),
			ADD(AUDIO_OUTPUT, INSIDE, "output_audio_tokens"),
			ADD(REASONING, FLOATING, "output_reasoning_tokens|reasoning_tokens|details.reasoning_tokens"),
			TOTAL("total_tokens"), KNOWN("details"), KNOWN("requests"), KNOWN("tool_calls")}},
	{.name = "langchain",
		.stream = STREAM_SUM,
		.free_if_zero = "total_cost",
		.tiered = "input_tokens",
		.tier = {LANGCHAIN_TIER("flex"), LANGCHAIN_TIER("priority")},
		.plain_output = METER_OUTPUT,
		.rule = {WHOLE(INPUT, "input_tokens"),
			ADD(CACHED_INPUT, INSIDE,
				"input_token_details.cache_read|input_token_details.flex_cache_read|"
				"input_token_details.priority_cache_read"),
			ADD(CACHE_WRITE, INSIDE,
				"input_token_details.cache_creation|input_token_details.flex_cache_creation|"
				"input_token_details.priority_cache_creation"),
			ADD(CACHE_WRITE_1H, INSIDE, "input_token_details.ephemeral_1h_input_tokens"),
			OVERLAP(CACHE_WRITE, "input_token_details.ephemeral_1h_input_tokens"),
			REST(CACHE_WRITE, INSIDE, "input_token_details.ephemeral_5m_input_tokens"),
			ADD(AUDIO_INPUT, INSIDE, "input_token_details.audio"), WHOLE(OUTPUT, "output_tokens"),
			ADD(REASONING, FLOATING,
				"output_token_details.reasoning|output_token_details.flex_reasoning|"
				"output_token_details.priority_reasoning"),
			ADD(AUDIO_OUTPUT, INSIDE, "output_token_details.audio"), TOTAL("total_tokens"),
			/* In these tiers it renames the parts, and the tier's name holds the rest. */
			KNOWN("input_token_details.flex"), KNOWN("output_token_details.flex"),
			KNOWN("input_token_details.priority"), KNOWN("output_token_details.priority"),
			KNOWN("total_cost")}},
	{.name = "ai-sdk",
		.plain_output = METER_OUTPUT,
		.rounds = "^steps.usage",
		.rule = {WHOLE(INPUT, "input_tokens|prompt_tokens"),
			ADD(CACHED_INPUT, INSIDE, "input_token_details.cache_read_tokens|cached_input_tokens"),
			ADD(CACHE_WRITE, INSIDE,
				"input_token_details.cache_write_tokens|cache_creation_input_tokens|cache_write_input_tokens"),
			WHOLE(OUTPUT, "output_tokens|completion_tokens"),
			ADD(REASONING, FLOATING, "output_token_details.reasoning_tokens|reasoning_tokens"),
			TOTAL("total_tokens"), KNOWN("input_token_details.no_cache_tokens"),
			KNOWN("output_token_details.text_tokens"), KNOWN("raw")}},
	{.name = "genkit",
		.plain_output = METER_OUTPUT,
		.rule = {WHOLE(INPUT, "input_tokens"), ADD(CACHED_INPUT, INSIDE, "cached_content_tokens"),
			WHOLE(OUTPUT, "output_tokens"), ADD(REASONING, FLOATING_OUT, "thoughts_tokens"),
			TOTAL("total_tokens"), KNOWN("input_characters"), KNOWN("output_characters"),
			KNOWN("input_images"), KNOWN("output_images"), KNOWN("input_videos"),
			KNOWN("input_audio_files"), KNOWN("custom")}},
	{.name = "dspy", .empty_is_free = true, .plain_output = METER_OUTPUT, .rule = {OPENAI}},
};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

/* Names of providers and libraries, and the format that they use; NULL: what they got from the provider. */
static const struct {
	const char *name, *format;
} aliases[] = {
#define ALIAS(name, format) {name, format},
#include "domain/usage/aliases.def"
#undef ALIAS
};

static const struct {
	const char *format, *paths;
} signs[] = {
	{"openrouter", "cost_details|is_byok"},
	{"perplexity", "search_context_size|num_search_queries|citation_tokens|cost.total_cost"},
	{"xai", "num_sources_used|cost_in_usd_ticks|server_side_tool_usage_details"},
	{"cohere", "billed_units"},
	{"mistral", "prompt_audio_seconds|pages_processed|num_cached_tokens"},
	{"google-live", "response_token_count"},
	{"google", "prompt_token_count|candidates_token_count|total_token_count"},
	{"ollama", "prompt_eval_count|eval_count"},
	{"openai-images", "^output_format|^quality"},
	{"openai-realtime", "^[object=realtime.response]"},
	{"openai-agents", "request_usage_entries"},
	{"openai", "prompt_tokens|completion_tokens|prompt_cache_hit_tokens"},
	{"langchain",
		"input_token_details.cache_read|input_token_details.cache_creation|output_token_details.reasoning|"
		"input_token_details.ephemeral_5m_input_tokens|input_token_details.flex_cache_read|"
		"input_token_details.priority_cache_read|output_token_details.flex_reasoning|"
		"output_token_details.priority_reasoning|total_cost"},
	{"pydantic-ai", "cache_read_tokens|cache_write_tokens|input_audio_tokens|output_reasoning_tokens|tool_calls"},
	{"genkit", "cached_content_tokens|thoughts_tokens|input_characters"},
	{"bedrock", "=cacheReadInputTokens|=cacheWriteInputTokens|=cacheDetails|=inputTokenCount"},
	{"ai-sdk",
		"=cachedInputTokens|=reasoningTokens|=cacheCreationInputTokens|input_token_details.cache_read_tokens|"
		"input_token_details.no_cache_tokens"},
	{"anthropic",
		"cache_creation_input_tokens|cache_read_input_tokens|cache_creation|server_tool_use|inference_geo|"
		"iterations|^[type=message]|^[type=message_start]"},
	{"openai", "input_tokens|output_tokens|total_tokens|[type=duration].seconds"},
};

const char *const usage_wrappers[] = {"total_usage", "usage", "usage_metadata", "message.usage",
	"message.usage_metadata", "response.usage", "response.usage_metadata", "response.body.usage",
	"result.message.usage", "metadata.usage", "message.raw.usage", "raw.usage", "meta.usage", "meta", "usage_info",
	"token_usage", "x_groq.usage", "amazon-bedrock-invocationMetrics", NULL};

static const struct {
	const char *word, *mode;
} modes[] = {{"default", ""}, {"standard", ""}, {"auto", ""}, {"on_demand", ""}, {"unspecified", ""},
	{"traffic_type_unspecified", ""}, {"on_demand_offpeak", "offpeak"}, {"flex", "flex"},
	{"on_demand_flex", "flex"}, {"priority", "priority"}, {"on_demand_priority", "priority"}, {"batch", "batch"},
	{"fast", "fast"}, {"provisioned_throughput", "provisioned"}, {"reserved", "provisioned"},
	{"scale", "provisioned"}};

static const struct usage_format *format_named(const char *name)
{
	for (int i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

bool usage_format_find(const char *provider, const struct usage_format **out)
{
	size_t len = strlen(provider);

	*out = NULL;
	for (int i = 0; i < FORMATS; i++)
		if (raw_json_same_name(formats[i].name, strlen(formats[i].name), provider, len)) {
			*out = &formats[i];
			return true;
		}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (raw_json_same_name(aliases[i].name, strlen(aliases[i].name), provider, len)) {
			*out = aliases[i].format ? format_named(aliases[i].format) : NULL;
			return true;
		}
	return len == 0;
}

bool usage_format_sign(int i, const struct usage_format **out, const char **paths)
{
	if (i < 0 || i >= (int)(sizeof(signs) / sizeof(signs[0])))
		return false;
	*out = format_named(signs[i].format);
	*paths = signs[i].paths;
	return true;
}

const char *usage_format_names(void)
{
	return "openai, anthropic, google, xai, mistral, perplexity, openrouter, cohere, bedrock, ollama, pydantic-ai, langchain, "
	       "ai-sdk, genkit, dspy, auto, and the aliases in docs/usage.md";
}

const char *usage_mode(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (raw_json_same_name(modes[i].word, strlen(modes[i].word), word, len))
			return modes[i].mode;
	return NULL;
}
