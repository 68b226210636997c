/*
 * Between the files of this room: the files of a spool's folder, which are the same in the clients of every language,
 * and what they contain (docs/clients.md). Names that begin with bursar__ do not leave the library.
 */
#ifndef BURSAR_CLIENT_SPOOL_PRIVATE_H
#define BURSAR_CLIENT_SPOOL_PRIVATE_H

#include "c/internal.h"

/* RECORD_BYTES_MAX: of a record's bytes. FILE_BYTES_MAX: of a file, which may be JSON, or a call of many records. */
enum { SPOOL_NAME_MAX = 256, RECORD_BYTES_MAX = 1 << 20, FILE_BYTES_MAX = 16 << 20 };

/* bytes.c: bytes that grow. Begins as {0}; free `data`. */
struct bytes {
	uint8_t *data;
	size_t len, size;
};

void bursar__bytes_put(struct bytes *bytes, const void *data, size_t len);
void bursar__bytes_put_text(struct bytes *bytes, const char *text);

/* folder.c: false with errno when the disk refuses. A file is whole or not there. */
bool bursar__file_write(int folder, const char *name, const uint8_t *data, size_t len, bool sync);
/* It survives the end of the machine from now on. True also when it is gone. */
bool bursar__file_sync(int folder, const char *name);
/* True also when it is gone. */
bool bursar__file_remove(int folder, const char *name);
/*
 * Its content, followed by a 0 that `len` does not count. False with errno: ENOENT when it is gone, EFBIG when it is
 * too large.
 */
bool bursar__file_read(int folder, const char *name, struct bytes *out);
/* Renames it to `<name>.<why>`, which goes to `aside`. */
bool bursar__file_set_aside(int folder, const char *name, const char *why, char aside[SPOOL_NAME_MAX]);

/* What is in a folder, by name and so by age; the files of writers that died are removed. Free it. */
struct listing {
	size_t count;
	struct listed {
		char name[SPOOL_NAME_MAX];
		int64_t bytes;
	} * files;
};

/* Those with this ending. False with errno when the folder cannot be read. */
bool bursar__folder_list(int folder, const char *ending, struct listing *out);
void bursar__listing_free(struct listing *listing);
bool bursar__ends_with(const char *name, const char *ending);

/* json_write.c: the JSON form of a RecordRequest, with a newline at the end. */
void bursar__record_write(struct bytes *out, const Bursar__V1__RecordRequest *record);
/* json_read.c: the record in a text, which is followed by a 0; free it with bursar_free. NULL when it is not one. */
Bursar__V1__RecordRequest *bursar__record_read(const struct bytes *text);
/* The name of a field in JSON: started_at_us is startedAtUs. */
void bursar__json_name(const char *name, char out[64]);

/* take_up.c: the name of a record that waits: of record `i` of the file `<stem>.batch`. */
void bursar__waiting_name(const char *stem, size_t i, int attempt, char out[SPOOL_NAME_MAX]);
/* Writes and syncs a record that waits. Its lease has ended by then. Adds its size to `bytes`. False with errno. */
bool bursar__waiting_write(int folder, const char *name, const Bursar__V1__RecordRequest *record, int64_t *bytes);

struct take_up {
	/* Is the file of a process that is alive? Then it is left alone. */
	bool (*is_alive)(void *ctx, const char *name);
	/* Something is wrong with a file, which was set aside as `name`, or with the folder (""). */
	void (*wrong)(void *ctx, const char *name, const struct bursar_error *error);
	void *ctx;
};

/*
 * Makes records that wait of those whose process died in the middle of a call. Such a process may be alive, if
 * several share the folder: then its records arrive twice, and are charged once. False when some must be left for
 * another time, as the disk refuses them.
 */
bool bursar__take_up(int folder, const struct take_up *take_up);

#endif
