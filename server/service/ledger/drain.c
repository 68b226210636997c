/*
 * Moves entries from the outboxes to the ledger (service/ledger/chores.h): finds the partitions with entries, reads a
 * batch, writes it, takes double charges back and acknowledges. An entry leaves Redis only when the ledger has it, so
 * after a crash at any point it comes again.
 */
#include "service/ledger/chores.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"

#define WRITE_DEADLINE_US INT64_C(10000000)
#define IDLE_MAX 4 /* empty outboxes are polled less and less often, down to a quarter of the configured rate */
#define RUNG_LOOK_US INT64_C(1000000) /* at most so rarely, while the store tells of entries by itself */

CHORE_OWNER(pump_of, pump)

static int64_t poll_us(const struct pump *pump)
{
	return pump->chore.role->worker->parts.conf->ledger_poll_ms * 1000;
}

/* One of several operations of a step has ended; the last one moves the flow on. */
static void one_back(struct pump *pump)
{
	if (--pump->pending == 0)
		flow_run(&pump->chore.flow);
}

/* Releases the partitions of this batch. */
static void give_back(struct pump *pump)
{
	for (int i = 0; i < pump->parts; i++)
		ledger_role_of(&pump->chore)->taken[pump->part[i].drain.partition] = false;
	pump->parts = 0;
}

static void drain_done(struct outbox_op *op)
{
	one_back(container_of(container_of(op, struct outbox_drain, op), struct pump_part, drain)->pump);
}

static void add_part(struct pump *pump, int partition, int limit)
{
	struct pump_part *part = &pump->part[pump->parts++];

	part->pump = pump;
	part->drain = (struct outbox_drain){
		.op = {.arena = &pump->chore.arena, .done = drain_done}, .partition = partition, .limit = limit};
	ledger_role_of(&pump->chore)->taken[partition] = true;
	ledger_role_of(&pump->chore)->turn = (partition + 1) % PARTITIONS;
}

/* Takes partitions in turn until the batch is full. Returns how many entries are left for other pumps. */
static int64_t pick(struct pump *pump)
{
	struct ledger_role *role = ledger_role_of(&pump->chore);
	const struct outbox_waiting *waiting = &pump->waiting;
	int64_t room = role->role.worker->parts.conf->ledger_batch, left = 0;
	int first = 0;

	while (first < waiting->count && waiting->waiting[first].partition < role->turn)
		first++;
	for (int i = 0; i < waiting->count; i++) {
		int at = (first + i) % waiting->count;
		int64_t entries = (int64_t)waiting->waiting[at].entries;
		int64_t take;

		if (role->taken[waiting->waiting[at].partition])
			continue;
		take = entries < room ? entries : room;
		if (take > 0)
			add_part(pump, waiting->waiting[at].partition, (int)take);
		room -= take;
		left += entries - take;
	}
	return left;
}

static void write_done(struct ledger_op *op)
{
	struct pump *pump = container_of(container_of(op, struct ledger_write, op), struct pump, write);

	flow_run(&pump->chore.flow);
}

static int add_items(struct pump *pump, struct pump_part *part, struct ledger_item *items)
{
	const struct outbox_drain *drain = &part->drain;

	for (int i = 0; i < drain->count; i++) {
		/* Without a generation, only the partition's mark is lost: its number then makes the origins unique. */
		const char *origin =
			drain->generation[0]
				? arena_printf(&pump->chore.arena, "%s:%s", drain->generation, drain->entry[i].id)
				: arena_printf(&pump->chore.arena, "p%d:%s", drain->partition, drain->entry[i].id);
		items[i] = (struct ledger_item){
			.partition = drain->partition,
			.origin = origin,
			.bytes = drain->entry[i].bytes,
			.len = drain->entry[i].len,
		};
	}
	return drain->count;
}

static void takeback_done(struct outbox_op *op);
static enum flow_result step_ack(struct flow *flow);
static enum flow_result step_end(struct flow *flow);

/* A takeback in flight. */
struct takeback {
	struct outbox_takeback op;
	struct pump_part *part;
	int index;
};

/* A charge in flight. */
struct charge {
	struct outbox_charge op;
	struct pump *pump;
};

