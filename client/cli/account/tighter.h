/* A change of a limit that another one keeps from its effect: said on standard error, as a note. */
#ifndef BURSAR_CLI_TIGHTER_H
#define BURSAR_CLI_TIGHTER_H

#include "cli/core/command.h"

/*
 * Does `other` let less pass in the window of `limit` than that does? With grace (percent, not 0): a bucket, which grace does
 * not raise, beside a calendar limit, which it does.
 */
bool limit_is_tighter(const Bursar__V1__Limit *other, const Bursar__V1__Limit *limit, int grace_percent);

/* Of those that were given, and of all that are in force now. */
void tell_tighter(Bursar__V1__Limit *const *given, size_t given_count, Bursar__V1__Limit *const *all, size_t count,
	int grace_percent);
/* The same of an account: of its own limits and its tier's. Says nothing where the key may not look. */
void tell_tighter_of(struct cli *cli, Bursar__V1__AccountRef *ref, Bursar__V1__Limit *const *given, size_t given_count,
	int grace_percent);

#endif
