/* Records and events as they usually are. A test changes the fields that it is about. */
#ifndef TESTS_LIB_EXAMPLES_H
#define TESTS_LIB_EXAMPLES_H

#include "base/arena.h"
#include "domain/record/entry.h"
#include "domain/watch.h"

/*
 * A record of an outbox: tenant "t", one request with 10 input and 5 output tokens for 1,000 nano-USD, on a user with one
 * calendar limit (id 7) and one bucket (id 9).
 */
void entry_example(struct entry *entry, struct arena *arena, const char *user, const char *request_id);

/* What a watcher is told of a request on the interface web: allowed if it is a check. */
struct watch_event watch_event_example(enum watch_kind kind, const char *user, int64_t at_us);

#endif