/* The reconciler finds a charge that fails here. */
static void charge_done(struct outbox_op *op)
{
	struct charge *charge = container_of(container_of(op, struct outbox_charge, op), struct charge, op);

	if (!op->ok)
		log_warn("the use of an unknown user is not on the counters of their team and org yet",
			F("why", op->err.text));
	one_back(charge->pump);
}

/* The store counted an entry without its user's team and org, because PostgreSQL was away. */
static void charge_start(struct pump *pump, const struct ledger_item *item)
{
	struct outbox_store *outbox = ledger_role_of(&pump->chore)->outbox;
	struct charge *charge = arena_zalloc(&pump->chore.arena, 1, sizeof(*charge));

	charge->pump = pump;
	charge->op = (struct outbox_charge){
		.op = {.arena = &pump->chore.arena, .done = charge_done},
		.partition = item->partition,
		.accounts = item->late_accounts,
		.entry = item->entry,
	};
	pump->pending++;
	outbox->ops->charge(outbox, &charge->op);
}

/* Counts the finished entries and starts their takebacks, which must come first: an acknowledged entry is gone. */
static void settle_part(struct pump *pump, struct pump_part *part)
{
	struct outbox_store *outbox = ledger_role_of(&pump->chore)->outbox;
	struct ledger_item *items = &pump->write.item[part->first];

	for (part->prefix = 0; part->prefix < part->drain.count; part->prefix++) {
		struct ledger_item *item = &items[part->prefix];
		struct takeback *takeback;

		if (item->fate == LEDGER_BUSY)
			break;
		if (item->fate == LEDGER_WRITTEN && item->late_accounts)
			charge_start(pump, item);
		if (item->fate != LEDGER_DOUBLE)
			continue;
		takeback = arena_zalloc(&pump->chore.arena, 1, sizeof(*takeback));
		takeback->part = part;
		takeback->index = part->prefix;
		takeback->op = (struct outbox_takeback){
			.op = {.arena = &pump->chore.arena, .done = takeback_done},
			.partition = part->drain.partition,
			.id = part->drain.entry[part->prefix].id,
			.entry = item->entry,
		};
		pump->pending++;
		outbox->ops->takeback(outbox, &takeback->op);
	}
}

static void takeback_done(struct outbox_op *op)
{
	struct takeback *takeback = container_of(container_of(op, struct outbox_takeback, op), struct takeback, op);
	struct pump_part *part = takeback->part;

	if (!op->ok) {
		log_warn("cannot take a double charge back yet", F("why", op->err.text));
		if (part->prefix > takeback->index)
			part->prefix = takeback->index;
	} else if (takeback->op.taken) {
		log_info("took a double charge back", FI("partition", part->drain.partition),
			F("entry", takeback->op.id));
	}
	one_back(part->pump);
}

static enum flow_result step_settle(struct flow *flow)
{
	struct pump *pump = pump_of(flow);

	if (!pump->write.op.ok) {
		give_back(pump);
		return flow_fail_with(flow, &pump->write.op.err);
	}
	flow_to(flow, step_ack);
	pump->pending = 1; /* for this step itself, so that no answer counts as the last before all are sent */
	for (int i = 0; i < pump->parts; i++)
		settle_part(pump, &pump->part[i]);
	return --pump->pending ? FLOW_WAIT : FLOW_MORE;
}

static void ack_done(struct outbox_op *op)
{
	one_back(container_of(container_of(op, struct outbox_ack, op), struct pump_part, ack)->pump);
}

static enum flow_result step_ack(struct flow *flow)
{
	struct pump *pump = pump_of(flow);
	struct outbox_store *outbox = ledger_role_of(&pump->chore)->outbox;

	flow_to(flow, step_end);
	pump->pending = 1;
	for (int i = 0; i < pump->parts; i++) {
		struct pump_part *part = &pump->part[i];
		if (part->prefix == 0)
			continue;
		part->ack = (struct outbox_ack){
			.op = {.arena = &pump->chore.arena, .done = ack_done},
			.partition = part->drain.partition,
			.last = part->drain.entry[part->prefix - 1].id,
		};
		pump->pending++;
		outbox->ops->ack(outbox, &part->ack);
	}
	return --pump->pending ? FLOW_WAIT : FLOW_MORE;
}

