/*
 * One episode of the pool's random test: a few users, workers and callers with a pool of random settings, and a list of
 * steps done on the functions in Redis. After each step the whole state is read and checked against the invariants. A
 * step consists only of random numbers, so that an episode with steps left out is still an episode.
 */
#ifndef TESTS_POOL_PLAY_H
#define TESTS_POOL_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "contract/chance.h"
#include "domain/pool.h"
#include "store/pools.h"

#define STEPS_MAX 400
#define REQUESTS_MAX 512 /* names in an episode */
#define USERS 6
#define WORKERS 4
#define NAMES_MAX 512 /* of workers */
#define CLAIM_MAX 64
#define TIME_SLACK_MS 50 /* a renewal does not always store the time */
#define TENANT "acme"
#define POOL "agents"

/* A request as stored in Redis. */
struct seen {
	char state; /* W P G A D; 0 = not there */
	bool over_cap; /* its user has more seats than their cap */
	int outcome, user, worker, seats;
	uint32_t epoch, fence;
	int64_t expires, deadline, arrival;
};

/* The state in Redis after a step, as reported by tests/lua/pool_check.lua. */
struct view {
	bool there, paused, available, room; /* room: a user is ready, and slots are free */
	bool needs_epoch;
	int64_t now, learn, at_once, waited, aged;
	int64_t age_ms, lease_ms, worker_ms, tombstone_ms, grace_ms;
	int every; /* the k of the aged lane */
	uint32_t epoch, fence, slots, run;
	struct seen request[REQUESTS_MAX];
	int since_count;
	struct {
		int user;
		int64_t ms;
	} since[USERS];
};

enum caller_state { CALLER_NONE, CALLER_ASKED, CALLER_WAITS, CALLER_HOLDS, CALLER_OVER };

/* A request as its caller sees it. `until` is by the caller's own clock, counted from before the question was sent. */
struct caller {
	enum caller_state state;
	int user, seats;
	int worker; /* the worker of the caller's stream; -1 = none */
	uint32_t epoch, fence;
	int64_t until;
};

enum known { KNOWN_NOT, KNOWN_WAITING, KNOWN_GRANTED, KNOWN_ACTIVE };

/* What a worker knows. */
struct worker {
	bool alive;
	int name;
	struct {
		enum known what;
		uint32_t epoch, fence;
	} table[REQUESTS_MAX];
};

/* For how many grants the head of a user's queue has been passed over. */
struct aged {
	bool counts;
	int64_t since, older, grants;
};

/* What a step did, for checking its effects. */
struct effect {
	int asked; /* the request that was acquired; -1 */
	int ended; /* the request that a cancel or release named; -1 */
	bool timeout; /* a cancel with the outcome "timed out" */
	bool grants; /* a call that grants what can be granted */
	bool new_run; /* Redis is not the process that the state knows */
	bool configured;
	bool synced; /* a sync: a live worker gets its parked requests back */
	bool tail; /* the answer names the new grants of its worker; otherwise they are published too */
	int bye; /* the worker (its name) that said goodbye; -1 */
	int caller; /* the worker (its name) that made the call; its grants are in the answer; -1 */
};

struct play {
	redisContext *redis, *listener;
	char hash[9];
	uint64_t seed;
	int steps;
	bool left_out[STEPS_MAX];
	bool tell; /* prints the steps */
	/* made by the run */
	struct pool_settings settings;
	bool narrow; /* all seats are 1 */
	bool many_levels;
	uint32_t gen; /* generation of the newest settings; those in Redis may be older */
	struct {
		int priority, cap;
	} user[USERS];
	struct worker worker[WORKERS];
	struct caller caller[REQUESTS_MAX];
	int names, requests; /* given out so far */
	int64_t true_ms; /* the callers' clock: never steps */
	int64_t clock_ms; /* Redis TIME */
	int run_id, births;
	bool new_process; /* the next call finds a Redis that the state does not know */
	bool snapshot; /* there is a copy to put back */
	bool refused; /* the settings in Redis are old, or gone */
	int load; /* how often a new caller asks, in percent */
	uint32_t last_epoch, last_fence; /* of the newest grant ever */
	uint32_t allotted; /* the last allotted epoch; plays PostgreSQL */
	char first_claim[CLAIM_MAX]; /* the first claim that asked for an epoch */
	struct {
		char claim[CLAIM_MAX];
		uint32_t epoch;
		bool first;
	} on_its_way[3]; /* epochs allotted to slow workers and not yet given to Redis */
	int64_t last_now; /* the pool's time in the last answer */
	int64_t ended_at[REQUESTS_MAX]; /* the pool's time when it became D or P */
	int64_t synced[NAMES_MAX]; /* the pool's time at each worker's last sync; 0 = unknown */
	int64_t inexact_until; /* true_ms: an operator or the setting "available" gave up exactness until then */
	struct aged aged[USERS];
	struct view now, before;
	struct effect effect;
	int at; /* the current step */
	char what[512]; /* the step in words */
	char wrong[512]; /* "" while all is well */
	int64_t shed[8], failovers, lost_suffixes, grants_at_once, grants_waited,
		grants_aged; /* counts over all episodes */
	redisReply *reply; /* of the last call */
	struct cut answer;
	int status;
};

