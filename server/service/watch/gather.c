/* Sums and reservoirs. Only an event that is drawn is packed, into memory that is reused. */
#include "service/watch/gather.h"

#include <stdlib.h>
#include <string.h>

struct reservoir {
	int64_t seen;
	int most, kept;
	struct buf *event; /* `most` packed events; NULL before the first one */
};

struct gathered {
	char tenant[ID_MAX + 1];
	struct watch_totals totals;
	struct reservoir draw[WATCH_DRAWS];
};

struct gather {
	struct watch_report head; /* without parts */
	uint64_t chance;
	int tenants;
	struct gathered tenant[WATCH_TENANTS_MAX];
};

struct gather *gather_new(uint64_t worker, const char *server)
{
	static const int most[WATCH_DRAWS] = {DRAW_MAX, DRAW_MAX, DRAW_WATCHED_MAX};
	struct gather *gather = mem_zalloc(1, sizeof(*gather));

	gather->head.worker = worker;
	gather->head.server = server;
	gather->chance = worker | 1;
	for (int i = 0; i < WATCH_TENANTS_MAX; i++)
		for (int draw = 0; draw < WATCH_DRAWS; draw++)
			gather->tenant[i].draw[draw].most = most[draw];
	return gather;
}

void gather_free(struct gather *gather)
{
	if (!gather)
		return;
	for (int i = 0; i < WATCH_TENANTS_MAX; i++) {
		for (int draw = 0; draw < WATCH_DRAWS; draw++) {
			struct reservoir *reservoir = &gather->tenant[i].draw[draw];
			for (int at = 0; reservoir->event && at < reservoir->most; at++)
				buf_release(&reservoir->event[at]);
			free(reservoir->event);
		}
	}
	free(gather);
}

void gather_watch(struct gather *gather, const uint64_t *user, int users)
{
	gather->head.users = users < WATCH_USERS_MAX ? users : WATCH_USERS_MAX;
	memcpy(gather->head.user, user, (size_t)gather->head.users * sizeof(user[0]));
}

static void draw(struct gather *gather, struct reservoir *reservoir, const struct watch_event *event)
{
	int at = watch_place(&reservoir->seen, &reservoir->kept, reservoir->most, &gather->chance);

	if (at < 0)
		return;
	if (!reservoir->event)
		reservoir->event = mem_zalloc((size_t)reservoir->most, sizeof(reservoir->event[0]));
	buf_reset(&reservoir->event[at]);
	watch_event_pack(event, &reservoir->event[at]);
}

static struct gathered *tenant_of(struct gather *gather, const char *tenant)
{
	struct gathered *own;

	for (int i = 0; i < gather->tenants; i++)
		if (strcmp(gather->tenant[i].tenant, tenant) == 0)
			return &gather->tenant[i];
	if (gather->tenants == WATCH_TENANTS_MAX || strlen(tenant) > ID_MAX)
		return NULL;
	own = &gather->tenant[gather->tenants++];
	strcpy(own->tenant, tenant);
	return own;
}

static bool by_name(const struct gather *gather, const char *tenant, const char *user)
{
	uint64_t hash = gather->head.users ? watch_user_hash(tenant, user) : 0;

	for (int i = 0; i < gather->head.users; i++)
		if (gather->head.user[i] == hash)
			return true;
	return false;
}

bool gather_add(struct gather *gather, const char *tenant, const struct watch_event *event)
{
	struct gathered *own = tenant_of(gather, tenant);

	if (!own)
		return false;
	watch_totals_count(&own->totals, event);
	draw(gather, &own->draw[watch_is_denial(event) ? DRAW_DENIALS : DRAW_OTHERS], event);
	if (by_name(gather, tenant, event->user))
		draw(gather, &own->draw[DRAW_WATCHED], event);
	return true;
}

bool gather_empty(const struct gather *gather)
{
	return gather->tenants == 0;
}

void gather_skip(struct gather *gather)
{
	gather->head.number++;
}

void gather_report(struct gather *gather, int64_t now_us, struct buf *out)
{
	struct watch_report *head = &gather->head;

	head->number++;
	head->parts = gather->tenants;
	head->to_us = now_us > head->from_us ? now_us : head->from_us;
	if (!head->from_us)
		head->from_us = head->to_us;
	watch_head_pack(head, out);
	for (int i = 0; i < gather->tenants; i++) {
		struct gathered *own = &gather->tenant[i];

		watch_part_pack(own->tenant, &own->totals, out);
		for (int at = 0; at < WATCH_DRAWS; at++) {
			struct reservoir *reservoir = &own->draw[at];
			watch_sample_pack(reservoir->seen, reservoir->kept, out);
			for (int event = 0; event < reservoir->kept; event++)
				buf_put(out, reservoir->event[event].data, reservoir->event[event].len);
			reservoir->seen = 0;
			reservoir->kept = 0;
		}
		own->totals = (struct watch_totals){0};
	}
	gather->tenants = 0;
	head->from_us = head->to_us;
}
