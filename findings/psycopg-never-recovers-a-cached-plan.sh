#!/bin/bash
# A column is added to a table while a connection stays open.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: psycopg 3.3.9 and asyncpg 0.32.0 (PyPI), on Debian's PostgreSQL 15"
echo "Guess:    a driver that prepares statements automatically prepares them again after a migration has changed the table: one error"
echo "          at most."

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
seen=$(
	PYTHONPATH="$dir/py" python3 - "$dir/pg" <<-'EOF'
		import asyncio, asyncpg, psycopg, sys

		asked = dict(host=sys.argv[1], user="me")
		admin = psycopg.connect(**asked, dbname="postgres", autocommit=True)

		def tries(select):
		    def one():
		        try:
		            select()
		            return "answered"
		        except (psycopg.Error, asyncpg.PostgresError) as e:
		            return type(e).__name__
		    return [one() for _ in range(4)]

		def run(name, select):
		    admin.execute("drop table if exists tier")
		    admin.execute("create table tier(name text)")
		    for _ in range(6):  # psycopg prepares at the 6th time
		        select()
		    admin.execute("alter table tier add column priority int")
		    print(f"{name}:", *tries(select))

		sync = psycopg.connect(**asked, dbname="postgres", autocommit=True)
		run("psycopg", lambda: sync.execute("select * from tier").fetchall())
		loop = asyncio.new_event_loop()
		link = loop.run_until_complete(asyncpg.connect(**asked, database="postgres"))
		run("asyncpg", lambda: loop.run_until_complete(link.fetch("select * from tier")))
		never = psycopg.connect(**asked, dbname="postgres", autocommit=True, prepare_threshold=None)
		run("psycopg, prepare_threshold=None", lambda: never.execute("select * from tier").fetchall())
	EOF
)
echo "Seen:"
echo "$seen"
echo "Matters:  a migration under a running service breaks the most frequent statement, on every pooled connection, until each is"
echo "          closed: reconnect on 0A000, name the columns instead of *, or turn off automatic preparation."
[ "$seen" = "psycopg: FeatureNotSupported FeatureNotSupported FeatureNotSupported FeatureNotSupported
asyncpg: answered answered answered answered
psycopg, prepare_threshold=None: answered answered answered answered" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
