/*
 * Reads a page of records, prices them, and corrects those that differ, several at a time. A correction's id follows from
 * the attempt and from how often it has been re-rated: two runs at once, or a run that is repeated before the ledger has
 * its corrections, use the same ids and correct nothing twice, even if a price changes between them.
 */
#include "service/admin/rerate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/list.h"

static flow_step step_read, step_fresh, step_allowed, step_settled, step_noted, step_corrected;

FLOW_OWNER(rerate_of, ledger_rerate)

static bool skips(const struct ledger_rerate *rerate, const struct rerate_day *day)
{
	return day->gone || (rerate->flagged && day->unpriced <= 0);
}

static void next_day(struct ledger_rerate *rerate)
{
	rerate->at++;
	rerate->user[0] = rerate->request_id[0] = '\0';
	rerate->attempt = 0;
}

FLOW_RESUME(page_done, admin_job, ledger_rerate, page.job)

static enum flow_result step_page(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);
	struct admin_store *admin = rerate->worker->parts.admin;

	while (rerate->at < rerate->days && skips(rerate, &rerate->day[rerate->at])) {
		rerate->counts.gone_days += rerate->day[rerate->at].gone;
		next_day(rerate);
	}
	rerate->more = rerate->at < rerate->days;
	if (!rerate->more)
		return flow_succeed(flow);
	rerate->page = (struct rerate_page){
		.job = {.arena = rerate->arena, .done = page_done},
		.tenant = rerate->tenant,
		.day = rerate->day[rerate->at].day,
		.due = rerate->due,
		.after_user = rerate->user,
		.after_request = rerate->request_id,
		.after_attempt = rerate->attempt,
		.limit = RERATE_PAGE,
	};
	return flow_wait(flow, step_read, admin->ops->rerate_page(admin, &rerate->page));
}

/* The next page begins behind this one. */
static void move_on(struct ledger_rerate *rerate)
{
	const struct rerate_page *page = &rerate->page;
	const struct rerate_row *last = page->count ? &page->rows[page->count - 1] : NULL;

	rerate->counts.scanned += page->count;
	if (!page->more || !last) {
		next_day(rerate);
		return;
	}
	snprintf(rerate->user, sizeof(rerate->user), "%s", last->user);
	snprintf(rerate->request_id, sizeof(rerate->request_id), "%s", last->request_id);
	rerate->attempt = last->attempt;
}

static struct rerate_line *line_of(struct ledger_rerate *rerate, const struct rerate_change *change)
{
	struct rerate_line *line = rerate->line;
	const struct rerate_line *end = line + rerate->lines;

	for (; line < end; line++)
		if (line->others || (strcmp(line->provider, change->before.provider) == 0 &&
					    strcmp(line->model, change->before.model) == 0 &&
					    strcmp(line->new_provider, change->line.provider) == 0 &&
					    strcmp(line->new_model, change->line.model) == 0))
			return line;
	*line = (struct rerate_line){.others = rerate->lines == RERATE_LINES_MAX};
	rerate->lines++;
	if (line->others)
		return line;
	snprintf(line->provider, sizeof(line->provider), "%s", change->before.provider);
	snprintf(line->model, sizeof(line->model), "%s", change->before.model);
	snprintf(line->new_provider, sizeof(line->new_provider), "%s", change->line.provider);
	snprintf(line->new_model, sizeof(line->new_model), "%s", change->line.model);
	return line;
}

static void count(struct ledger_rerate *rerate, const struct rerate_change *change)
{
	struct rerate_line *line = rerate->line ? line_of(rerate, change) : NULL;

	if (line) {
		line->requests++;
		line->cost_before += change->cost_before;
		line->cost_after += change->cost_after;
	}
	rerate->counts.corrected++;
	rerate->counts.cost_before += change->cost_before;
	rerate->counts.cost_after += change->cost_after;
}

