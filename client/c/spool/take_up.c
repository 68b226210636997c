/*
 * What a process had on its way when it died becomes records that wait (c/spool/private.h). The names are the same
 * whoever does it, so that one that dies meanwhile leaves no second copy.
 */
#include "c/spool/private.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bursar__waiting_name(const char *stem, size_t i, int attempt, char out[SPOOL_NAME_MAX])
{
	/* A stem is part of a name that fits. */
	snprintf(out, SPOOL_NAME_MAX, "%.200s.%zu-%d.json", stem, i, attempt);
}

bool bursar__waiting_write(int folder, const char *name, const Bursar__V1__RecordRequest *record, int64_t *bytes)
{
	Bursar__V1__RecordRequest kept = *record;
	struct bytes text = {0};
	bool well;

	/* A lease ends with its stream, long before a record that waits arrives. */
	if (kept.reservation)
		kept.lease = (char *)"";
	bursar__record_write(&text, &kept);
	well = bursar__file_write(folder, name, text.data, text.len, true);
	if (well)
		*bytes += (int64_t)text.len;
	free(text.data);
	return well;
}

/* `<16 digits>-<writer>-<number>.batch` */
static bool is_batch(const char *name)
{
	size_t digits = 0;

	while (isdigit((unsigned char)name[digits]))
		digits++;
	return digits == 16 && name[digits] == '-' && strlen(name) < 200;
}

/* Writes the records of a file whose name begins with `stem`. */
static bool write_records(int folder, const char *stem, const Bursar__V1__RecordBatchRequest *batch)
{
	char name[SPOOL_NAME_MAX];
	int64_t bytes = 0;

	for (size_t i = 0; i < batch->n_items; i++) {
		bursar__waiting_name(stem, i, batch->items[i]->attempt, name);
		if (!bursar__waiting_write(folder, name, batch->items[i], &bytes))
			return false;
	}
	return true;
}

static void tell(const struct take_up *take_up, const char *name, int code, const char *what)
{
	struct bursar_error error;

	bursar__error_set(&error, code, "%s", what);
	snprintf(error.reason, sizeof(error.reason), "%s", code == BURSAR_DATA_LOSS ? "" : "SPOOL_FAILED");
	take_up->wrong(take_up->ctx, name, &error);
}

static void set_aside(int folder, const char *name, const struct take_up *take_up)
{
	char aside[SPOOL_NAME_MAX];

	if (bursar__file_set_aside(folder, name, "bad", aside))
		tell(take_up, aside, BURSAR_DATA_LOSS, "the file has no records");
}

/* False with errno when the disk refuses. */
static bool take_up_file(int folder, const char *name, const struct take_up *take_up)
{
	Bursar__V1__RecordBatchRequest *batch;
	struct bytes bytes;
	char stem[SPOOL_NAME_MAX];
	bool well = true;

	if (!bursar__file_read(folder, name, &bytes)) {
		if (errno == EFBIG)
			set_aside(folder, name, take_up);
		return errno == ENOENT || errno == EFBIG; /* gone: another process has taken it up */
	}
	batch = bursar__v1__record_batch_request__unpack(NULL, bytes.len, bytes.data);
	free(bytes.data);
	snprintf(stem, sizeof(stem), "%.*s", (int)(strlen(name) - strlen(".batch")), name);
	if (batch && batch->n_items > 0)
		well = write_records(folder, stem, batch) && bursar__file_remove(folder, name);
	else
		set_aside(folder, name, take_up);
	bursar_free(batch);
	return well;
}

bool bursar__take_up(int folder, const struct take_up *take_up)
{
	struct listing listing;
	bool well = bursar__folder_list(folder, ".batch", &listing);

	if (!well)
		tell(take_up, "", BURSAR_UNAVAILABLE, strerror(errno));
	for (size_t i = 0; i < listing.count; i++) {
		const char *name = listing.files[i].name;

		if (!is_batch(name) || take_up->is_alive(take_up->ctx, name) || take_up_file(folder, name, take_up))
			continue;
		if (well)
			tell(take_up, "", BURSAR_UNAVAILABLE, strerror(errno));
		well = false;
	}
	bursar__listing_free(&listing);
	return well;
}