/* A failed acknowledgement does no harm: the entries come again and are recognized as repeats. */
static enum flow_result step_end(struct flow *flow)
{
	struct pump *pump = pump_of(flow);
	int64_t done = 0;

	for (int i = 0; i < pump->parts; i++)
		done += pump->part[i].prefix;
	give_back(pump);
	pump->chore.interval_us = poll_us(pump);
	pump->chore.again = done > 0;
	return flow_succeed(flow);
}

static enum flow_result step_write(struct flow *flow)
{
	struct pump *pump = pump_of(flow);
	struct ledger_store *ledger = pump->chore.role->ledger;
	int count = 0;
	struct ledger_item *items;

	for (int i = 0; i < pump->parts; i++) {
		if (!pump->part[i].drain.op.ok)
			pump->part[i].drain.count = 0;
		count += pump->part[i].drain.count;
	}
	if (count == 0) {
		give_back(pump);
		return flow_succeed(flow);
	}
	items = arena_zalloc(&pump->chore.arena, (size_t)count, sizeof(*items));
	count = 0;
	for (int i = 0; i < pump->parts; i++) {
		pump->part[i].first = count;
		count += add_items(pump, &pump->part[i], &items[count]);
	}
	pump->write = (struct ledger_write){
		.op = {.arena = &pump->chore.arena,
			.done = write_done,
			.deadline_us = clock_mono_us() + WRITE_DEADLINE_US},
		.count = count,
		.item = items,
	};
	flow_to(flow, step_settle);
	ledger->ops->write(ledger, &pump->write);
	return FLOW_WAIT;
}

static void rung(void *arg)
{
	struct pump *pump = arg;

	chore_interval(&pump->chore, poll_us(pump));
}

/* How long to leave the outboxes alone that were found empty, or in the hands of other pumps. */
static int64_t idle_us(struct pump *pump)
{
	struct outbox_store *outbox = ledger_role_of(&pump->chore)->outbox;
	int64_t longer_us = pump->chore.interval_us * 2, longest_us = IDLE_MAX * poll_us(pump);

	if (pump->waiting.count == 0 && !pump->chore.asked_only && outbox->ops->when_any(outbox, rung, pump))
		return longest_us > RUNG_LOOK_US ? longest_us : RUNG_LOOK_US;
	return longer_us < longest_us ? longer_us : longest_us;
}

static enum flow_result step_pick(struct flow *flow)
{
	struct pump *pump = pump_of(flow);
	struct ledger_role *role = ledger_role_of(&pump->chore);
	int64_t left;

	if (!pump->waiting.op.ok)
		return flow_fail_with(flow, &pump->waiting.op.err);
	pump->part = arena_zalloc(&pump->chore.arena, PARTITIONS, sizeof(*pump->part));
	left = pick(pump);
	if (pump->parts == 0) {
		pump->chore.interval_us = idle_us(pump);
		return flow_succeed(flow);
	}
	flow_to(flow, step_write);
	pump->pending = pump->parts;
	for (int i = 0; i < pump->parts; i++)
		role->outbox->ops->drain(role->outbox, &pump->part[i].drain);
	for (int i = 0; left > 0 && i < PUMPS; i++)
		chore_start(&role->pump[i].chore);
	return FLOW_WAIT;
}

static void waiting_done(struct outbox_op *op)
{
	struct pump *pump = container_of(container_of(op, struct outbox_waiting, op), struct pump, waiting);

	flow_run(&pump->chore.flow);
}

static enum flow_result step_look(struct flow *flow)
{
	struct pump *pump = pump_of(flow);
	struct outbox_store *outbox = ledger_role_of(&pump->chore)->outbox;

	pump->waiting = (struct outbox_waiting){.op = {.arena = &pump->chore.arena, .done = waiting_done}};
	flow_to(flow, step_pick);
	outbox->ops->waiting(outbox, &pump->waiting);
	return FLOW_WAIT;
}

void pump_init(struct pump *pump, int64_t interval_us)
{
	pump->chore = (struct chore){.first = step_look, .name = "drain", .interval_us = interval_us};
}
