/* The part of bursar.h about records that wait on disk. Included by bursar.h only. */
#ifndef BURSAR_SPOOL_H
#define BURSAR_SPOOL_H

/*
 * Writes records to a folder before they are sent, and keeps there those that no server takes until one does: what
 * was spent is not forgotten when the server is away, or when this program is killed at any moment. Each record is
 * delivered at least once, and the server counts a repeat once. Several processes may share a folder, also with
 * clients in Node and Python, which use the same files: docs/clients.md describes them.
 */
struct bursar_spool;

/*
 * Called when something is wrong with the folder. A file that the server refuses for good has been renamed to `name`,
 * which ends with ".refused"; one that holds no record (DATA_LOSS) to a `name` that ends with ".bad": neither is sent
 * again, and both stay until somebody removes them. With a `name` of "" the folder cannot be read or written, or is
 * full: records are still sent, but until they are answered they are in the memory of this process only. `name` and
 * `error` are valid during the callback.
 */
typedef void bursar_spool_problem(void *ctx, const char *name, const struct bursar_error *error);

/* A field that is 0, false or NULL has its default. */
struct bursar_spool_options {
	size_t records_max; /* how many records the folder may hold; default 10,000 */
	int64_t bytes_max; /* how large their files may be together; default 64 MiB */
	/*
	 * Sync each record to the disk before it is sent, so that it outlives the machine from the start. Otherwise
	 * it outlives the process from the start, and is synced by the first bursar_spool_tick when it has had no
	 * answer for 0.1 s.
	 */
	bool sync;
	bursar_spool_problem *problem; /* default: nobody is told */
	void *ctx; /* for `problem` */
};

/*
 * Called exactly once for each record. Answered: `answer` is not NULL and belongs to you (bursar_free). Kept in the
 * folder and synced, to be sent later: `kept`. Neither: `error` says why, and the record is yours to keep. Then its
 * code is what the server refused it with; or no server took it, and it is RESOURCE_EXHAUSTED with the reason
 * SPOOL_FULL, or UNAVAILABLE with the reason SPOOL_FAILED (the folder could not be written: the message says why).
 */
typedef void bursar_spooled(void *ctx, Bursar__V1__RecordResponse *answer, bool kept, const struct bursar_error *error);

/*
 * Opens a folder, which is made (mode 0700) if it does not exist; its parent must. What is in it is sent first, also
 * what a process that was killed had on its way. `options` may be NULL. NULL with INVALID_ARGUMENT (field
 * "directory") when the folder cannot be used. Close the spool before the connection.
 */
struct bursar_spool *bursar_spool_open(struct bursar *bursar, const char *directory,
	const struct bursar_spool_options *options, struct bursar_error *error);

/*
 * Writes a record (copied) to the folder, and sends it. When no server takes it, it is kept: after `timeout_us` of
 * the connection at the latest. Never fails: what goes wrong is told to `done`. Records of more than 1 MiB are sent,
 * but neither written nor kept.
 */
void bursar_spool_record(
	struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, bursar_spooled *done, void *ctx);

/*
 * The same, and waits: the answer (bursar_free), or NULL with `*kept` (required) true, or NULL with `error` as above.
 * Callbacks of other calls on the connection may run meanwhile.
 */
Bursar__V1__RecordResponse *bursar_spool_record_wait(
	struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, bool *kept, struct bursar_error *error);

/*
 * Call it at least once a second beside bursar_poll: syncs what has no answer, and sends what waits, again after 1 to
 * 30 s when that fails. A program that only uses calls which wait calls it, or bursar_spool_drain, from time to time.
 */
void bursar_spool_tick(struct bursar_spool *spool);

/* Sends what waits, and returns true when nothing does any more, or false when `timeout_us` have passed. */
bool bursar_spool_drain(struct bursar_spool *spool, int64_t timeout_us);

/* How many records wait in the folder, those of other processes included, as far as this one knows. */
size_t bursar_spool_waiting(const struct bursar_spool *spool);

/* Closes the folder. Records that are on their way still get their `done`, and are kept if need be. NULL is fine. */
void bursar_spool_close(struct bursar_spool *spool);

#endif
