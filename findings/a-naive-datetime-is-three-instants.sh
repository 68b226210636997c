#!/bin/bash
# The same datetime without a zone, sent to the same timestamptz.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: psycopg 3.3.9 and asyncpg 0.32.0 (PyPI), on Debian's PostgreSQL 15"
echo "Guess:    either both drivers refuse a datetime without a zone for a timestamptz, or both let the server read it in the session's"
echo "          zone."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" 'psycopg[binary]==3.3.9' asyncpg==0.32.0 >&2
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
import asyncio, asyncpg, datetime, psycopg, sys

noon = datetime.datetime(2026, 3, 1, 12)
zone = "America/New_York"  # of the session
with psycopg.connect(host=sys.argv[1], user="me", dbname="postgres") as link:
    link.execute(f"set timezone = '{zone}'")
    got = link.execute("select (%s::timestamptz at time zone 'UTC')::text", [noon]).fetchone()[0]
    print("  psycopg writes", got, "UTC")

async def main():
    link = await asyncpg.connect(host=sys.argv[1], user="me", database="postgres", server_settings={"timezone": zone})
    print("  asyncpg writes", await link.fetchval("select ($1::timestamptz at time zone 'UTC')::text", noon), "UTC")

asyncio.run(main())
EOF
seen=$(
	for zone in UTC Asia/Tokyo; do
		echo "2026-03-01 12:00 from a process in $zone, session in New York:"
		TZ=$zone PYTHONPATH="$dir/py" python3 "$dir/probe.py" "$dir/pg"
	done
)
echo "Seen:"
echo "$seen"
echo "Matters:  the day on which a request is booked, or a quota ends, depends on the driver, and with one of them on the TZ of the"
echo "          container. Nothing is refused. Make every datetime aware before it reaches a driver."
[ "$seen" = "2026-03-01 12:00 from a process in UTC, session in New York:
  psycopg writes 2026-03-01 17:00:00 UTC
  asyncpg writes 2026-03-01 12:00:00 UTC
2026-03-01 12:00 from a process in Asia/Tokyo, session in New York:
  psycopg writes 2026-03-01 17:00:00 UTC
  asyncpg writes 2026-03-01 03:00:00 UTC" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
