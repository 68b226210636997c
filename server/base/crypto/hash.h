/* A hash that is part of stored data: its values never change. */
#ifndef BURSAR_BASE_CRYPTO_HASH_H
#define BURSAR_BASE_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 of the bytes under a fixed key, the same on every machine forever: partitions and the fingerprints of
 * requests depend on it. The key is public, so it does not protect against chosen collisions.
 */
uint64_t hash64(const void *p, size_t n);

/* The same with the caller's own key: hash tables inside one process use a random one. */
uint64_t hash64_keyed(const void *p, size_t n, uint64_t k0, uint64_t k1);

#endif
