/* The fields of litellm's list that are prices: a stem, then "_above_200k_tokens", then "_batches" or another mode. */
#include <string.h>

#include "domain/price/public/price_litellm.h"

/* Where a field belongs may depend on what the model does: `mode` in the list. */
enum stem_kind {
	STEM_RATE,
	STEM_SECONDS_IN, /* of audio; of a model that chats, of rented throughput */
	STEM_SECONDS_OUT, /* of what the model makes: video, or audio */
	STEM_IMAGE_IN, /* of a model that makes images, of those */
	STEM_IMAGE_OUT, /* unless there is a price per token of them */
	STEM_QUERY, /* a call, of a reranker a search unit */
	STEM_NEVER /* cannot be said; listed with `why` unless it is 0 */
};

static const struct stem {
	const char *name;
	enum stem_kind kind;
	enum meter meter;
	int scale; /* of USD to pico-USD for one of the meter */
	const char *why;
} stems[] = {
	{"input_cost_per_token", STEM_RATE, METER_INPUT, 12, NULL},
	{"output_cost_per_token", STEM_RATE, METER_OUTPUT, 12, NULL},
	{"cache_read_input_token_cost", STEM_RATE, METER_CACHED_INPUT, 12, NULL},
	{"input_cost_per_token_cache_hit", STEM_RATE, METER_CACHED_INPUT, 12, NULL},
	{"cache_creation_input_token_cost", STEM_RATE, METER_CACHE_WRITE, 12, NULL},
	{"cache_creation_input_token_cost_above_1hr", STEM_RATE, METER_CACHE_WRITE_1H, 12, NULL},
	{"cache_creation_input_token_cost_above_12hr", STEM_NEVER, 0, 0,
		"there is no meter of cache writes for 12 hours"},
	{"output_cost_per_reasoning_token", STEM_RATE, METER_REASONING, 12, NULL},
	{"input_cost_per_audio_token", STEM_RATE, METER_AUDIO_INPUT, 12, NULL},
	{"output_cost_per_audio_token", STEM_RATE, METER_AUDIO_OUTPUT, 12, NULL},
	{"cache_read_input_audio_token_cost", STEM_RATE, METER_CACHED_AUDIO_INPUT, 12, NULL},
	{"cache_creation_input_audio_token_cost", STEM_NEVER, 0, 0, "there is no meter of cache writes of audio"},
	{"input_cost_per_image_token", STEM_RATE, METER_IMAGE_INPUT, 12, NULL},
	{"cache_read_input_image_token_cost", STEM_RATE, METER_CACHED_IMAGE_INPUT, 12, NULL},
	{"output_cost_per_image_token", STEM_RATE, METER_IMAGE_OUTPUT, 12, NULL},
	{"input_cost_per_video_token", STEM_RATE, METER_VIDEO_INPUT, 12, NULL},
	{"output_cost_per_video_token", STEM_NEVER, 0, 0, "there is no meter of video output in tokens"},
	{"citation_cost_per_token", STEM_RATE, METER_CITATION, 12, NULL},
	{"input_cost_per_character", STEM_RATE, METER_CHARACTERS, 12, NULL},
	{"output_cost_per_character", STEM_NEVER, 0, 0, "there is no meter of characters of output"},
	{"input_cost_per_second", STEM_SECONDS_IN, METER_AUDIO_SECONDS, 12, NULL},
	{"output_cost_per_second", STEM_SECONDS_OUT, METER_VIDEO_SECONDS, 12, NULL},
	{"cost_per_second", STEM_NEVER, 0, 0, "is for rented throughput, not for a request"},
	{"input_cost_per_audio_per_second", STEM_RATE, METER_AUDIO_SECONDS, 12, NULL},
	{"input_cost_per_video_per_second", STEM_RATE, METER_VIDEO_SECONDS, 12, NULL},
	{"output_cost_per_video_per_second", STEM_RATE, METER_VIDEO_SECONDS, 12, NULL},
	{"input_cost_per_image", STEM_IMAGE_IN, METER_INPUT_IMAGES, 12, NULL},
	{"output_cost_per_image", STEM_IMAGE_OUT, METER_OUTPUT_IMAGES, 12, NULL},
	{"ocr_cost_per_page", STEM_RATE, METER_PAGES, 12, NULL},
	{"annotation_cost_per_page", STEM_NEVER, 0, 0, "there is no meter of annotated pages"},
	{"input_cost_per_query", STEM_QUERY, METER_CALLS, 12, NULL},
	{"input_cost_per_request", STEM_RATE, METER_CALLS, 12, NULL},
	{"file_search_cost_per_1k_calls", STEM_RATE, METER_FILE_SEARCHES, 9, NULL},
	{"google_maps_grounding_cost_per_query", STEM_RATE, METER_MAP_SEARCHES, 12, NULL},
	{"input_cost_per_pixel", STEM_NEVER, 0, 0, "there is no meter of pixels"},
	{"output_cost_per_pixel", STEM_NEVER, 0, 0, "there is no meter of pixels"},
	{"code_interpreter_cost_per_session", STEM_NEVER, 0, 0, "a session is not a number of executions"},
	/* Units of Databricks, beside the price in USD. */
	{"input_dbu_cost_per_token", STEM_NEVER, 0, 0, NULL},
	{"output_dbu_cost_per_token", STEM_NEVER, 0, 0, NULL},
};
enum { STEMS = sizeof(stems) / sizeof(stems[0]) };

