/*
 * Records that no server took wait in a folder, one file each, until one does. Declared in bursar.h.
 *
 * A file has the bytes of a RecordRequest. It is written under another name, synced and renamed, so that it is whole or
 * not there; its name begins with the time, so that names sort by age. Two processes may share a folder: a record that both
 * send is a repeat for the server.
 */
#include "c/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS_MAX = 10000, RECORD_BYTES_MAX = 1 << 20, SEND_MAX = 100, NAME_MAX_BYTES = 256 };
enum { FIRST_PAUSE_US = 1000000, LONGEST_PAUSE_US = 30000000 };

#define SUFFIX ".record"

struct bursar_spool {
	struct bursar *bursar;
	int folder; /* its descriptor */
	size_t count, count_max; /* files that wait, as far as this process knows */
	bursar_spool_refused *refused;
	void *ctx;
	int64_t due_us, pause_us;
	/* What is being sent; `sent` is 0 when nothing is. */
	size_t sent;
	char names[SEND_MAX][NAME_MAX_BYTES];
	size_t holders; /* the spool itself, and its calls in flight */
	bool closed;
};

/* A record on its way to a server for the first time. */
struct record {
	struct bursar_spool *spool;
	Bursar__V1__RecordRequest *request;
	bursar_spooled *done;
	void *ctx;
};

static void release(struct bursar_spool *spool)
{
	if (--spool->holders > 0)
		return;
	close(spool->folder);
	free(spool);
}

static int is_waiting(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(SUFFIX) && strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int list(const struct bursar_spool *spool, struct dirent ***entries)
{
	int count = scandirat(spool->folder, ".", entries, is_waiting, alphasort);

	return count < 0 ? 0 : count;
}

static size_t count_files(const struct bursar_spool *spool)
{
	struct dirent **entries = NULL;
	int count = list(spool, &entries);

	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return (size_t)count;
}

struct bursar_spool *bursar_spool_open(struct bursar *bursar, const char *directory, size_t records_max,
	bursar_spool_refused *refused, void *ctx, struct bursar_error *error)
{
	struct bursar_spool *spool;
	int folder;

	if ((mkdir(directory, 0700) < 0 && errno != EEXIST) ||
		(folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		bursar__error_field(error, "directory", "%s cannot be used: %s", directory, strerror(errno));
		return NULL;
	}
	if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		bursar__error_field(error, "directory", "%s cannot be written to: %s", directory, strerror(errno));
		close(folder);
		return NULL;
	}
	spool = calloc(1, sizeof(*spool));
	if (!spool)
		abort();
	spool->bursar = bursar;
	spool->folder = folder;
	spool->count_max = records_max > 0 ? records_max : RECORDS_MAX;
	spool->refused = refused;
	spool->ctx = ctx;
	spool->holders = 1;
	spool->count = count_files(spool);
	return spool;
}

/* Writes all of it, and syncs. */
static bool write_whole(int file, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t written = write(file, bytes, len);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			len -= (size_t)written;
		}
	}
	return fsync(file) == 0;
}