/* Prices the page's records; keeps those that are to be corrected. */
static void price_all(struct ledger_rerate *rerate)
{
	const struct rerate_page *page = &rerate->page;

	rerate->changes = rerate->next = 0;
	rerate->change = arena_zalloc(rerate->arena, (size_t)page->count + 1, sizeof(*rerate->change));
	for (int i = 0; i < page->count; i++) {
		const struct rerate_row *row = &page->rows[i];

		if (!rerate_price(rerate, row, &rerate->change[rerate->changes]))
			continue;
		if (strncmp(row->user, ERASED_PREFIX, strlen(ERASED_PREFIX)) == 0)
			rerate->counts.erased++;
		else if (row->adjusted)
			rerate->counts.adjusted++;
		else if (rerate->dry_run)
			count(rerate, &rerate->change[rerate->changes]);
		else
			rerate->changes++;
	}
}

FLOW_RESUME(note_done, admin_job, ledger_rerate, note.job)

static enum flow_result note(struct ledger_rerate *rerate)
{
	struct admin_store *admin = rerate->worker->parts.admin;

	rerate->note = (struct rerate_note){
		.job = {.arena = rerate->arena, .done = note_done, .actor = rerate->actor, .reason = rerate->reason},
		.tenant = rerate->tenant,
		.from_day = rerate->from_day,
		.to_day = rerate->to_day,
		.model = rerate->model,
		.flagged = rerate->flagged,
	};
	return flow_wait(&rerate->flow, step_noted, admin->ops->rerate_note(admin, &rerate->note));
}

static enum flow_result step_read(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);

	if (!rerate->page.job.ok)
		return flow_fail_with(flow, &rerate->page.job.err);
	catalog_wait_begin(&rerate->wait, flow, rerate->worker, rerate->page.generation);
	return flow_more(flow, step_fresh);
}

/* With older prices than those of a correction that it reads, it would take that back. */
static bool prices_are_known(struct ledger_rerate *rerate, struct err *err)
{
	rerate->snapshot = snapshot_take(rerate->worker, err);
	if (!rerate->snapshot)
		return false;
	if (catalog_stored(rerate->snapshot->catalog) >= rerate->page.generation)
		return true;
	snapshot_give(rerate->worker, rerate->snapshot);
	return err_set(err, ERR_UNAVAILABLE, "the newest prices have not been read yet; try again");
}

FLOW_RESUME(allowances_done, admin_job, ledger_rerate, allowances.job)

static enum flow_result step_fresh(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);

	if (!catalog_wait_over(&rerate->wait))
		return FLOW_WAIT;
	if (!prices_are_known(rerate, &flow->err))
		return flow_fail(flow);
	flow_to(flow, step_allowed);
	return rerate_allowances_ask(rerate, allowances_done) ? FLOW_WAIT : FLOW_MORE;
}

FLOW_RESUME(settle_done, admin_job, ledger_rerate, settle.job)

static enum flow_result step_allowed(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);
	bool known = rerate->allowances.attempts == 0 || rerate->allowances.job.ok;

	if (known) {
		rerate_allowances_read(rerate);
		price_all(rerate);
	}
	snapshot_give(rerate->worker, rerate->snapshot);
	if (!known)
		return flow_fail_with(flow, &rerate->allowances.job.err);
	flow_to(flow, step_settled);
	rerate->settle = (struct allowance_settle){0};
	return rerate->due && rerate_settle_ask(rerate, settle_done) ? FLOW_WAIT : FLOW_MORE;
}

static enum flow_result step_settled(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);

	if (rerate->settle.attempts && !rerate->settle.job.ok)
		return flow_fail_with(flow, &rerate->settle.job.err);
	move_on(rerate);
	rerate->more = rerate->at < rerate->days;
	if (!rerate->changes)
		return flow_succeed(flow);
	if (!rerate->noted && !rerate->due)
		return note(rerate);
	rerate->noted = true;
	return flow_more(flow, step_noted);
}

/* The same for every run that finds the attempt re-rated as often. */
static const char *correction_id(struct arena *arena, const struct rerate_row *row)
{
	struct buf text = {0};
	uint64_t hash;

	buf_putf(&text, "%" PRId64 "/%d/%s", row->started_at_us, row->attempt, row->request_id);
	hash = hash64(text.data, text.len);
	buf_release(&text);
	return arena_printf(arena, "rerate-%016" PRIx64 "-%d-%d", hash, row->attempt, row->ratings + 1);
}

