/*
 * The parameters of a statement, and the rows of a COPY, in PostgreSQL's binary format, so that nothing needs quoting or
 * parsing.
 */
#ifndef BURSAR_PG_LINK_ARGS_H
#define BURSAR_PG_LINK_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PG_ARGS_MAX 40

enum pg_type {
	PG_BOOL = 16,
	PG_BYTES = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_DATE = 1082,
	PG_TIME = 1184, /* timestamptz */
	PG_JSONB = 3802
};

/* `PG_ARGS args = {0};` is empty and ready. Holds scalar values, or columns as arrays for unnest. */
struct pg_args {
	int count;
	struct {
		enum pg_type type;
		bool is_array;
		uint32_t elements;
		struct buf bytes;
	} arg[PG_ARGS_MAX];
};

void pg_args_release(struct pg_args *args);

/* Declares arguments that are released at the end of their block. */
#define PG_ARGS __attribute__((cleanup(pg_args_release))) struct pg_args

/* Each appends the next parameter ($1, $2, ...). Texts must not contain NUL. */
void pg_arg_text(struct pg_args *args, const char *text);
void pg_arg_int(struct pg_args *args, int64_t value); /* bigint */
void pg_arg_bool(struct pg_args *args, bool value);
void pg_arg_time(struct pg_args *args, int64_t us); /* timestamptz, in microseconds since 1970 */
void pg_arg_bytes(struct pg_args *args, const void *bytes, size_t len);

/* Appends an empty array of `type` and returns its index, for the functions below. */
int pg_arg_array(struct pg_args *args, enum pg_type type);

/*
 * Appends an element of a BOOL, INT2, INT4, INT8, DATE or TIME array; for DATE and TIME, `value` is microseconds since
 * 1970.
 */
void pg_array_int(struct pg_args *args, int index, int64_t value);
void pg_array_text(struct pg_args *args, int index, const char *text);
void pg_array_json(struct pg_args *args, int index, const char *json);
void pg_array_null(struct pg_args *args, int index);
void pg_array_bytes(struct pg_args *args, int index, const void *bytes, size_t len);

/*
 * The bytes of COPY ... FROM STDIN (FORMAT binary): its beginning, each row's number of columns and then its cells, and
 * its end. A cell has the type of its column; integers are given as to pg_array_int().
 */
void pg_copy_begin(struct buf *out);
void pg_copy_row(struct buf *out, int columns);
void pg_copy_int(struct buf *out, enum pg_type type, int64_t value);
void pg_copy_text(struct buf *out, const char *text);
void pg_copy_json(struct buf *out, const char *json);
void pg_copy_null(struct buf *out);
void pg_copy_end(struct buf *out);

/* The parameter's type as a PostgreSQL OID, and its bytes in wire format, valid until the next change. */
unsigned pg_arg_oid(const struct pg_args *args, int index);

#endif
