/* One libuv timer per loop; the waits are in a list sorted by time, which is short. */
#include "rpc/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/list.h"

struct loop_timers {
	struct timers timers;
	uv_timer_t handle;
	struct wait *first;
	bool running; /* inside on_timer() */
};

static void arm(struct loop_timers *timers);

static void on_timer(uv_timer_t *handle)
{
	struct loop_timers *timers = container_of(handle, struct loop_timers, handle);
	int64_t now_us = clock_mono_us();

	timers->running = true;
	while (timers->first && timers->first->at_us <= now_us) {
		struct wait *wait = timers->first;

		timers->first = wait->next;
		wait->due(wait);
	}
	arm(timers);
	timers->running = false;
}

/* From inside on_timer() in a millisecond at the earliest: libuv would run a timer of 0 again in the same loop turn. */
static void arm(struct loop_timers *timers)
{
	int64_t left_us;

	if (!timers->first)
		return;
	left_us = timers->first->at_us - clock_mono_us();
	if (left_us <= 0)
		left_us = timers->running ? 1 : 0;
	uv_update_time(timers->handle.loop);
	uv_timer_start(&timers->handle, on_timer, (uint64_t)(left_us + 999) / 1000, 0);
}

static void start(struct timers *base, struct wait *wait, int64_t delay_us)
{
	struct loop_timers *timers = container_of(base, struct loop_timers, timers);
	struct wait **at = &timers->first;

	wait->at_us = clock_mono_us() + delay_us + (timers->running ? 1 : 0); /* later than what on_timer() runs now */
	while (*at && (*at)->at_us <= wait->at_us)
		at = &(*at)->next;
	wait->next = *at;
	*at = wait;
	if (timers->first == wait)
		arm(timers);
}

static void cancel(struct timers *base, struct wait *wait)
{
	struct loop_timers *timers = container_of(base, struct loop_timers, timers);
	struct wait **at = &timers->first;

	while (*at && *at != wait)
		at = &(*at)->next;
	if (*at)
		*at = wait->next;
}

struct timers *loop_timers_new(uv_loop_t *loop)
{
	struct loop_timers *timers = mem_zalloc(1, sizeof(*timers));

	timers->timers = (struct timers){.start = start, .cancel = cancel};
	uv_timer_init(loop, &timers->handle);
	return &timers->timers;
}

static void on_closed(uv_handle_t *handle)
{
	free(container_of((uv_timer_t *)handle, struct loop_timers, handle));
}

void loop_timers_free(struct timers *timers)
{
	uv_close((uv_handle_t *)&container_of(timers, struct loop_timers, timers)->handle, on_closed);
}