/* The mode that a field's name ends with, and Bursar's name for it. */
static const struct {
	const char *suffix, *mode;
} modes[] = {{"", ""}, {"_batches", "batch"}, {"_flex", "flex"}, {"_priority", "priority"}, {"_ultrafast", "ultrafast"},
	{"_balanced", "balanced"}, {"_decisions", "decisions"}};

/* "_above_200k_tokens_batches" after a stem. */
static bool suffix_read(const char *text, struct place *place)
{
	int64_t thousands = 0;

	place->above_tokens = 0;
	if (strncmp(text, "_above_", 7) == 0) {
		for (text += 7; *text >= '0' && *text <= '9' && thousands < 1000000; text++)
			thousands = thousands * 10 + (*text - '0');
		if (!thousands || strncmp(text, "k_tokens", 8) != 0)
			return false;
		place->above_tokens = thousands * 1000;
		text += 8;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(text, modes[i].suffix) == 0) {
			place->mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

static const struct stem *field_find(const char *name, struct place *place)
{
	for (int i = 0; i < STEMS; i++) {
		size_t n = strlen(stems[i].name);

		if (strncmp(name, stems[i].name, n) == 0 && suffix_read(name + n, place))
			return &stems[i];
	}
	return NULL;
}

/* The meter of a field; false, and `why`, if it has none. */
static bool meter_of(const struct litellm_model *model, const struct stem *stem, enum meter *out, const char **why)
{
	const bool makes_images =
		strcmp(model->does, "image_generation") == 0 || strcmp(model->does, "image_edit") == 0;

	*out = stem->meter;
	*why = stem->why;
	switch (stem->kind) {
	case STEM_SECONDS_IN:
		*why = "is for rented throughput, not for a request";
		return strcmp(model->does, "chat") != 0;
	case STEM_SECONDS_OUT:
		if (strncmp(model->does, "audio_", 6) == 0)
			*out = METER_AUDIO_SECONDS;
		return true;
	case STEM_IMAGE_IN:
		if (makes_images && !tree_member(model->fields, "output_cost_per_image"))
			*out = METER_OUTPUT_IMAGES;
		*why = "there is a price per token of images";
		return !tree_member(model->fields, "input_cost_per_image_token");
	case STEM_IMAGE_OUT:
		*why = "there is a price per token of images";
		return !tree_member(model->fields, "output_cost_per_image_token");
	case STEM_QUERY:
		if (strcmp(model->does, "rerank") == 0)
			*out = METER_SEARCH_UNITS;
		return true;
	case STEM_NEVER:
		return false;
	case STEM_RATE:
		break;
	}
	return true;
}

enum litellm_found litellm_field(
	const struct litellm_model *model, const char *name, struct place *place, int *scale, const char **why)
{
	const struct stem *stem = field_find(name, place);

	*why = "is not known";
	if (!stem)
		return LITELLM_UNKNOWN;
	*scale = stem->scale;
	return meter_of(model, stem, &place->meter, why) ? LITELLM_RATE : LITELLM_NEVER;
}
