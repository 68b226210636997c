/* Says when an outbox gets an entry, so that the ledger role need not keep asking. Private to the outbox store. */
#ifndef BURSAR_REDIS_LIMITS_BELL_H
#define BURSAR_REDIS_LIMITS_BELL_H

#include <stdbool.h>

struct redis_bell;
struct redis_options;

/* Does not connect yet. The options are those of a link that was created. */
struct redis_bell *redis_bell_new(const struct redis_options *options);
/* outbox_store_ops.when_any */
bool redis_bell_await(struct redis_bell *bell, void (*rung)(void *arg), void *arg);
/* No callback runs afterwards; the memory is freed when the loop has run once more. */
void redis_bell_free(struct redis_bell *bell);

#endif
