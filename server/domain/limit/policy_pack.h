/* A policy as bytes: what the store keeps and the pid hashes. docs/store.md has the layout. */
#ifndef BURSAR_DOMAIN_LIMIT_POLICY_PACK_H
#define BURSAR_DOMAIN_LIMIT_POLICY_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/limit/limit.h"

/* Appends the packed form of a prepared policy to `out`. */
void policy_pack(const struct policy *policy, struct buf *out);

/*
 * Unpacks a policy and computes its pid. Names and selector texts are not in the bytes and stay empty (ids and hashes
 * are there); of a bucket's amount and period only the ratio is known: they come out reduced, burst is exact.
 * False, and `out` untouched, when the bytes are not exactly one policy.
 */
bool policy_unpack(const uint8_t *data, size_t len, struct policy *out);

/* The pid of packed bytes. */
void policy_pid(const void *packed, size_t len, uint8_t pid[8]);

#endif
