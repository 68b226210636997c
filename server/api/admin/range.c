/* Which days and lines a report is asked for (api/admin/private.h). */
#include "api/admin/private.h"
#include "base/units.h"
#include "domain/time/date.h"

/* Reads a month such as "2026-11"; empty = the month of now_us in UTC. */
static bool month_read(const char *text, int64_t now_us, int64_t *from_day, int64_t *to_day, struct err *err)
{
	*from_day = date_month(floor_div(now_us, DAY_US));
	if (text[0] && !date_parse_month(text, "month", from_day, err))
		return false;
	*to_day = date_next_month(*from_day) - 1;
	return true;
}

bool admin_range_read(
	const struct admin_range *range, int64_t now_us, int64_t *from_day, int64_t *to_day, struct err *err)
{
	if (!range->from_day[0] && !range->to_day[0])
		return month_read(range->month, now_us, from_day, to_day, err);
	if (range->month[0])
		return err_invalid(err, "month", "must be omitted when from_day is given");
	if (!range->from_day[0])
		return err_invalid(err, "from_day", "must be given with to_day");
	*to_day = floor_div(now_us, DAY_US);
	if (!date_parse(range->from_day, "from_day", from_day, err) ||
		(range->to_day[0] && !date_parse(range->to_day, "to_day", to_day, err)))
		return false;
	if (*to_day < *from_day)
		return err_invalid(err, "to_day", "is before from_day");
	if (*to_day - *from_day >= REPORT_DAYS_MAX)
		return err_invalid(err, "to_day", "is more than %d days after from_day", REPORT_DAYS_MAX - 1);
	return true;
}

bool admin_report_keys_read(
	const Bursar__V1__ReportKey *keys, size_t count, enum account_kind kind, unsigned *by, struct err *err)
{
	static const unsigned bits[] = {[BURSAR__V1__REPORT_KEY__REPORT_KEY_DAY] = BY_DAY,
		[BURSAR__V1__REPORT_KEY__REPORT_KEY_MODEL] = BY_MODEL,
		[BURSAR__V1__REPORT_KEY__REPORT_KEY_INTERFACE] = BY_INTERFACE,
		[BURSAR__V1__REPORT_KEY__REPORT_KEY_USER] = BY_USER,
		[BURSAR__V1__REPORT_KEY__REPORT_KEY_TIER] = BY_TIER};

	*by = 0;
	for (size_t i = 0; i < count; i++) {
		if (keys[i] == BURSAR__V1__REPORT_KEY__REPORT_KEY_UNSPECIFIED)
			return err_invalid(err, "by", "must be day, model, interface, user or tier");
		*by |= bits[keys[i]];
	}
	if (*by & BY_USER && kind != ACCOUNT_TENANT && kind != ACCOUNT_USER)
		return err_invalid(err, "by",
			"only a tenant has a report by user; the ledger of a %s does not name its users",
			account_kind_name(kind));
	if (*by & BY_TIER && kind != ACCOUNT_TENANT)
		return err_invalid(err, "by", "only a tenant has a report by tier");
	if (*by & BY_TIER && *by & BY_USER)
		return err_invalid(err, "by", "must not be both user and tier");
	return true;
}
