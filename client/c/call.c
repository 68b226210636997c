/* Calls that wait: bursar_call, and the function of each unary RPC. Declared in bursar.h. */
#include "c/internal.h"

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

#define METHOD(ENUM, name, path, Request, request, Answer, answer) \
	Bursar__V1__##Answer *bursar_##name( \
		struct bursar *bursar, const Bursar__V1__##Request *message, struct bursar_error *error) \
	{ \
		return bursar_call(bursar, BURSAR_##ENUM, message, error); \
	}
#include "c/methods.def"
