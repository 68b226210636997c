/* Runs ten times a second while somebody is watching, otherwise once a second. */
#include "service/request/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/crypto/random.h"
#include "service/watch/gather.h"

enum { LOOK_US = 1000000, REPORT_US = 100000, SIGN_OF_LIFE_US = 1000000 };

struct publisher {
	struct worker *worker;
	struct watch_store *store;
	struct gather *gather; /* also worker->watched while somebody is watching */
	struct wait wait;
	bool looking, stopped;
	int64_t look_at_us, reported_at_us;
	struct buf report;
};

static void turn(struct wait *wait);

static void turn_later(struct publisher *publisher)
{
	struct timers *timers = publisher->worker->parts.timers;

	publisher->wait = (struct wait){.due = turn};
	timers->start(timers, &publisher->wait, publisher->worker->watched ? REPORT_US : LOOK_US);
}

static void rest(struct publisher *publisher)
{
	publisher->worker->watched = NULL;
}

static void told(int listeners, void *arg)
{
	struct publisher *publisher = arg;

	if (listeners == 0)
		rest(publisher);
}

static void report(struct publisher *publisher)
{
	buf_reset(&publisher->report);
	gather_report(publisher->gather, worker_now_us(publisher->worker), &publisher->report);
	publisher->reported_at_us = clock_mono_us();
	publisher->store->ops->tell(publisher->store, publisher->report.data, publisher->report.len, told, publisher);
}

/* Nothing was gathered while nobody was watching, so the next report must show a gap to those who watch again. */
static void begin(struct publisher *publisher)
{
	struct buf nothing = {0};

	gather_skip(publisher->gather);
	gather_report(publisher->gather, worker_now_us(publisher->worker), &nothing);
	buf_release(&nothing);
	publisher->worker->watched = publisher->gather;
	publisher->reported_at_us = 0;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Sorted, so that all workers choose the same users if there are too many. */
static void take_users(struct publisher *publisher, const struct watch_user *user, int users)
{
	uint64_t *hash = mem_zalloc((size_t)users + 1, sizeof(*hash));

	for (int i = 0; i < users; i++)
		hash[i] = watch_user_hash(user[i].tenant, user[i].user);
	qsort(hash, (size_t)users, sizeof(*hash), compare_hashes);
	gather_watch(publisher->gather, hash, users);
	free(hash);
}

static void looked(bool watched, const struct watch_user *user, int users, void *arg)
{
	struct publisher *publisher = arg;

	publisher->looking = false;
	publisher->look_at_us = clock_mono_us() + LOOK_US;
	if (publisher->stopped)
		return;
	if (!watched) {
		rest(publisher);
		return;
	}
	take_users(publisher, user, users);
	if (!publisher->worker->watched)
		begin(publisher);
}

static void turn(struct wait *wait)
{
	struct publisher *publisher = container_of(wait, struct publisher, wait);
	int64_t now_us = clock_mono_us();

	if (publisher->stopped)
		return;
	if (!publisher->looking && now_us >= publisher->look_at_us) {
		publisher->looking = true;
		publisher->store->ops->look(publisher->store, looked, publisher);
	}
	if (publisher->worker->watched &&
		(!gather_empty(publisher->gather) || now_us - publisher->reported_at_us >= SIGN_OF_LIFE_US))
		report(publisher);
	turn_later(publisher);
}

struct publisher *publisher_new(struct worker *worker, const char *server)
{
	struct publisher *publisher = mem_zalloc(1, sizeof(*publisher));
	uint64_t id;
	char text[33];

	random_id(text);
	memcpy(&id, text, sizeof(id));
	publisher->worker = worker;
	publisher->store = worker->parts.watch;
	publisher->gather = gather_new(id, server);
	turn(&publisher->wait);
	return publisher;
}

void publisher_stop(struct publisher *publisher)
{
	if (publisher->worker->watched && !gather_empty(publisher->gather))
		report(publisher);
	publisher->stopped = true;
	rest(publisher);
}

void publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return;
	gather_free(publisher->gather);
	buf_release(&publisher->report);
	free(publisher);
}

/* A full report is sent at once. */
static void add(struct worker *worker, const char *tenant, struct watch_event *event)
{
	event->at_us = worker_now_us(worker);
	if (gather_add(worker->watched, tenant, event))
		return;
	report(worker->publisher);
	if (!gather_add(worker->watched, tenant, event))
		abort(); /* an empty report has room */
}

_Static_assert(QUALITY_REMEMBERED == WATCH_QUALITY_MAX, "watchers refuse a quality that they do not know");

void publish_check(const struct check *check)
{
	const struct check_question *question = &check->question;
	const struct check_answer *answer = &check->answer;
	const struct limit_row *binding = answer->allowed ? NULL : answer->rows->binding;
	const struct account_rows *closed = answer->allowed ? NULL : answer->rows->closed;
	struct watch_event event = {
		.kind = WATCH_CHECK,
		.allowed = answer->allowed,
		.reason = answer->reason,
		.quality = (int)answer->quality,
		.account_kind = binding	 ? binding->account_kind
				: closed ? closed->account->kind
					 : 0,
		.limit = binding ? binding->limit->name : "",
		.input = check->request.estimate.input,
		.output = check->request.estimate.output,
		.cost = check->request.estimate.cost,
		.user = question->user,
		.request_id = question->request_id,
		.interface = question->interface,
		.model = check->model.model,
		.tier = answer->tier,
		.pool = "",
		.cause = "",
	};

	add(check->worker, question->tenant, &event);
}

void publish_settled(const struct settle *settle)
{
	const struct settle_question *question = &settle->question;
	const struct settle_answer *answer = &settle->answer;
	struct watch_event event = {
		.kind = question->cancel ? WATCH_CANCEL : WATCH_RECORD,
		.limit = "",
		.input = question->cancel ? 0 : answer->charged.input,
		.output = question->cancel ? 0 : answer->charged.output,
		.cost = question->cancel ? 0 : answer->charged.cost,
		.user = question->handle.user,
		.request_id = question->handle.request_id,
		.interface =
			settle->unknown_ok ? question->interface : "", /* only the store knows the check's interface */
		.model = settle->served.model,
		.tier = "",
		.pool = "",
		.cause = "",
	};

	add(settle->worker, question->handle.tenant, &event);
}

void publish_slot(const struct check *check, const char *pool, int64_t waited_us, const char *cause)
{
	const struct check_question *question = &check->question;
	struct watch_event event = {
		.kind = cause[0] ? WATCH_REFUSAL : WATCH_GRANT,
		.limit = "",
		.waited_us = waited_us,
		.user = question->user,
		.request_id = question->request_id,
		.interface = question->interface,
		.model = check->model.model,
		.tier = "", /* the snapshot that owns it may be gone */
		.pool = pool,
		.cause = cause,
	};

	add(check->worker, question->tenant, &event);
}
