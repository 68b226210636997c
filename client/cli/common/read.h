/* Command-line arguments that several commands share. */
#ifndef BURSAR_CLI_READ_H
#define BURSAR_CLI_READ_H

#include "cli/core/command.h"

/* Reads the first argument, --tenant and --kind. */
void read_account_ref(struct cli *cli, Bursar__V1__AccountRef *ref);

/*
 * Reads LIMIT arguments from the nth on into a new list of `count` limits; false with cli->err. Free with limits_free,
 * also after a failure.
 */
bool limits_read(struct cli *cli, int n, Bursar__V1__Limit ***limits, size_t *count);
void limits_free(Bursar__V1__Limit **limits, size_t count);
/* Whether the new limit replaces the old one: by name, or, without a name, by what it counts and when. */
bool limit_takes_place(const Bursar__V1__Limit *new, const Bursar__V1__Limit *old);
/* Applies the end from --for or --until to limits that have none. */
void limits_end(struct cli *cli, Bursar__V1__Limit **limits, size_t count);

/* Reads the JSON file of -f as a message of `descriptor` (bursar_free); NULL with cli->err. */
void *read_json_file(struct cli *cli, const ProtobufCMessageDescriptor *descriptor);

#endif
