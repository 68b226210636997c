/* Statements that call the store. */
#include "statements.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "reference/reference.h"

#define TENANT "acme"
#define TTL_US INT64_C(900000000)
#define SLOW_FACTOR 200

static const char *const status_names[] = {"allowed", "denied", "repeat", "conflict", "absent", "stale", "behind",
	"clock", "unknown", "needkeys", "closed", "nothing", "lost", "unseeded"};

static const char *status_name(enum limits_status status, bool check)
{
	if (status == LIMITS_OK && !check)
		return "ok";
	return status <= LIMITS_UNSEEDED ? status_names[status] : "failed";
}

static int64_t amount_value(const struct line *line, const char *key)
{
	const char *value = line_value(line, key);

	return value ? line_number(line, value) : 0;
}

/* web_searches=2: what is counted by the piece. `told` (may be NULL): which of them are given, if only as 0. */
static void counted_read(const struct line *line, struct amounts *out, uint32_t *told)
{
	int64_t counted[COUNTED_COUNT];

	for (int i = 0; i < COUNTED_COUNT; i++) {
		const char *name = dimension_name(counted_dimension((enum counted)i));

		counted[i] = amount_value(line, name);
		if (told && line_value(line, name))
			*told |= UINT32_C(1) << i;
	}
	out->counted = counted_keep(counted);
}

static void status_expect(const struct line *line, const char *got, const struct err *err)
{
	if (line->expected < 1)
		line_fail(line, "says nothing of what is expected; it was: %s", got);
	if (strcmp(line->expect[0], got) != 0)
		line_fail(line, "expected %s, got %s %s", line->expect[0], got, err->text);
}

/* Appends the names of the limits in a mask, separated by commas: "rpm,team/rpm". */
static void names_add(const struct subject *subject, uint32_t mask, char out[512])
{
	for (int i = 0; i < subject->stored.count; i++) {
		size_t used = strlen(out);

		if (!(mask & UINT32_C(1) << i))
			continue;
		snprintf(out + used, 512 - used, "%s%s%s%s", used ? "," : "",
			subject->kind == ACCOUNT_USER ? "" : account_kind_name(subject->kind),
			subject->kind == ACCOUNT_USER ? "" : "/", subject->stored.limits[i].name);
	}
}

static void text_expect(const struct line *line, const char *key, const char *got)
{
	const char *wanted = line_wanted(line, key);

	if (strcmp(wanted ? wanted : "", got) != 0)
		line_fail(line, "%s: expected '%s', got '%s'", key, wanted ? wanted : "", got);
}

static void number_expect(const struct line *line, const char *key, int64_t wanted, int64_t got)
{
	if (wanted != got)
		line_fail(line, "%s: expected %" PRId64 ", got %" PRId64, key, wanted, got);
}

static void masks_expect(struct world *world, const struct line *line, const struct limits_op *op)
{
	char failed[512] = "";
	char would[512] = "";
	char notify[512] = "";

	for (int i = 0; i < op->standings; i++) {
		names_add(&world->subject[i], op->standing[i]->verdict.failed, failed);
		names_add(&world->subject[i], op->standing[i]->verdict.would, would);
		names_add(&world->subject[i], op->standing[i]->verdict.notify, notify);
	}
	text_expect(line, "failed", failed);
	text_expect(line, "would", would);
	text_expect(line, "notify", notify);
}

static int64_t time_value(const struct world *world, const struct line *line, const char *key)
{
	const char *value = line_value(line, key);

	if (!value)
		return 0;
	return *value == '+' || *value == '-' ? world->now_us + line_duration(line, value) : line_time(line, value);
}

static void request_read(const struct line *line, struct request *out)
{
	const char *interface = line_value(line, "interface");
	const char *model = line_value(line, "model");

	*out = (struct request){.estimate = {.requests = 1,
					.input = amount_value(line, "in"),
					.output = amount_value(line, "out"),
					.cost = amount_value(line, "cost")}};
	counted_read(line, &out->estimate, &out->told);
	out->probe_cost = line_value(line, "probe");
	out->interface_hash = interface ? selector_hash(interface, strlen(interface)) : 0;
	out->model_hash = model ? selector_hash(model, strlen(model)) : 0;
}

