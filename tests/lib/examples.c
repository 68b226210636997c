#include "lib/examples.h"

#include "base/clock.h"
#include "base/units.h"

void entry_example(struct entry *entry, struct arena *arena, const char *user, const char *request_id)
{
	int64_t now_us = clock_wall_us();

	*entry = (struct entry){
		.kind = ENTRY_RECORD,
		.final = true,
		.at_us = now_us,
		.started_at_us = now_us,
		.amounts = {.requests = 1, .input = 10, .output = 5, .cost = 1000},
		.info = {.tenant = "t",
			.user = user,
			.request_id = request_id,
			.interface = "web",
			.model = "gpt-x",
			.tier = "free",
			.provider = "openai",
			.price_model = "gpt-x",
			.reason = "",
			.actor = "",
			.accounts = 1},
		.usage = {.model = "gpt-x-2026", .provider = "openai", .price_model = "gpt-x", .mode = ""},
	};
	entry->usage.meters.count[METER_INPUT] = 10;
	entry->usage.meters.count[METER_OUTPUT] = 5;
	entry->info.account[0] = (struct entry_account){ACCOUNT_USER, user};
	struct entry_part *part = &entry->part[0];
	part->present = true;
	part->clock_us = now_us;
	part->buckets = 1;
	part->bucket = arena_zalloc(arena, 1, sizeof(*part->bucket));
	part->window_start[WINDOW_DAY] = now_us - now_us % DAY_US;
	part->bucket[0] =
		(struct entry_bucket){.limit_id = 9, .full_at_us = now_us + 1000, .rem = 1, .num = 3, .den = 2};
}

struct watch_event watch_event_example(enum watch_kind kind, const char *user, int64_t at_us)
{
	struct watch_event event = {.kind = kind, .allowed = kind == WATCH_CHECK, .at_us = at_us, .user = user};

	event.interface = "web";
	event.tier = "free";
	event.limit = event.request_id = event.model = event.pool = event.cause = "";
	return event;
}
