#!/bin/bash
# The first instant of a day that begins twice: Azores, 25 October 2026, 0:00 at 0:00 UTC and again at 1:00 UTC.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: tzdata 2026.6, pytz 2026.6, pendulum 3.3.0, croniter 7.0.0 (PyPI); luxon 3.7.2, moment-timezone 0.6.6,"
echo "          @js-temporal/polyfill 0.5.1, cron-parser 5.10.6, croner 11.0.1 (npm); PostgreSQL 15 (Debian)"
echo "Guess:    the day starts at the first of the two; a daily job at midnight runs once."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" pendulum==3.3.0 pytz==2026.6 tzdata==2026.6 croniter==7.0.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund luxon@3.7.2 moment-timezone@0.6.6 @js-temporal/polyfill@0.5.1 cron-parser@5.10.6 croner@11.0.1 >&2)
pg=$(find /usr/lib/postgresql/*/bin/initdb | tail -1)
pg=${pg%/*}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
trap 'as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as "$pg/initdb" -D "$dir/pg" -A trust -U me >/dev/null
as "$pg/pg_ctl" -D "$dir/pg" -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c fsync=off" -w start >/dev/null
cat >"$dir/probe.py" <<'EOF'
import datetime, pendulum, pytz
from croniter import croniter
from zoneinfo import ZoneInfo

zone, noon, utc = "Atlantic/Azores", datetime.datetime(2026, 10, 25, 12, tzinfo=datetime.timezone.utc), datetime.timezone.utc
jobs = croniter("0 0 * * *", datetime.datetime(2026, 10, 24, 12, tzinfo=ZoneInfo(zone)))
runs = [jobs.get_next(datetime.datetime).astimezone(utc) for _ in range(3)]
for name, found in {
    "zoneinfo": [noon.astimezone(ZoneInfo(zone)).replace(hour=0)],
    "pytz": [pytz.timezone(zone).localize(datetime.datetime(2026, 10, 25))],
    "pendulum": [pendulum.instance(noon).in_tz(zone).start_of("day")],
    "croniter": [r for r in runs if r.day == 25],
}.items():
    print(f"{name}:", *[f"{f.astimezone(utc):%H:%M}" for f in found], end="  ")
EOF
cat >"$dir/probe.js" <<'EOF'
const zone = 'Atlantic/Azores', noon = new Date('2026-10-25T12:00:00Z'), before = new Date('2026-10-24T12:00:00Z');
const found = {
	luxon: require('luxon').DateTime.fromJSDate(noon, { zone }).startOf('day').toMillis(),
	moment: +require('moment-timezone')(noon).tz(zone).startOf('day'),
	temporal: require('@js-temporal/polyfill').Temporal.Instant.fromEpochMilliseconds(+noon).toZonedDateTimeISO(zone).startOfDay().epochMilliseconds,
	'cron-parser': +require('cron-parser').CronExpressionParser.parse('0 0 * * *', { tz: zone, currentDate: before }).next().toDate(),
	croner: +new (require('croner').Cron)('0 0 * * *', { timezone: zone, paused: true }).nextRun(before),
};
console.log(Object.entries(found).map(([k, v]) => `${k}: ${new Date(v).toISOString().slice(11, 16)}`).join('  '));
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" && echo && cd "$dir" && TZ=UTC node probe.js
	"$pg/psql" -AtX -h "$dir/pg" -U me postgres -c "select 'PostgreSQL date_trunc: ' ||
		to_char(date_trunc('day', timestamptz '2026-10-25 12:00Z', 'Atlantic/Azores') at time zone 'UTC', 'HH24:MI')"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a limiter and the reports of its ledger put the same hour into different days if one counts in Python and the other in"
echo "          SQL, and a job that resets quotas at midnight does so twice. Store boundaries as instants, computed in one place."
[ "$seen" = "zoneinfo: 00:00  pytz: 01:00  pendulum: 00:00  croniter: 00:00 01:00  
luxon: 01:00  moment: 01:00  temporal: 00:00  cron-parser: 01:00  croner: 00:00
PostgreSQL date_trunc: 01:00" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
