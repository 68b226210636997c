/* The arguments of a command, in wire format (redis/link/link.h). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "redis/link/link_private.h"

/* What an argument has in addition to its bytes: "$", its length, and two ends of lines. */
enum { ARG_ROOM = 1 + DEC_MAX + 2 + 2 };

void redis_arg(struct redis_command *command, const void *p, size_t n)
{
	struct buf *bytes = &command->bytes;
	char *at = buf_reserve(bytes, n + ARG_ROOM);

	*at++ = '$';
	at += dec_put(at, (int64_t)n);
	memcpy(at, "\r\n", 2);
	at += 2;
	if (command->argc < COMMAND_ARGS_MAX) {
		command->arg[command->argc].at = (uint32_t)(at - bytes->data);
		command->arg[command->argc].len = (uint32_t)n;
	}
	if (n)
		memcpy(at, p, n);
	memcpy(at + n, "\r\n", 3);
	bytes->len = (size_t)(at - bytes->data) + n + 2;
	command->argc++;
}

void redis_arg_text(struct redis_command *command, const char *text)
{
	redis_arg(command, text, strlen(text));
}

static void redis_arg_number(struct redis_command *command, int64_t n)
{
	char text[DEC_MAX];
	size_t len = dec_put(text, n);

	redis_arg(command, text, len);
}

void redis_arg_function(struct redis_command *command, enum redis_function function, int keys)
{
	redis_arg(command, "FCALL", 5);
	redis_arg_text(command, command->owner->library->names[function]);
	redis_arg_number(command, keys);
}

struct redis_args redis_args_at(const struct redis_command *command, int first, int count)
{
	int last = first + count - 1;
	size_t begin, end;

	assert(first > 0 && count > 0 && last < command->argc && last < COMMAND_ARGS_MAX);
	begin = command->arg[first - 1].at + command->arg[first - 1].len + 2;
	end = command->arg[last].at + command->arg[last].len + 2;
	return (struct redis_args){.bytes = command->bytes.data + begin, .len = end - begin, .count = count};
}

void redis_args(struct redis_command *command, const struct redis_args *args)
{
	size_t at = command->bytes.len;

	buf_put(&command->bytes, args->bytes, args->len);
	for (int i = 0; i < args->count; i++, command->argc++) {
		char *text;
		size_t len = strtoul(command->bytes.data + at + 1, &text, 10);

		at = (size_t)(text - command->bytes.data) + 2;
		if (command->argc < COMMAND_ARGS_MAX) {
			command->arg[command->argc].at = (uint32_t)at;
			command->arg[command->argc].len = (uint32_t)len;
		}
		at += len + 2;
	}
}
