/* Names that nobody has used before. */
#ifndef BURSAR_BASE_CRYPTO_RANDOM_H
#define BURSAR_BASE_CRYPTO_RANDOM_H

/* 128 random bits of the kernel's as 32 characters of 0-9 a-f, terminated. Never fails: aborts where there are none. */
void random_id(char out[33]);

#endif
