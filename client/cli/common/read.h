/* What several commands read from the command line alike. */
#ifndef BURSAR_CLI_READ_H
#define BURSAR_CLI_READ_H

#include "cli/core/command.h"

/* Reads the first argument, --tenant and --kind. */
void read_account_ref(struct cli *cli, Bursar__V1__AccountRef *ref);

/*
 * Reads LIMIT arguments from the nth on into a new list of `count` limits; false with cli->err. Free with limits_free,
 * which is right for what an earlier failure left, too.
 */
bool limits_read(struct cli *cli, int n, Bursar__V1__Limit ***limits, size_t *count);
void limits_free(Bursar__V1__Limit **limits, size_t count);
/* Does the new limit take the old one's place? By its name, or, without one, by what it counts and when. */
bool limit_takes_place(const Bursar__V1__Limit *new, const Bursar__V1__Limit *old);
/* The end that --for or --until give to the limits that name none. */
void limits_end(struct cli *cli, Bursar__V1__Limit **limits, size_t count);

/* Reads the JSON file of -f as a message of `descriptor` (bursar_free); NULL with cli->err. */
void *read_json_file(struct cli *cli, const ProtobufCMessageDescriptor *descriptor);

#endif
