/* The error of an attempt: what went wrong, in what words the destination said it, and without secrets. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deliver/answer.h"
#include "deliver/private.h"

/* What is read of an answer before it is cut: a secret must not be cut before it has been found. */
enum { LINE_READ_MAX = 4096, LINE_QUOTED_MAX = 160 };
/* Shorter parts of a secret are words such as "hooks" or "Bearer". */
enum { SECRET_MIN = 4, SECRET_PART_MIN = 8 };

static void hide(char *text, const char *secret, size_t len)
{
	if (len < SECRET_MIN)
		return;
	for (char *at = text; (at = memmem(at, strlen(at), secret, len));) {
		memmove(at + 3, at + len, strlen(at + len) + 1);
		memcpy(at, "***", 3);
		at += 3;
	}
}

/* Also what a destination repeats of a secret alone: the last part of a path, the token behind "Bearer". */
static void hide_parts(char *text, const char *secret, const char *separators)
{
	while (*secret) {
		size_t len = strcspn(secret, separators);

		if (len >= SECRET_PART_MIN)
			hide(text, secret, len);
		secret += len;
		secret += strspn(secret, separators);
	}
}

static void hide_url(char *text, const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;

	hide(text, url, strlen(url));
	if (!path)
		return;
	hide(text, path, strlen(path));
	hide_parts(text, path, "/?&=");
}

static void hide_header(char *text, const char *header)
{
	const char *value = strchr(header, ':');

	if (!value)
		return;
	value += 1 + strspn(value + 1, " ");
	hide(text, value, strlen(value));
	hide_parts(text, value, " ");
}

static void hide_secrets(char *text, const struct alert_secret *secret)
{
	hide_url(text, secret->url);
	hide(text, secret->token, strlen(secret->token));
	for (int i = 0; i < secret->secrets; i++)
		hide(text, secret->secret[i], strlen(secret->secret[i]));
	for (int i = 0; i < secret->headers; i++)
		hide_header(text, secret->header[i]);
}

bool job_fails(struct deliver_job *job, enum deliver_outcome outcome, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	job->outcome = outcome;
	vsnprintf(job->error, sizeof(job->error), fmt, args);
	va_end(args);
	return false;
}

void job_aborted(struct deliver_job *job)
{
	job_fails(job, DELIVER_ABORTED, "this process is stopping");
}

void job_quotes(struct deliver_job *job, const char *text, size_t len)
{
	size_t used = strlen(job->error), room = sizeof(job->error) - used;
	char line[LINE_READ_MAX], quoted[LINE_QUOTED_MAX + 1];

	answer_line(text, len, line, sizeof(line));
	hide_secrets(line, &job->channel->secret);
	answer_line(line, strlen(line), quoted, sizeof(quoted));
	if (quoted[0] && room > strlen(quoted) + 2)
		snprintf(job->error + used, room, ": %s", quoted);
}

void job_hide_secrets(struct deliver_job *job)
{
	hide_secrets(job->error, &job->channel->secret);
}
