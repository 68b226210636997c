# A Redis and a PostgreSQL for this checkout only: on unix sockets, without TCP, separate from the system's. Sourced by deploy/local.
# shellcheck shell=bash
: "${root:?}" "${var:?}"

state=          # directory of the data: var/, or as root the directory to which var/state links
sockets=        # directory of the stores' sockets: the same, unless its path is too long for a socket
pg_user=        # user that runs PostgreSQL if we are root, because it refuses to run as root
redis_socket=
pg_socket_dir=
pg_log=

as_pg() {
	if [ -n "$pg_user" ]; then
		(cd / && runuser -u "$pg_user" -- "$@")
	else
		"$@"
	fi
}

# Creates directory $1, and checks that we own it and that it is not a link.
own_directory() {
	if [ ! -d "$1" ]; then
		mkdir -m 711 "$1"
	fi
	if [ ! -O "$1" ] || [ -L "$1" ]; then
		die "$1 belongs to another user or is a link; remove it or rename it, then try again"
	fi
}

# The data is in var/. Only if root runs PostgreSQL as a user that cannot reach var/ (a checkout under /root), it is in /var/lib,
# which no system job cleans up, and var/state links there.
choose_state() {
	local hash before
	mkdir -p "$var"
	hash=$(printf %s "$var" | cksum)
	hash=${hash%% *}
	state=$var
	if [ "$(id -u)" = 0 ]; then
		pg_user=postgres
		id -u "$pg_user" >/dev/null 2>&1 || pg_user=nobody
	fi
	if ! as_pg test -x "$var" || { [ -n "$pg_user" ] && ! as_pg test -x "$root"; }; then
		state=${LOCAL_STATE:-/var/lib}/bursar-local-$hash
		before=/var/tmp/bursar-$(id -u)-$hash # the earlier place, in which the system deletes old files
		if [ -d "$before" ] && [ ! -d "$state" ] && [ -O "$before" ] && [ ! -L "$before" ]; then
			if [ -e "$before/postgres/data/postmaster.pid" ]; then
				state=$before
				say "the data is in $before, where the system deletes old files; to move it, run: deploy/local down, then deploy/local up"
			else
				mv "$before" "$state"
			fi
		elif [ ! -d "$state" ]; then
			say "PostgreSQL's user cannot reach $var: the data is in $state, and var/state links there"
		fi
		own_directory "$state"
		ln -sfn "$state" "$var/state"
	fi
	sockets=$state
	if ((${#state} > 70)); then
		sockets=/tmp/bursar-$(id -u)-$hash
		own_directory "$sockets"
	fi
	redis_socket=$sockets/redis/redis.sock
	pg_socket_dir=$sockets/postgres/run
	pg_log=$state/postgres/log
}

remove_state() {
	rm -rf "$state/redis" "$state/postgres"
	[ "$sockets" = "$state" ] || rm -rf "$sockets"
	[ "$state" = "$var" ] || rm -rf "$state"
}

# If sockets are not with the data, they get their own directories, open only to their owners.
make_socket_dirs() {
	mkdir -p "$sockets/redis" "$sockets/postgres"
	chmod 700 "$sockets/redis" "$sockets/postgres"
	[ -z "$pg_user" ] || chown "$pg_user:" "$sockets/postgres"
}

redis_pid() {
	local pid
	pid=$(cat "$var/run/redis.pid" 2>/dev/null) || return 1
	[[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == *redis* ]] && redis-cli -s "$redis_socket" ping >/dev/null 2>&1 && echo "$pid"
}

start_redis() {
	local i
	redis_pid >/dev/null && return 0
	make_socket_dirs
	mkdir -p "$state/redis"
	chmod 700 "$state/redis"
	redis-server --daemonize yes --pidfile "$var/run/redis.pid" --logfile "$var/log/redis.log" --dir "$state/redis" \
		--port 0 --unixsocket "$redis_socket" --unixsocketperm 700 \
		--appendonly yes --appendfsync everysec --maxmemory-policy noeviction --save ""
	for ((i = 0; i < 600; i++)); do
		[ "$(redis-cli -s "$redis_socket" ping 2>/dev/null)" = PONG ] && return 0
		sleep 0.1
	done
	echo "Redis did not answer on $redis_socket within 60 s; see $var/log/redis.log"
	return 1
}

stop_redis() {
	local pid
	pid=$(redis_pid) || return 0
	redis-cli -s "$redis_socket" shutdown >/dev/null 2>&1 || kill "$pid"
	wait_gone "$pid" 300
}

# The newest installed PostgreSQL.
pg_bin() {
	local found
	found=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$found/initdb" ] || return 1
	echo "$found"
}

# A cluster keeps the version that created it.
pg_cluster_bin() {
	local version
	version=$(as_pg cat "$state/postgres/data/PG_VERSION" 2>/dev/null) || { pg_bin; return; }
	[ -x "/usr/lib/postgresql/$version/bin/postgres" ] || return 1
	echo "/usr/lib/postgresql/$version/bin"
}

postgres_pid() {
	local pid
	pid=$(as_pg head -n 1 "$state/postgres/data/postmaster.pid" 2>/dev/null) || return 1
	[[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" == *"$state/postgres/data"* ]] && echo "$pid"
}

make_cluster() {
	local bin=$1
	mkdir -p "$state/postgres"
	chmod 700 "$state/postgres"
	[ -z "$pg_user" ] || chown "$pg_user:" "$state/postgres"
	# Created under another name and renamed, so that an interrupted initdb is not mistaken for a cluster.
	as_pg rm -rf "$state/postgres/new"
	as_pg "$bin/initdb" -D "$state/postgres/new" -U bursar --auth=trust -E UTF8 --locale=C.UTF-8
	as_pg mv "$state/postgres/new" "$state/postgres/data"
}

# A server that was killed leaves child processes for a moment, and PostgreSQL refuses to start beside them: hence the retries.
launch_postgres() {
	local bin=$1 tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		as_pg "$bin/pg_ctl" -D "$state/postgres/data" -l "$pg_log" -w -t 120 \
			-o "-c listen_addresses='' -c unix_socket_directories='$pg_socket_dir'" start && return 0
		echo "PostgreSQL did not start (attempt $tries of 10); its log ends:"
		as_pg tail -n 3 "$pg_log"
		sleep 1
	done
	return 1
}

start_postgres() {
	local bin
	bin=$(pg_cluster_bin) || { echo "/usr/lib/postgresql has no PostgreSQL that can use $state/postgres/data; install the version in its PG_VERSION"; return 1; }
	as_pg test -s "$state/postgres/data/PG_VERSION" || make_cluster "$bin"
	make_socket_dirs
	as_pg mkdir -p -m 700 "$pg_socket_dir"
	if ! postgres_pid >/dev/null; then
		launch_postgres "$bin"
	fi
	if ! as_pg "$bin/psql" -h "$pg_socket_dir" -U bursar -d postgres -Atc "select 1 from pg_database where datname = 'bursar'" | grep -q 1; then
		as_pg "$bin/createdb" -h "$pg_socket_dir" -U bursar bursar
	fi
}

stop_postgres() {
	local bin
	postgres_pid >/dev/null || return 0
	bin=$(pg_cluster_bin)
	as_pg "$bin/pg_ctl" -D "$state/postgres/data" -m fast -w -t 120 stop
}
