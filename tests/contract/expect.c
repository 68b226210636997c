/* `expect`: the current state of a limit. */
#include "statements.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void number_expect(const struct line *line, const char *key, int64_t got)
{
	const char *value = line_value(line, key);

	if (value && line_number(line, value) != got)
		line_fail(line, "%s: expected %s, got %" PRId64, key, value, got);
}

/* full=+8571428us+4/7: how far ahead of now the bucket will be full. */
static void full_expect(
	const struct world *world, const struct line *line, const struct limit *limit, const union limit_state *at)
{
	const char *value = line_value(line, "full");
	int64_t ahead = at->bucket.full_at_us - world->now_us;
	int64_t rem = at->bucket.rem;
	char span[64] = "";
	const char *part;
	int64_t num = 0;
	int64_t den = 1;

	if (!value)
		return;
	if (ahead < 0)
		ahead = rem = 0;
	part = strrchr(value + 1, '+');
	if (part) {
		num = strtoll(part + 1, NULL, 10);
		den = strtoll(strchr(part, '/') ? strchr(part, '/') + 1 : "1", NULL, 10);
	}
	strncat(span, value, part ? (size_t)(part - value) : sizeof(span) - 1);
	if (line_duration(line, span) != ahead || (__int128)num * limit->den != (__int128)rem * den)
		line_fail(line, "full: expected %s, got +%" PRId64 "us+%" PRId64 "/%" PRId64, value, ahead, rem,
			limit->den);
}

static void figures_expect(struct world *world, const struct line *line)
{
	struct account_state state;
	struct windows windows;
	struct figures figures;
	const char *value;
	int index = 0;
	const struct subject *subject = world_limit(world, line, line->word[1], &index);
	const struct limit *limit;

	world_look(world, line, subject, true, &state);
	limit = &state.policy->limits[index];
	if (limit->id != subject->stored.limits[index].id)
		line_fail(line, "the store follows another policy still");
	windows_at(&subject->profile.zone, world->now_us, &windows, NULL);
	figures_of(&state, index, &windows, 0, false, world->now_us, &figures);
	number_expect(line, "used", figures.used);
	number_expect(line, "held", figures.held);
	number_expect(line, "settled", state.limits[index].calendar.settled);
	number_expect(line, "remaining", figures.remaining);
	number_expect(line, "effective", figures.effective);
	number_expect(line, "percent", figures.used_percent);
	number_expect(line, "warning", figures.warning);
	if ((value = line_value(line, "resets")) && line_time(line, value) != figures.resets_at_us)
		line_fail(line, "resets: expected %s, got %" PRId64 " us, %" PRId64 " us later", value,
			figures.resets_at_us, figures.resets_at_us - line_time(line, value));
	if (limit->kind == KIND_BUCKET)
		full_expect(world, line, limit, &state.limits[index]);
}

static bool statement_expect(struct world *world, const struct line *line)
{
	struct account_state state;

	if (strcmp(line->word[0], "expect") != 0 || line->count < 2)
		return false;
	if (strncmp(line->word[1], "open=", 5) == 0) {
		world_look(world, line, world->current, true, &state);
		number_expect(line, "open", state.open);
	} else {
		figures_expect(world, line);
	}
	return true;
}

void statement_run(struct world *world, const struct line *line)
{
	if (!world->current && strcmp(line->word[0], "account") != 0)
		world->current = world_subject(world, line, "user");
	if (!statement_setup(world, line) && !statement_call(world, line) && !statement_expect(world, line))
		line_fail(line, "cannot read '%s'", line->word[0]);
}
