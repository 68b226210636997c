/* Figures of the process, from the kernel. */
#include "base/observe/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void process_name(char *name, size_t size)
{
	char host[64];

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(name, size, "%s:%ld", host, (long)getpid());
}

/* What /proc/self/stat says: memory in pages, and the start in clock ticks since boot. */
struct stat_line {
	uint64_t start_ticks, virtual_bytes;
	int64_t resident_pages;
};

static bool stat_read(struct stat_line *out)
{
	char line[1024];
	FILE *file = fopen("/proc/self/stat", "re");
	const char *rest = NULL;
	bool ok;

	if (!file)
		return false;
	/* The name of the program, in brackets, may contain anything. */
	if (fgets(line, sizeof(line), file))
		rest = strrchr(line, ')');
	ok = rest && sscanf(rest + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64
			     " %" SCNu64 " %" SCNd64,
			     &out->start_ticks, &out->virtual_bytes, &out->resident_pages) == 3;
	fclose(file);
	return ok;
}

/* When the machine was booted, in seconds since 1970; 0 if unknown. */
static int64_t boot_s(void)
{
	char line[256];
	FILE *file = fopen("/proc/stat", "re");
	int64_t seconds = 0;

	if (!file)
		return 0;
	while (seconds == 0 && fgets(line, sizeof(line), file))
		sscanf(line, "btime %" SCNd64, &seconds);
	fclose(file);
	return seconds;
}

static int64_t open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int64_t count = -3; /* ".", "..", and the folder itself */

	if (!folder)
		return 0;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void put(struct buf *out, const char *name, const char *type, const char *help, int64_t hundredths)
{
	buf_putf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %" PRId64, name, help, name, type, name,
		hundredths / 100);
	if (hundredths % 100)
		buf_putf(out, ".%02d", (int)(hundredths % 100));
	buf_put_str(out, "\n");
}

void process_print(struct buf *out)
{
	struct stat_line line = {0};
	struct rusage used;
	struct rlimit files = {0};

	buf_put_str(out, "# HELP bursar_build_info The version of bursard; always 1.\n"
			 "# TYPE bursar_build_info gauge\n"
			 "bursar_build_info{version=\"" BURSAR_VERSION "\"} 1\n");
	getrusage(RUSAGE_SELF, &used);
	getrlimit(RLIMIT_NOFILE, &files);
	put(out, "cpu_seconds_total", "counter", "CPU time of the process.",
		(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 100 +
			(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 10000);
	put(out, "open_fds", "gauge", "Open file descriptors.", open_files() * 100);
	put(out, "max_fds", "gauge", "Limit of open file descriptors.",
		files.rlim_cur == RLIM_INFINITY ? -100 : (int64_t)files.rlim_cur * 100);
	if (!stat_read(&line))
		return;
	put(out, "resident_memory_bytes", "gauge", "Memory in use.", line.resident_pages * sysconf(_SC_PAGESIZE) * 100);
	put(out, "virtual_memory_bytes", "gauge", "Address space in use.",
		line.virtual_bytes < INT64_MAX / 100 ? (int64_t)line.virtual_bytes * 100 : INT64_MAX);
	put(out, "start_time_seconds", "gauge", "When the process was started, in seconds since 1970.",
		boot_s() * 100 + (int64_t)line.start_ticks * 100 / sysconf(_SC_CLK_TCK));
}
