/* The partitions that accounts and what happens to them are spread over: a Redis slot and an outbox each. */
#ifndef BURSAR_DOMAIN_RECORD_PARTITION_H
#define BURSAR_DOMAIN_RECORD_PARTITION_H

#include "domain/limit/account.h"

/* Stored: keys in Redis carry the partition, so the number never changes. */
#define PARTITIONS 256

/* The partition that holds an account's record and its outbox entries. All requests of a user are in the user's partition. */
int partition_of(enum account_kind kind, const char *tenant, const char *id);

#endif