/* The boundaries of a caller that computed them some time ago. */
static void early_windows(struct world *world, const struct line *line, int64_t early_us, struct limits_check *op)
{
	struct err err;

	for (int i = 0; i < op->count; i++)
		if (!windows_at(
			    &world->subject[i].profile.zone, world->now_us - early_us, &op->expected[i].windows, &err))
			line_fail(line, "%s", err.text);
}

static void check_make(struct world *world, const struct line *line, const char *id, struct limits_check *op)
{
	const char *ttl = line_value(line, "ttl"), *again = line_value(line, "again");
	const char *early = line_value(line, "early");
	uint64_t digest;

	*op = (struct limits_check){.op.arena = &world->arena,
		.tenant = TENANT,
		.user = "user",
		.request_id = id,
		.ttl_us = ttl ? line_duration(line, ttl) : TTL_US,
		.nonce = (uint64_t)amount_value(line, "nonce"),
		.latest_us = time_value(world, line, "latest"),
		.tell_place = line_value(line, "tell"),
		.tell_again_us = again ? line_duration(line, again) : 0};
	request_read(line, &op->request);
	digest = hash64(&op->request.estimate, offsetof(struct amounts, counted)) ^
		 hash64(op->request.estimate.counted, COUNTED_COUNT * sizeof(int64_t));
	memcpy(op->digest, &digest, 8);
	op->count = world_expected(world, line, op->expected);
	if (early)
		early_windows(world, line, line_duration(line, early), op);
}

/* The failed limit that recovers last decides how long to wait. */
static void retry_expect(struct world *world, const struct line *line, const struct limits_check *op)
{
	const char *wanted = line_wanted(line, "retry"), *first_end = line_wanted(line, "first-end");
	int64_t retry = 0;
	bool permanent = false, held = false;

	for (int a = 0; a < op->op.standings; a++) {
		const struct standing *standing = op->op.standing[a];

		for (int i = 0; i < standing->state.policy->count; i++) {
			int64_t asked = request_tests(&op->request, standing->state.policy->limits[i].dimension);
			struct figures figures;

			if (!(standing->verdict.failed & UINT32_C(1) << i))
				continue;
			figures_of(&standing->state, i, &op->expected[a].windows, asked, true, op->op.now_us, &figures);
			if (op->expected[a].kind == ACCOUNT_USER)
				figures_first_end(&figures, op->first_end_us, op->op.now_us);
			held = held || figures.only_held;
			permanent = permanent || figures.permanent;
			if (figures.retry_after_us > retry)
				retry = figures.retry_after_us;
		}
	}
	if (wanted)
		number_expect(line, "retry (us)", line_duration(line, wanted), retry);
	if (permanent != (line_wanted(line, "permanent") != NULL))
		line_fail(line, "permanent: got %s", permanent ? "true" : "false");
	if (held != (line_wanted(line, "only-held") != NULL))
		line_fail(line, "only-held: got %s", held ? "true" : "false");
	if (first_end && op->first_end_us != world->now_us + line_duration(line, first_end))
		line_fail(line, "first-end: got %" PRId64 " us from now", op->first_end_us - world->now_us);
}

static bool states_equal(const struct account_state *a, const struct account_state *b)
{
	return a->open == b->open && a->notified == b->notified &&
	       memcmp(a->window_start, b->window_start, sizeof(a->window_start)) == 0 &&
	       memcmp(a->limits, b->limits, (size_t)a->policy->count * sizeof(a->limits[0])) == 0;
}

static void state_expect(const struct line *line, enum reservation_state state)
{
	static const char *const names[] = {"none", "open", "recorded", "cancelled", "expired"};
	const char *wanted = line_wanted(line, "state");

	if (wanted && strcmp(wanted, names[state]) != 0)
		line_fail(line, "state: expected %s, got %s", wanted, names[state]);
}

