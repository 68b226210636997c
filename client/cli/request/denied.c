/* Shows a denial: what it means, and what ends it (denied.h). */
#include "cli/request/denied.h"

#include "cli/common/view.h"
#include "cli/text/format.h"

/*
 * Shows which account is suspended or deleted, and what ends that. If the caller may not see its name, only an admin
 * can.
 */
static void show_closed(struct cli *cli, const Bursar__V1__CheckResponse *answer)
{
	const Bursar__V1__LimitStatus *closed = answer->binding;
	const char *kind = kind_name(closed->account_kind);
	bool user = closed->account_kind == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
	bool suspended = answer->reason == BURSAR__V1__REASON__REASON_SUSPENDED;
	const char *end = suspended ? "ends the suspension" : "restores it";

	view_field(cli, "account", "%s%s%s", kind, closed->account_id[0] ? " " : "", closed->account_id);
	if (closed->account_id[0])
		view_field(cli, "retry", "not automatically: 'bursar account %s %s%s%s' %s",
			suspended ? "unsuspend" : "put", closed->account_id, user ? "" : " --kind ", user ? "" : kind,
			end);
	else
		view_field(cli, "retry", "not automatically: an admin %s", end);
}

/* Why waiting does not help. */
static const char *never_because(Bursar__V1__Reason reason)
{
	switch (reason) {
	case BURSAR__V1__REASON__REASON_SUSPENDED: /* an older server does not say which account */
	case BURSAR__V1__REASON__REASON_DELETED:
		return "not automatically: an admin can end that";
	case BURSAR__V1__REASON__REASON_UNKNOWN_USER:
		return "not automatically: 'bursar account put' creates the account";
	case BURSAR__V1__REASON__REASON_REQUEST_CLOSED:
		return "never with this id: check again with a new --id";
	default:
		return "never: the request is larger than the limit allows";
	}
}

void view_denied(struct cli *cli, const Bursar__V1__CheckResponse *answer, int64_t now_us)
{
	struct buf text = {0};

	if (answer->message[0])
		view_field(cli, "message", "%s", answer->message);
	if (answer->repeat) {
		put_enum(&text, &bursar__v1__reservation_state__descriptor, (int)answer->state, "RESERVATION_STATE_");
		buf_put_str(&text, ": this id was already allowed and no longer holds anything");
		view_field_buf(cli, "repeat", &text);
	}
	if (answer->permanent && answer->binding && !answer->binding->limit) {
		show_closed(cli, answer);
	} else if (answer->permanent) {
		view_field(cli, "retry", "%s", never_because(answer->reason));
	} else if (answer->retry_after_us > 0) {
		buf_put_str(&text, "in ");
		put_duration(&text, answer->retry_after_us);
		buf_put_str(&text, ", at ");
		put_time(&text, now_us + answer->retry_after_us + 999999); /* it is truncated to seconds */
		view_field_buf(cli, "retry", &text);
	}
	buf_release(&text);
}