static bool write_file(const struct bursar_spool *spool, const char *name, const uint8_t *bytes, size_t len)
{
	char temporary[64];
	int file;
	bool whole;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	file = openat(spool->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	whole = write_whole(file, bytes, len);
	whole = close(file) == 0 && whole;
	if (whole && renameat(spool->folder, temporary, spool->folder, name) == 0)
		return fsync(spool->folder) == 0;
	unlinkat(spool->folder, temporary, 0);
	return false;
}

/* Keeps the record in the folder. False with `error` when it is full or cannot be written. */
static bool keep(struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, struct bursar_error *error)
{
	size_t len = bursar__v1__record_request__get_packed_size(request);
	char name[48], random[33];
	struct timespec now;
	uint8_t *bytes;
	bool kept;

	if (spool->count >= spool->count_max) {
		bursar__error_set(error, BURSAR_RESOURCE_EXHAUSTED,
			"no server took the record, and the spool is full: %zu records wait", spool->count);
		return false;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	bursar_request_id(random);
	snprintf(name, sizeof(name), "%016lld-%.12s" SUFFIX, (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000,
		random);
	bytes = malloc(len + 1);
	if (!bytes)
		abort();
	bursar__v1__record_request__pack(request, bytes);
	kept = write_file(spool, name, bytes, len);
	free(bytes);
	if (kept)
		spool->count++;
	else
		bursar__error_set(error, BURSAR_UNAVAILABLE,
			"no server took the record, and the spool could not keep it: %s", strerror(errno));
	return kept;
}

/* Does the record wait for a server, rather than being wrong? */
static bool may_wait(const struct bursar_error *error)
{
	return error->code == BURSAR_UNAVAILABLE || error->code == BURSAR_DEADLINE_EXCEEDED ||
	       error->code == BURSAR_CANCELLED || error->code == BURSAR_RESOURCE_EXHAUSTED ||
	       error->code == BURSAR_ABORTED || error->code == BURSAR_INTERNAL || error->code == BURSAR_UNKNOWN;
}

static void record_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct record *record = ctx;
	struct bursar_spool *spool = record->spool;
	struct bursar_error own = *error;
	bool kept = !answer && may_wait(error) && keep(spool, record->request, &own);

	record->done(record->ctx, answer, kept, &own);
	bursar_free(record->request);
	free(record);
	release(spool);
}

void bursar_spool_record(
	struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, bursar_spooled *done, void *ctx)
{
	struct record *record = calloc(1, sizeof(*record));
	void *filled = bursar__ids_filled(BURSAR_RECORD, request);

	if (!record)
		abort();
	*record = (struct record){spool, filled ? filled : (void *)bursar__message_copy(&request->base), done, ctx};
	spool->holders++;
	bursar_submit(spool->bursar, BURSAR_RECORD, record->request, record_done, record);
}

/* Reads a file; NULL when it is not a record. */
static Bursar__V1__RecordRequest *read_file(const struct bursar_spool *spool, const char *name)
{
	int file = openat(spool->folder, name, O_RDONLY | O_CLOEXEC);
	Bursar__V1__RecordRequest *request = NULL;
	uint8_t *bytes;
	ssize_t len;

	if (file < 0)
		return NULL;
	bytes = malloc(RECORD_BYTES_MAX);
	if (!bytes)
		abort();
	len = read(file, bytes, RECORD_BYTES_MAX);
	if (len > 0 && len < RECORD_BYTES_MAX)
		request = bursar__v1__record_request__unpack(NULL, (size_t)len, bytes);
	free(bytes);
	close(file);
	return request;
}

/* A file that will never be taken keeps its content under another name, and its owner is told. */
static void put_aside(struct bursar_spool *spool, const char *name, const struct bursar_error *error)
{
	char aside[NAME_MAX_BYTES + 8];

	snprintf(aside, sizeof(aside), "%s.refused", name);
	if (renameat(spool->folder, name, spool->folder, aside) == 0 && spool->refused && !spool->closed)
		spool->refused(spool->ctx, aside, error);
}

static void settle(struct bursar_spool *spool, const char *name, const Bursar__V1__RecordItem *item)
{
	struct bursar_error error = {0};

	if (item->error)
		bursar__error_set(&error, item->error->code, "%s", item->error->message);
	if (item->error && may_wait(&error))
		return;
	if (item->error)
		put_aside(spool, name, &error);
	else
		unlinkat(spool->folder, name, 0);
	if (spool->count > 0)
		spool->count--;
}

static void sent_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct bursar_spool *spool = ctx;
	Bursar__V1__RecordBatchResponse *answers = answer;
	size_t before = spool->count;

	(void)error;
	for (size_t i = 0; answers && i < spool->sent && i < answers->n_items; i++)
		settle(spool, spool->names[i], answers->items[i]);
	spool->sent = 0;
	bursar_free(answer);
	spool->pause_us = spool->count < before ? 0 : spool->pause_us ? spool->pause_us * 2 : FIRST_PAUSE_US;
	if (spool->pause_us > LONGEST_PAUSE_US)
		spool->pause_us = LONGEST_PAUSE_US;
	spool->due_us = bursar__now_us() + spool->pause_us;
	release(spool);
}

/* Takes the oldest files; what cannot be read is put aside. Returns how many `requests` there are. */
static size_t load(struct bursar_spool *spool, Bursar__V1__RecordRequest *requests[SEND_MAX])
{
	static const struct bursar_error unreadable = {
		.code = BURSAR_DATA_LOSS, .message = "the file does not hold a record"};
	struct dirent **entries = NULL;
	int count = list(spool, &entries);

	for (int i = 0; i < count; i++) {
		if (spool->sent < SEND_MAX) {
			requests[spool->sent] = read_file(spool, entries[i]->d_name);
			if (requests[spool->sent])
				snprintf(spool->names[spool->sent++], NAME_MAX_BYTES, "%s", entries[i]->d_name);
			else
				put_aside(spool, entries[i]->d_name, &unreadable);
		}
		free(entries[i]);
	}
	free(entries);
	spool->count = (size_t)count;
	return spool->sent;
}

void bursar_spool_tick(struct bursar_spool *spool)
{
	Bursar__V1__RecordBatchRequest batch = BURSAR__V1__RECORD_BATCH_REQUEST__INIT;
	Bursar__V1__RecordRequest *requests[SEND_MAX];

	if (spool->count == 0 || spool->sent > 0 || bursar__now_us() < spool->due_us)
		return;
	batch.n_items = load(spool, requests);
	batch.items = requests;
	if (batch.n_items == 0)
		return;
	spool->holders++;
	bursar_submit(spool->bursar, BURSAR_RECORD_BATCH, &batch, sent_done, spool);
	for (size_t i = 0; i < batch.n_items; i++)
		bursar_free(requests[i]);
}

size_t bursar_spool_waiting(const struct bursar_spool *spool)
{
	return spool->count;
}

void bursar_spool_close(struct bursar_spool *spool)
{
	if (!spool)
		return;
	spool->closed = true;
	release(spool);
}
