# What the stages run. Sourced by tests/run.
# shellcheck shell=bash disable=SC2154
wrapper=()

build_preset() {
	cmake --preset "$1" >"$results/configure-$1.log" 2>&1 || { cat "$results/configure-$1.log"; return 1; }
	shift
	cmake --build "$@"
}

build_dev() {
	build_preset dev build/dev -j "$(nproc)" && count 1 0
}

# Adds up a JUnit file, and names what failed.
count_junit() {
	local sums
	sums=$(/usr/bin/python3 tests/lib/junit.py "$1") || return 1
	# shellcheck disable=SC2086 # words
	count $sums
}

run_ctest() {
	local xml=$PWD/$results/$1.xml status=0
	ctest --test-dir build/dev -L "^$1\$" -j 2 --output-on-failure --no-tests=ignore --output-junit "$xml" || status=$?
	[ ! -s "$xml" ] || count_junit "$xml"
	return "$status"
}

# run_pytest BUILD PATH...; $wrapper: words to put before it; $workers: how many processes share the tests.
run_pytest() {
	local build=$1 status=0 share=() xml marks="not long"
	shift
	xml=$results/${current:?}.xml
	[ -z "$long" ] || marks="long or not long"
	[ -z "${workers-}" ] || share=(-n "$workers")
	compgen -G "$1/test_*.py" >/dev/null || [ -f "$1" ] || return 0
	BURSAR_BUILD=$PWD/build/$build "${wrapper[@]}" /usr/bin/python3 -m pytest "${share[@]}" -q -ra --durations=10 -m "$marks" --junitxml="$xml" "$@" || status=$?
	[ ! -s "$xml" ] || count_junit "$xml"
	[ "$status" = 5 ] || return "$status" # 5: no test was there
}

# The same for tests that mostly wait, for programs to start and for events: one more at a time than there are cores.
run_waiting() {
	local workers=$(($(nproc) + 1))
	run_pytest "$@"
}

run_mutants() {
	local folder killed survived status=0
	[ -n "$long" ] || return 0
	if BURSAR_SOURCE_DIR=$PWD build/dev/tests/pool_random --long; then
		count 1 0
	else
		count 0 1 pool_random
		status=1
	fi
	for folder in pool property; do
		"tests/$folder/mutants/run" | tee "$results/mutants.txt"
		read -r killed _ survived _ < <(tail -n 1 "$results/mutants.txt")
		[[ $killed =~ ^[0-9]+$ ]] || { echo "the mutants did not run"; return 1; }
		count "$killed" "$survived"
		[ "$survived" = 0 ] || status=1
	done
	return "$status"
}

run_sim() {
	local passed failed seeds=(7)
	[ -z "$long" ] || seeds=(7 8 9)
	tests/sim/run --seed "${seeds[@]}" | tee "$results/sim.txt"
	read -r passed _ failed _ < <(tail -n 1 "$results/sim.txt")
	[[ $passed =~ ^[0-9]+$ ]] || { echo "the simulation did not run"; return 1; }
	count "$passed" "$failed"
	return $((failed > 0))
}

run_lint() {
	local check out status=0 arguments=()
	for check in format tidy cppcheck lua shell layers symbols tables sizes paths; do
		# Whole, clang-tidy takes a quarter of an hour of CPU.
		arguments=()
		[ "$check" != tidy ] || [ -n "$long" ] || arguments=(--shallow build/dev 2 'server/*.c' 'client/*.c')
		if out=$("tests/lint/$check" "${arguments[@]}" 2>&1); then
			count 1 0
		elif [ "$?" = 77 ]; then # it needs Debian 12's version of its tool
			count 0 0 "$check skipped"
			echo "$check: $out"
		else
			count 0 1 "$check"
			printf '== %s\n%s\n' "$check" "$out"
			status=1
		fi
	done
	return "$status"
}

run_release() {
	build_preset release build/release -j 1 2>&1 | tee "$results/release-build.log"
	if [ "${PIPESTATUS[0]}" != 0 ] || grep -q 'warning:' "$results/release-build.log"; then
		count 0 1 build
		return 1
	fi
	count 1 0
	run_pytest release tests/smoke
}

run_clang() {
	build_preset clang build/clang -j 1 && count 1 0
}

# run_clients LANGUAGE: the last line of its script counts the tests; 77: it cannot run here, and that line says why.
run_clients() {
	local passed failed skipped status=0
	"tests/clients/run_$1" ${long:+--long} | tee "$results/$1.txt"
	status=${PIPESTATUS[0]}
	if [ "$status" = 77 ]; then
		count 0 0 "$(tail -n 1 "$results/$1.txt")"
		return 0
	fi
	read -r passed _ failed _ skipped _ < <(tail -n 1 "$results/$1.txt")
	[[ $passed =~ ^[0-9]+$ ]] || { echo "the tests did not run"; return 1; }
	count "$passed" "$failed" ${skipped:+"$skipped skipped"}
	return "$status"
}

run_tsan() {
	local status=0 xml=$PWD/$results/tsan-unit.xml
	build_preset tsan build/tsan -j 1 --target bursard tsan_tests || return 1
	# ThreadSanitizer cannot place its shadow under some kernels' address randomisation.
	! setarch -R true 2>/dev/null || wrapper=(setarch -R)
	"${wrapper[@]}" ctest --test-dir build/tsan -L '^tsan$' --output-on-failure --no-tests=ignore --output-junit "$xml" || status=$?
	[ ! -s "$xml" ] || count_junit "$xml"
	run_pytest tsan tests/e2e/test_concurrency.py || status=$?
	return "$status"
}

# fuzz_one NAME SECONDS: the target survives, its planted twin does not.
fuzz_one() {
	local name=$1 seconds=$2 work status=0
	work=$(mktemp -d)
	export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
	export LSAN_OPTIONS=suppressions=$PWD/tests/suppressions/lsan.txt
	mkdir "$work/new"
	echo "== $name: $seconds s"
	if build/fuzz/fuzz/"$name" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 -artifact_prefix="$results/$name-" \
		"$work/new" "tests/fuzz/corpus/${name#fuzz_}"; then
		count 1 0
	else
		count 0 1 "$name"
		status=1
	fi
	# A planted bug that is not found means that the target does not reach the code. It takes seconds, unless the machine is busy.
	echo "== $name: the planted bug"
	if build/fuzz/fuzz/"${name}_planted" -max_total_time=$((seconds > 300 ? seconds : 300)) -verbosity=0 -artifact_prefix="$work/" \
		"$work/new" "tests/fuzz/corpus/${name#fuzz_}" >"$work/planted.log" 2>&1; then
		echo "the planted bug was not found"
		count 0 1 "${name}_planted"
		status=1
	else
		count 1 0
	fi
	rm -rf "$work"
	return "$status"
}

run_fuzz() {
	local source name seconds=10 running=0 status=0
	[ -z "$long" ] || seconds=600
	compgen -G 'tests/fuzz/fuzz_*.c' >/dev/null || return 0
	build_preset fuzz build/fuzz -j "$(nproc)" || return 1
	for source in tests/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		mkdir -p "tests/fuzz/corpus/${name#fuzz_}"
		if ((running == $(nproc))); then
			wait -n || status=1
			((running--))
		fi
		fuzz_one "$name" "$seconds" >"$results/$name.out" 2>&1 &
		((++running))
	done
	while ((running-- > 0)); do
		wait -n || status=1
	done
	cat "$results"/fuzz_*.out
	return "$status"
}
