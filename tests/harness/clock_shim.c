/*
 * Preloaded into a process, shifts its wall clock by the number of microseconds in the file that BURSAR_TEST_CLOCK
 * names. If a second number in that file is not 0, the clock stops at that time, in microseconds since 1970.
 * libfaketime would do, but it recurses into itself under jemalloc, which is Redis's allocator. A wait until a
 * wall-clock time takes as long as on the true clock; otherwise it would never end, or end at once repeatedly.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile struct {
	int64_t offset_us, stopped_us;
} * shared;

static long (*libc_syscall)(long, ...);
static int (*libc_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

/* Not in a constructor, because constructors of other libraries ask for the time. */
static void find_libc(void)
{
	if (!libc_syscall)
		libc_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	if (!libc_clockwait)
		libc_clockwait = (int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
			const struct timespec *))dlsym(RTLD_NEXT, "pthread_cond_clockwait");
}

__attribute__((constructor)) static void map_offset(void)
{
	const char *path = getenv("BURSAR_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		shared = page;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	find_libc();
	long failed = libc_syscall(SYS_clock_gettime, id, ts);
	if (failed || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) || !shared)
		return (int)failed;
	int64_t offset_us = shared->offset_us, stopped_us = shared->stopped_us;
	if (stopped_us) {
		*ts = (struct timespec){.tv_sec = stopped_us / 1000000, .tv_nsec = stopped_us % 1000000 * 1000};
		return 0;
	}
	ts->tv_sec += offset_us / 1000000;
	ts->tv_nsec += offset_us % 1000000 * 1000;
	if (ts->tv_nsec < 0) {
		ts->tv_nsec += 1000000000;
		ts->tv_sec--;
	} else if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

/* The time on `clock` at which the wall clock of this process would show `until`, if it ran. */
static struct timespec on(clockid_t clock, const struct timespec *until)
{
	struct timespec wall, now;
	clock_gettime(CLOCK_REALTIME, &wall);
	libc_syscall(SYS_clock_gettime, clock, &now);
	now.tv_sec += until->tv_sec - wall.tv_sec;
	now.tv_nsec += until->tv_nsec - wall.tv_nsec;
	if (now.tv_nsec < 0) {
		now.tv_nsec += 1000000000;
		now.tv_sec--;
	} else if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	return now.tv_sec < 0 ? (struct timespec){0} : now;
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	find_libc();
	if (clock != CLOCK_REALTIME || !shared)
		return libc_clockwait(cond, mutex, clock, until);
	struct timespec then = on(CLOCK_MONOTONIC, until);
	return libc_clockwait(cond, mutex, CLOCK_MONOTONIC, &then);
}

int pthread_cond_timedwait(
	pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
	/* The clock is an attribute of `cond` that cannot be queried; no machine has been up since the seventies. */
	clockid_t clock = until->tv_sec > 1000000000 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	return pthread_cond_clockwait(cond, mutex, clock, until);
}

/* gRPC waits with the system call itself. */
long syscall(long number, ...)
{
	va_list list;
	va_start(list, number);
	long args[6];
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	find_libc();
	struct timespec then;
	if (number == SYS_futex && (args[1] & FUTEX_CLOCK_REALTIME) && args[3] && shared) {
		then = on(CLOCK_REALTIME, (const struct timespec *)args[3]);
		args[3] = (long)&then;
	}
	return libc_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
