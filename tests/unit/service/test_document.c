/* What a document changes: everything that differs from it and nothing else, in an order that works. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "service/catalog/document.h"

static struct arena arena;

static struct limit limit_of(const char *name, int64_t amount)
{
	struct limit limit = {.dimension = DIM_REQUESTS, .kind = KIND_BUCKET, .amount = amount, .period_us = 60000000};
	struct err err;

	snprintf(limit.name, sizeof(limit.name), "%s", name);
	assert_true(limit_prepare(&limit, &err));
	return limit;
}

static struct tier tier_of(const char *name, int64_t amount, bool shipped)
{
	struct tier tier = {.pool_priority = 1, .pool_concurrent = 1, .fail_policy = FAIL_LOCAL, .shipped = shipped};

	snprintf(tier.name, sizeof(tier.name), "%s", name);
	tier.policy.limits[tier.policy.count++] = limit_of("rpm", amount);
	return tier;
}

static struct account_row team_of(const char *id, const char *tier)
{
	struct account_row row = {.key = {.kind = ACCOUNT_TEAM, .tenant = "t", .id = id}};

	snprintf(row.profile.tier, sizeof(row.profile.tier), "%s", tier);
	return row;
}

/* A tenant with two tiers, a pool and two teams; the same for the current and the wanted state. */
struct world {
	struct tenant settings;
	struct tier tier[3];
	struct pool_settings pool[1];
	struct account_row account[3];
	struct document document;
};

static void world_init(struct world *world)
{
	*world = (struct world){
		.settings = {.default_tier = "free", .unknown_users = UNKNOWN_ADMIT, .unknown_model = MODEL_REFUSE},
		.tier = {tier_of("free", 5, true), tier_of("own", 6, false)},
		.account = {team_of("blue", "own"), team_of("red", "free")},
	};
	pool_settings_default(&world->pool[0], POOL_DEFAULT, 5);
	world->document = (struct document){.tenant = "t",
		.settings = &world->settings,
		.tiers = 2,
		.tier = world->tier,
		.pools = 1,
		.pool = world->pool,
		.accounts = 2,
		.account = world->account};
}

static struct document_apply compare(const struct world *now, const struct world *wanted, bool prune)
{
	struct document_apply op = {
		.job = {.arena = &arena}, .wanted = &wanted->document, .prune = prune, .expected = ""};
	struct err err;

	if (!document_compare(&op, &now->document, &err))
		fail_msg("%s", err.text);
	return op;
}

TEST(what_already_matches_is_not_a_change)
{
	struct world now, wanted;

	world_init(&now);
	world_init(&wanted);
	/* Fields that are not part of a document make no difference. */
	now.settings.epoch = 7;
	now.pool[0].gen = 9;
	now.account[0].profile.suspended = true;
	now.account[0].profile.version = 3;
	assert_int_equal(compare(&now, &wanted, false).changes, 0);
	assert_int_equal(compare(&now, &wanted, true).changes, 0);
	/* Slots that come from the option are not compared. */
	now.pool[0].slots_from_option = wanted.pool[0].slots_from_option = true;
	now.pool[0].slots = 8;
	assert_int_equal(compare(&now, &wanted, true).changes, 0);
}

/* Changes one field of the wanted state; `what` says which. */
static void spoil(struct world *world, int what)
{
	struct tier *tier = &world->tier[1];
	struct limit *limit = &tier->policy.limits[0];
	struct pool_settings *pool = &world->pool[0];
	struct account_profile *profile = &world->account[1].profile;

	switch (what) {
	case 0:
		strcpy(world->settings.default_tier, "own");
		break;
	case 1:
		world->settings.unknown_users = UNKNOWN_REFUSE;
		break;
	case 2:
		strcpy(world->settings.language, "de");
		break;
	case 3:
		tier->pool_priority = 2;
		break;
	case 4:
		tier->default_output_tokens = 9;
		break;
	case 5:
		tier->fail_policy = FAIL_OPEN;
		break;
	case 6:
		strcpy(tier->upgrade_to, "free");
		break;
	case 7:
		limit->amount = 7;
		break;
	case 8:
		limit->burst = 70;
		break;
	case 9:
		limit->shadow = true;
		break;
	case 10:
		limit->warn_percent = 7;
		break;
	case 11:
		strcpy(limit->interface, "web");
		break;
	case 12:
		tier->policy.count = 0;
		break;
	case 13:
		pool->slots = 6;
		break;
	case 14:
		pool->lease_us += 1;
		break;
	case 15:
		pool->user_queue_limit = 3;
		break;
	case 16:
		pool->level[pool->level_count++] = (struct pool_level){.priority = 3, .weight = 4};
		break;
	case 17:
		strcpy(profile->tier, "own");
		break;
	case 18:
		strcpy(profile->org, "acme");
		break;
	case 19:
		strcpy(profile->zone.name, "Asia/Tokyo");
		break;
	case 20:
		pool->slots_from_option = true;
		break;
	default:
		profile->overrides = arena_zalloc(&arena, 1, sizeof(*profile->overrides));
		profile->overrides[profile->override_count++] = limit_of("own", 1);
	}
}

