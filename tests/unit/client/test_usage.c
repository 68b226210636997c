/* The providers' usage objects, as in their documentation, are converted to disjoint token classes. */

#include <string.h>

#include "c/bursar.h"
#include "lib/test.h"

typedef bool reader(const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error);

/* input, cached, cache write, output, reasoning, audio in, audio out */
static void expect(reader *read, const char *json, const int64_t want[7])
{
	Bursar__V1__TokenUsage usage;
	struct bursar_error error = {0};

	if (!read(json, strlen(json), &usage, &error))
		fail_msg("%s: %s", error.field, error.message);
	assert_int_equal(usage.input_tokens, want[0]);
	assert_int_equal(usage.cached_input_tokens, want[1]);
	assert_int_equal(usage.cache_write_tokens, want[2]);
	assert_int_equal(usage.output_tokens, want[3]);
	assert_int_equal(usage.reasoning_tokens, want[4]);
	assert_int_equal(usage.audio_input_tokens, want[5]);
	assert_int_equal(usage.audio_output_tokens, want[6]);
}

static void refuse(reader *read, const char *json, const char *field)
{
	Bursar__V1__TokenUsage usage;
	struct bursar_error error = {0};

	assert_false(read(json, strlen(json), &usage, &error));
	assert_int_equal(error.code, BURSAR_INVALID_ARGUMENT);
	assert_string_equal(error.field, field);
}

TEST(openai_counts_the_cached_in_the_input)
{
	expect(bursar_usage_from_openai,
		"{\"prompt_tokens\": 2006, \"completion_tokens\": 300, \"total_tokens\": 2306,"
		"\"prompt_tokens_details\": {\"cached_tokens\": 1920, \"audio_tokens\": 6},"
		"\"completion_tokens_details\": {\"reasoning_tokens\": 192, \"audio_tokens\": 8, "
		"\"accepted_prediction_tokens\": 0}}",
		(int64_t[]){80, 1920, 0, 100, 192, 6, 8});
	expect(bursar_usage_from_openai,
		"{\"input_tokens\": 36, \"input_tokens_details\": {\"cached_tokens\": 30}, \"output_tokens\": 87,"
		"\"output_tokens_details\": {\"reasoning_tokens\": 80}, \"total_tokens\": 123}",
		(int64_t[]){6, 30, 0, 7, 80, 0, 0});
	expect(bursar_usage_from_openai,
		"{\"prompt_tokens\": 9, \"completion_tokens\": 12, \"prompt_tokens_details\": null}",
		(int64_t[]){9, 0, 0, 12, 0, 0, 0});
}

TEST(anthropic_counts_the_cached_beside_the_input)
{
	expect(bursar_usage_from_anthropic,
		"{\"input_tokens\": 21, \"cache_creation_input_tokens\": 188086, \"cache_read_input_tokens\": 10,"
		"\"output_tokens\": 393, \"service_tier\": \"standard\", \"cache_creation\": "
		"{\"ephemeral_5m_input_tokens\": 188086}}",
		(int64_t[]){21, 10, 188086, 393, 0, 0, 0});
}

TEST(google_counts_thoughts_beside_the_candidates)
{
	expect(bursar_usage_from_google,
		"{\"promptTokenCount\": 1000, \"cachedContentTokenCount\": 600, \"candidatesTokenCount\": 50,"
		"\"thoughtsTokenCount\": 70, \"toolUsePromptTokenCount\": 5, \"totalTokenCount\": 1125,"
		"\"promptTokensDetails\": [{\"modality\": \"TEXT\", \"tokenCount\": 900}, {\"modality\": \"AUDIO\", "
		"\"tokenCount\": 100}],"
		"\"cacheTokensDetails\": [{\"modality\": \"AUDIO\", \"tokenCount\": 40}]}",
		(int64_t[]){345, 600, 0, 50, 70, 60, 0});
	expect(bursar_usage_from_google, "{\"promptTokenCount\": 4, \"totalTokenCount\": 4}",
		(int64_t[]){4, 0, 0, 0, 0, 0, 0});
}

TEST(an_object_that_contradicts_itself_is_refused)
{
	refuse(bursar_usage_from_openai, "{\"prompt_tokens\": 5, \"prompt_tokens_details\": {\"cached_tokens\": 6}}",
		"cached_tokens");
	refuse(bursar_usage_from_openai, "{\"prompt_tokens\": -1}", "prompt_tokens");
	refuse(bursar_usage_from_openai, "{\"prompt_tokens\": 1.5}", "prompt_tokens");
	refuse(bursar_usage_from_openai, "{\"prompt_tokens\": \"5\"}", "prompt_tokens");
	refuse(bursar_usage_from_openai, "{\"prompt_tokens\": 9007199254740992}", "prompt_tokens");
	refuse(bursar_usage_from_openai, "{\"tokens\": 5}", "usage");
	refuse(bursar_usage_from_openai, "[]", "usage");
	refuse(bursar_usage_from_openai, "", "usage");
	refuse(bursar_usage_from_anthropic, "{\"usage\": {}}", "usage");
	refuse(bursar_usage_from_anthropic, "{\"input_tokens\": 1, \"input_tokens\": 2}", "usage");
	refuse(bursar_usage_from_google, "{\"promptTokenCount\": 5, \"cachedContentTokenCount\": 6}",
		"cachedContentTokenCount");
	refuse(bursar_usage_from_google, "{}", "usage");
}