static void lane_done(struct flow *flow);

static void lane_start(struct rerate_lane *lane, bool ledger_only)
{
	struct ledger_rerate *rerate = lane->rerate;
	const struct rerate_change *change = lane->change;
	const struct rerate_row *row = change->row;

	arena_reset(&lane->own);
	lane->adjust = (struct ledger_adjust){
		.tenant = rerate->tenant,
		.user = row->user,
		.adjustment_id = correction_id(&lane->own, row),
		.request_id = row->request_id,
		.model = "",
		.interface = "",
		.started_at_us = row->started_at_us,
		.attempt = row->attempt,
		.cost = change->cost_after - change->cost_before,
		.ledger_only = ledger_only,
		.actor = rerate->actor,
		.reason = rerate->reason,
		.rerate = &change->before,
		.usage = change->usage,
		.facts = {.started_at_us = row->started_at_us,
			.counted_at_us = row->counted_at_us,
			.interface = row->interface,
			.checked = row->checked,
			.tier = row->tier,
			.team = row->team,
			.org = row->org},
	};
	ledger_adjust_start(&lane->adjust, rerate->worker, &lane->own, lane_done);
}

/* Takes the next change; the last lane that finds none resumes the flow. */
static void lane_next(struct rerate_lane *lane)
{
	struct ledger_rerate *rerate = lane->rerate;

	if (rerate->failed || rerate->next == rerate->changes) {
		if (--rerate->pending == 0)
			flow_run(&rerate->flow);
		return;
	}
	lane->change = &rerate->change[rerate->next++];
	lane_start(lane, false);
}

static void lane_done(struct flow *flow)
{
	struct ledger_adjust *adjust = container_of(flow, struct ledger_adjust, flow);
	struct rerate_lane *lane = container_of(adjust, struct rerate_lane, adjust);
	struct ledger_rerate *rerate = lane->rerate;

	/* A counter that was reset or lowered has less than the correction takes; the bill is corrected all the same. */
	if (!flow->ok && flow->err.code == ERR_PRECONDITION && !adjust->ledger_only) {
		lane_start(lane, true);
		return;
	}
	/* Made before, by this run or another one: the ledger does not have it yet. */
	if (flow->ok ? adjust->repeat : flow->err.code == ERR_EXISTS) {
		rerate->counts.waiting++;
	} else if (flow->ok) {
		count(rerate, lane->change);
		rerate->counts.ledger_only += adjust->ledger_only;
	} else if (!rerate->failed) {
		rerate->failed = true;
		rerate->why = flow->err;
	}
	lane_next(lane);
}

static enum flow_result step_noted(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);
	int lanes = rerate->changes < RERATE_LANES ? rerate->changes : RERATE_LANES;

	if (!rerate->noted && !rerate->note.job.ok)
		return flow_fail_with(flow, &rerate->note.job.err);
	rerate->noted = true;
	rerate->failed = false;
	rerate->lane = arena_zalloc(rerate->arena, RERATE_LANES, sizeof(*rerate->lane));
	flow_to(flow, step_corrected);
	/* One more for this loop: a lane that is done at once must not resume the flow before the others have started. */
	rerate->pending = lanes + 1;
	for (int i = 0; i < lanes; i++) {
		rerate->lane[i].rerate = rerate;
		lane_next(&rerate->lane[i]);
	}
	return --rerate->pending == 0 ? FLOW_MORE : FLOW_WAIT;
}

static enum flow_result step_corrected(struct flow *flow)
{
	struct ledger_rerate *rerate = rerate_of(flow);

	for (int i = 0; i < RERATE_LANES; i++)
		arena_release(&rerate->lane[i].own);
	return rerate->failed ? flow_fail_with(flow, &rerate->why) : flow_succeed(flow);
}

void ledger_rerate_start(
	struct ledger_rerate *rerate, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(rerate, worker, arena, done, step_page);
}
