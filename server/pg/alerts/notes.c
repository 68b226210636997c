/* Notes facts for the alerts role, by which a worker or another role tells it something (store/admin_alerts.h). */
#include "pg/admin/admin.h"
#include "pg/alerts/alerts.h"

enum { NOTE_FIELDS = 5, NOTE_COLUMNS = 20 };

/* Nobody reads notes where no process has had the role for a day. */
static const char notes_sql[] =
	"INSERT INTO alert_notes (at, tenant, kind, account_kind, account" ALERT_FIELD_NAMES
	") SELECT n.* FROM unnest($1, $2, "
	"$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) n WHERE alerts_live()";

bool admin_alert_notes(struct alert_notes *op, struct pg_link *link, struct err *err)
{
	static const enum pg_type types[NOTE_FIELDS] = {PG_TIME, PG_TEXT, PG_INT2, PG_INT2, PG_TEXT};
	PG_ARGS args = {0};

	for (int i = 0; i < NOTE_FIELDS; i++)
		pg_arg_array(&args, types[i]);
	args_alert_fields(&args);
	_Static_assert(
		NOTE_COLUMNS == NOTE_FIELDS + ALERT_FIELD_COUNT, "the statement has a parameter for each column");
	for (int i = 0; i < op->count; i++) {
		const struct alert_event *note = &op->note[i];

		pg_array_int(&args, 0, note->at_us);
		pg_array_text(&args, 1, note->tenant);
		pg_array_int(&args, 2, note->kind);
		pg_array_int(&args, 3, note->account_kind);
		pg_array_text(&args, 4, note->account);
		args_alert_event(&args, NOTE_FIELDS, note);
	}
	return pg_exec(link, notes_sql, &args, err);
}
