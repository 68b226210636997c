/*
 * Providers' usage objects, as disjoint meters. Declared in bursar.h.
 *
 * OpenAI, both Chat Completions (prompt_tokens) and Responses (input_tokens): input includes cached and audio tokens,
 * output includes reasoning and audio tokens. Anthropic: input_tokens includes neither cache reads nor cache writes, and
 * output includes its thinking. Google: promptTokenCount includes cachedContentTokenCount and audio; the tokens of tool
 * results are input; thoughtsTokenCount is not part of candidatesTokenCount.
 */
#include "c/internal.h"

#include <jansson.h>

#define COUNT_LIMIT ((INT64_C(1) << 53) - 1)

/* Reads members of one object and remembers the first error. */
struct reader {
	json_t *root;
	struct bursar_error *error;
	bool bad;
};

static bool reader_open(struct reader *reader, const char *json, size_t len, struct bursar_error *error)
{
	json_error_t why;

	*reader = (struct reader){.root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why), .error = error};
	if (!reader->root)
		return bursar__error_field(error, "usage", "is not valid JSON: %s (line %d)", why.text, why.line);
	if (json_is_object(reader->root))
		return true;
	json_decref(reader->root);
	return bursar__error_field(error, "usage", "is not a JSON object");
}

/* The count `name` of `object`; 0 when either is absent or null. */
static int64_t count_of(struct reader *reader, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value) || reader->bad)
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= COUNT_LIMIT)
		return json_integer_value(value);
	reader->bad = true;
	bursar__error_field(reader->error, name, "must be a whole number of tokens from 0 to 2^53-1");
	return 0;
}

static const json_t *part_of(const struct reader *reader, const char *name)
{
	const json_t *value = json_object_get(reader->root, name);

	return json_is_object(value) ? value : NULL;
}

/* `whole` less a part of it. */
static int64_t without(struct reader *reader, int64_t whole, int64_t part, const char *name)
{
	if (part <= whole || reader->bad)
		return whole - part;
	reader->bad = true;
	bursar__error_field(reader->error, name, "is more than the total that includes it");
	return 0;
}

static bool reader_close(struct reader *reader, const Bursar__V1__TokenUsage *read, Bursar__V1__TokenUsage *usage)
{
	json_decref(reader->root);
	if (reader->bad)
		return false;
	bursar__v1__token_usage__init(usage);
	usage->input_tokens = read->input_tokens;
	usage->cached_input_tokens = read->cached_input_tokens;
	usage->cache_write_tokens = read->cache_write_tokens;
	usage->output_tokens = read->output_tokens;
	usage->reasoning_tokens = read->reasoning_tokens;
	usage->audio_input_tokens = read->audio_input_tokens;
	usage->audio_output_tokens = read->audio_output_tokens;
	return true;
}

static bool nothing_found(struct reader *reader, const char *expected)
{
	json_decref(reader->root);
	return bursar__error_field(reader->error, "usage", "has no member %s", expected);
}

