/*
 * Sends the messages that are due (service/alerts/chores.h). A claim holds a message for one attempt: if this process ends before it
 * has stored what became of that, somebody else claims the message and sends it again, under the same id.
 */
#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "domain/alert/route.h"
#include "service/alerts/chores.h"

/* What this process stores is claimed at once; the poll is for what others store, and for what a rate has held back. */
#define POLL_IDLE_US SECOND_US
#define POLL_US INT64_C(250000) /* after a claim that has found something */
#define POLL_MIN_US INT64_C(10000)
/* Of a claim, beyond the time that an attempt may take: for storing what became of it. */
#define CLAIM_SPARE_US (5 * SECOND_US)

CHORE_OWNER(dispatch_of, dispatch)

static struct role_chores *role_of(const struct dispatch_lane *lane)
{
	return lane->owner->chore.role;
}

static struct alert_lanes lanes_in_use(const struct dispatch *dispatch)
{
	struct alert_lanes lanes = {0};

	for (int i = 0; i < ALERT_LANES; i++)
		if (dispatch->lane[i].batch)
			alert_lanes_use(&lanes, &dispatch->lane[i].message->channel);
	return lanes;
}

static void batch_done(struct dispatch_batch *batch)
{
	if (batch->lanes == 0)
		arena_release(&batch->arena);
}

/* The last thing that a lane does: the role may be freed by it. */
static void lane_done(struct dispatch_lane *lane)
{
	struct dispatch *dispatch = lane->owner;
	struct dispatch_batch *batch = lane->batch;

	lane->batch = NULL;
	arena_release(&lane->arena);
	batch->lanes--;
	batch_done(batch);
	if (dispatch->more)
		chore_start(&dispatch->chore);
	role_one_less(dispatch->chore.role);
}

static void lane_stored(struct alerts_op *op)
{
	struct dispatch_lane *lane =
		container_of(container_of(op, struct alerts_finish, op), struct dispatch_lane, finish);

	if (!op->ok)
		log_warn("what became of an alert's message could not be stored: it will be sent again",
			FI("delivery", lane->message->id), F("why", op->err.text));
	lane_done(lane);
}

/* The ids are random, so the pauses are, too; and the same if the operation has to be repeated. */
static uint64_t lane_random(const struct dispatch_lane *lane)
{
	char text[96];
	int len = snprintf(text, sizeof(text), "%s %d", lane->message->message_id, lane->message->attempts);

	return hash64(text, (size_t)len);
}

static void lane_sent(struct deliver_job *job)
{
	static const enum alerts_fate fates[] = {[DELIVER_DONE] = FINISH_DELIVERED,
		[DELIVER_RETRY] = FINISH_LATER,
		[DELIVER_DEAD] = FINISH_DEAD,
		[DELIVER_ABORTED] = FINISH_ABORTED};
	struct dispatch_lane *lane = container_of(job, struct dispatch_lane, job);
	const struct alerts_message *message = lane->message;
	const struct alerts_claim *claim = &lane->batch->claim;
	struct alerts_store *alerts = alerts_role_of(&lane->owner->chore)->alerts;
	uint64_t random = lane_random(lane);

	metric_inc(METRIC_alerts_deliveries_total, METRIC_CHANNEL_WEBHOOK + (unsigned)message->channel.kind - 1,
		METRIC_OUTCOME_DELIVERED + (unsigned)job->outcome);
	if (job->outcome == DELIVER_DEAD)
		log_warn("an alert's destination refuses it for good", FI("delivery", message->id),
			FI("status", job->status));
	lane->finish = (struct alerts_finish){
		.op = {.arena = &lane->arena, .done = lane_stored},
		.id = message->id,
		.claimed_until_us = claim->now_us + claim->claim_us,
		.now_us = worker_now_us(role_of(lane)->worker),
		.took_us = job->took_us,
		.status = job->status,
		.error = job->error,
		.what = fates[job->outcome],
		.pause_us = job->outcome == DELIVER_ABORTED
				    ? 0
				    : alert_retry_pause(message->attempts + 1, job->retry_after_us, random),
		.random = random,
	};
	alerts->ops->finish(alerts, &lane->finish);
}