/* Like a worker: limits that are not seeded adopt the ledger's amounts, unless the line expects `unseeded`. */
static void check_seeded(struct world *world, const struct line *line, struct limits_check *op)
{
	world->backend->ops->check(world->backend, op);
	if (op->op.status != LIMITS_UNSEEDED || (line->expected && strcmp(line->expect[0], "unseeded") == 0))
		return;
	for (int i = 0; i < op->op.unseeded_count; i++)
		world_adopt(world, line, &op->op.unseeded[i]);
	world->backend->ops->check(world->backend, op);
}

/*
 * Runs a check, and makes sure that a denial or a dry run leaves every account as it was. `swept`: expired reservations
 * may go; `turned-back`: the account's clock was far ahead of the store's.
 */
static void check_statement(struct world *world, const struct line *line, bool dry)
{
	static const char *const tells[] = {"", "now", "not-again"};
	struct account_state *before = arena_zalloc(&world->arena, ACCOUNTS_MAX, sizeof(*before));
	struct account_state after;
	struct limits_check op;
	const char *held = line_wanted(line, "held");

	check_make(world, line, dry ? NULL : line->word[1], &op);
	op.provisional_ok = line_value(line, "provisional-ok");
	op.dry_run = true;
	if (!op.provisional_ok)
		check_seeded(world, line, &op);
	op.dry_run = dry;
	for (int i = 0; i < world->subjects; i++)
		world_look(world, line, &world->subject[i], false, &before[i]);
	world->backend->ops->check(world->backend, &op);
	status_expect(line, status_name(op.op.status, true), &op.op.err);
	if (op.op.status != LIMITS_OK && op.op.status != LIMITS_DENIED && op.op.status != LIMITS_REPEAT)
		return;
	masks_expect(world, line, &op.op);
	if (op.op.status == LIMITS_DENIED)
		retry_expect(world, line, &op);
	text_expect(line, "tell", tells[op.tell]);
	if (held)
		number_expect(line, "held cost", line_number(line, held), op.held.cost);
	state_expect(line, op.state);
	if (op.op.status == LIMITS_OK && !dry && !line_value(line, "resent"))
		number_expect(line, "started_at", world->now_us, op.started_at_us);
	if ((op.op.status != LIMITS_DENIED && !dry) || line_wanted(line, "swept") || line_wanted(line, "turned-back"))
		return;
	for (int i = 0; i < world->subjects; i++) {
		world_look(world, line, &world->subject[i], false, &after);
		if (!states_equal(&before[i], &after))
			line_fail(line, "the account %s has changed", world->subject[i].id);
	}
}

/* repeat N check ID ...: all at one instant; poll N every DURATION check ID ...: one after another. -> allowed=N */
static void repeat_statement(struct world *world, const struct line *line, bool poll)
{
	const char *wanted = line_wanted(line, "allowed");
	int64_t count = line_number(line, line->word[1]);
	int64_t step = poll ? line_duration(line, line->word[3]) : 0;
	int64_t allowed = 0;

	if (poll && world->backend->ops->slow) {
		step *= SLOW_FACTOR;
		count /= SLOW_FACTOR;
	}
	for (int64_t i = 0; i < count; i++) {
		struct limits_check op;
		char id[64];

		world->now_us += step;
		world->backend->ops->clock(world->backend, world->now_us);
		snprintf(id, sizeof(id), "%s-%" PRId64, line->word[poll ? 5 : 3], i);
		check_make(world, line, id, &op);
		check_seeded(world, line, &op);
		if (op.op.status > LIMITS_DENIED)
			line_fail(line, "check %s: %s", id, status_name(op.op.status, true));
		allowed += op.op.status == LIMITS_OK;
		arena_reset(&world->arena);
	}
	if (!wanted)
		line_fail(line, "says nothing of what is expected; allowed were %" PRId64, allowed);
	number_expect(line, "allowed", line_number(line, wanted), allowed);
}

