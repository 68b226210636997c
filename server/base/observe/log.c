/* Log lines: built in a buffer on the stack, written with one write(2). */
#include "base/observe/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/observe/trace.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 2048, TAIL_BYTES = 64, LINES_A_SECOND = 10 };

/* The line so far; once something did not fit, `full` is set and only the end of the line is added. */
struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
	bool full;
};

static struct {
	enum log_format format;
	enum log_level least;
	int fd;
} config = {.format = LOG_FORMAT_LOGFMT, .least = LOG_LEVEL_INFO, .fd = STDERR_FILENO};

void log_setup(enum log_format format, enum log_level least)
{
	config.format = format;
	config.least = least;
}

void log_to(int fd)
{
	config.fd = fd;
}

bool log_enabled(enum log_level level)
{
	return level >= config.least;
}

/* Appends all of it or nothing: a line never ends inside an escape or a UTF-8 sequence. */
static void line_put(struct line *line, const char *s, size_t n)
{
	if (line->full || n > sizeof(line->text) - TAIL_BYTES - line->len) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->len, s, n);
	line->len += n;
}

static void line_str(struct line *line, const char *s)
{
	line_put(line, s, strlen(s));
}

/* Always fits: TAIL_BYTES are reserved for it. */
static void line_end(struct line *line, const char *tail)
{
	size_t n = strlen(tail);

	memcpy(line->text + line->len, tail, n);
	line->len += n;
}

/* Writes one byte or one whole UTF-8 sequence, escaped so that it cannot break the line or the value. */
static size_t line_rune(struct line *line, const unsigned char *p, size_t left)
{
	char escaped[8];

	if (*p >= 0x80) {
		for (size_t n = 2; n <= 4 && n <= left; n++) {
			/* C1 controls (C2 80 to C2 9F) move cursors on some terminals. */
			if (utf8_valid(p, n) && !(p[0] == 0xc2 && p[1] < 0xa0)) {
				line_put(line, (const char *)p, n);
				return n;
			}
		}
	}
	if (*p == '"' || *p == '\\')
		snprintf(escaped, sizeof(escaped), "\\%c", *p);
	else if (*p == '\n')
		snprintf(escaped, sizeof(escaped), "\\n");
	else if (*p < 0x20 || *p >= 0x7f)
		snprintf(escaped, sizeof(escaped), "\\u%04x", *p);
	else
		snprintf(escaped, sizeof(escaped), "%c", *p);
	line_str(line, escaped);
	return 1;
}

static void line_quoted(struct line *line, const char *s)
{
	size_t left = strlen(s);

	line_put(line, "\"", 1);
	while (left > 0 && !line->full) {
		size_t n = line_rune(line, (const unsigned char *)s, left);

		s += n;
		left -= n;
	}
	/* A truncated value is still closed; TAIL_BYTES has room for this quote too. */
	if (line->full)
		line_end(line, "\"");
	else
		line_put(line, "\"", 1);
}

static bool plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '"' || *s == '=' || *s == '\\')
			return false;
	return true;
}

static void line_name(struct line *line, const char *name)
{
	if (config.format == LOG_FORMAT_JSON) {
		line_put(line, ",", 1);
		line_quoted(line, name);
		line_put(line, ":", 1);
	} else {
		line_put(line, " ", 1);
		line_str(line, name);
		line_put(line, "=", 1);
	}
}

static void line_field(struct line *line, const struct log_field *field)
{
	char number[32];
	size_t value_len;

	snprintf(number, sizeof(number), "%" PRId64, field->number);
	value_len = field->text ? 8 : strlen(number);
	/* A name without a value would be broken JSON: start only what can be finished. */
	if (line->full || strlen(field->name) + value_len + 8 > sizeof(line->text) - TAIL_BYTES - line->len) {
		line->full = true;
		return;
	}
	line_name(line, field->name);
	if (!field->text)
		line_str(line, number);
	else if (config.format == LOG_FORMAT_LOGFMT && plain(field->text) && strlen(field->text) < 512)
		line_str(line, field->text);
	else
		line_quoted(line, field->text);
}

static void line_start(struct line *line, enum log_level level, const char *sentence, int64_t now_us)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	time_t seconds = (time_t)(now_us / 1000000);
	char time_text[64];
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(time_text + n, sizeof(time_text) - n, ".%06dZ", (int)(now_us % 1000000));
	line_str(line, config.format == LOG_FORMAT_JSON ? "{\"time\":\"" : "time=");
	line_str(line, time_text);
	line_str(line, config.format == LOG_FORMAT_JSON ? "\",\"level\":\"" : " level=");
	line_str(line, names[level]);
	line_str(line, config.format == LOG_FORMAT_JSON ? "\",\"msg\":" : " msg=");
	line_quoted(line, sentence);
}

/* True when this call site may write a line now; the number of lines it has dropped since goes to `suppressed`. */
static bool site_admit(struct log_site *site, uint32_t *suppressed)
{
	int64_t now = clock_mono_us();
	int64_t start = atomic_load_explicit(&site->window_start_us, memory_order_relaxed);

	*suppressed = 0;
	if (!start || now - start >= 1000000) {
		if (atomic_compare_exchange_strong(&site->window_start_us, &start, now)) {
			atomic_store_explicit(&site->written, 0, memory_order_relaxed);
			*suppressed = atomic_exchange(&site->suppressed, 0);
		}
	}
	if (atomic_fetch_add_explicit(&site->written, 1, memory_order_relaxed) < LINES_A_SECOND)
		return true;
	atomic_fetch_add_explicit(&site->suppressed, *suppressed + 1, memory_order_relaxed);
	metric_inc(METRIC_log_lines_suppressed_total, 0, 0);
	return false;
}

void log_write(struct log_site *site, enum log_level level, const char *sentence, const struct log_field *fields)
{
	struct line line = {.len = 0};
	uint32_t suppressed;
	int saved = errno;
	ssize_t written;

	if (!site_admit(site, &suppressed))
		return;
	line_start(&line, level, sentence, clock_wall_us());
	if (suppressed)
		line_field(&line, &FI("suppressed", suppressed));
	if (trace_now)
		line_field(&line, &F("trace_id", trace_now->id));
	for (; fields->name; fields++)
		line_field(&line, fields);
	line_end(&line, config.format == LOG_FORMAT_JSON ? "}\n" : "\n");
	do
		written = write(config.fd, line.text, line.len);
	while (written < 0 && errno == EINTR);
	errno = saved;
}
