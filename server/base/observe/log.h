/* Structured logs: a constant sentence and fields, one line each, to stderr. */
#ifndef BURSAR_BASE_OBSERVE_LOG_H
#define BURSAR_BASE_OBSERVE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* A field: a string when `text` is not NULL, else an integer. Made with F() and FI(). */
struct log_field {
	const char *name;
	const char *text;
	int64_t number;
};

#define F(name_, text_) \
	(struct log_field) \
	{ \
		.name = (name_), .text = log_text(text_) \
	}
#define FI(name_, number_) \
	(struct log_field) \
	{ \
		.name = (name_), .number = (int64_t)(number_) \
	}

/* What one call site has written recently; each log_warn(...) owns one. */
struct log_site {
	_Atomic int64_t window_start_us;
	_Atomic uint32_t written;
	_Atomic uint32_t suppressed;
};

/*
 * log_warn("redis lost", F("addr", addr), FI("after_us", us)): the sentence is constant and easy to search for.
 * Never put a secret, a key or a user's text into a field. A call site writes at most 10 lines a second; the next line
 * it writes says suppressed=N. Work for a call that has a trace is logged with its trace_id (base/observe/trace.h).
 * Thread-safe; a line is one write(2), truncated at 2 KiB.
 */
#define log_debug(...) LOG_AT_(LOG_LEVEL_DEBUG, __VA_ARGS__, (struct log_field){0})
#define log_info(...) LOG_AT_(LOG_LEVEL_INFO, __VA_ARGS__, (struct log_field){0})
#define log_warn(...) LOG_AT_(LOG_LEVEL_WARN, __VA_ARGS__, (struct log_field){0})
#define log_error(...) LOG_AT_(LOG_LEVEL_ERROR, __VA_ARGS__, (struct log_field){0})

/* Defaults until it is called: logfmt, info, stderr. Call it before threads start. */
void log_setup(enum log_format format, enum log_level least);

/* Sets where lines go instead of stderr (2): for tests. */
void log_to(int fd);

/* True when lines of this level are written: for fields that are expensive to compute. */
bool log_enabled(enum log_level level);

#define LOG_AT_(level_, sentence_, ...) \
	do { \
		static struct log_site site_; \
		if (log_enabled(level_)) \
			log_write(&site_, level_, "" sentence_, (const struct log_field[]){__VA_ARGS__}); \
	} while (0)

static inline const char *log_text(const char *text)
{
	return text ? text : "";
}

/* Used by the macros: a field without a name ends `fields`. */
void log_write(struct log_site *site, enum log_level level, const char *sentence, const struct log_field *fields);

#endif
