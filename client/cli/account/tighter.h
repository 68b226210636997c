/* Notes on standard error that a changed limit has no effect, because another one is tighter. */
#ifndef BURSAR_CLI_TIGHTER_H
#define BURSAR_CLI_TIGHTER_H

#include "cli/core/command.h"

/*
 * Whether `other` allows less within the window of `limit` than `limit` itself. With grace (percent, not 0): whether
 * `other` is a bucket, which grace does not raise, and `limit` a calendar limit, which it does.
 */
bool limit_is_tighter(const Bursar__V1__Limit *other, const Bursar__V1__Limit *limit, int grace_percent);

/* Compares the limits that were given with all that are now in force. */
void tell_tighter(Bursar__V1__Limit *const *given, size_t given_count, Bursar__V1__Limit *const *all, size_t count,
	int grace_percent);
/* The same for an account: its own limits and its tier's. Says nothing when the key may not look. */
void tell_tighter_of(struct cli *cli, Bursar__V1__AccountRef *ref, Bursar__V1__Limit *const *given, size_t given_count,
	int grace_percent);

#endif
