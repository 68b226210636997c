/* Builds parameters and rows in PostgreSQL's binary format: big-endian integers and one-dimensional arrays. */
#include "pg/link/args.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

#define EPOCH_2000_DAYS 10957
#define ARRAY_HEADER_BYTES 20
#define ARRAY_COUNT_AT 12
#define ARRAY_NULLS_AT 4
#define JSONB_VERSION 1
#define NULL_LENGTH UINT32_MAX

static uint64_t big_endian(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

/* Writes all eight bytes of the shifted value: the batches of the ledger have 100,000 cells. */
static void put_be(struct buf *out, uint64_t value, size_t nbytes)
{
	uint64_t bytes = big_endian(value << (64 - 8 * nbytes));

	memcpy(buf_reserve(out, sizeof(bytes)), &bytes, sizeof(bytes));
	out->len += nbytes;
}

static void patch_be32(char *p, uint32_t value)
{
	uint64_t bytes = big_endian((uint64_t)value << 32);

	memcpy(p, &bytes, 4);
}

static struct buf *arg_next(struct pg_args *args, enum pg_type type, bool is_array)
{
	int i;

	assert(args->count < PG_ARGS_MAX);
	i = args->count++;

	args->arg[i].type = type;
	args->arg[i].is_array = is_array;
	args->arg[i].elements = 0;
	buf_reset(&args->arg[i].bytes);
	return &args->arg[i].bytes;
}

void pg_args_release(struct pg_args *args)
{
	for (int i = 0; i < PG_ARGS_MAX; i++)
		buf_release(&args->arg[i].bytes);
	args->count = 0;
}

void pg_arg_text(struct pg_args *args, const char *text)
{
	buf_put_str(arg_next(args, PG_TEXT, false), text);
}

void pg_arg_int(struct pg_args *args, int64_t value)
{
	put_be(arg_next(args, PG_INT8, false), (uint64_t)value, 8);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
	put_be(arg_next(args, PG_TIME, false), (uint64_t)(us - EPOCH_2000_DAYS * DAY_US), 8);
}

void pg_arg_bool(struct pg_args *args, bool value)
{
	put_be(arg_next(args, PG_BOOL, false), value, 1);
}

void pg_arg_bytes(struct pg_args *args, const void *bytes, size_t len)
{
	buf_put(arg_next(args, PG_BYTES, false), bytes, len);
}

int pg_arg_array(struct pg_args *args, enum pg_type type)
{
	struct buf *out = arg_next(args, type, true);

	put_be(out, 1, 4); /* dimensions */
	put_be(out, 0, 4); /* no NULLs */
	put_be(out, type, 4);
	put_be(out, 0, 4); /* number of elements, updated as they are added */
	put_be(out, 1, 4); /* first index */
	assert(out->len == ARRAY_HEADER_BYTES);
	return args->count - 1;
}

static struct buf *array_next(struct pg_args *args, int index, size_t len)
{
	struct buf *out = &args->arg[index].bytes;

	assert(index < args->count && args->arg[index].is_array && len <= INT32_MAX);
	patch_be32(out->data + ARRAY_COUNT_AT, ++args->arg[index].elements);
	put_be(out, len, 4);
	return out;
}

/* Rounds down, also before 1970. */
static int64_t day_of(int64_t us)
{
	return us / DAY_US - (us % DAY_US < 0);
}

/* The value as the type has it; returns how many bytes it takes. */
static size_t cell_of(enum pg_type type, int64_t *value)
{
	switch (type) {
	case PG_BOOL:
		return 1;
	case PG_INT2:
		return 2;
	case PG_INT4:
		return 4;
	case PG_DATE:
		*value = day_of(*value) - EPOCH_2000_DAYS;
		return 4;
	case PG_TIME:
		*value -= EPOCH_2000_DAYS * DAY_US;
		return 8;
	default:
		assert(type == PG_INT8);
		return 8;
	}
}

void pg_array_int(struct pg_args *args, int index, int64_t value)
{
	size_t nbytes = cell_of(args->arg[index].type, &value);

	put_be(array_next(args, index, nbytes), (uint64_t)value, nbytes);
}

void pg_array_text(struct pg_args *args, int index, const char *text)
{
	pg_array_bytes(args, index, text, strlen(text));
}

void pg_array_bytes(struct pg_args *args, int index, const void *bytes, size_t len)
{
	buf_put(array_next(args, index, len), bytes, len);
}

void pg_array_json(struct pg_args *args, int index, const char *json)
{
	size_t len = strlen(json);
	struct buf *out = array_next(args, index, len + 1);

	buf_put_u8(out, JSONB_VERSION);
	buf_put(out, json, len);
}

void pg_array_null(struct pg_args *args, int index)
{
	struct buf *out = &args->arg[index].bytes;

	assert(index < args->count && args->arg[index].is_array);
	patch_be32(out->data + ARRAY_NULLS_AT, 1);
	patch_be32(out->data + ARRAY_COUNT_AT, ++args->arg[index].elements);
	put_be(out, NULL_LENGTH, 4);
}

void pg_copy_begin(struct buf *out)
{
	static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature, flags, no extension */

	buf_put(out, header, sizeof(header));
}

void pg_copy_row(struct buf *out, int columns)
{
	put_be(out, (uint64_t)columns, 2);
}

void pg_copy_int(struct buf *out, enum pg_type type, int64_t value)
{
	size_t nbytes = cell_of(type, &value);

	put_be(out, nbytes, 4);
	put_be(out, (uint64_t)value, nbytes);
}

void pg_copy_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	put_be(out, len, 4);
	buf_put(out, text, len);
}

void pg_copy_json(struct buf *out, const char *json)
{
	size_t len = strlen(json);

	put_be(out, len + 1, 4);
	buf_put_u8(out, JSONB_VERSION);
	buf_put(out, json, len);
}

void pg_copy_null(struct buf *out)
{
	put_be(out, NULL_LENGTH, 4);
}

void pg_copy_end(struct buf *out)
{
	put_be(out, UINT16_MAX, 2);
}

unsigned pg_arg_oid(const struct pg_args *args, int index)
{
	if (!args->arg[index].is_array)
		return args->arg[index].type;
	switch (args->arg[index].type) {
	case PG_BOOL:
		return 1000;
	case PG_BYTES:
		return 1001;
	case PG_INT2:
		return 1005;
	case PG_INT4:
		return 1007;
	case PG_TEXT:
		return 1009;
	case PG_INT8:
		return 1016;
	case PG_DATE:
		return 1182;
	case PG_TIME:
		return 1185;
	case PG_JSONB:
		return 3807;
	}
	return 0;
}
