/*
 * Deadlines of calls. Nearly all calls end long before theirs, so they are in a list without an order, and the timer is
 * set to the earliest that any had when it was last looked through.
 */
#include "base/clock.h"
#include "base/units.h"
#include "rpc/h2/internal.h"

/* However many deadlines follow each other, the list is not looked through more often. */
enum { APART_US = 5000 };

static void arm(struct h2_worker *worker, int64_t at_us, int64_t now_us)
{
	int64_t left_us = at_us - now_us < APART_US ? APART_US : at_us - now_us;

	worker->deadline_us = at_us;
	uv_update_time(worker_loop(&worker->worker));
	uv_timer_start(&worker->deadline, h2_deadline_due, (uint64_t)(left_us + 999) / 1000, 0);
}

void h2_deadline_set(struct h2_call *h2, int64_t timeout_us)
{
	struct h2_worker *worker = h2->connection->worker;
	int64_t now_us = clock_mono_us();

	h2->deadline_us = now_us + timeout_us;
	list_remove(&h2->timed); /* the header may come twice */
	list_push_back(&worker->timed, &h2->timed);
	if (h2->deadline_us < worker->deadline_us)
		arm(worker, h2->deadline_us, now_us);
}

static void pass(struct h2_call *h2)
{
	static const struct err late = {.code = ERR_DEADLINE, .text = "the deadline has passed"};

	list_remove(&h2->timed);
	if (!h2->begun) {
		/* Some of the request, or its headers only, had come. */
		if (!h2->flaw && !h2->http_status) {
			h2->flaw = &late;
			h2_due(h2, H2_REFUSAL);
		}
	} else if (!h2->call.answered) {
		h2_call_abandon(h2, late.code, late.text);
	} else if (h2->stream) {
		h2->call.cancelled = 1;
		h2_answer_reset(h2, NGHTTP2_CANCEL);
	}
}

void h2_deadline_due(uv_timer_t *timer)
{
	struct h2_worker *worker = container_of(timer, struct h2_worker, deadline);
	int64_t now_us = clock_mono_us();
	int64_t next_us = INT64_MAX;

	list_each (&worker->timed, at, after) {
		struct h2_call *h2 = container_of(at, struct h2_call, timed);

		if (h2->deadline_us <= now_us)
			pass(h2);
		else if (h2->deadline_us < next_us)
			next_us = h2->deadline_us;
	}
	worker->deadline_us = INT64_MAX;
	if (next_us < INT64_MAX)
		arm(worker, next_us, now_us);
}
