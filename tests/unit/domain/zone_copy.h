/* Time zone files in a folder of the test's own. */
#ifndef TESTS_UNIT_DOMAIN_ZONE_COPY_H
#define TESTS_UNIT_DOMAIN_ZONE_COPY_H

#include <stdbool.h>

/*
 * Puts the system's zone `as` into the folder under `name`, as a package manager does: it writes a file next to it, then
 * renames that. False if the system has no such zone.
 */
bool zone_copy(const char *folder, const char *name, const char *as);

#endif
