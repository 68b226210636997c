/* Accounts and clock of a case. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define TENANT "acme"

void world_clear(struct world *world)
{
	struct backend *backend = world->backend;

	arena_reset(&world->arena);
	backend->ops->clear(backend);
	*world = (struct world){.backend = backend, .arena = world->arena};
}

struct subject *world_subject(struct world *world, const struct line *line, const char *kind)
{
	struct subject *subject;
	enum account_kind parsed;

	if (!account_kind_parse(kind, &parsed))
		line_fail(line, "'%s' is no kind of account", kind);
	for (int i = 0; i < world->subjects; i++)
		if (world->subject[i].kind == parsed)
			return &world->subject[i];
	subject = &world->subject[world->subjects++];
	*subject = (struct subject){.kind = parsed, .version = 1, .epoch = 1, .dirty = true};
	snprintf(subject->id, sizeof(subject->id), "%s", parsed == ACCOUNT_TENANT ? TENANT : kind);
	return subject;
}

static void expected_make(
	struct world *world, const struct line *line, const struct subject *subject, struct expected *out)
{
	struct err err;

	*out = (struct expected){.kind = subject->kind,
		.tenant = TENANT,
		.id = subject->id,
		.version = subject->version,
		.epoch = subject->epoch,
		.own_policy = true,
		.policy = &subject->stored};
	if (!windows_at(&subject->profile.zone, world->now_us, &out->windows, &err))
		line_fail(line, "%s", err.text);
}

static void subject_seed(struct world *world, const struct line *line, struct subject *subject)
{
	struct limits_seed op = {.op.arena = &world->arena, .profile = &subject->profile, .now_us = world->now_us};

	subject->stored = subject->policy;
	subject->profile.version = subject->version;
	expected_make(world, line, subject, &op.expected);
	world->backend->ops->seed(world->backend, &op);
	if (op.op.status != LIMITS_OK)
		line_fail(line, "seed: status %d %s", (int)op.op.status, op.op.err.text);
	subject->seeded = true;
	subject->dirty = false;
}

void world_settle(struct world *world, const struct line *line)
{
	struct err err;

	for (int i = 0; i < world->subjects; i++) {
		struct subject *subject = &world->subject[i];

		if (!subject->dirty)
			continue;
		if (subject->seeded)
			line_fail(line, "changes of an account wait for `apply`");
		if (!policy_prepare(&subject->policy, &err))
			line_fail(line, "%s", err.text);
		subject_seed(world, line, subject);
	}
}

void world_apply(struct world *world, const struct line *line, bool by_epoch)
{
	struct subject *subject = world->current;
	struct limits_policy op = {.op.arena = &world->arena, .profile = &subject->profile};
	struct err err;

	if (!policy_prepare(&subject->policy, &err))
		line_fail(line, "%s", err.text);
	if (!subject->seeded)
		line_fail(line, "nothing to apply: the account was never used");
	subject->stored = subject->policy;
	subject->dirty = false;
	subject->epoch++;
	if (by_epoch)
		return;
	subject->profile.version = ++subject->version;
	expected_make(world, line, subject, &op.expected);
	world->backend->ops->policy(world->backend, &op);
	if (op.op.status != LIMITS_OK)
		line_fail(line, "policy: status %d %s", (int)op.op.status, op.op.err.text);
}

void world_adopt(struct world *world, const struct line *line, const struct unseeded *unseeded)
{
	struct subject *subject = &world->subject[unseeded->index];
	struct limits_adopt op = {.op.arena = &world->arena, .count = unseeded->count};

	expected_make(world, line, subject, &op.expected);
	for (int u = 0; u < WINDOW_COUNT; u++)
		op.window_start[u] = windows_start(&op.expected.windows, (enum window_unit)u, world->now_us);
	for (int i = 0; i < unseeded->count; i++) {
		op.limit[i].id = unseeded->limit[i].id;
		op.limit[i].seen = op.limit[i].known = unseeded->limit[i].settled;
		for (int k = 0; k < subject->stored.count; k++)
			if (subject->stored.limits[k].id == op.limit[i].id && subject->ledger[k])
				op.limit[i].known = subject->ledger[k];
	}
	world->backend->ops->adopt(world->backend, &op);
	if (op.op.status != LIMITS_OK)
		line_fail(line, "adopt: status %d %s", (int)op.op.status, op.op.err.text);
}

int world_expected(struct world *world, const struct line *line, struct expected out[ACCOUNTS_MAX])
{
	world_settle(world, line);
	for (int i = 0; i < world->subjects; i++)
		expected_make(world, line, &world->subject[i], &out[i]);
	return world->subjects;
}

void world_look(struct world *world, const struct line *line, const struct subject *subject, bool roll,
	struct account_state *out)
{
	struct expected expected;

	world_settle(world, line);
	expected_make(world, line, subject, &expected);
	if (!world->backend->ops->look(world->backend, &expected, &world->arena, out))
		line_fail(line, "the account %s is not in the store", subject->id);
	if (roll)
		state_roll(out, &expected.windows, world->now_us);
}

const struct subject *world_limit(struct world *world, const struct line *line, const char *path, int *index)
{
	const char *name = strchr(path, '/');
	struct subject *subject = &world->subject[0];
	char kind[16];

	if (name) {
		snprintf(kind, sizeof(kind), "%.*s", (int)(name - path), path);
		subject = world_subject(world, line, kind);
	}
	name = name ? name + 1 : path;
	for (int i = 0; i < subject->stored.count; i++)
		if (strcmp(subject->stored.limits[i].name, name) == 0) {
			*index = i;
			return subject;
		}
	line_fail(line, "no limit is called '%s'", path);
}