TEST(each_thing_is_one_change_with_a_fingerprint_of_its_own)
{
	uint64_t seen[22];
	struct world now, wanted;

	for (int i = 0; i < 22; i++) {
		world_init(&now);
		world_init(&wanted);
		spoil(&wanted, i);
		struct document_apply op = compare(&now, &wanted, true);
		if (op.changes != 1 || op.change[0].kind != CHANGE_CHANGED)
			fail_msg("thing %d is %d changes", i, op.changes);
		seen[i] = op.fingerprint;
		for (int k = 0; k < i; k++)
			assert_true(seen[k] != seen[i]);
		/* The same result from a different start is a different change. */
		spoil(&now, (i + 7) % 22);
		assert_true(compare(&now, &wanted, true).fingerprint != seen[i]);
	}
}

TEST(entries_come_and_with_prune_they_go_tiers_last)
{
	struct world now, wanted;

	world_init(&now);
	world_init(&wanted);
	wanted.tier[1] = tier_of("new", 1, false);
	wanted.account[0] = team_of("azure", "new");
	wanted.document.pools = 0;
	struct document_apply op = compare(&now, &wanted, false);
	assert_int_equal(op.changes, 2);
	assert_string_equal(op.change[0].tier_after->name, "new");
	assert_int_equal(op.change[0].kind, CHANGE_ADDED);
	assert_string_equal(op.change[1].account_after->key.id, "azure");
	op = compare(&now, &wanted, true);
	assert_int_equal(op.changes, 4);
	assert_int_equal(op.change[2].kind, CHANGE_REMOVED);
	assert_string_equal(op.change[2].account_after->key.id, "blue");
	assert_true(document_account_empty(op.change[2].account_after));
	assert_string_equal(op.change[3].tier_before->name, "own");
	assert_null(op.change[3].tier_after);
	/* A shipped tier stays, and an account that sets nothing needs no row. */
	wanted.document.tiers = 0;
	wanted.account[0] = team_of("nobody", "");
	op = compare(&now, &wanted, true);
	assert_int_equal(op.changes, 2);
}

static void refused(const struct world *now, const struct world *wanted, const char *expected, const char *field)
{
	struct document_apply op = {.job = {.arena = &arena}, .wanted = &wanted->document, .expected = expected};
	struct err err;

	assert_false(document_compare(&op, &now->document, &err));
	assert_string_equal(err.field, field);
}

TEST(a_tier_that_is_nowhere_is_named_with_its_path)
{
	struct world now, wanted;

	world_init(&now);
	world_init(&wanted);
	strcpy(wanted.settings.default_tier, "gold");
	refused(&now, &wanted, "", "document.tenant.default_tier");
	world_init(&wanted);
	strcpy(wanted.account[1].profile.tier, "gold");
	refused(&now, &wanted, "", "document.accounts[1].tier");
	wanted.tier[2] = tier_of("gold", 1, false);
	wanted.document.tiers = 3;
	assert_int_equal(compare(&now, &wanted, true).changes, 2);
}

TEST(other_changes_than_those_expected_are_refused)
{
	struct world now, wanted;
	char expected[24];

	world_init(&now);
	world_init(&wanted);
	spoil(&wanted, 3);
	snprintf(expected, sizeof(expected), "%016llx", (unsigned long long)compare(&now, &wanted, false).fingerprint);
	struct document_apply op = {.job = {.arena = &arena}, .wanted = &wanted.document, .expected = expected};
	struct err err;
	assert_true(document_compare(&op, &now.document, &err));
	spoil(&now, 5);
	refused(&now, &wanted, expected, "");
}

static int arena_end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

TEST_GROUP(NULL, arena_end);
