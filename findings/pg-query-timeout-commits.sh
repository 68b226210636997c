#!/bin/bash
# A write that the driver reports as timed out.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: pg 8.23.1 (npm) and, for comparison, asyncpg 0.32.0 (PyPI), on Debian's PostgreSQL 15"
echo "Guess:    when query_timeout has passed, the driver cancels the statement: what it reports as failed has not happened."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" asyncpg==0.32.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund pg@8.23.1 >&2)
pg=$(find /usr/lib/postgresql/*/bin/initdb | tail -1)
pg=${pg%/*}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
trap 'as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as "$pg/initdb" -D "$dir/pg" -A trust -U me >/dev/null
as "$pg/pg_ctl" -D "$dir/pg" -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c fsync=off" -w start >/dev/null
sql() { "$pg/psql" -AtqX -h "$dir/pg" -U me postgres -c "$1"; }
sql 'create table charge(driver text)'
cat >"$dir/probe.js" <<'EOF'
const { Pool } = require('pg');
const pool = new Pool({ host: process.argv[2], user: 'me', database: 'postgres', query_timeout: 300 });
pool.query("insert into charge select 'pg' from pg_sleep(1)").catch(e => console.log('pg:     ', e.message));
EOF
cat >"$dir/probe.py" <<'EOF'
import asyncio, asyncpg, sys

async def main():
    link = await asyncpg.connect(host=sys.argv[1], user="me", database="postgres", command_timeout=0.3)
    try:
        await link.execute("insert into charge select 'asyncpg' from pg_sleep(1)")
    except TimeoutError:
        print("asyncpg: TimeoutError")
    await asyncio.sleep(0.5)  # it cancels in the background: a process that ends at once has not cancelled

asyncio.run(main())
EOF
seen=$(
	(cd "$dir" && node probe.js "$dir/pg")
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" "$dir/pg"
	sleep 2
	sql "select 'written all the same: ' || string_agg(driver, ', ') from charge"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a ledger that is written through node-postgres with a timeout books what the driver reports as failed, and the retry"
echo "          books it twice. Only the server's statement_timeout ends a statement; a key that is generated before the first try makes"
echo "          the second one harmless."
[ "$seen" = "pg:      Query read timeout
asyncpg: TimeoutError
written all the same: pg" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