static void lane_start(struct dispatch_lane *lane, struct dispatch_batch *batch, const struct alerts_message *message)
{
	struct role_chores *role = role_of(lane);
	struct deliverer *deliverer = alerts_role_of(&lane->owner->chore)->deliverer;
	const struct alert_event **events = arena_zalloc(&lane->arena, (size_t)message->events, sizeof(*events));

	lane->batch = batch;
	lane->message = message;
	batch->lanes++;
	role->running++;
	for (int i = 0; i < message->events; i++)
		events[i] = &message->event[i];
	alert_message_make(&message->channel, events, message->events, message->more,
		role->worker->parts.conf->alert_link, &lane->arena, &lane->text);
	lane->job = (struct deliver_job){
		.channel = &message->channel,
		.message = &lane->text,
		.message_id = message->message_id,
		.now_us = worker_now_us(role->worker),
		.done = lane_sent,
	};
	deliverer->start(deliverer, &lane->job);
}

static int64_t poll_us(const struct alerts_claim *claim)
{
	int64_t left_us = claim->next_us - claim->now_us, most_us = claim->count ? POLL_US : POLL_IDLE_US;

	if (claim->next_us == 0 || left_us > most_us)
		return most_us;
	return left_us > POLL_MIN_US ? left_us : POLL_MIN_US;
}

/* Also while the role is stopping: nobody else would send them before their claim lapses. */
static enum flow_result step_send(struct flow *flow)
{
	struct dispatch *dispatch = dispatch_of(flow);
	struct dispatch_batch *batch = dispatch->claiming;
	const struct alerts_claim *claim = &batch->claim;
	bool ok = claim->op.ok;

	dispatch->more = ok && (claim->more || claim->crowded);
	if (ok) {
		dispatch->chore.interval_us = poll_us(claim);
		for (int i = 0, sent = 0; sent < claim->count; i++)
			if (!dispatch->lane[i].batch)
				lane_start(&dispatch->lane[i], batch, &claim->message[sent++]);
		dispatch->chore.again = claim->more && lanes_in_use(dispatch).used < ALERT_LANES;
	}
	batch_done(batch);
	return ok ? flow_succeed(flow) : flow_fail_with(flow, &claim->op.err);
}

static void claim_done(struct alerts_op *op)
{
	struct dispatch_batch *batch =
		container_of(container_of(op, struct alerts_claim, op), struct dispatch_batch, claim);

	flow_run(&batch->owner->chore.flow);
}

/* A batch that no lane works on; there is one for each lane. */
static struct dispatch_batch *batch_free(struct dispatch *dispatch)
{
	int i = 0;

	while (dispatch->batch[i].lanes > 0)
		i++;
	return &dispatch->batch[i];
}

static enum flow_result step_claim(struct flow *flow)
{
	struct dispatch *dispatch = dispatch_of(flow);
	struct role_chores *role = dispatch->chore.role;
	struct alerts_store *alerts = alerts_role_of(&dispatch->chore)->alerts;
	const struct conf *conf = role->worker->parts.conf;
	struct alert_lanes lanes = lanes_in_use(dispatch);

	if (lanes.used == ALERT_LANES || chore_stopping(&dispatch->chore))
		return flow_succeed(flow);
	dispatch->claiming = batch_free(dispatch);
	/* A lane may end while the store looks. */
	for (int i = 0; i < lanes.used; i++)
		lanes.tenant[i] = arena_strndup(&dispatch->claiming->arena, lanes.tenant[i], strlen(lanes.tenant[i]));
	dispatch->claiming->claim = (struct alerts_claim){
		.op = {.arena = &dispatch->claiming->arena, .done = claim_done},
		.limit = ALERT_LANES - lanes.used,
		.lanes = lanes,
		.now_us = worker_now_us(role->worker),
		.claim_us = conf->alert_timeout_ms * 1000 + CLAIM_SPARE_US,
		.give_up_us = conf->alert_give_up_s * SECOND_US,
	};
	return flow_wait(flow, step_send, alerts->ops->claim(alerts, &dispatch->claiming->claim));
}

void dispatch_init(struct dispatch *dispatch)
{
	dispatch->chore = (struct chore){.first = step_claim, .name = "dispatch", .interval_us = POLL_IDLE_US};
	for (int i = 0; i < ALERT_LANES; i++)
		dispatch->lane[i].owner = dispatch->batch[i].owner = dispatch;
}