/* charged=REQUESTS/INPUT/OUTPUT/COST */
static void amounts_expect(const struct line *line, const char *key, const struct amounts *got)
{
	const char *wanted = line_wanted(line, key);
	char copy[128];
	int64_t numbers[4];
	char *save = NULL;
	char *part;

	if (!wanted)
		return;
	snprintf(copy, sizeof(copy), "%s", wanted);
	part = strtok_r(copy, "/", &save);
	for (int i = 0; i < 4; i++, part = strtok_r(NULL, "/", &save)) {
		if (!part)
			line_fail(line, "%s: use requests/input/output/cost", key);
		numbers[i] = line_number(line, part);
	}
	if (numbers[0] != got->requests || numbers[1] != got->input || numbers[2] != got->output ||
		numbers[3] != got->cost)
		line_fail(line, "%s: got %" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64, key, got->requests, got->input,
			got->output, got->cost);
}

/* The expected state of a worker that has never seen the accounts: no version, and windows in UTC. */
static void strangers(struct world *world, const struct line *line, struct expected expected[], int count)
{
	struct err err;

	for (int i = 0; i < count; i++) {
		expected[i].version = expected[i].epoch = 0;
		if (!windows_at(&(struct zone){0}, world->now_us, &expected[i].windows, &err))
			line_fail(line, "%s", err.text);
	}
}

static void settle_call(struct world *world, const char *verb, struct limits_settle *op)
{
	const struct backend_ops *ops = world->backend->ops;

	if (strcmp(verb, "record") == 0)
		ops->record(world->backend, op);
	else if (strcmp(verb, "cancel") == 0)
		ops->cancel(world->backend, op);
	else
		ops->give_up(world->backend, op);
}

/* The usage an attempt was recorded with: the text of `usage=`, which a real call packs. */
static void recorded_expect(const struct line *line, const struct limits_settle *op)
{
	const char *wanted = line_wanted(line, "recorded");

	if (wanted && (op->recorded_len != strlen(wanted) || memcmp(op->recorded, wanted, op->recorded_len) != 0))
		line_fail(line, "recorded: got %.*s", (int)op->recorded_len, (const char *)op->recorded);
}

static void settle_statement(struct world *world, const struct line *line)
{
	struct limits_settle op = {.op.arena = &world->arena,
		.tenant = TENANT,
		.user = "user",
		.request_id = line->word[1],
		.attempt = (int)amount_value(line, "attempt"),
		.final = !line_value(line, "keep"),
		.even_if_unknown = line_value(line, "anyway"),
		.forget = line_value(line, "forget"),
		.unless_repeated = line_value(line, "unless-repeated"),
		.nonce = (uint64_t)amount_value(line, "nonce"),
		.latest_us = time_value(world, line, "latest")};
	struct request request;

	op.usage = (const uint8_t *)line_value(line, "usage");
	op.usage_len = op.usage ? strlen(line_value(line, "usage")) : 0;
	request_read(line, &request);
	op.used = request.estimate;
	op.interface_hash = request.interface_hash;
	op.model_hash = request.model_hash;
	op.count = world_expected(world, line, op.expected);
	if (line_value(line, "stranger"))
		strangers(world, line, op.expected, op.count);
	settle_call(world, line->word[0], &op);
	status_expect(line, status_name(op.op.status, false), &op.op.err);
	if (op.op.status != LIMITS_OK && op.op.status != LIMITS_REPEAT)
		return;
	if (op.op.status == LIMITS_OK)
		masks_expect(world, line, &op.op);
	state_expect(line, op.state);
	if (op.late != (line_wanted(line, "late") != NULL))
		line_fail(line, "late: got %s", op.late ? "true" : "false");
	amounts_expect(line, "charged", &op.charged);
	amounts_expect(line, "released", &op.released);
	recorded_expect(line, &op);
}

static void renew_statement(struct world *world, const struct line *line)
{
	const char *ttl = line_value(line, "ttl");
	const char *wanted = line_wanted(line, "expires");
	struct limits_renew op = {.op.arena = &world->arena,
		.tenant = TENANT,
		.user = "user",
		.request_id = line->word[1],
		.ttl_us = ttl ? line_duration(line, ttl) : TTL_US};

	world->backend->ops->renew(world->backend, &op);
	status_expect(line, status_name(op.op.status, false), &op.op.err);
	if (wanted)
		number_expect(line, "expires", line_time(line, wanted), op.expires_at_us);
}

