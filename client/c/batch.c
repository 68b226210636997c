/* Gathers checks or records into one call. Declared in bursar.h. */
#include "c/internal.h"

#include <assert.h>
#include <stdlib.h>

struct item {
	ProtobufCMessage *request;
	bursar_done *done;
	void *ctx;
};

struct bursar_batch {
	struct bursar_batch *next, *prev; /* of the connection */
	struct bursar *bursar;
	enum bursar_method method;
	size_t size, count;
	int64_t delay_us; /* how long an item waits at most; negative: until it is flushed */
	int64_t due_us; /* of the first item */
	struct item *items;
};

/* A batch that was sent and is not answered yet. It may outlive its struct bursar_batch. */
struct sent {
	enum bursar_method method;
	size_t count;
	struct item items[];
};

struct bursar_batch *bursar_batch_new(struct bursar *bursar, enum bursar_method method, size_t size)
{
	struct bursar_batch *batch = calloc(1, sizeof(*batch));

	assert(method == BURSAR_CHECK || method == BURSAR_RECORD);
	assert(size >= 1 && size <= 1000);
	if (!batch)
		abort();
	batch->bursar = bursar;
	batch->method = method;
	batch->size = size;
	batch->delay_us = -1;
	batch->next = bursar->batches;
	if (batch->next)
		batch->next->prev = batch;
	bursar->batches = batch;
	batch->items = calloc(size, sizeof(*batch->items));
	if (!batch->items)
		abort();
	return batch;
}

/* Takes an item's answer out of the batch's, which is freed as a whole afterwards. */
static void *take_answer(const struct sent *sent, void *answers, size_t i, const Bursar__V1__ItemError **error)
{
	void *answer;

	if (sent->method == BURSAR_CHECK) {
		Bursar__V1__CheckBatchResponse *checks = answers;

		if (i >= checks->n_items)
			return NULL;
		answer = checks->items[i]->response;
		checks->items[i]->response = NULL;
		*error = checks->items[i]->error;
	} else {
		Bursar__V1__RecordBatchResponse *records = answers;

		if (i >= records->n_items)
			return NULL;
		answer = records->items[i]->response;
		records->items[i]->response = NULL;
		*error = records->items[i]->error;
	}
	return answer;
}

static void sent_done(void *ctx, void *answers, const struct bursar_error *error)
{
	struct sent *sent = ctx;

	for (size_t i = 0; i < sent->count; i++) {
		const struct item *item = &sent->items[i];
		const Bursar__V1__ItemError *failure = NULL;
		struct bursar_error own = *error;
		void *answer = NULL;

		if (answers) {
			answer = take_answer(sent, answers, i, &failure);
			if (failure && failure->field[0]) {
				bursar__error_field(&own, failure->field, "%s", failure->message);
				own.code = failure->code;
			} else if (failure) {
				bursar__error_set(&own, failure->code, "%s", failure->message);
			} else if (!answer) {
				bursar__error_set(&own, BURSAR_INTERNAL, "the answer to the batch has no such item");
			}
			own.from_server = true;
		}
		item->done(item->ctx, answer, &own);
	}
	bursar_free(answers);
	free(sent);
}

void bursar_batch_flush(struct bursar_batch *batch)
{
	Bursar__V1__CheckBatchRequest checks = BURSAR__V1__CHECK_BATCH_REQUEST__INIT;
	Bursar__V1__RecordBatchRequest records = BURSAR__V1__RECORD_BATCH_REQUEST__INIT;
	struct sent *sent;
	void **requests;

	if (batch->count == 0)
		return;
	sent = calloc(1, sizeof(*sent) + batch->count * sizeof(*sent->items));
	requests = calloc(batch->count, sizeof(*requests));
	if (!sent || !requests)
		abort();
	sent->method = batch->method;
	sent->count = batch->count;
	for (size_t i = 0; i < batch->count; i++) {
		sent->items[i] = batch->items[i];
		requests[i] = batch->items[i].request;
	}
	checks.n_items = records.n_items = batch->count;
	checks.items = (Bursar__V1__CheckRequest **)requests;
	records.items = (Bursar__V1__RecordRequest **)requests;
	if (batch->method == BURSAR_CHECK)
		bursar_submit(batch->bursar, BURSAR_CHECK_BATCH, &checks, sent_done, sent);
	else
		bursar_submit(batch->bursar, BURSAR_RECORD_BATCH, &records, sent_done, sent);
	for (size_t i = 0; i < batch->count; i++)
		bursar_free(requests[i]);
	free(requests);
	batch->count = 0;
}

static int64_t batches_due(struct bursar *bursar, int64_t until)
{
	for (struct bursar_batch *batch = bursar->batches; batch; batch = batch->next) {
		if (batch->count == 0 || batch->delay_us < 0)
			continue;
		if (batch->due_us <= bursar__now_us())
			bursar_batch_flush(batch);
		else if (batch->due_us < until)
			until = batch->due_us;
	}
	return until;
}

void bursar_batch_within(struct bursar_batch *batch, int64_t delay_us)
{
	batch->bursar->batches_due = batches_due;
	batch->delay_us = delay_us;
	batch->due_us = bursar__now_us() + delay_us;
}

void bursar_batch_add(struct bursar_batch *batch, const void *request, bursar_done *done, void *ctx)
{
	if (batch->count == 0 && batch->delay_us >= 0)
		batch->due_us = bursar__now_us() + batch->delay_us;
	batch->items[batch->count++] =
		(struct item){.request = bursar__message_copy(request), .done = done, .ctx = ctx};
	if (batch->count == batch->size)
		bursar_batch_flush(batch);
}

void bursar_batch_free(struct bursar_batch *batch)
{
	struct bursar_error error;

	if (!batch)
		return;
	if (batch->prev)
		batch->prev->next = batch->next;
	else
		batch->bursar->batches = batch->next;
	if (batch->next)
		batch->next->prev = batch->prev;
	bursar__error_set(&error, BURSAR_CANCELLED, "the batch was freed before it was sent");
	for (size_t i = 0; i < batch->count; i++) {
		bursar_free(batch->items[i].request);
		batch->items[i].done(batch->items[i].ctx, NULL, &error);
	}
	free(batch->items);
	free(batch);
}
