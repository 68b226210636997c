/*
 * What a renewer looks after, on the side of the connection: what its calls begin and end. Declared in internal.h,
 * and for kept_due.c in kept.h.
 */
#include "c/kept.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As long as a server holds a reservation that did not ask for another time. */
#define LONGEST_US INT64_C(900000000)

static char *text_copy(const char *text)
{
	char *copy = strdup(text ? text : "");

	if (!copy)
		abort();
	return copy;
}

struct bursar__kept *bursar__kept_new(int64_t orphan_us, bursar_lost *lost, void *ctx)
{
	struct bursar__kept *kept = calloc(1, sizeof(*kept));
	pthread_condattr_t monotonic;

	if (!kept)
		abort();
	pthread_mutex_init(&kept->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&kept->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	kept->orphan_us = orphan_us;
	kept->lost = lost;
	kept->ctx = ctx;
	return kept;
}

static struct item **bucket_of(struct bursar__kept *kept, const char *handle)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = handle; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return &kept->buckets[hash % KEPT_BUCKETS];
}

struct item **bursar__kept_find(struct bursar__kept *kept, const char *handle)
{
	struct item **at = bucket_of(kept, handle);

	while (*at && strcmp((*at)->handle, handle) != 0)
		at = &(*at)->next;
	return at;
}

void bursar__kept_remove(struct bursar__kept *kept, struct item **at)
{
	struct item *item = *at;

	*at = item->next;
	kept->count--;
	free(item->handle);
	free(item->user);
	free(item->request_id);
	free(item);
}

static void item_remove_handle(struct bursar__kept *kept, const char *handle)
{
	struct item **at = bursar__kept_find(kept, handle);

	if (*at)
		bursar__kept_remove(kept, at);
}

void bursar__kept_remove_those(
	struct bursar__kept *kept, bool (*is)(const struct item *item, const void *what), const void *what)
{
	for (size_t i = 0; i < KEPT_BUCKETS; i++)
		for (struct item **at = &kept->buckets[i]; *at;) {
			if (is(*at, what))
				bursar__kept_remove(kept, at);
			else
				at = &(*at)->next;
		}
}

static bool is_of_request(const struct item *item, const void *what)
{
	const Bursar__V1__ReservationRef *ref = what;

	return !item->lease && item->request_id[0] && strcmp(item->request_id, ref->request_id) == 0 &&
	       strcmp(item->user, ref->user) == 0;
}

static struct item *item_add(struct bursar__kept *kept, const char *handle)
{
	struct item *item = calloc(1, sizeof(*item)), **at;

	if (!item)
		abort();
	item_remove_handle(kept, handle);
	item->handle = text_copy(handle);
	item->began_us = bursar__now_us();
	at = bucket_of(kept, handle);
	item->next = *at;
	*at = item;
	kept->count++;
	return item;
}

void bursar__kept_extended(struct item *item, int64_t now_us, int64_t ttl_us)
{
	item->ttl_us = ttl_us;
	item->until_us = now_us + ttl_us;
	item->due_us = now_us + ttl_us / (item->lease ? 3 : 2);
}

static void item_due(struct bursar__kept *kept, struct item *item, int64_t due_us)
{
	item->due_us = due_us;
	if (due_us >= kept->look_us)
		return;
	kept->look_us = due_us;
	kept->news = true;
	pthread_cond_signal(&kept->changed);
}

/* `known`: how long it lasts, because its check was answered just now. */
static void reservation_add(struct bursar__kept *kept, const char *handle, int64_t longest_us, bool known,
	const char *user, const char *request_id)
{
	struct item *item = item_add(kept, handle);

	item->longest_us = longest_us;
	item->user = text_copy(user);
	item->request_id = text_copy(request_id);
	bursar__kept_extended(item, item->began_us, kept->orphan_us);
	item_due(kept, item, known ? item->due_us : item->began_us);
}

static int64_t longest_us(int64_t asked_us)
{
	return asked_us > 0 ? asked_us : LONGEST_US;
}

/* How many checks are in a request; 0 of another method. */
static size_t check_count(enum bursar_method method, const void *request)
{
	if (method == BURSAR_CHECK_BATCH)
		return ((const Bursar__V1__CheckBatchRequest *)request)->n_items;
	return method == BURSAR_CHECK;
}

static Bursar__V1__CheckRequest *check_at(enum bursar_method method, void *request, size_t i)
{
	return method == BURSAR_CHECK ? request : ((Bursar__V1__CheckBatchRequest *)request)->items[i];
}

static const Bursar__V1__CheckResponse *answer_at(enum bursar_method method, const void *answer, size_t i)
{
	const Bursar__V1__CheckBatchResponse *answers = answer;

	if (method == BURSAR_CHECK)
		return answer;
	return i < answers->n_items ? answers->items[i]->response : NULL;
}

static bool is_set(const char *text)
{
	return text && text[0];
}

static void drop_text(struct bursar__kept *kept, const char *handle)
{
	if (is_set(handle))
		item_remove_handle(kept, handle);
}