/* Notes what is wrong, unless something already is. */
void play_wrong(struct play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds to the step's words. */
void play_say(struct play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Settings and users from the seed; an empty Redis. */
void play_make(struct play *play, struct chance *chance);
/* A few settings change: the size, pause, levels, times. */
void play_settings_change(struct play *play, struct chance *chance);
/* Does one step with the step's own random numbers. */
void play_step(struct play *play, struct chance *chance);
/* Runs the episode and, if it goes well, lets everything end. If false, `at`, `what` and `wrong` say what is wrong. */
bool play_run(struct play *play);

/* Connects, loads the functions and the checks. */
bool play_open(struct play *play);
void play_close(struct play *play);
/*
 * Calls bursar_pool_<name> with these arguments at the test's time, then reads the state into `now` (the previous one
 * goes to `before`) and checks it. The answer's status goes to `status`, what follows the time to `answer`.
 */
void call_function(struct play *play, const char *name, int count, const struct buf *args);
/* Only reads the state and checks what can be checked in a single state. */
void call_look(struct play *play);
/* A plain command; its reply is dropped. */
void call_plain(struct play *play, const char *fmt, ...);
/* Copies all keys of the pool or puts them back; or wipes them. */
void call_snapshot(struct play *play, bool put_back);
void call_wipe(struct play *play);
void put_worker(struct buf *out, int name);
void put_user(struct buf *out, const struct play *play, int request);
void put_request(struct buf *out, int request);
/* "r12" is 12 if `first` is 'r'; -1 for any other name. */
int read_number(const char *text, size_t len, char first);
/* The index of a live worker, or -1. */
int worker_by_name(const struct play *play, int name);

/* Checks what must hold from one state to the next, whatever the step was. */
void history_check(struct play *play);
/* Checks I15 after the answer has been processed. */
void history_expected(struct play *play);
/* Another state was put in place, so earlier counts no longer apply. */
void history_forget(struct play *play);
/* True if the last call granted this request. */
bool history_granted(const struct play *play, int request);
bool seen_live(const struct seen *seen);
/* True if nothing may be granted: earlier leases may still be live, or there is no epoch. */
bool view_learns(const struct play *play);
/* Begins a call of the pool's functions: returns its five empty arguments to fill in. `worker` -1: no worker's call. */
struct buf *act_begin(struct play *play, int worker);
/*
 * Processes the tail of an answer, which names each new grant to this worker; with `all` also the unacknowledged ones.
 */
void tail_take(struct play *play, int worker, bool all, bool lost);
void levels_take(struct play *play);
/* Ends a call: checks that all of the answer was processed, checks I15, and reads the messages it must have sent. */
void act_end(struct play *play);
/* Reads the messages that the last call must have published; a worker may lose any of them. */
void hints_read(struct play *play);

/* The pool's functions as workers call them; each processes the answer, unless it is lost. */
void act_configure(struct play *play);
/* epoch.c: asks whether an epoch is needed, has one allotted and gives it, at once or late; or gives a late one. */
void act_epoch(struct play *play, struct chance *chance);
void act_acquire(struct play *play, int worker, int request, int seats, int64_t wait_ms, bool lost);
void act_renew(struct play *play, struct chance *chance, int worker, bool lost);
void act_renew_self(struct play *play, int request);
void act_release(struct play *play, int worker, int request, uint32_t epoch, uint32_t fence, bool only_mine, bool lost);
void act_cancel(struct play *play, int worker, int request, int outcome, bool only_mine, bool lost);
void act_sync(struct play *play, struct chance *chance, int worker, bool goodbye, bool lost);
void act_tick(struct play *play);
void act_resume(struct play *play);
/* stats.c: `user` -1: with everybody's requests. */
void act_stats(struct play *play, int user);

#endif
