/*
 * Handlers run here, and not inside nghttp2's callbacks: a call whose caller has reset it in the same bytes that brought
 * it never begins, and a handler may do anything with its connection.
 */
#include "rpc/h2/internal.h"

static void begin(struct h2_call *h2)
{
	bool whole;

	h2->begun = true;
	h2_call_count(h2);
	call_begin(&h2->call);
	whole = !h2->flaw && (h2->call.method->row->kind == RPC_STREAMS || h2_message_take_request(h2));
	if (h2->flaw && !h2->call.worker->refusing)
		call_fail(&h2->call, h2->flaw);
	else
		call_dispatch(&h2->call, whole);
}

static void wrote(struct h2_call *h2, bool ok)
{
	if (!h2->call.writing)
		return;
	unsent_done(&h2->call);
	call_wrote(&h2->call, ok);
}

static void tell(struct h2_call *h2)
{
	unsigned news = h2->news;

	h2->news = 0;
	h2->running = true;
	if (!h2->begun && (news & (H2_REQUEST | H2_REFUSAL)))
		begin(h2);
	if ((news & H2_LEFT) && !h2->call.answered)
		call_left(&h2->call);
	if (news & (H2_WROTE | H2_LEFT))
		wrote(h2, !(news & H2_LEFT) && h2->stream && !h2->abandoned);
	if (news & (H2_MESSAGE | H2_LEFT))
		h2_message_give(h2);
	h2->running = false;
	h2_call_try_finish(h2);
}

void h2_due_run(struct h2_worker *worker)
{
	struct list *link;

	while ((link = list_pop_front(&worker->due)))
		tell(container_of(link, struct h2_call, due));
}