bool bursar_usage_from_openai(const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error)
{
	Bursar__V1__TokenUsage read = BURSAR__V1__TOKEN_USAGE__INIT;
	struct reader r;
	const json_t *in, *out;
	bool chat;

	if (!reader_open(&r, json, len, error))
		return false;
	chat = json_object_get(r.root, "prompt_tokens");
	if (!chat && !json_object_get(r.root, "input_tokens"))
		return nothing_found(&r, "prompt_tokens (Chat Completions) or input_tokens (Responses)");
	in = part_of(&r, chat ? "prompt_tokens_details" : "input_tokens_details");
	out = part_of(&r, chat ? "completion_tokens_details" : "output_tokens_details");
	read.cached_input_tokens = count_of(&r, in, "cached_tokens");
	read.cache_write_tokens = count_of(&r, in, "cache_write_tokens");
	read.audio_input_tokens = count_of(&r, in, "audio_tokens");
	read.reasoning_tokens = count_of(&r, out, "reasoning_tokens");
	read.audio_output_tokens = count_of(&r, out, "audio_tokens");
	read.input_tokens = count_of(&r, r.root, chat ? "prompt_tokens" : "input_tokens");
	read.input_tokens = without(&r, read.input_tokens, read.cached_input_tokens, "cached_tokens");
	read.input_tokens = without(&r, read.input_tokens, read.cache_write_tokens, "cache_write_tokens");
	read.input_tokens = without(&r, read.input_tokens, read.audio_input_tokens, "audio_tokens");
	read.output_tokens = count_of(&r, r.root, chat ? "completion_tokens" : "output_tokens");
	read.output_tokens = without(&r, read.output_tokens, read.reasoning_tokens, "reasoning_tokens");
	read.output_tokens = without(&r, read.output_tokens, read.audio_output_tokens, "audio_tokens");
	return reader_close(&r, &read, usage);
}

bool bursar_usage_from_anthropic(
	const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error)
{
	Bursar__V1__TokenUsage read = BURSAR__V1__TOKEN_USAGE__INIT;
	struct reader r;

	if (!reader_open(&r, json, len, error))
		return false;
	if (!json_object_get(r.root, "input_tokens") && !json_object_get(r.root, "output_tokens"))
		return nothing_found(&r, "input_tokens");
	read.input_tokens = count_of(&r, r.root, "input_tokens");
	read.cached_input_tokens = count_of(&r, r.root, "cache_read_input_tokens");
	read.cache_write_tokens = count_of(&r, r.root, "cache_creation_input_tokens");
	read.output_tokens = count_of(&r, r.root, "output_tokens");
	return reader_close(&r, &read, usage);
}

/* The audio in a list such as promptTokensDetails: [{"modality": "AUDIO", "tokenCount": 7}, ...]. */
static int64_t audio_of(struct reader *reader, const char *name)
{
	const json_t *list = json_object_get(reader->root, name);
	int64_t sum = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *modality = json_string_value(json_object_get(entry, "modality"));
		int64_t count = count_of(reader, entry, "tokenCount");

		if (modality && modality[0] == 'A' && sum <= COUNT_LIMIT)
			sum += count;
	}
	return sum;
}

bool bursar_usage_from_google(const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error)
{
	Bursar__V1__TokenUsage read = BURSAR__V1__TOKEN_USAGE__INIT;
	struct reader r;
	int64_t cached_audio;

	if (!reader_open(&r, json, len, error))
		return false;
	if (!json_object_get(r.root, "promptTokenCount") && !json_object_get(r.root, "totalTokenCount"))
		return nothing_found(&r, "promptTokenCount");
	read.cached_input_tokens = count_of(&r, r.root, "cachedContentTokenCount");
	/* Cached audio is part of the prompt's audio too. It counts as cached. */
	cached_audio = audio_of(&r, "cacheTokensDetails");
	read.audio_input_tokens = without(&r, audio_of(&r, "promptTokensDetails"), cached_audio, "cacheTokensDetails");
	read.input_tokens = count_of(&r, r.root, "promptTokenCount");
	read.input_tokens = without(&r, read.input_tokens, read.cached_input_tokens, "cachedContentTokenCount");
	read.input_tokens = without(&r, read.input_tokens, read.audio_input_tokens, "promptTokensDetails");
	read.input_tokens += count_of(&r, r.root, "toolUsePromptTokenCount");
	read.reasoning_tokens = count_of(&r, r.root, "thoughtsTokenCount");
	read.audio_output_tokens = audio_of(&r, "candidatesTokensDetails");
	read.output_tokens = count_of(&r, r.root, "candidatesTokenCount");
	read.output_tokens = without(&r, read.output_tokens, read.audio_output_tokens, "candidatesTokensDetails");
	return reader_close(&r, &read, usage);
}
