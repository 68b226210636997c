/*
 * The configuration: each line of the input after the first is a flag, a variable or a line of the file, as the first
 * line says ("flags", "env", otherwise file). What is accepted must print as a file that gives the same configuration.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/conf/conf.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"

#define LINES_MAX 64

/* A file in memory, read by its path. */
static const char *file_of(const char *text, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("conf", MFD_CLOEXEC);
		HOLDS(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	HOLDS(ftruncate(fd, 0) == 0);
	HOLDS(pwrite(fd, text, len, 0) == (ssize_t)len);
	return path;
}

static bool load_file(struct conf *conf, const char *text, size_t len, struct err *err)
{
	char name[] = "bursard", flag[] = "--config", path[64];
	char *argv[] = {name, flag, path, NULL};
	struct conf_args args;

	snprintf(path, sizeof(path), "%s", file_of(text, len));
	return conf_load(conf, &args, 3, argv, NULL, err);
}

/* Splits the text into lines in place. `lines` gets those after the first, followed by NULL. */
static int cut_lines(char *text, char *lines[LINES_MAX + 1])
{
	int count = 0;

	for (char *p = strchr(text, '\n'); p && count < LINES_MAX; p = strchr(p, '\n')) {
		*p++ = '\0';
		lines[count++] = p;
	}
	if (count && strchr(lines[count - 1], '\n'))
		*strchr(lines[count - 1], '\n') = '\0';
	lines[count] = NULL;
	return count;
}

static bool load(struct conf *conf, char *text, size_t len, struct err *err)
{
	char *lines[LINES_MAX + 2] = {NULL};
	char program[] = "bursard";
	struct conf_args args;
	char *none[] = {program, NULL};
	bool ok;

	if (strncmp(text, "env\n", 4) == 0) {
		cut_lines(text, lines);
		return conf_load(conf, &args, 1, none, lines, err);
	}
	if (strncmp(text, "flags\n", 6) != 0)
		return load_file(conf, text, len, err);
	lines[0] = program;
	ok = conf_load(conf, &args, 1 + cut_lines(text, lines + 1), lines, NULL, err);
	if (ok)
		HOLDS(args.word_count <= LINES_MAX);
	return ok;
}

/* What was accepted prints as a file that is accepted and prints as itself. */
static void print_again(const struct conf *conf)
{
	struct buf first = {0}, second = {0}, third = {0};
	struct conf again;
	struct err err = {0};

	conf_print(conf, &first);
#ifdef PLANTED_BUG
	/* The mistake: expecting the format to be the default. */
	if (strstr(buf_str(&first), "log_format = json"))
		buf_put_str(&first, "log_colour = never\n");
#endif
	HOLDS(load_file(&again, first.data, first.len, &err));
	conf_print(&again, &second);
	conf_release(&again);
	HOLDS(load_file(&again, second.data, second.len, &err));
	conf_print(&again, &third);
	conf_release(&again);
	HOLDS(strcmp(buf_str(&second), buf_str(&third)) == 0);
	buf_release(&first);
	buf_release(&second);
	buf_release(&third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf;
	struct err err = {0};
	struct buf text = {0};

	buf_put(&text, data, size);
	buf_put_u8(&text, 0);
	if (load(&conf, text.data, size, &err)) {
		HOLDS(conf.workers >= 0 && conf.workers <= 1024);
		HOLDS(conf.max_message_bytes >= 1024 && conf.max_message_bytes <= 4194304);
		HOLDS(conf.warn_percent >= 1 && conf.warn_percent <= 100);
		HOLDS(conf.redis && conf.postgres && conf.grpc_listen && conf.http_listen);
		print_again(&conf);
		conf_release(&conf);
	} else {
		HOLDS(err.code == ERR_INVALID && err.text[0]);
	}
	buf_release(&text);
	return 0;
}
