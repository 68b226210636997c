/* Opens and closes a spool, and knows what its folder holds. Declared in bursar.h and spool.h. */
#include "c/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS_MAX = 10000, BYTES_MAX = 64 << 20 };

void bursar__spool_release(struct bursar_spool *spool)
{
	if (--spool->holders > 0)
		return;
	close(spool->folder);
	free(spool);
}

void bursar__spool_tell(struct bursar_spool *spool, const char *name, const struct bursar_error *error)
{
	if (spool->options.problem && !spool->closed)
		spool->options.problem(spool->options.ctx, name, error);
}

void bursar__spool_trouble(struct bursar_spool *spool, const struct bursar_error *error)
{
	if (!spool->troubled)
		bursar__spool_tell(spool, "", error);
	spool->troubled = true;
}

static void set_reason(struct bursar_error *error, const char *reason)
{
	snprintf(error->reason, sizeof(error->reason), "%s", reason);
}

bool bursar__spool_full(struct bursar_spool *spool, size_t bytes, struct bursar_error *error)
{
	size_t records = spool->waiting + spool->flying;
	int64_t held = spool->waiting_bytes + spool->flying_bytes;

	if (bytes <= RECORD_BYTES_MAX && records < spool->options.records_max &&
		held + (int64_t)bytes <= spool->options.bytes_max)
		return false;
	bursar__error_set(error, BURSAR_RESOURCE_EXHAUSTED,
		"the spool is full: it holds %zu records of %" PRId64 " bytes, and this one has %zu", records, held,
		bytes);
	set_reason(error, "SPOOL_FULL");
	return true;
}

void bursar__spool_failed(struct bursar_error *error)
{
	bursar__error_set(error, BURSAR_UNAVAILABLE, "the spool could not be written: %s", strerror(errno));
	set_reason(error, "SPOOL_FAILED");
}

void bursar__spool_look(struct bursar_spool *spool, struct listing *listing)
{
	struct bursar_error error;

	if (!bursar__folder_list(spool->folder, ".json", listing)) {
		bursar__spool_failed(&error);
		bursar__spool_trouble(spool, &error);
		return;
	}
	spool->waiting = listing->count;
	spool->waiting_bytes = 0;
	for (size_t i = 0; i < listing->count; i++)
		spool->waiting_bytes += listing->files[i].bytes;
}

/* Is it a call of this process? Those of others that are alive cannot be told from those of the dead. */
static bool is_flying(void *ctx, const char *name)
{
	const struct bursar_spool *spool = ctx;

	for (const struct record *record = spool->records; record; record = record->next) {
		size_t len = strlen(record->stem);

		if (strncmp(name, record->stem, len) == 0 && strcmp(name + len, ".batch") == 0)
			return true;
	}
	return false;
}

static void wrong(void *ctx, const char *name, const struct bursar_error *error)
{
	struct bursar_spool *spool = ctx;

	if (name[0])
		bursar__spool_tell(spool, name, error);
	else
		bursar__spool_trouble(spool, error);
}

static void take_up(struct bursar_spool *spool)
{
	struct listing listing = {0};

	spool->stuck =
		!bursar__take_up(spool->folder, &(struct take_up){.is_alive = is_flying, .wrong = wrong, .ctx = spool});
	bursar__spool_look(spool, &listing);
	bursar__listing_free(&listing);
}

void bursar__spool_unstick(struct bursar_spool *spool)
{
	if (spool->stuck)
		take_up(spool);
}

bool bursar__spool_may_wait(int code)
{
	return code != BURSAR_INVALID_ARGUMENT && code != BURSAR_NOT_FOUND && code != BURSAR_ALREADY_EXISTS &&
	       code != BURSAR_FAILED_PRECONDITION && code != BURSAR_OUT_OF_RANGE && code != BURSAR_UNIMPLEMENTED;
}

static int folder_open(const char *directory, struct bursar_error *error)
{
	int folder;

	if ((mkdir(directory, 0700) < 0 && errno != EEXIST) ||
		(folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		bursar__error_field(error, "directory", "%s cannot be used: %s", directory, strerror(errno));
		return -1;
	}
	if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return folder;
	bursar__error_field(error, "directory", "%s cannot be written to: %s", directory, strerror(errno));
	close(folder);
	return -1;
}

struct bursar_spool *bursar_spool_open(struct bursar *bursar, const char *directory,
	const struct bursar_spool_options *options, struct bursar_error *error)
{
	struct bursar_spool *spool;
	int folder = folder_open(directory, error);
	char random[33];

	if (folder < 0)
		return NULL;
	spool = calloc(1, sizeof(*spool));
	if (!spool)
		abort();
	spool->bursar = bursar;
	spool->folder = folder;
	spool->options = options ? *options : (struct bursar_spool_options){0};
	if (spool->options.records_max == 0)
		spool->options.records_max = RECORDS_MAX;
	if (spool->options.bytes_max <= 0)
		spool->options.bytes_max = BYTES_MAX;
	bursar_request_id(random); /* process ids are the same in every container */
	snprintf(spool->writer, sizeof(spool->writer), "%.8s", random);
	spool->holders = 1;
	spool->send_max = SPOOL_SEND_MAX;
	take_up(spool);
	return spool;
}

size_t bursar_spool_waiting(const struct bursar_spool *spool)
{
	return spool->waiting;
}

void bursar_spool_close(struct bursar_spool *spool)
{
	if (!spool)
		return;
	spool->closed = true;
	bursar__spool_release(spool);
}
