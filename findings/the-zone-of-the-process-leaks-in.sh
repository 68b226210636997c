#!/bin/bash
# Midnight in New York, computed by processes in other time zones.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: dayjs 1.11.23, date-fns 4.4.0 with @date-fns/tz 1.5.0, luxon 3.7.2 (npm)"
echo "Guess:    a library that is given the zone returns the same instant wherever the process runs; the TZ of the container does not"
echo "          matter."

trap 'rm -rf "$dir"' EXIT
(cd "$dir" && npm install --silent --no-audit --no-fund dayjs@1.11.23 date-fns@4.4.0 @date-fns/tz@1.5.0 luxon@3.7.2 >&2)
cat >"$dir/probe.js" <<'EOF'
const dayjs = require('dayjs');
for (const plugin of ['utc', 'timezone']) dayjs.extend(require(`dayjs/plugin/${plugin}`));
const { TZDate } = require('@date-fns/tz');
const day = (zone, at) => ({
	dayjs: dayjs(new Date(at)).tz(zone).startOf('day'),
	'date-fns': require('date-fns').startOfDay(new TZDate(new Date(at), zone)),
	luxon: require('luxon').DateTime.fromISO(at, { zone }).startOf('day'),
});
for (const [zone, at] of [['America/New_York', '2026-03-08T15:00:00Z'], ['Atlantic/Azores', '2026-10-25T12:00:00Z']])
	console.log(`  ${zone} ${at.slice(0, 10)}:`, Object.entries(day(zone, at)).map(([k, v]) => `${k} ${new Date(+v).toISOString().slice(11, 16)}`).join(', '));
EOF
seen=$(
	cd "$dir"
	for zone in UTC America/Los_Angeles; do
		echo "in a process with TZ=$zone the day begins, in UTC:"
		TZ=$zone node probe.js
	done
)
echo "Seen:"
echo "$seen"
echo "Matters:  on one day a year the day begins two hours early in New York because the process lives in Los Angeles: tests on a CI in"
echo "          UTC never see this. Run the servers in UTC, and test date code under two zones."
[ "$seen" = "in a process with TZ=UTC the day begins, in UTC:
  America/New_York 2026-03-08: dayjs 05:00, date-fns 05:00, luxon 05:00
  Atlantic/Azores 2026-10-25: dayjs 00:00, date-fns 00:00, luxon 01:00
in a process with TZ=America/Los_Angeles the day begins, in UTC:
  America/New_York 2026-03-08: dayjs 03:00, date-fns 05:00, luxon 05:00
  Atlantic/Azores 2026-10-25: dayjs 01:00, date-fns 01:00, luxon 01:00" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
