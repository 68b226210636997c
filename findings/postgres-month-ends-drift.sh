#!/bin/bash
# Monthly renewals of an account that began on a 31st.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: PostgreSQL 15 (Debian); python-dateutil 2.9.0.post0 (PyPI)"
echo "Guess:    generate_series from 31 January by one month gives the last day of each month, or at least the 31st if the month has"
echo "          one."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" python-dateutil==2.9.0.post0 >&2
pg=$(find /usr/lib/postgresql/*/bin/initdb | tail -1)
pg=${pg%/*}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
trap 'as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as "$pg/initdb" -D "$dir/pg" -A trust -U me >/dev/null
as "$pg/pg_ctl" -D "$dir/pg" -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c fsync=off" -w start >/dev/null
seen=$(
	"$pg/psql" -AtX -h "$dir/pg" -U me postgres <<-'EOF'
		select 'generate_series:  ' || string_agg(to_char(d, 'DD.MM.'), ' ') from generate_series(timestamp '2027-01-31', '2027-05-31', '1 month') d;
		select 'start + n months: ' || string_agg(to_char(timestamp '2027-01-31' + n * interval '1 month', 'DD.MM.'), ' ') from generate_series(0, 4) n;
	EOF
	PYTHONPATH="$dir/py" python3 -c "
from datetime import datetime; from dateutil import rrule
print('dateutil rrule:  ', *[d.strftime('%d.%m.') for d in rrule.rrule(rrule.MONTHLY, dtstart=datetime(2027, 1, 31), count=5)])"
)
echo "Seen:"
echo "$seen"
echo "Matters:  three ways of computing the same renewals give three calendars: one slides to the 28th for good, one skips months (a"
echo "          quota that is not renewed in February). Count months from the first date each time, and store that date."
[ "$seen" = "generate_series:  31.01. 28.02. 28.03. 28.04. 28.05.
start + n months: 31.01. 28.02. 31.03. 30.04. 31.05.
dateutil rrule:   31.01. 31.03. 31.05. 31.07. 31.08." ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
