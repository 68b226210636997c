/*
 * What providers bill besides the tokens that have an option of their own: --meter NAME=N. Works on TokenUsage and
 * TokenChange by the names of their fields, so that a new meter needs nothing here.
 */
#ifndef BURSAR_CLI_METERS_H
#define BURSAR_CLI_METERS_H

#include "base/buf.h"
#include "cli/core/command.h"

#define OPTION_METER \
	{ \
		'\0', "meter", OPTION_LIST, "NAME=N", \
			"anything else the provider bills, such as web_searches=2, cache_write_1h=1200 or output_images=1 " \
			"(may be repeated)", \
			NULL \
	}

/* Reads --meter into the message; false with cli->err. */
bool meters_read(struct cli *cli, ProtobufCMessage *usage);

/* Is any of these meters not 0? */
bool meters_any(const ProtobufCMessage *usage);

/* Calls `each` for each of them, with its name as typed and its field's name. */
typedef void meters_each(const char *name, const char *field, int64_t count, void *ctx);
void meters_for_each(const ProtobufCMessage *usage, meters_each *each, void *ctx);
/* The count of a field by its name. */
int64_t meters_count(const ProtobufCMessage *usage, const char *field);

/* Appends "web_searches=2 calls=1". */
void put_meters(struct buf *out, const ProtobufCMessage *usage);

#endif
