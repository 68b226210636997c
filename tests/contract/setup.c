/* Statements that create accounts and limits and move the clock. */
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_set(const struct line *line, char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		line_fail(line, "'%s' is too long", from);
	snprintf(to, size, "%s", from);
}

static struct limit *limit_slot(struct policy *policy, const char *name)
{
	for (int i = 0; i < policy->count; i++)
		if (strcmp(policy->limits[i].name, name) == 0)
			return &policy->limits[i];
	return &policy->limits[policy->count++];
}

/* limit NAME DIM bucket AMOUNT per DURATION [burst=N] | day|week|month AMOUNT | level AMOUNT, and options */
static void limit_statement(struct world *world, const struct line *line)
{
	struct limit limit = {0};
	const char *value;

	if (line->count < 5 || !dimension_parse(line->word[2], &limit.dimension))
		line_fail(line, "use: limit NAME DIMENSION bucket|day|week|month|level AMOUNT ...");
	text_set(line, limit.name, sizeof(limit.name), line->word[1]);
	limit.amount = line_number(line, line->word[4]);
	if (window_unit_parse(line->word[3], &limit.unit)) {
		limit.kind = KIND_CALENDAR;
		limit.notify = !line_value(line, "quiet");
	} else if (!limit_kind_parse(line->word[3], &limit.kind)) {
		line_fail(line, "'%s' is no kind of limit", line->word[3]);
	}
	if (limit.kind == KIND_BUCKET) {
		if (line->count < 7)
			line_fail(line, "a bucket needs: per DURATION");
		limit.period_us = line_duration(line, line->word[6]);
	}
	if ((value = line_value(line, "burst")))
		limit.burst = line_number(line, value);
	if ((value = line_value(line, "warn")))
		limit.warn_percent = (int)line_number(line, value);
	if ((value = line_value(line, "interface")))
		text_set(line, limit.interface, sizeof(limit.interface), value);
	if ((value = line_value(line, "model")))
		text_set(line, limit.model, sizeof(limit.model), value);
	limit.shadow = line_value(line, "shadow");
	*limit_slot(&world->current->policy, limit.name) = limit;
	world->current->dirty = true;
}

static void drop_statement(struct world *world, const struct line *line)
{
	struct policy *policy = &world->current->policy;
	struct limit *limit = limit_slot(policy, line->word[1]);

	if (limit == &policy->limits[policy->count - 1] + 1)
		line_fail(line, "no limit is called '%s'", line->word[1]);
	for (; limit + 1 < &policy->limits[policy->count]; limit++)
		*limit = limit[1];
	policy->count--;
	world->current->dirty = true;
}

static void zone_statement(struct world *world, const struct line *line)
{
	struct subject *subject = world->current;
	char name[ZONE_NAME_MAX + 1];

	text_set(line, name, sizeof(name), line->word[1]);
	zone_put(&subject->profile.zone, name, subject->seeded, world->now_us);
	subject->dirty = true;
}

/* set suspended|bypass|deleted on|off; set grace PERCENT until TIME */
static void set_statement(struct world *world, const struct line *line)
{
	struct account_profile *profile = &world->current->profile;
	bool on;

	if (line->count < 3)
		line_fail(line, "set what?");
	on = strcmp(line->word[2], "on") == 0;
	if (strcmp(line->word[1], "suspended") == 0) {
		profile->suspended = on;
	} else if (strcmp(line->word[1], "bypass") == 0) {
		profile->bypass = on;
	} else if (strcmp(line->word[1], "deleted") == 0) {
		profile->deleted = on;
	} else if (strcmp(line->word[1], "grace") == 0 && line->count == 5) {
		profile->grace_percent = (int)line_number(line, line->word[2]);
		profile->grace_until_us = line_time(line, line->word[4]);
	} else {
		line_fail(line, "cannot set '%s'", line->word[1]);
	}
	world->current->dirty = true;
}

/* ledger NAME AMOUNT: what the ledger answers next for a calendar limit of the current account. */
static void ledger_statement(struct world *world, const struct line *line)
{
	struct policy *policy = &world->current->policy;
	struct limit *limit = limit_slot(policy, line->word[1]);

	if (line->count < 3 || limit >= &policy->limits[policy->count])
		line_fail(line, "use: ledger NAME AMOUNT");
	world->current->ledger[limit - policy->limits] = line_number(line, line->word[2]);
}

static void clock_statement(struct world *world, const struct line *line)
{
	const char *to = line->word[1];

	if (*to == '+' || *to == '-')
		world->now_us += line_duration(line, to);
	else
		world->now_us = line_time(line, to);
	world->backend->ops->clock(world->backend, world->now_us);
}

static void settings_statement(struct world *world, const struct line *line)
{
	const char *window = line_value(line, "window");

	world->backend->ops->settings(world->backend, window ? line_duration(line, window) : INT64_C(900000000),
		line_value(line, "expiry-charges") != NULL);
}

static void account_statement(struct world *world, const struct line *line)
{
	world->current = world_subject(world, line, line->word[1]);
}

static void apply_statement(struct world *world, const struct line *line)
{
	world_apply(world, line, line_value(line, "epoch") != NULL);
}

bool statement_setup(struct world *world, const struct line *line)
{
	static const struct {
		const char *verb;
		int words; /* the fewest, the verb among them */
		void (*run)(struct world *world, const struct line *line);
	} statements[] = {
		{"account", 2, account_statement},
		{"limit", 2, limit_statement},
		{"drop", 2, drop_statement},
		{"zone", 2, zone_statement},
		{"set", 2, set_statement},
		{"ledger", 2, ledger_statement},
		{"clock", 2, clock_statement},
		{"settings", 2, settings_statement},
		{"apply", 1, apply_statement},
	};

	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		if (strcmp(line->word[0], statements[i].verb) == 0 && line->count >= statements[i].words) {
			statements[i].run(world, line);
			return true;
		}
	return false;
}
