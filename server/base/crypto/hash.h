/* A hash that is written into stored data: its values never change. */
#ifndef BURSAR_BASE_CRYPTO_HASH_H
#define BURSAR_BASE_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 of the bytes under a fixed key, the same on every machine and for ever: partitions and fingerprints of
 * requests are stored by it. The key is public, so it is no defence against chosen collisions.
 */
uint64_t hash64(const void *p, size_t n);

/* The same under a key of the caller's: hash tables inside one process take a random one. */
uint64_t hash64_keyed(const void *p, size_t n, uint64_t k0, uint64_t k1);

#endif
