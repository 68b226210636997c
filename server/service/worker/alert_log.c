/* Notes go into one of two arenas, so that new ones can be added while the others are being written. */
#include "service/worker/alert_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto/hash.h"
#include "base/list.h"

/* WRITE_MAX_US bounds how long a write, and therefore a stop that waits for it, may take. */
enum { WRITE_US = 5000000, WRITE_MAX_US = 4000000 };
enum { NOTES_MAX = 1024, REMEMBERED = 8192 };

struct notes {
	struct arena arena;
	int count;
	struct alert_event note[NOTES_MAX];
};

struct alert_log {
	struct worker *worker;
	struct notes notes[2];
	int filling; /* which of them takes new ones */
	uint64_t noted[REMEMBERED]; /* hashes of what was noted, each at its only place */
	bool waiting, submitted, stopped;
	struct wait wait;
	struct alert_notes op;
};

static void write_later(struct alert_log *log);

/* What was lost may be noted again. */
static void written(struct admin_job *job)
{
	struct alert_log *log = container_of(container_of(job, struct alert_notes, job), struct alert_log, op);
	struct notes *done = &log->notes[!log->filling];

	if (!job->ok)
		memset(log->noted, 0, sizeof(log->noted));
	log->submitted = false;
	arena_reset(&done->arena);
	done->count = 0;
	if (log->notes[log->filling].count)
		write_later(log);
}

static void submit(struct alert_log *log)
{
	struct admin_store *admin = log->worker->parts.admin;
	struct notes *full = &log->notes[log->filling];

	log->op = (struct alert_notes){
		.job = {.arena = &full->arena,
			.done = written,
			.actor = "bursard",
			.reason = "",
			.deadline_us = clock_mono_us() + WRITE_MAX_US},
		.count = full->count,
		.note = full->note,
	};
	log->filling = !log->filling;
	log->submitted = true;
	admin->ops->alert_notes(admin, &log->op);
}

static void write_now(struct wait *wait)
{
	struct alert_log *log = container_of(wait, struct alert_log, wait);

	log->waiting = false;
	if (!log->submitted && !log->stopped && log->notes[log->filling].count)
		submit(log);
}

static void write_later(struct alert_log *log)
{
	if (log->waiting || log->submitted)
		return;
	log->waiting = true;
	log->wait = (struct wait){.due = write_now};
	log->worker->parts.timers->start(log->worker->parts.timers, &log->wait, WRITE_US);
}

struct alert_log *alert_log_new(struct worker *worker)
{
	struct alert_log *log = mem_zalloc(1, sizeof(*log));

	log->worker = worker;
	return log;
}

bool alert_log_stop(struct alert_log *log)
{
	log->stopped = true;
	if (!log->submitted && log->notes[log->filling].count)
		submit(log);
	return !log->submitted;
}

/* The worker's timers must already be closed, so that a pending one does not run afterwards. */
void alert_log_free(struct alert_log *log)
{
	if (!log)
		return;
	arena_release(&log->notes[0].arena);
	arena_release(&log->notes[1].arena);
	free(log);
}

static uint64_t mark_of(const struct alert_event *note, const char *key, int64_t span_us)
{
	uint64_t mark = hash64_keyed(
		note->tenant, strlen(note->tenant), (uint64_t)note->kind, (uint64_t)(note->at_us / span_us));

	return hash64_keyed(key, strlen(key), mark, 0) | 1;
}

static void copy(struct alert_event *note, struct arena *arena)
{
	note->tenant = arena_strndup(arena, note->tenant, strlen(note->tenant));
	note->account = arena_strndup(arena, note->account, strlen(note->account));
#define TEXT(name) note->name = arena_strndup(arena, note->name, strlen(note->name));
#define NUMBER(...)
	ALERT_EVENT_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
}

void alert_log_note(struct alert_log *log, const struct alert_event *note, const char *key, int64_t span_us)
{
	struct notes *notes = &log->notes[log->filling];
	uint64_t mark = mark_of(note, key, span_us);
	uint64_t *noted = &log->noted[mark / 2 % REMEMBERED];

	if (*noted == mark || notes->count == NOTES_MAX || log->stopped)
		return;
	*noted = mark;
	notes->note[notes->count] = *note;
	copy(&notes->note[notes->count++], &notes->arena);
	write_later(log);
}
