/* Preloaded into a process, shifts its wall clock by the microseconds that stand in the file BURSAR_TEST_CLOCK names; where
 * a second number in it is not 0, the clock stands still at that time, in microseconds since 1970.
 * libfaketime would do, but recurses into itself under jemalloc, which is Redis's allocator. */
#include <fcntl.h>
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
	long failed = syscall(SYS_clock_gettime, id, ts);
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
