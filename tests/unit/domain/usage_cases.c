/* Runs the cases (usage_cases.h). */
#include "usage_cases.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/price/price.h"
#include "domain/usage/usage.h"
#include "lib/test.h"

/*
 * USD per 1M tokens: input 2, cached 0.2, write 2.5, write for an hour 4, output 10 (reasoning too), audio 40 and 80, cached audio 0.4,
 * image 5, cached image 0.5, image output 30, video 3, citations 2. A web search 0.01 USD, a file search 0.0025, a code execution 0.03,
 * a search unit 0.002, a second of audio 0.0001, a page 0.001, an image 0.0001.
 */
static void price_make(struct price *price)
{
	static const struct {
		enum meter meter;
		int64_t pico;
	} rates[] = {{METER_INPUT, 2000000}, {METER_CACHED_INPUT, 200000}, {METER_CACHE_WRITE, 2500000},
		{METER_CACHE_WRITE_1H, 4000000}, {METER_OUTPUT, 10000000}, {METER_AUDIO_INPUT, 40000000},
		{METER_AUDIO_OUTPUT, 80000000}, {METER_CACHED_AUDIO_INPUT, 400000}, {METER_IMAGE_INPUT, 5000000},
		{METER_CACHED_IMAGE_INPUT, 500000}, {METER_IMAGE_OUTPUT, 30000000}, {METER_VIDEO_INPUT, 3000000},
		{METER_CITATION, 2000000}, {METER_WEB_SEARCHES, 10000000000}, {METER_FILE_SEARCHES, 2500000000},
		{METER_CODE_EXECUTIONS, 30000000000}, {METER_SEARCH_UNITS, 2000000000},
		{METER_AUDIO_SECONDS, 100000000}, {METER_PAGES, 1000000000}, {METER_INPUT_IMAGES, 100000000}};

	*price = (struct price){.provider = "p", .model = "m"};
	rates_clear(&price->base);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		price->base.pico[rates[i].meter] = rates[i].pico;
}

static void put(struct buf *out, const char *name, const char *value)
{
	if (value[0])
		buf_putf(out, "%s%s=%s", out->len ? " " : "", name, value);
}

static void describe(const struct usage_reading *reading, struct buf *out)
{
	for (int i = 0; i < METER_COUNT; i++)
		if (reading->meters.count[i])
			buf_putf(out, "%s%s=%" PRId64, out->len ? " " : "", meter_name((enum meter)i),
				reading->meters.count[i]);
	put(out, "model", reading->model);
	put(out, "mode", reading->mode);
	put(out, "region", reading->region);
	if (reading->cost_known)
		buf_putf(out, " cost=%" PRId64, reading->cost_nano);
	if (reading->rounds)
		buf_putf(out, " rounds=%d", reading->rounds);
	if (reading->estimated)
		buf_put_str(out, out->len ? " estimated" : "estimated");
	if (reading->inconsistent)
		buf_put_str(out, " inconsistent");
	if (reading->unknown[0])
		buf_putf(out, " unknown:%s", reading->unknown);
}

/* The tokens are what the provider says they are in all. */
static void check_total(const struct usage_case *at, const struct usage_reading *reading)
{
	int64_t tokens = tokens_input(&reading->meters) + tokens_output(&reading->meters);

	if (reading->total_known && !reading->inconsistent && tokens != reading->total)
		fail_msg("%s: %" PRId64 " tokens, but the total is %" PRId64, at->about, tokens, reading->total);
}

char *usage_case_json(const char *text)
{
	char *json = strdup(text);

	assert_non_null(json);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	return json;
}

void usage_cases_check(const struct usage_case *cases, size_t count)
{
	struct arena arena = {0};
	struct price price;

	price_make(&price);
	for (size_t i = 0; i < count; i++) {
		struct usage_reading reading;
		struct buf text = {0};
		struct err err = {0};
		struct cost cost;
		char *json = usage_case_json(cases[i].json);

		if (!usage_read(cases[i].provider, json, strlen(json), &arena, &reading, &err))
			fail_msg("%s: %s", cases[i].about, err.text);
		describe(&reading, &text);
		if (strcmp(buf_str(&text), cases[i].reads) != 0)
			fail_msg("%s:\nread     %s\nexpected %s", cases[i].about, buf_str(&text), cases[i].reads);
		check_total(&cases[i], &reading);
		price_charge(&price, &reading.meters, (struct purchase){.mode = ""}, &cost);
		if (cost.nano != cases[i].nano || cost.flags & FLAG_UNPRICED)
			fail_msg("%s: costs %" PRId64 ", expected %" PRId64, cases[i].about, cost.nano, cases[i].nano);
		buf_release(&text);
		free(json);
		arena_reset(&arena);
	}
	arena_release(&arena);
}
