/*
 * Transcodes messages for tests/e2e/test_json_mapping.py. Each line of its input is a command, a type, and a message:
 * "write TYPE HEX" answers the JSON of these protobuf bytes, "read TYPE JSON" their hex; "! ERROR" if it is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json/json_message.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "lib/every.pb-c.h"

static const ProtobufCMessageDescriptor *find_in(const ProtobufCMessageDescriptor *type, const char *name, int depth)
{
	const ProtobufCMessageDescriptor *found = strcmp(type->name, name) == 0 ? type : NULL;

	for (unsigned i = 0; !found && depth < 5 && i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			found = find_in(type->fields[i].descriptor, name, depth + 1);
	return found;
}

static const ProtobufCMessageDescriptor *find(const char *name)
{
	static const ProtobufCMessageDescriptor *const others[] = {&bursar__test__every__descriptor,
		&google__rpc__error_info__descriptor, &google__rpc__retry_info__descriptor,
		&google__rpc__bad_request__descriptor, &google__rpc__status__descriptor};
	const ProtobufCServiceDescriptor *services[] = {
		&bursar__v1__limiter__descriptor, &bursar__v1__admin__descriptor};
	const ProtobufCMessageDescriptor *found = NULL;

	for (size_t i = 0; !found && i < sizeof(others) / sizeof(others[0]); i++)
		found = find_in(others[i], name, 4);
	for (size_t i = 0; i < 2; i++)
		for (unsigned k = 0; !found && k < services[i]->n_methods; k++) {
			found = find_in(services[i]->methods[k].input, name, 0);
			if (!found)
				found = find_in(services[i]->methods[k].output, name, 0);
		}
	return found;
}

static size_t unhex(char *text)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[] = {text[2 * i], text[2 * i + 1], '\0'};

		text[i] = (char)strtoul(two, NULL, 16);
	}
	return n;
}

static void write_json(const ProtobufCMessageDescriptor *type, char *hex)
{
	size_t len = unhex(hex);
	ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, len, (const uint8_t *)hex);
	struct buf out = {0};

	if (message)
		json_write_message(message, &out);
	puts(message ? buf_str(&out) : "! these bytes are not a message");
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	buf_release(&out);
}

static void read_json(const ProtobufCMessageDescriptor *type, const char *json, size_t len)
{
	struct arena arena = {0};
	ProtobufCMessage *message = arena_zalloc(&arena, 1, type->sizeof_message);
	struct err err;
	uint8_t *bytes;

	protobuf_c_message_init(type, message);
	if (json_read_message(json, len, message, &arena, &err)) {
		len = protobuf_c_message_get_packed_size(message);
		bytes = arena_alloc(&arena, len + 1);
		protobuf_c_message_pack(message, bytes);
		for (size_t i = 0; i < len; i++)
			printf("%02x", bytes[i]);
		puts("");
	} else {
		printf("! %s\n", err.text);
	}
	arena_release(&arena);
}

int main(void)
{
	char *line = NULL, *name, *rest;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, stdin)) > 0) {
		const ProtobufCMessageDescriptor *type;

		line[--len] = '\0';
		name = line + strcspn(line, " ") + 1;
		rest = name + strcspn(name, " ");
		*rest++ = '\0';
		type = find(name);
		if (!type)
			printf("! no such type: %s\n", name);
		else if (line[0] == 'w')
			write_json(type, rest);
		else
			read_json(type, rest, (size_t)(len - (rest - line)));
		fflush(stdout);
	}
	free(line);
	return 0;
}
