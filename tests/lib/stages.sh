# A stage: runs a function, counts what passed and failed, says how long it took. Sourced by tests/run.
# shellcheck shell=bash disable=SC2154

results=build/tests

stages_begin() {
	rm -rf "$results"
	mkdir -p "$results"
	started=$SECONDS
	trap stages_stop INT TERM
	exec {never}<> <(:) # nobody writes there: to wait by `read -t` starts no process, as `sleep` would
	printf '%-10s %8s %8s %8s %8s\n' STAGE PASSED FAILED SECONDS CPU
}

stages_stop() {
	trap - INT TERM
	kill 0
	exit 130
}

wanted() {
	local name
	((${#only[@]})) || return 0
	for name in "${only[@]}"; do
		[ "$name" != "$1" ] || return 0
	done
	# The others stand on the dev build.
	[ "$1" = build ]
}

# count PASSED FAILED [WORDS]: what a stage's function reports; may be called several times.
count() {
	echo "$@" >>"$results/$current.count"
}

# Sets cpu to the seconds of CPU that this shell's finished processes have used. (A subshell would be told its own.)
read_cpu() {
	times >"$results/$current.times"
	cpu=$(awk 'NR == 2 { gsub("[ms]", " "); printf "%.0f", $1 * 60 + $2 + $3 * 60 + $4 }' "$results/$current.times")
}

# stage NAME FUNCTION...: the function's output goes to the log. One that counts nothing has nothing to run, unless it fails.
stage() {
	local current=$1 begun=$SECONDS passed=0 failed=0 status=0 p f words notes= cpu before
	shift
	wanted "$current" || return 0
	: >"$results/$current.count"
	read_cpu
	before=$cpu
	("$@") >"$results/$current.log" 2>&1 &
	wait_and_tell "$!" "$current" || status=$?
	while read -r p f words; do
		passed=$((passed + p)) failed=$((failed + f))
		[ -z "$words" ] || notes="$notes  ($words)"
	done <"$results/$current.count"
	((status == 0 || failed > 0)) || failed=1
	((passed + failed > 0)) || notes="$notes  (nothing to run)"
	read_cpu
	printf '%-10s %8d %8d %8d %8d%s\n' "$current" "$passed" "$failed" $((SECONDS - begun)) $((cpu - before)) "$notes"
	((failed == 0)) || tell_failure "$current"
	echo "$passed $failed" >"$results/$current.sum"
}

# A line every minute, so that nobody wonders.
wait_and_tell() {
	local tenths=0
	while kill -0 "$1" 2>/dev/null; do
		read -rt 0.1 -u "$never" || true
		((++tenths % 600)) || echo "           ... $2: $((tenths / 10)) s"
	done
	wait "$1"
}

tell_failure() {
	echo "---------- $1 failed; what looks like the cause in $results/$1.log, and its end:"
	# Failed tests by their names (TAP, pytest, ctest) with what follows, else whatever speaks of an error.
	local log=$results/$1.log failed='^ *not ok |^(FAILED|ERROR) |\*\*\*(Failed|Timeout|Exception)'
	if grep -qE "$failed" "$log"; then
		grep -nE -A12 "$failed" "$log" | cut -c 1-200 | head -n 80
	else
		grep -nE '(^|[^_])(error|warning|Error|Sanitizer)' "$log" | cut -c 1-200 | head -n 25
	fi
	echo "..."
	tail -n 25 "$log"
	echo "----------"
}

stages_end() {
	local passed failed
	read -r passed failed < <(cat "$results"/*.sum | awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
	echo "in $((SECONDS - started)) s"
	echo "$passed passed, $failed failed"
	exit $((failed > 0))
}
