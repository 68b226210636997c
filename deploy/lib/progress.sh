# Messages and progress for the person who waits. Sourced by deploy/local and tests/run.
# shellcheck shell=bash

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# progress TEXT LOG COMMAND...: runs the command in a subshell, with its output in LOG. Prints TEXT after 2 s and the progress every
# 10 s. If the command fails, prints the end of the log and exits with 1.
progress() {
	local text=$1 log=$2 pid tenths=0 status=0
	shift 2
	printf -- '--- %s\n' "$text" >>"$log"
	("$@") >>"$log" 2>&1 9>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		((++tenths <= 20)) || ((tenths % 100)) || say "$text: $((tenths / 10)) s $(progress_of "$log")"
		((tenths != 20)) || say "$text ..."
		sleep 0.1
	done
	wait "$pid" || status=$?
	if [ "$status" != 0 ]; then
		say "$text: failed; the end of $log:"
		tail -n 15 "$log" | sed 's/^/    /'
		exit 1
	fi
	((tenths < 20)) || say "$text: done in $((tenths / 10)) s"
}

# ninja prints [12/120] before each step.
progress_of() {
	tail -n 1 "$1" | sed -n 's/^\(\[[0-9]*\/[0-9]*\]\).*/\1/p'
}

# wait_gone PID TENTHS: true if the process ends within that many tenths of a second.
wait_gone() {
	local i
	for ((i = 0; i < $2; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

# port_is_free HOST:PORT: true if nothing listens there.
port_is_free() {
	! (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}
