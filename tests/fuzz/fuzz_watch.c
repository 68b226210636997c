/*
 * A worker's report: bytes from Redis, where anybody could publish. A report that is read must be the same when packed.
 */
#include <string.h>

#include "base/utf8.h"
#include "domain/watch.h"
#include "fuzz/fuzz.h"

static struct arena arena;

static void text_holds(const char *text)
{
	HOLDS(text && strlen(text) <= ID_MAX && utf8_valid(text, strlen(text)));
}

static void event_holds(const struct watch_event *event)
{
	HOLDS(event->kind >= WATCH_CHECK && event->kind < WATCH_KINDS && event->reason < REASON_COUNT);
	HOLDS(event->input >= 0 && event->output >= 0 && event->cost >= 0 && event->waited_us >= 0);
	text_holds(event->user);
	text_holds(event->cause);
}

static void sample_holds(const struct watch_sample *sample, int most)
{
	HOLDS(sample->count >= 0 && sample->count <= most && sample->seen >= sample->count);
#ifdef PLANTED_BUG
	/* The mistake: assuming that nothing is ever left out. */
	HOLDS(sample->seen == sample->count);
#endif
	for (int i = 0; i < sample->count; i++)
		event_holds(&sample->event[i]);
}

static void pack_again(const struct watch_report *report, struct buf *out)
{
	watch_head_pack(report, out);
	for (int i = 0; i < report->parts; i++) {
		const struct watch_part *part = &report->part[i];

		watch_part_pack(part->tenant, &part->totals, out);
		for (int at = 0; at < WATCH_DRAWS; at++) {
			watch_sample_pack(part->sample[at].seen, part->sample[at].count, out);
			for (int event = 0; event < part->sample[at].count; event++)
				watch_event_pack(&part->sample[at].event[event], out);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct watch_report report, again;
	struct buf bytes = {0};

	if (watch_report_read(data, size, &arena, &report)) {
		HOLDS(report.users <= WATCH_USERS_MAX && report.parts <= WATCH_TENANTS_MAX);
		text_holds(report.server);
		for (int i = 0; i < report.parts; i++) {
			text_holds(report.part[i].tenant);
			sample_holds(&report.part[i].sample[DRAW_DENIALS], DRAW_MAX);
			sample_holds(&report.part[i].sample[DRAW_OTHERS], DRAW_MAX);
			sample_holds(&report.part[i].sample[DRAW_WATCHED], DRAW_WATCHED_MAX);
		}
		pack_again(&report, &bytes);
		/* `allowed` may be any byte but 0, so only the length must be the same. */
		HOLDS(bytes.len == size && watch_report_read(bytes.data, bytes.len, &arena, &again));
	}
	buf_release(&bytes);
	arena_reset(&arena);
	return 0;
}
