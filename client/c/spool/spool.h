/*
 * What the files of this room share of a spool: spool.c opens it, record.c writes records ahead, deliver.c sends what
 * waits.
 */
#ifndef BURSAR_CLIENT_SPOOL_SPOOL_H
#define BURSAR_CLIENT_SPOOL_SPOOL_H

#include "c/spool/private.h"

enum { SPOOL_SEND_MAX = 100 };

/* A record on its way to a server for the first time. */
struct record {
	struct record *next, *prev; /* the latest first */
	struct bursar_spool *spool;
	Bursar__V1__RecordRequest *request;
	char stem[48]; /* of its file's name */
	int64_t bytes; /* of its file; 0 when there is none */
	int64_t sync_us; /* when it is to be synced; 0 = it is */
	bursar_spooled *done;
	void *ctx;
};

struct bursar_spool {
	struct bursar *bursar;
	int folder; /* its descriptor */
	struct bursar_spool_options options;
	char writer[9];
	uint64_t number; /* of the latest file */
	struct record *records;
	/*
	 * What the folder holds, as far as this process knows: records that wait, and those of this process on their
	 * way.
	 */
	size_t waiting, flying;
	int64_t waiting_bytes, flying_bytes;
	bool troubled; /* of which its owner was told */
	bool stuck; /* files of records that wait could not be written: those of their calls are still there */
	int64_t due_us, pause_us; /* when to send what waits, or to look for it */
	/* What is being sent; `sent` is 0 when nothing is. */
	size_t sent, send_max;
	char names[SPOOL_SEND_MAX][SPOOL_NAME_MAX];
	size_t holders; /* the spool itself, and its calls in flight */
	bool closed;
};

/* spool.c: a call is over, or the spool is closed; the last one frees it. */
void bursar__spool_release(struct bursar_spool *spool);
/* Tells the owner what became of a file. */
void bursar__spool_tell(struct bursar_spool *spool, const char *name, const struct bursar_error *error);
/* Tells the owner what is wrong with the folder: once, until it goes well again. */
void bursar__spool_trouble(struct bursar_spool *spool, const struct bursar_error *error);
/* Has the spool no room for so many bytes? Fills `error` then. */
bool bursar__spool_full(struct bursar_spool *spool, size_t bytes, struct bursar_error *error);
/* Fills `error` from errno. */
void bursar__spool_failed(struct bursar_error *error);
/* Looks what waits; free the listing. */
void bursar__spool_look(struct bursar_spool *spool, struct listing *listing);
/* Makes records that wait of those calls for which the disk had no room then. */
void bursar__spool_unstick(struct bursar_spool *spool);
/* Can the server take later what it refused with this code? What is wrong with the key may be put right, too. */
bool bursar__spool_may_wait(int code);

#endif
