/* Unique random names. */
#ifndef BURSAR_BASE_CRYPTO_RANDOM_H
#define BURSAR_BASE_CRYPTO_RANDOM_H

/* 128 random bits from the kernel as 32 characters of 0-9 a-f, terminated. Aborts when the kernel has none. */
void random_id(char out[33]);

#endif
