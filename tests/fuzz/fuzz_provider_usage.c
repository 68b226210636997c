/* Usage objects: what is read is valid, says all that the provider's total says, and depends neither on spelling nor on company. */
#include <string.h>

#include "base/utf8.h"
#include "domain/limit/limit.h"
#include "domain/price/price.h"
#include "domain/usage/raw_json.h"
#include "domain/usage/usage.h"
#include "fuzz/fuzz.h"

static int64_t tokens(const struct meters *meters)
{
	return tokens_input(meters) + tokens_output(meters);
}

static void check_rounds(const struct usage_reading *reading)
{
	struct meters sum = {{0}};
	struct err err = {0};

	HOLDS(reading->rounds == 0 || (reading->rounds >= 2 && reading->rounds <= USAGE_ROUNDS_MAX));
	for (int i = 0; i < reading->rounds; i++) {
		HOLDS(meters_check(&reading->round[i].meters, "x", &err));
		HOLDS(!reading->round[i].model[0] ||
			id_check(reading->round[i].model, strlen(reading->round[i].model), "model", &err));
		for (int k = 0; k < METER_COUNT; k++)
			sum.count[k] += reading->round[i].meters.count[k];
	}
	if (reading->rounds)
		HOLDS(memcmp(&sum, &reading->meters, sizeof(sum)) == 0);
}

static void check_facts(const struct usage_reading *reading)
{
	struct err err = {0};

	HOLDS(!reading->model[0] || id_check(reading->model, strlen(reading->model), "model", &err));
	HOLDS(strlen(reading->mode) < 16 && strlen(reading->region) < 16 && !strchr(reading->mode, '@'));
	HOLDS(reading->cost_known ? reading->cost_nano >= 0 && reading->cost_nano <= COUNT_MAX
				  : reading->cost_nano == 0);
	HOLDS(strlen(reading->unknown) < USAGE_UNKNOWN_MAX && utf8_valid(reading->unknown, strlen(reading->unknown)));
}

static void check(const struct usage_reading *reading)
{
	struct meters none = {{0}};
	struct err err = {0};

	HOLDS(meters_check(&reading->meters, "x", &err));
	if (reading->estimated)
		HOLDS(memcmp(&none, &reading->meters, sizeof(none)) == 0);
#ifdef PLANTED_BUG
	/* The mistake: believing that the total always adds up. */
	if (reading->total_known)
		HOLDS(tokens(&reading->meters) == reading->total);
#endif
	if (reading->total_known && !reading->inconsistent)
		HOLDS(tokens(&reading->meters) == reading->total);
	/* Money is never lost: a total that is told is charged at least. */
	if (reading->total_known && !reading->rounds)
		HOLDS(tokens(&reading->meters) >= reading->total);
	check_rounds(reading);
	check_facts(reading);
}

/* A list of one is what it contains. */
static void check_alone(
	const char *provider, const char *json, size_t len, struct arena *arena, const struct usage_reading *reading)
{
	char *list = arena_alloc(arena, len + 2);
	struct usage_reading other;
	struct err err = {0};

	if (len + 2 > RAW_JSON_BYTES_MAX || !memchr(json, '{', len) || json[strspn(json, " \t\r\n")] != '{')
		return;
	list[0] = '[';
	memcpy(list + 1, json, len);
	list[len + 1] = ']';
	if (!usage_read(provider, list, len + 2, arena, &other, &err))
		return; /* nested once more, one value more */
	HOLDS(memcmp(&other.meters, &reading->meters, sizeof(other.meters)) == 0);
	HOLDS(other.cost_nano == reading->cost_nano && strcmp(other.model, reading->model) == 0);
}

/* The name of the provider, a newline, and what it sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = memchr(data, '\n', size);
	struct arena arena = {0};
	struct usage_reading reading;
	struct err err = {0};
	const char *provider, *json;
	size_t len;

	if (!end)
		return 0;
	provider = arena_strndup(&arena, text, (size_t)(end - text));
	len = size - (size_t)(end + 1 - text);
	json = arena_strndup(&arena, end + 1, len);
	if (usage_read(provider, json, len, &arena, &reading, &err)) {
		check(&reading);
		check_alone(provider, json, len, &arena, &reading);
	} else {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
		HOLDS(strcmp(err.field, "json") == 0 || strcmp(err.field, "provider") == 0);
	}
	arena_release(&arena);
	return 0;
}
