/*
 * Readers who watch the same at one worker: what was decided since the last message is taken, packed and turned into text
 * once for all of them, at intervals. Each has one write in flight at a time. A reader who has not taken a message when the
 * next one is due is put apart, and gets what has gathered since then, summed and sampled, at a later turn; so is one who
 * comes between two turns.
 */
#include <stdlib.h>

#include "api/reports/watch.h"
#include "base/clock.h"
#include "rpc/shared.h"

/* A timer cannot be cancelled, so long waits are made of short naps. */
enum { NAP_US = 100000 };

struct watch_channel {
	struct watcher watcher;
	struct worker *worker;
	struct list readers;
	struct arena names; /* of the filter */
	struct arena arena; /* for one message */
	int64_t due_us;
	struct wait wait;
};

static void due(struct wait *wait);

static void nap(struct watch_channel *channel)
{
	int64_t left_us = channel->due_us - clock_mono_us();

	channel->wait = (struct wait){.due = due};
	channel->worker->parts.timers->start(channel->worker->parts.timers, &channel->wait,
		left_us < 0	   ? 0
		: left_us < NAP_US ? left_us
				   : NAP_US);
}

static char *name(struct watch_channel *channel, const char *text)
{
	return arena_strndup(&channel->names, text, strlen(text));
}

static struct watch_channel *channel_new(struct worker *worker, const struct watcher *wanted)
{
	struct watch_channel *channel = mem_zalloc(1, sizeof(*channel));
	struct watch_filter *filter = &channel->watcher.filter;
	struct err err;

	*filter = wanted->filter;
	filter->tenant = name(channel, filter->tenant);
	filter->user = name(channel, filter->user);
	filter->interface = name(channel, filter->interface);
	filter->model = name(channel, filter->model);
	channel->watcher.most = wanted->most;
	channel->watcher.interval_us = wanted->interval_us;
	channel->worker = worker;
	list_init(&channel->readers);
	/* Cannot fail: the reader's own has started. */
	if (!watcher_start(&channel->watcher, worker, &err))
		abort();
	channel->due_us = clock_mono_us() + wanted->interval_us;
	nap(channel);
	return channel;
}

static void channel_free(struct watch_channel *channel)
{
	watcher_stop(&channel->watcher);
	arena_release(&channel->arena);
	arena_release(&channel->names);
	free(channel);
}

static void join_again(struct watch_reader *reader)
{
	if (reader->apart)
		watcher_stop(&reader->own);
	reader->apart = false;
}

/* Ends the call, and the reader with it. */
static void finish(struct watch_reader *reader, const struct err *why)
{
	join_again(reader);
	list_remove(&reader->link);
	watch_leave(reader->channel->worker);
	if (why)
		call_fail(reader->call, why);
	else
		call_end(reader->call);
}

static void written(struct call *call, bool ok, void *arg)
{
	struct watch_reader *reader = arg;

	(void)call;
	reader->writing = false;
	reader->stream.gone |= !ok;
}

/* What a reader who is apart has gathered. False: the reader has ended. */
static bool show_own(struct watch_reader *reader, struct arena *arena)
{
	struct watch_view view;
	struct err err;

	arena_reset(arena);
	if (!watcher_take(&reader->own, arena, &view, &err)) {
		finish(reader, &err);
		return false;
	}
	reader->writing = true;
	call_write_message(reader->call, watch_view_message(arena, &view), written, reader);
	return true;
}

/* The view of the channel, packed; NULL: nobody can be shown it. */
static struct shared_message *take(struct watch_channel *channel, struct err *err)
{
	struct watch_view view;

	arena_reset(&channel->arena);
	return watcher_take(&channel->watcher, &channel->arena, &view, err)
		       ? shared_message_pack(watch_view_message(&channel->arena, &view))
		       : NULL;
}

static void show(struct watch_channel *channel)
{
	struct shared_message *message;
	struct err err;

	channel->due_us = clock_mono_us() + channel->watcher.interval_us;
	list_each (&channel->readers, at, after) {
		struct watch_reader *reader = container_of(at, struct watch_reader, link);

		if (reader->writing && !reader->apart) {
			watcher_branch(&reader->own, &channel->watcher);
			reader->apart = true;
		}
	}
	message = take(channel, &err);
	list_each (&channel->readers, at, after) {
		struct watch_reader *reader = container_of(at, struct watch_reader, link);

		if (!message) {
			finish(reader, &err);
		} else if (reader->apart && !reader->writing) {
			if (show_own(reader, &channel->arena))
				join_again(reader);
		} else if (!reader->apart) {
			reader->writing = true;
			call_write_shared(reader->call, message, written, reader);
		}
	}
	shared_message_drop(message);
	arena_reset(&channel->arena);
}

static void end_those_who_left(struct watch_channel *channel)
{
	struct err err;

	call_draining_error(&err);
	list_each (&channel->readers, at, after) {
		struct watch_reader *reader = container_of(at, struct watch_reader, link);

		if (reader->stream.gone)
			finish(reader, NULL);
		else if (reader->stream.draining)
			finish(reader, &err);
	}
}

static void due(struct wait *wait)
{
	struct watch_channel *channel = container_of(wait, struct watch_channel, wait);

	end_those_who_left(channel);
	if (clock_mono_us() >= channel->due_us)
		show(channel);
	if (list_empty(&channel->readers))
		channel_free(channel);
	else
		nap(channel);
}

bool watch_channel_enter(struct watch_reader *reader, struct worker *worker, struct err *err)
{
	struct watcher wanted = reader->own, *found;

	if (!watch_join(worker, err))
		return false;
	reader->own.interval_us = 0;
	if (!watcher_start(&reader->own, worker, err)) {
		watch_leave(worker);
		return false;
	}
	reader->apart = true;
	found = watcher_like(worker, &wanted);
	reader->channel = found ? container_of(found, struct watch_channel, watcher) : channel_new(worker, &wanted);
	list_push_back(&reader->channel->readers, &reader->link);
	admin_stream_watch(&reader->stream, reader->call);
	show_own(reader, &reader->channel->arena);
	arena_reset(&reader->channel->arena);
	return true;
}
