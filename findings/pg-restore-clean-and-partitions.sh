#!/bin/bash
# A dump is restored over the database from which it was made.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: Debian 12's PostgreSQL 15 (pg_dump, pg_restore)"
echo "Guess:    'pg_restore --clean --if-exists' resets a database to the dump, whatever the database contains."

pg=$(find /usr/lib/postgresql/15/bin/initdb)
pg=${pg%/*}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
trap 'as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as "$pg/initdb" -D "$dir/pg" -A trust -U me >/dev/null
as "$pg/pg_ctl" -D "$dir/pg" -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c fsync=off" -w start >/dev/null
to=(-h "$dir/pg" -U me)
sql() { "$pg/psql" "${to[@]}" -d "$1" -qAt -v ON_ERROR_STOP=1 -c "$2"; }

run() { # name, the table's statements
	"$pg/createdb" "${to[@]}" "$1"
	sql "$1" "$2"
	sql "$1" "insert into usage values ('2026-11-01', 'ann')"
	"$pg/pg_dump" "${to[@]}" -Fc -f "$dir/$1.dump" "$1"
	sql "$1" "delete from usage"
	"$pg/pg_restore" "${to[@]}" -d "$1" --clean --if-exists "$dir/$1.dump" 2>"$dir/$1.errors" && code=0 || code=$?
	echo "$1: exit $code, $(sql "$1" 'select count(*) from usage') row; $(sed -n 's/^pg_restore: error: could not execute query: ERROR:  //p' "$dir/$1.errors" | head -1)"
}
seen=$(
	run plain "create table usage(day date, id text, primary key (day, id))"
	run partitioned "create table usage(day date, id text, primary key (day, id)) partition by range (day);
		create table november partition of usage for values from ('2026-11-01') to ('2026-12-01')"
	sql partitioned "delete from usage"
	"$pg/pg_restore" "${to[@]}" -d partitioned --clean --if-exists --single-transaction "$dir/partitioned.dump" 2>/dev/null && code=0 || code=$?
	echo "partitioned, --single-transaction: exit $code, $(sql partitioned 'select count(*) from usage') rows"
	"$pg/createdb" "${to[@]}" fresh
	"$pg/pg_restore" "${to[@]}" -d fresh "$dir/partitioned.dump" && echo "partitioned, into a new database: exit 0, $(sql fresh 'select count(*) from usage') row"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a ledger is partitioned by day: its backup can be restored into a new database, or after dropping the schema. In one"
echo "          transaction, as a careful operator would type it, nothing at all is restored; a rehearsal with a new database does not"
echo "          show this."
[ "$seen" = 'plain: exit 0, 1 row; 
partitioned: exit 1, 1 row; cannot drop inherited constraint "november_pkey" of relation "november"
partitioned, --single-transaction: exit 1, 0 rows
partitioned, into a new database: exit 0, 1 row' ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
