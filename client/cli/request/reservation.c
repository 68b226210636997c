/* Reads which reservation a command is about (reservation.h). */
#include "cli/request/reservation.h"

bool read_reservation(struct cli *cli, Bursar__V1__ReservationRef *ref)
{
	bursar__v1__reservation_ref__init(ref);
	ref->handle = (char *)cli_arg(cli, 0);
	ref->tenant = (char *)option_text(cli, "tenant");
	ref->user = (char *)option_text(cli, "user");
	ref->request_id = (char *)option_text(cli, "id");
	ref->started_at_us = option_number(cli, "started-at", 0);
	if (ref->handle[0] && !option_given(cli, "tenant"))
		ref->tenant = ""; /* the handle names the tenant, whatever the profile says */
	if (ref->handle[0] && (ref->user[0] || ref->request_id[0] || ref->started_at_us || ref->tenant[0]))
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE already identifies the request: leave out --tenant, --user, --id and --started-at");
	if (!ref->handle[0] && !ref->user[0])
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE is missing: give what 'bursar check' printed, or --user and --id");
	return true;
}
