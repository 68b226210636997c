/*
 * Which recipients have taken which e-mail, for some time: the next attempt, for those who were greylisted, leaves them out. Forgetting one
 * (a restart, another process) means a second copy with the same Message-ID.
 */
#ifndef BURSAR_DELIVER_TAKEN_H
#define BURSAR_DELIVER_TAKEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAKEN_MAX = 1024 };
struct taken {
	pthread_mutex_t lock;
	uint64_t hash[TAKEN_MAX]; /* the oldest is overwritten */
	unsigned next;
};

void taken_init(struct taken *taken);
void taken_add(struct taken *taken, const char *message_id, const char *address, size_t len);
bool taken_has(struct taken *taken, const char *message_id, const char *address, size_t len);

#endif
