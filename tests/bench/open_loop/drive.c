/*
 * One thread that waits in poll for the sockets and for a timer. The timer is set to the absolute time at which the next
 * call is due: a wait for a time span would be rounded up to whole milliseconds, and lateness would add up.
 */
#include "drive.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define HEAD_START_NS 20000000 /* until the first call is due, so that the loop waits for it */

struct loop {
	struct target *target;
	struct calls *calls;
	struct arrivals *arrivals;
	int64_t in_flight;
	int64_t next_ns; /* when the next call is due (open loop) */
	int timer;
};

static bool send_one(struct loop *loop, int64_t due_ns, struct err *err)
{
	struct call *call = &loop->calls->call[loop->calls->sent++];

	call->due_ns = due_ns;
	return loop->target->ops->submit(loop->target, call, err);
}

/* Sends what is due: all of it at once if the loop is late. */
static bool send_due(struct loop *loop, struct err *err)
{
	struct calls *calls = loop->calls;

	if (loop->arrivals->rate <= 0) {
		while (calls->sent < calls->count && calls->sent - calls->done < loop->in_flight)
			if (!send_one(loop, now_ns(), err))
				return false;
	} else {
		while (calls->sent < calls->count && loop->next_ns <= now_ns()) {
			if (!send_one(loop, loop->next_ns, err))
				return false;
			loop->next_ns = arrivals_next(loop->arrivals);
		}
	}
	return loop->target->ops->flush(loop->target, err);
}

/* Sets the timer to the next call's time; one that has passed fires at once. */
static void set_timer(struct loop *loop)
{
	struct itimerspec at = {.it_value = {loop->next_ns / 1000000000, loop->next_ns % 1000000000}};

	if (loop->arrivals->rate > 0 && loop->calls->sent < loop->calls->count)
		timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static bool wait_and_receive(struct loop *loop, struct err *err)
{
	struct pollfd fds[TARGET_FDS_MAX + 1];
	size_t count = loop->target->ops->wants(loop->target, fds);
	uint64_t expirations;

	fds[count] = (struct pollfd){.fd = loop->timer, .events = POLLIN};
	if (poll(fds, (nfds_t)count + 1, -1) < 0 && errno != EINTR)
		return err_set(err, ERR_INTERNAL, "poll: %s", strerror(errno));
	for (size_t i = 0; i < count; i++)
		if (fds[i].revents & (POLLIN | POLLERR | POLLHUP) && !loop->target->ops->receive(loop->target, i, err))
			return false;
	/* Nothing to read is fine: setting the timer again has taken the expiration back. */
	if (read(loop->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return err_set(err, ERR_INTERNAL, "timerfd: %s", strerror(errno));
	return true;
}

bool drive(struct target *target, struct arrivals *arrivals, int64_t in_flight, struct err *err)
{
	struct loop loop = {.target = target, .calls = target->calls, .arrivals = arrivals, .in_flight = in_flight};
	bool ok = true;

	loop.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop.timer < 0)
		return err_set(err, ERR_INTERNAL, "timerfd_create: %s", strerror(errno));
	loop.calls->begun_ns = now_ns();
	if (arrivals->rate > 0) {
		loop.calls->begun_ns += HEAD_START_NS;
		arrivals->begun_ns = loop.calls->begun_ns;
		loop.next_ns = arrivals_next(arrivals);
	}
	while (ok && loop.calls->done < loop.calls->count) {
		ok = send_due(&loop, err);
		set_timer(&loop);
		ok = ok && wait_and_receive(&loop, err);
	}
	loop.calls->ended_ns = now_ns();
	close(loop.timer);
	return ok;
}