static void expire_statement(struct world *world, const struct line *line)
{
	struct expected expected[ACCOUNTS_MAX];
	int count = world_expected(world, line, expected);
	int expired = world->backend->ops->expire(world->backend, expected, count);

	number_expect(line, "expired", line->expected > 0 ? line_number(line, line->expect[0]) : -1, expired);
}

/* reset ID -> ok NAME=LOST ... of the current account */
static void reset_statement(struct world *world, const struct line *line)
{
	struct limits_reset op = {.op.arena = &world->arena, .request_id = line->word[1]};
	struct expected expected[ACCOUNTS_MAX];

	world_expected(world, line, expected);
	op.expected = expected[world->current - world->subject];
	world->backend->ops->reset(world->backend, &op);
	status_expect(line, status_name(op.op.status, false), &op.op.err);
	for (int i = 0; i < world->current->stored.count; i++) {
		const char *name = world->current->stored.limits[i].name;
		const char *wanted = line_wanted(line, name);

		number_expect(line, name, wanted ? line_number(line, wanted) : 0, op.lost[i]);
	}
}

/* The name of the limit that has counted too little. */
static void lacking_expect(struct world *world, const struct line *line, const struct lacking *lacking)
{
	const struct subject *subject = &world->subject[lacking->account];
	const char *wanted = line_wanted(line, "lacks");

	for (int i = 0; i < subject->stored.count; i++)
		if (subject->stored.limits[i].id == lacking->limit_id) {
			if (!wanted || strcmp(wanted, subject->stored.limits[i].name) != 0)
				line_fail(line, "lacks: got %s", subject->stored.limits[i].name);
			return;
		}
	line_fail(line, "lacks: got a limit that is not there");
}

/* adjust ID [requests= in= out= cost= interface= model= at= digest= ledger-only] -> ok|repeat|conflict|denied lacks=NAME */
static void adjust_statement(struct world *world, const struct line *line)
{
	struct limits_adjust op = {.op.arena = &world->arena,
		.tenant = TENANT,
		.user = "user",
		.adjustment_id = line->word[1],
		.amounts = {.requests = amount_value(line, "requests")},
		.counted_at_us = time_value(world, line, "at"),
		.ledger_only = line_value(line, "ledger-only"),
		.digest = {(uint8_t)amount_value(line, "digest")}};
	struct request request;

	request_read(line, &request);
	op.amounts.input = request.estimate.input;
	op.amounts.output = request.estimate.output;
	op.amounts.cost = request.estimate.cost;
	counted_read(line, &op.amounts, NULL);
	op.interface_hash = request.interface_hash;
	op.model_hash = request.model_hash;
	op.count = world_expected(world, line, op.expected);
	world->backend->ops->adjust(world->backend, &op);
	status_expect(line, status_name(op.op.status, false), &op.op.err);
	if (op.op.status == LIMITS_DENIED)
		lacking_expect(world, line, &op.lacking);
}

bool statement_call(struct world *world, const struct line *line)
{
	const char *verb = line->word[0];

	if (strcmp(verb, "check") == 0 && line->count > 1)
		check_statement(world, line, false);
	else if (strcmp(verb, "explain") == 0)
		check_statement(world, line, true);
	else if (strcmp(verb, "repeat") == 0 && line->count > 3)
		repeat_statement(world, line, false);
	else if (strcmp(verb, "poll") == 0 && line->count > 5)
		repeat_statement(world, line, true);
	else if (line->count > 1 &&
		 (strcmp(verb, "record") == 0 || strcmp(verb, "cancel") == 0 || strcmp(verb, "giveup") == 0))
		settle_statement(world, line);
	else if (strcmp(verb, "renew") == 0 && line->count > 1)
		renew_statement(world, line);
	else if (strcmp(verb, "expire") == 0)
		expire_statement(world, line);
	else if (strcmp(verb, "reset") == 0 && line->count > 1)
		reset_statement(world, line);
	else if (strcmp(verb, "adjust") == 0 && line->count > 1)
		adjust_statement(world, line);
	else
		return false;
	return true;
}
