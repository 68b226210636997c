#!/bin/bash
# The first instant of a day on which clocks go from 0:00 to 1:00: Cairo, 24 April 2026 (22:00 UTC the day before).
set -euo pipefail
dir=$(mktemp -d)
echo "Software: python-dateutil 2.9.0.post0, pendulum 3.3.0, arrow 1.4.0, pytz 2026.6 (PyPI); dayjs 1.11.23, luxon 3.7.2,"
echo "          date-fns 4.4.0 with @date-fns/tz 1.5.0, moment-timezone 0.6.6 (npm)"
echo "Guess:    'start of the day' is the first instant with the day's date, 22:00 UTC, in every library for time zones."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" python-dateutil==2.9.0.post0 pendulum==3.3.0 arrow==1.4.0 pytz==2026.6 tzdata==2026.6 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund dayjs@1.11.23 luxon@3.7.2 date-fns@4.4.0 @date-fns/tz@1.5.0 moment-timezone@0.6.6 >&2)
cat >"$dir/probe.py" <<'EOF'
import datetime, arrow, dateutil.tz, pendulum, pytz
from zoneinfo import ZoneInfo

zone, noon = "Africa/Cairo", datetime.datetime(2026, 4, 24, 10, tzinfo=datetime.timezone.utc)
midnight = dict(hour=0, minute=0)
cairo = pytz.timezone(zone)
for name, found in {
    "zoneinfo": noon.astimezone(ZoneInfo(zone)).replace(**midnight),
    "pytz": cairo.normalize(noon.astimezone(cairo).replace(**midnight)),
    "dateutil": noon.astimezone(dateutil.tz.gettz(zone)).replace(**midnight),
    "pendulum": pendulum.instance(noon).in_tz(zone).start_of("day"),
    "arrow": arrow.get(noon).to(zone).floor("day"),
}.items():
    print(f"{name}: {found.astimezone(datetime.timezone.utc):%H:%M}", end="  ")
EOF
cat >"$dir/probe.js" <<'EOF'
const zone = 'Africa/Cairo', noon = new Date('2026-04-24T10:00:00Z');
const dayjs = require('dayjs');
for (const plugin of ['utc', 'timezone']) dayjs.extend(require(`dayjs/plugin/${plugin}`));
const found = {
	dayjs: dayjs(noon).tz(zone).startOf('day'),
	luxon: require('luxon').DateTime.fromJSDate(noon, { zone }).startOf('day'),
	'date-fns': require('date-fns').startOfDay(new (require('@date-fns/tz').TZDate)(noon, zone)),
	moment: require('moment-timezone')(noon).tz(zone).startOf('day'),
};
console.log(Object.entries(found).map(([k, v]) => `${k}: ${new Date(+v).toISOString().slice(11, 16)}`).join('  '));
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py" && echo && cd "$dir" && TZ=UTC node probe.js)
echo "Seen:"
echo "$seen"
echo "Matters:  21:00 UTC is 23:00 of the day before: a quota that begins there counts an hour in two days, and a bot that shows it"
echo "          announces the reset an hour too early. Use the zone's transition itself, and test with Cairo, Beirut and Santiago"
echo "          instead of New York."
[ "$seen" = "zoneinfo: 22:00  pytz: 21:00  dateutil: 21:00  pendulum: 21:00  arrow: 22:00  
dayjs: 21:00  luxon: 22:00  date-fns: 22:00  moment: 22:00" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
