#!/bin/bash
# A time zone with a spelling mistake, and one with an offset.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: PostgreSQL 15 (Debian)"
echo "Guess:    a zone that does not exist is refused, so PostgreSQL can validate what a user typed; UTC+3 is three hours ahead of UTC."

pg=$(find /usr/lib/postgresql/*/bin/initdb | tail -1)
pg=${pg%/*}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
trap 'as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as "$pg/initdb" -D "$dir/pg" -A trust -U me >/dev/null
as "$pg/pg_ctl" -D "$dir/pg" -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c fsync=off" -w start >/dev/null
sql() { "$pg/psql" -AtX -h "$dir/pg" -U me postgres -c "$1" 2>&1; }
seen=$(
	for zone in Europe/Moscow Moskow Moskow+3 UTC+3; do
		printf 'noon in %-14s is %s\n' "$zone" "$(sql "select to_char((timestamp '2026-06-01 12:00' at time zone '$zone') at time zone 'UTC', 'HH24:MI') || ' UTC'")"
	done
	echo "set timezone = 'Berln-1' answers $(sql "set timezone = 'Berln-1'")"
)
echo "Seen:"
echo "$seen"
echo "Matters:  each account's day begins according to its zone. PostgreSQL accepts any letters followed by a number (POSIX), and counts"
echo "          them westwards: the user who typed UTC+3 gets their quota back six hours late. Look names up in a list of zones, not in"
echo "          PostgreSQL."
[ "$seen" = "noon in Europe/Moscow  is 09:00 UTC
noon in Moskow         is ERROR:  time zone \"Moskow\" not recognized
noon in Moskow+3       is 15:00 UTC
noon in UTC+3          is 15:00 UTC
set timezone = 'Berln-1' answers SET" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
