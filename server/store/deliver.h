/* Sends one message to one destination: what the alerts role needs of whoever can (server/deliver). */
#ifndef BURSAR_STORE_DELIVER_H
#define BURSAR_STORE_DELIVER_H

#include <stdint.h>

#include "domain/alert/message/message.h"

enum deliver_outcome {
	DELIVER_DONE, /* the destination has taken it */
	DELIVER_RETRY, /* it may take it later: no answer, 408, 425, 429, 5xx, SMTP 4xx, a command that failed */
	DELIVER_DEAD, /* it never will: other answers, a refused address, a bad certificate is RETRY (it may be renewed) */
	DELIVER_ABORTED /* it had no time to answer: this process stops */
};

/* Embedded by the caller; alive until `done` has run: once, on the loop, after `start` has returned. */
struct deliver_job {
	/* in */
	const struct alert_channel *channel;
	const struct alert_message *message;
	const char *message_id; /* webhook-id */
	int64_t now_us; /* webhook-timestamp: of this attempt */
	void (*done)(struct deliver_job *job);
	/* out */
	enum deliver_outcome outcome;
	int status; /* of HTTP or SMTP, or a command's exit code; 0: there was no answer */
	int64_t retry_after_us; /* what the destination asked for, by header or, for Discord and Telegram, in its body; 0: nothing */
	char error[256]; /* what went wrong, without secrets; "" when done */
	int64_t took_us;
	void *impl[4];
};

struct deliverer {
	void (*start)(struct deliverer *deliverer, struct deliver_job *job);
};

#endif
