/* The parts of server/deliver: each sends a message in its own way, on one of the threads, and fills the job's answer in. */
#ifndef BURSAR_DELIVER_PRIVATE_H
#define BURSAR_DELIVER_PRIVATE_H

#include <stdatomic.h>

#include "base/conf/conf.h"
#include "deliver/taken.h"
#include "store/deliver.h"

/* What the threads share. */
struct sender {
	const struct conf *conf;
	atomic_bool stopping; /* what is being sent is to end at once */
	int stop_fd; /* readable from then on */
	struct taken taken;
};

/* The answer of a job that failed; returns false. The text may name what the destination has said, but no secret. */
bool job_fails(struct deliver_job *job, enum deliver_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The answer of a job that was ended because the process stops. */
void job_aborted(struct deliver_job *job);
/* Appends the first line of what a destination or a command has said to the error, as far as it is text. */
void job_quotes(struct deliver_job *job, const char *text, size_t len);
/* A destination may repeat what it was sent: takes the channel's secrets out of the error. */
void job_hide_secrets(struct deliver_job *job);

void http_send(struct sender *sender, struct deliver_job *job);
void smtp_send(struct sender *sender, struct deliver_job *job);
void command_run(struct sender *sender, struct deliver_job *job);

/* ERR_INVALID names the option: smtp_from, or alert_commands, whose programs must exist. */
bool smtp_options_check(const struct conf *conf, struct err *err) __attribute__((warn_unused_result));
bool command_options_check(const struct conf *conf, struct err *err) __attribute__((warn_unused_result));

#endif
