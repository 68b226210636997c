/* Private to Watch: channels of readers who watch the same, and what they are sent. */
#ifndef BURSAR_API_REPORTS_WATCH_H
#define BURSAR_API_REPORTS_WATCH_H

#include <protobuf-c/protobuf-c.h>

#include "api/admin/private.h"
#include "service/watch/watch.h"

/* The view as a WatchResponse, in the arena. */
const ProtobufCMessage *watch_view_message(struct arena *arena, const struct watch_view *view);

struct watch_channel;

/*
 * One reader; lives in the call's arena. It belongs to the channel of those with the same filter and interval, and is sent
 * what they are sent, unless it is `apart`: it has just come, or did not take the message before in time.
 */
struct watch_reader {
	struct list link; /* in the channel's */
	struct watch_channel *channel;
	struct call *call;
	struct watcher own; /* if it is apart */
	bool apart, writing;
	struct admin_stream stream;
};

/* Starts the reader, whose `own` has the inputs and `call` is set, with a first message. False: it has not started. */
bool watch_channel_enter(struct watch_reader *reader, struct worker *worker, struct err *err)
	__attribute__((warn_unused_result));

#endif
