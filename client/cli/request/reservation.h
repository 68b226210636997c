/* Reads which reservation a command is about. */
#ifndef BURSAR_CLI_RESERVATION_H
#define BURSAR_CLI_RESERVATION_H

#include "cli/core/command.h"

/* Reads HANDLE, or the options that replace it; false with cli->err. */
bool read_reservation(struct cli *cli, Bursar__V1__ReservationRef *ref);

#endif
