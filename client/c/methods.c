/* The methods, and the waiting function of each. */
#include "c/internal.h"

#include <stdlib.h>

const struct method bursar_method_table[BURSAR_METHODS] = {
#define METHOD(ENUM, name, service, rpc, Request, request, Answer, answer) \
	[BURSAR_##ENUM] = {"/bursar.v1." #service "/" #rpc, &bursar__v1__##request##__descriptor, \
		&bursar__v1__##answer##__descriptor},
#include "c/methods.def"
};

const struct method bursar_stream_table[BURSAR_STREAMS] = {
	[BURSAR_ACQUIRE] = {"/bursar.v1.Limiter/Acquire", &bursar__v1__acquire_request__descriptor,
		&bursar__v1__acquire_response__descriptor},
	[BURSAR_WATCH_POOL] = {"/bursar.v1.Admin/WatchPool", &bursar__v1__get_pool_stats_request__descriptor,
		&bursar__v1__pool_stats__descriptor},
	[BURSAR_GET_REPORT] = {"/bursar.v1.Admin/GetReport", &bursar__v1__get_report_request__descriptor,
		&bursar__v1__report_part__descriptor},
	[BURSAR_CHANGE_ACCOUNTS] = {"/bursar.v1.Admin/ChangeAccounts", &bursar__v1__change_accounts_request__descriptor,
		&bursar__v1__change_accounts_response__descriptor},
	[BURSAR_WATCH] = {"/bursar.v1.Admin/Watch", &bursar__v1__watch_request__descriptor,
		&bursar__v1__watch_response__descriptor},
};

struct waiter {
	bool ended;
	void *answer;
	struct bursar_error *error;
};

static void waiter_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct waiter *waiter = ctx;

	waiter->ended = true;
	waiter->answer = answer;
	if (!answer && waiter->error)
		*waiter->error = *error;
}

void *bursar_call(struct bursar *bursar, enum bursar_method method, const void *request, struct bursar_error *error)
{
	struct waiter waiter = {.error = error};

	bursar_submit(bursar, method, request, waiter_done, &waiter);
	while (!waiter.ended)
		bursar_poll(bursar, 1000000);
	return waiter.answer;
}

#define METHOD(ENUM, name, service, rpc, Request, request, Answer, answer) \
	Bursar__V1__##Answer *bursar_##name( \
		struct bursar *bursar, const Bursar__V1__##Request *message, struct bursar_error *error) \
	{ \
		return bursar_call(bursar, BURSAR_##ENUM, message, error); \
	}
#include "c/methods.def"

void bursar_free(void *answer)
{
	protobuf_c_message_free_unpacked(answer, NULL);
}

ProtobufCMessage *message_copy(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	ProtobufCMessage *copy;

	if (!bytes)
		abort();
	protobuf_c_message_pack(message, bytes);
	copy = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
	free(bytes);
	if (!copy)
		abort(); /* what was packed a line above unpacks, unless there is no memory */
	return copy;
}
