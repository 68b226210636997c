/* Memory that is reused: a watcher's table and its buffers are allocated when they are first needed. */
#include "service/watch/kept.h"

#include <stdlib.h>

#include "base/text/pack.h"

struct watch_kept {
	struct buf bytes; /* tenant, server, event */
	int64_t stands_for_milli;
};

bool kept_put(struct watcher *watcher, int at, const struct buf *bytes, int64_t stands_for_milli, size_t *all)
{
	size_t table = (size_t)watcher->most * sizeof(watcher->event[0]);
	struct watch_kept *kept = watcher->event ? &watcher->event[at] : NULL;

	if ((!kept || bytes->len >= kept->bytes.cap) && *all >= WATCH_KEPT_BYTES)
		return false;
	if (!kept) {
		watcher->event = mem_zalloc(1, table);
		*all += table;
		kept = &watcher->event[at];
	}
	*all -= kept->bytes.cap;
	buf_reset(&kept->bytes);
	buf_put(&kept->bytes, bytes->data, bytes->len);
	*all += kept->bytes.cap;
	kept->stands_for_milli = stands_for_milli;
	return true;
}

void kept_copy(struct watcher *watcher, const struct watcher *from, size_t *all)
{
	for (int i = 0; i < from->kept; i++)
		if (kept_put(watcher, watcher->kept, &from->event[i].bytes, from->event[i].stands_for_milli, all))
			watcher->kept++;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = ((const struct watch_shown *)a)->event.at_us, y = ((const struct watch_shown *)b)->event.at_us;

	return (x > y) - (x < y);
}

void kept_show(const struct watcher *watcher, struct arena *arena, struct watch_view *out)
{
	__int128 sum = 0;

	for (int i = 0; i < watcher->kept; i++)
		sum += watcher->event[i].stands_for_milli;
	out->event = arena_zalloc(arena, (size_t)watcher->kept + 1, sizeof(out->event[0]));
	for (int i = 0; i < watcher->kept; i++) {
		const struct watch_kept *kept = &watcher->event[i];
		struct cut cut = cut_of(kept->bytes.data, kept->bytes.len);
		struct watch_shown *shown = &out->event[out->events];

		shown->tenant = text_cut(&cut, arena);
		shown->server = text_cut(&cut, arena);
		shown->stands_for_milli =
			sum ? (int64_t)((__int128)kept->stands_for_milli * watcher->stood_for_milli / sum) : 0;
		if (watch_event_read(&cut, arena, &shown->event))
			out->events++;
	}
	qsort(out->event, (size_t)out->events, sizeof(out->event[0]), compare_times);
}

void kept_release(struct watcher *watcher, size_t *all)
{
	if (!watcher->event)
		return;
	for (int i = 0; i < watcher->most; i++) {
		*all -= watcher->event[i].bytes.cap;
		buf_release(&watcher->event[i].bytes);
	}
	*all -= (size_t)watcher->most * sizeof(watcher->event[0]);
	free(watcher->event);
	watcher->event = NULL;
}