static void drop_ref(struct bursar__kept *kept, const Bursar__V1__ReservationRef *ref)
{
	if (!ref)
		return;
	drop_text(kept, ref->handle);
	if (!is_set(ref->handle) && is_set(ref->request_id) && is_set(ref->user))
		bursar__kept_remove_those(kept, is_of_request, ref);
}

static void drop_recorded(struct bursar__kept *kept, const Bursar__V1__RecordRequest *record)
{
	if (record->keep_open)
		return;
	drop_ref(kept, record->reservation);
	drop_text(kept, record->lease);
}

/* Forgets what the request ends. */
static void drop_ended(struct bursar__kept *kept, enum bursar_method method, const void *request)
{
	const Bursar__V1__RecordBatchRequest *records = request;
	const Bursar__V1__CancelRequest *cancel = request;

	if (method == BURSAR_RECORD)
		drop_recorded(kept, request);
	for (size_t i = 0; method == BURSAR_RECORD_BATCH && i < records->n_items; i++)
		drop_recorded(kept, records->items[i]);
	if (method == BURSAR_CANCEL) {
		drop_ref(kept, cancel->reservation);
		drop_text(kept, cancel->lease);
	}
	if (method == BURSAR_RELEASE)
		drop_text(kept, ((const Bursar__V1__ReleaseRequest *)request)->lease);
}

int64_t bursar__kept_first_us(const struct bursar__kept *kept, int64_t asked_us)
{
	return longest_us(asked_us) < kept->orphan_us ? asked_us : kept->orphan_us;
}

/* Room for what the request may begin: what has none is sent as it was asked for, and needs no renewal. */
static bool promise(struct bursar__kept *kept, enum bursar_method method, const void *request)
{
	size_t count = check_count(method, request);
	bool room = !kept->closing && kept->count + kept->promised + count <= BURSAR_RENEWED_MAX;

	kept->promised += room ? count : 0;
	return room;
}

ProtobufCMessage *bursar__kept_submit(struct bursar__kept *kept, enum bursar_method method, const void *request,
	ProtobufCMessage *filled, ProtobufCMessage **asked)
{
	const void *message = filled ? (const void *)filled : request;
	bool room;

	pthread_mutex_lock(&kept->lock);
	drop_ended(kept, method, message);
	room = promise(kept, method, message);
	pthread_mutex_unlock(&kept->lock);
	if (!room || check_count(method, message) == 0)
		return filled;
	*asked = bursar__message_copy(message);
	filled = filled ? filled : bursar__message_copy(message);
	for (size_t i = 0; i < check_count(method, filled); i++) {
		Bursar__V1__CheckRequest *check = check_at(method, filled, i);

		if (!check->settle)
			check->reservation_ttl_us = bursar__kept_first_us(kept, check->reservation_ttl_us);
	}
	return filled;
}

/* The reservation of a repeat is renewed by the process whose check came first. */
static bool is_ours(const struct bursar__kept *kept, const Bursar__V1__CheckRequest *check,
	const Bursar__V1__CheckResponse *answer, bool again)
{
	return answer->allowed && answer->reservation[0] && (!answer->repeat || again) && !check->settle &&
	       longest_us(check->reservation_ttl_us) > kept->orphan_us;
}

void bursar__kept_answered(
	struct bursar__kept *kept, enum bursar_method method, void *asked, const void *answer, bool again)
{
	pthread_mutex_lock(&kept->lock);
	for (size_t i = 0; i < check_count(method, asked); i++) {
		const Bursar__V1__CheckRequest *check = check_at(method, asked, i);
		const Bursar__V1__CheckResponse *one = answer ? answer_at(method, answer, i) : NULL;

		kept->promised -= kept->promised > 0; /* a renewer that was opened since has promised nothing */
		if (one && is_ours(kept, check, one, again))
			reservation_add(kept, one->reservation, longest_us(check->reservation_ttl_us), true,
				check->user, one->request_id);
	}
	pthread_mutex_unlock(&kept->lock);
}

void bursar__kept_granted(struct bursar__kept *kept, const Bursar__V1__CheckRequest *check, int64_t asked_us,
	const Bursar__V1__CheckResponse *answer)
{
	pthread_mutex_lock(&kept->lock);
	if (answer->reservation[0] && longest_us(asked_us) > kept->orphan_us)
		reservation_add(kept, answer->reservation, longest_us(asked_us), true, check->user, answer->request_id);
	pthread_mutex_unlock(&kept->lock);
}

bool bursar__kept_add(struct bursar__kept *kept, const char *handle, bool lease, int64_t us)
{
	struct item *item;
	bool room;

	pthread_mutex_lock(&kept->lock);
	room = kept->count + kept->promised < BURSAR_RENEWED_MAX;
	if (room && lease) {
		item = item_add(kept, handle);
		item->lease = true;
		bursar__kept_extended(item, item->began_us, us);
		item_due(kept, item, item->due_us);
	} else if (room) {
		reservation_add(kept, handle, longest_us(us), false, "", "");
	}
	pthread_mutex_unlock(&kept->lock);
	return room;
}

void bursar__kept_drop(struct bursar__kept *kept, const char *handle)
{
	pthread_mutex_lock(&kept->lock);
	item_remove_handle(kept, handle);
	pthread_mutex_unlock(&kept->lock);
}
