/* One turn ten times a second while somebody watches, else one a second. */
#include "service/request/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/crypto/random.h"
#include "service/watch/gather.h"

enum { LOOK_US = 1000000, REPORT_US = 100000, SIGN_OF_LIFE_US = 1000000 };

struct teller {
	struct worker *worker;
	struct watch_store *store;
	struct gather *gather; /* worker->watched, or at rest */
	struct wait wait;
	bool looking, stopped;
	int64_t look_at_us, reported_at_us;
	struct buf report;
};

static void turn(struct wait *wait);

static void turn_later(struct teller *teller)
{
	struct timers *timers = teller->worker->parts.timers;

	teller->wait = (struct wait){.due = turn};
	timers->start(timers, &teller->wait, teller->worker->watched ? REPORT_US : LOOK_US);
}

static void rest(struct teller *teller)
{
	teller->worker->watched = NULL;
}

static void told(int listeners, void *arg)
{
	struct teller *teller = arg;

	if (listeners == 0)
		rest(teller);
}

static void report(struct teller *teller)
{
	buf_reset(&teller->report);
	gather_report(teller->gather, worker_now_us(teller->worker), &teller->report);
	teller->reported_at_us = clock_mono_us();
	teller->store->ops->tell(teller->store, teller->report.data, teller->report.len, told, teller);
}

/* What was not gathered while it rested is missing, for those who hear of it again. */
static void begin(struct teller *teller)
{
	struct buf nothing = {0};

	gather_skip(teller->gather);
	gather_report(teller->gather, worker_now_us(teller->worker), &nothing);
	buf_release(&nothing);
	teller->worker->watched = teller->gather;
	teller->reported_at_us = 0;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* In one order everywhere, so that all workers take the same ones where there are too many. */
static void take_users(struct teller *teller, const struct watch_user *user, int users)
{
	uint64_t *hash = mem_zalloc((size_t)users + 1, sizeof(*hash));

	for (int i = 0; i < users; i++)
		hash[i] = watch_user_hash(user[i].tenant, user[i].user);
	qsort(hash, (size_t)users, sizeof(*hash), compare_hashes);
	gather_watch(teller->gather, hash, users);
	free(hash);
}

static void looked(bool watched, const struct watch_user *user, int users, void *arg)
{
	struct teller *teller = arg;

	teller->looking = false;
	teller->look_at_us = clock_mono_us() + LOOK_US;
	if (teller->stopped)
		return;
	if (!watched) {
		rest(teller);
		return;
	}
	take_users(teller, user, users);
	if (!teller->worker->watched)
		begin(teller);
}

static void turn(struct wait *wait)
{
	struct teller *teller = container_of(wait, struct teller, wait);
	int64_t now_us = clock_mono_us();

	if (teller->stopped)
		return;
	if (!teller->looking && now_us >= teller->look_at_us) {
		teller->looking = true;
		teller->store->ops->look(teller->store, looked, teller);
	}
	if (teller->worker->watched &&
		(!gather_empty(teller->gather) || now_us - teller->reported_at_us >= SIGN_OF_LIFE_US))
		report(teller);
	turn_later(teller);
}

struct teller *teller_new(struct worker *worker, const char *server)
{
	struct teller *teller = mem_zalloc(1, sizeof(*teller));
	uint64_t id;
	char text[33];

	random_id(text);
	memcpy(&id, text, sizeof(id));
	teller->worker = worker;
	teller->store = worker->parts.watch;
	teller->gather = gather_new(id, server);
	turn(&teller->wait);
	return teller;
}

void teller_stop(struct teller *teller)
{
	if (teller->worker->watched && !gather_empty(teller->gather))
		report(teller);
	teller->stopped = true;
	rest(teller);
}

void teller_free(struct teller *teller)
{
	if (!teller)
		return;
	gather_free(teller->gather);
	buf_release(&teller->report);
	free(teller);
}

/* A report that is full goes out at once. */
static void add(struct worker *worker, const char *tenant, struct watch_event *event)
{
	event->at_us = worker_now_us(worker);
	if (gather_add(worker->watched, tenant, event))
		return;
	report(worker->teller);
	if (!gather_add(worker->watched, tenant, event))
		abort(); /* an empty report has room */
}

void tell_check(const struct check *check)
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
				: closed ? closed->party->kind
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

void tell_settled(const struct settle *settle)
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
			settle->unknown_ok ? question->interface : "", /* the check's is known to the store alone */
		.model = settle->served.model,
		.tier = "",
		.pool = "",
		.cause = "",
	};

	add(settle->worker, question->handle.tenant, &event);
}

void tell_slot(const struct check *check, const char *pool, int64_t waited_us, const char *cause)
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
		.tier = "", /* the snapshot it lies in may be gone */
		.pool = pool,
		.cause = cause,
	};

	add(check->worker, question->tenant, &event);
}
