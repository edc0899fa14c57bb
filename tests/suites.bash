# shellcheck shell=bash
# Sourced by ./dev: test and bench.

PASSED=0 FAILED=0 SKIPPED=0
PYTHON=/usr/bin/python3 # Debian's, whatever else the machine has
AS=()                   # who runs it, if not who runs this

SUITES=(unit sql api ui faults fuzz)
LONG_SUITES=(mutation scan) # in a long run, or when asked for
declare -A SUITE_PACKAGES=(
	[unit]='libcmocka-dev clang lld libclang-rt-dev'
	[sql]='postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl'
	[api]='clang lld libclang-rt-dev python3 python3-pytest python3-pytest-xdist python3-jsonschema python3-yaml openssl systemd'
	[ui]='chromium-headless-shell fonts-sil-abyssinica'
	[faults]='python3 python3-pytest python3-pytest-xdist python3-jsonschema python3-yaml strace cron faketime'
	[fuzz]='clang lld libclang-rt-dev'
	[scan]='python3 python3-pytest python3-jsonschema python3-yaml wapiti sqlmap'
	[mutation]='libcmocka-dev python3 python3-pytest python3-jsonschema python3-yaml'
)

# Adds the passed, failed and skipped tests of a part, and says how it went.
count() {
	PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) SKIPPED=$((SKIPPED + $4))
	printf '%-28s %5d passed  %3d failed%s\n' "$1" "$2" "$3" "$( (($4 == 0)) || echo "  $4 skipped")"
}

# Counts the TAP in file $2, which a program that ended with status $3 wrote. A program that ends badly
# or stops short of its plan counts as a failure even if no test of it says so.
count_tap() {
	local passed failed skipped
	read -r passed failed skipped < <(awk -v status="$3" '
		/^1\.\.[0-9]+/ { split($1, plan, /\.\./); planned += plan[2] }
		/^ok .*# *(SKIP|TODO)/ { skipped++; next }
		/^ok / { passed++ }
		/^not ok / { failed++ }
		END {
			if (!failed && (status != 0 || passed + skipped < planned)) failed = 1
			print passed + 0, failed + 0, skipped + 0
		}' "$2")
	((failed == 0)) || cat "$2"
	count "$1" "$passed" "$failed" "$skipped"
}

suite_unit() {
	local program status
	for program in "$ASAN_BUILD"/unit/test_*; do
		[[ -x $program ]] || continue
		status=0
		(cd "$ROOT" && CMOCKA_MESSAGE_OUTPUT=TAP UBSAN_OPTIONS=print_stacktrace=1 "$program") \
			>"$LOGS/unit.log" 2>&1 || status=$?
		count_tap "unit/${program##*/test_}" "$LOGS/unit.log" "$status"
	done
}

# A cluster with the schema and nothing else; every file runs in it and rolls back what it did.
suite_sql() {
	local file status
	declare -A SOCKET=() service=() began=()
	compgen -G "$ROOT/tests/sql/*.sql" >/dev/null || return 0
	instance "$SCRATCH/sql"
	BUILD=$PLAIN_BUILD PORT=1
	trap 'stop_all; tidy' EXIT
	make_folders
	make_cluster
	take_env ''
	make_env
	clean_env
	launch postgres
	(start_database) >"$LOGS/sql.log" 2>&1 || {
		cat "$LOGS/sql.log"
		count sql 0 1 0
		return
	}
	superuser -d classclock -c 'CREATE EXTENSION pgtap WITH SCHEMA public'
	for file in "$ROOT"/tests/sql/*.sql; do
		status=0
		PGOPTIONS='-c search_path=classclock,public' pg_prove --verbose --psql-bin "$PG_BIN/psql" \
			-h "$RUN/pg" -U postgres -d classclock "$file" >"$LOGS/sql.log" 2>&1 || status=$?
		count_tap "sql/$(basename "$file" .sql)" "$LOGS/sql.log" "$status"
	done
	stop_all
	trap tidy EXIT
	trap 'exit 130' INT TERM
}

python_totals() {
	"$PYTHON" - "$1" <<-'END'
		import sys, xml.etree.ElementTree
		suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot().find("testsuite")
		print(*(suite.get(name) for name in ("tests", "failures", "errors", "skipped")))
	END
}

# Runs pytest against the programs of build $1, under the name $2; the rest are its options, and the tests.
pytest_of() {
	local build=$1 name=$2 status=0
	shift 2
	rm -f "$LOGS/$name.xml"
	CLASSCLOCK_BUILD=$build "${AS[@]}" "$PYTHON" -B -m pytest -q -p no:cacheprovider --junitxml="$LOGS/$name.xml" "$@" ||
		status=$?
	echo "$status" >"$LOGS/$name.status"
}

count_pytest() {
	local status tests failures errors skipped
	read -r status <"$LOGS/$1.status"
	read -r tests failures errors skipped < <(python_totals "$LOGS/$1.xml") || true
	if [[ -z $skipped ]] || ((status > 1 && failures + errors == 0)); then
		count "$1" 0 1 0
		note "pytest ended with status $status before it could report"
		return
	fi
	count "$1" $((tests - failures - errors - skipped)) $((failures + errors)) "$skipped"
}

# Tests of folder tests/$1 against the programs of build $2; the rest are pytest's options.
run_pytest() {
	compgen -G "$ROOT/tests/$1/test_*.py" >/dev/null || return 0
	reports
	pytest_of "$2" "$1" "${@:3}" "$ROOT/tests/$1"
	count_pytest "$1"
}

# One of its tests has a Telegram from npm. Three processes side by side: a test waits for one call at a time.
# In a normal run the programs of two have no sanitizers, which are half of the time that a program's start takes.
suite_api() {
	npm_packages "$ROOT/tests/ui"
	((LONG)) || local -x CLASSCLOCK_PLAIN_BUILD=$PLAIN_BUILD
	run_pytest api "$ASAN_BUILD" -n 3 --dist loadgroup
}

# Three files at a time, for most of their time goes by in waiting; so are the outages under load. What counts waits
# or fills the machine runs alone. Many of the first two share an instance, whose programs fail as they want.
suite_faults() {
	local file n folder=$ROOT/tests/faults third=() beside=()
	local first=(test_calls.py test_crontab.py test_kills.py test_synced.py test_zoom_faults.py)
	local second=(test_doubt.py test_flat.py test_jobs.py test_orders.py test_rest.py test_restore.py test_wire.py)
	local alone=(test_outage.py test_overload.py)
	for file in "$folder"/test_*.py; do
		[[ " ${first[*]} ${second[*]} ${alone[*]} test_outage_load.py " == *" ${file##*/} "* ]] || third+=("$file")
	done
	local AS=()
	((EUID == 0)) || AS=(sudo -E) # they look into processes, which are closed to their own user
	reports
	pytest_of "$PLAIN_BUILD" faults-1 "${first[@]/#/$folder/}" >"$LOGS/faults-1.log" 2>&1 &
	beside+=($!)
	pytest_of "$PLAIN_BUILD" faults-2 "${second[@]/#/$folder/}" >"$LOGS/faults-2.log" 2>&1 &
	beside+=($!)
	pytest_of "$PLAIN_BUILD" faults-3 "${third[@]}"
	wait "${beside[@]}"
	cat "$LOGS/faults-1.log" "$LOGS/faults-2.log"
	fuzz_aside # for these mostly wait
	pytest_of "$PLAIN_BUILD" faults-4 -n 3 --dist loadgroup "$folder/test_outage_load.py"
	pytest_of "$PLAIN_BUILD" faults-5 "${alone[@]/#/$folder/}"
	for n in 1 2 3 4 5; do
		count_pytest "faults-$n"
	done
}

suite_scan() {
	run_pytest scan "$PLAIN_BUILD"
}

# The files of walks side by side: most of a walk's time goes by in waiting.
suite_ui() {
	local file name status passed failed skipped
	declare -A process=()
	compgen -G "$ROOT/tests/ui/*.test.js" >/dev/null || return 0
	npm_packages "$ROOT/tests/ui"
	reports
	for file in "$ROOT"/tests/ui/*.test.js; do
		name=$(basename "$file" .test.js)
		(cd "$ROOT/tests/ui" && CLASSCLOCK_BUILD=$PLAIN_BUILD node --test --test-reporter=tap "$file") \
			>"$LOGS/ui-$name.log" 2>&1 &
		process[$name]=$!
	done
	for name in "${!process[@]}"; do
		status=0
		wait "${process[$name]}" || status=$?
		passed=$(sed -n 's/^# pass //p' "$LOGS/ui-$name.log")
		failed=$(sed -n 's/^# fail //p' "$LOGS/ui-$name.log")
		skipped=$(sed -n 's/^# skipped //p' "$LOGS/ui-$name.log")
		if ((status && ${failed:-0} == 0)); then failed=1; fi
		((${failed:-0} == 0)) || cat "$LOGS/ui-$name.log"
		count "ui/$name" "${passed:-0}" "${failed:-0}" "${skipped:-0}"
	done
}

# Adds to corpus $2, of what fuzzer $1 has found in a long run, the smallest inputs that reach code nothing there reached.
keep_finds() {
	((LONG == 0)) || "$ASAN_BUILD/fuzz/$1" -merge=1 -use_counters=0 -max_len=1024 -close_fd_mask=2 "$2" "$SCRATCH/$1"
}

# Fuzzer $1 first meets what is known to be hard, then looks on: a few seconds, or ten million inputs.
fuzz() {
	local name=$1 corpus=$ROOT/tests/fuzz/corpus/${1#fuzz_} dictionary=$ROOT/tests/fuzz/${1#fuzz_}.dict
	local options=("-seed=$CLASSCLOCK_SEED" -close_fd_mask=2) # what the program logs; findings still show
	if ((LONG)); then options+=(-runs=10000000); else options+=(-max_total_time=3); fi
	[[ ! -e $dictionary ]] || options+=("-dict=$dictionary")
	mkdir -p "$SCRATCH/$name" "$corpus"
	"$ASAN_BUILD/fuzz/$name" -runs=0 "$corpus" &&
		"$ASAN_BUILD/fuzz/$name" "${options[@]}" -artifact_prefix="$LOGS/$name-" "$SCRATCH/$name" "$corpus" &&
		keep_finds "$name" "$corpus"
}

# The fuzzers one after the other, how each ended in a file.
fuzz_all() {
	local name status
	for name in "$@"; do
		status=0
		fuzz "$name" >"$LOGS/$name.log" 2>&1 || status=$?
		echo "$status" >"$LOGS/$name.status"
	done
}

fuzzers() {
	local source
	for source in "$ROOT"/tests/fuzz/fuzz_*.c; do
		[[ ! -e $source ]] || basename "$source" .c
	done
}

# Two beside each other, since each has one thread.
run_fuzzers() {
	local name first=() second=() beside
	rm -f "$LOGS"/fuzz_*.status
	for name in $(fuzzers); do
		if ((${#first[@]} > ${#second[@]})); then second+=("$name"); else first+=("$name"); fi
	done
	fuzz_all "${first[@]}" &
	beside=$!
	fuzz_all "${second[@]}"
	wait "$beside"
}

# Builds and runs them in what time of the processors nobody else wants, if their turn is still to come.
fuzz_aside() {
	((LONG == 0)) && [[ " ${TO_COME[*]} " == *" fuzz "* ]] || return 0
	(
		chrt --idle --pid 0 "$BASHPID"
		unset ASAN_OPTIONS UBSAN_OPTIONS
		build_for fuzz && run_fuzzers
	) &
	FUZZING=$!
}

suite_fuzz() {
	local name status
	[[ -n $FUZZING ]] || run_fuzzers
	for name in $(fuzzers); do
		status=1
		read -r status <"$LOGS/$name.status" || true
		if ((status == 0)); then
			count "fuzz/${name#fuzz_}" 1 0 0
		else
			grep -v '^#[0-9]' "$LOGS/$name.log" | tail -n 40
			count "fuzz/${name#fuzz_}" 0 1 0
			note "the input that broke it is $LOGS/$name-*"
		fi
	done
}

# How much the tests notice when the modules that matter most are broken.
suite_mutation() {
	local status=0
	"$PYTHON" "$ROOT/tests/mutation/mutate.py" --build "$PLAIN_BUILD" || status=1
	count mutation $((1 - status)) "$status" 0
}

# From here on sanitizers write what they find in programs to files, for count_reports.
reports() {
	export ASAN_OPTIONS=log_path=$SCRATCH/reports/asan
	export UBSAN_OPTIONS=print_stacktrace=1:log_path=$SCRATCH/reports/ubsan
}

# What sanitizers found in programs that the tests started, each report a failure.
count_reports() {
	local reports=("$SCRATCH"/reports/*)
	[[ -e ${reports[0]} ]] || return 0
	cat "${reports[@]}"
	count sanitizers 0 "${#reports[@]}" 0
}

tidy() {
	rm -rf "$SCRATCH"
}

build_for() {
	case $1 in
	unit) build "$ASAN_BUILD" -DSANITIZE=ON -DFUZZ=ON -DCMAKE_C_COMPILER=clang && site "$ASAN_BUILD" ;;
	fuzz) build_for unit ;;
	api) build_for unit && build_for ui ;;
	*) build "$PLAIN_BUILD" && site "$PLAIN_BUILD" ;;
	esac
}

# What tests draw, they draw from it. The same code is always tried alike, other code otherwise; a long run draws anew.
choose_seed() {
	local code
	code=$(git -C "$ROOT" ls-tree HEAD -- cgi cron lib nginx schema tests 2>/dev/null | git hash-object --stdin 2>/dev/null) || code=1
	((LONG == 0)) || printf -v code %08x "$SRANDOM"
	export CLASSCLOCK_SEED=${CLASSCLOCK_SEED:-$((16#${code:0:7}))}
	echo "CLASSCLOCK_SEED=$CLASSCLOCK_SEED"
}

run_tests() {
	local suite suites=() wanted=()
	LONG=0
	for suite in "$@"; do
		case " ${SUITES[*]} ${LONG_SUITES[*]} " in
		*" $suite "*) suites+=("$suite") ;;
		*)
			[[ $suite == --long ]] || fail "test: no suite $suite; there are ${SUITES[*]} ${LONG_SUITES[*]}"
			LONG=1
			export CLASSCLOCK_LONG=1
			;;
		esac
	done
	choose_seed
	if ((${#suites[@]} == 0)); then
		suites=("${SUITES[@]}")
		((LONG == 0)) || suites+=("${LONG_SUITES[@]}")
	fi
	PLAIN_BUILD=$ROOT/build ASAN_BUILD=$ROOT/build-asan LOGS=$ROOT/build/test
	for suite in "${suites[@]}"; do
		# shellcheck disable=SC2206 # a list of words
		wanted+=(${SUITE_PACKAGES[$suite]})
	done
	packages "${RUN_PACKAGES[@]}" "${wanted[@]}"
	mkdir -p "$LOGS"
	npm_packages "$ROOT/static"
	SCRATCH=$(mktemp -d /tmp/classclock-test.XXXXXX)
	chmod 755 "$SCRATCH"
	trap tidy EXIT
	trap 'exit 130' INT TERM
	mkdir -m 1777 "$SCRATCH/reports"
	mkdir "$SCRATCH/made"
	export CLASSCLOCK_MADE=$SCRATCH/made
	TO_COME=("${suites[@]}") FUZZING=
	for suite in "${suites[@]}"; do
		unset ASAN_OPTIONS UBSAN_OPTIONS
		TO_COME=("${TO_COME[@]:1}")
		[[ $suite != fuzz || -z $FUZZING ]] || wait "$FUZZING" || true
		if (build_for "$suite"); then "suite_$suite"; else count "$suite" 0 1 0; fi
	done
	count_reports
	((SKIPPED == 0)) || echo "$SKIPPED skipped"
	echo "$PASSED passed, $FAILED failed"
	((FAILED == 0))
}

BENCH_PACKAGES=(python3 python3-jsonschema python3-yaml php8.2-fpm php8.2-pgsql chromium-headless-shell) # pgbench comes with PostgreSQL

# Ends the instance that the groups of a quick run share; its timers were stopped.
end_shared() {
	local file pid
	for file in "$SCRATCH"/state/pids/timer-*; do
		[[ ! -e $file ]] || { read -r pid _ <"$file" && kill -CONT -- "-$pid"; } 2>/dev/null || true
	done
	"$ROOT/dev" down --state "$SCRATCH/state"
	tidy
}

bench() {
	note "bench $1"
	CLASSCLOCK_BUILD=$ROOT/build PYTHONDONTWRITEBYTECODE=1 "$PYTHON" "$ROOT/tests/bench/bench_$1.py" "${@:2}"
}

# Benchmarks are programs in tests/bench that print their own tables and write docs/benchmarks.md.
run_bench() {
	local name file quick=() wanted=() status=0
	local -A aside=()
	for name in "$@"; do
		case $name in
		--quick) quick=(--quick) ;;
		*) [[ -e $ROOT/tests/bench/bench_$name.py ]] || fail "bench: no $name in tests/bench" && wanted+=("$name") ;;
		esac
	done
	if ((${#wanted[@]} == 0)); then
		for file in "$ROOT"/tests/bench/bench_*.py; do
			wanted+=("$(basename "${file#*/bench_}" .py)")
		done
	fi
	packages "${RUN_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
	npm_packages "$ROOT/static"
	npm_packages "$ROOT/tests/bench/peers"
	build "$ROOT/build"
	cmake --build "$ROOT/build" --target bench >"$ROOT/build/bench.log" 2>&1 || {
		tail -n 20 "$ROOT/build/bench.log" >&2
		fail "the tools of the benchmarks do not build"
	}
	site "$ROOT/build"
	if ((${#quick[@]})); then
		SCRATCH=$(mktemp -d /tmp/classclock-quick.XXXXXX)
		chmod 711 "$SCRATCH"
		export CLASSCLOCK_BENCH_SHARED=$SCRATCH/state
		trap end_shared EXIT
		trap 'exit 130' INT TERM
	fi
	for name in "${wanted[@]}"; do # these have instances of their own, and mostly wait
		if ((${#quick[@]})) && [[ $name == faults || $name == pages ]]; then
			bench "$name" --quick >"$SCRATCH/$name.log" 2>&1 &
			aside[$name]=$!
		fi
	done
	for name in "${wanted[@]}"; do
		[[ -n ${aside[$name]-} ]] || bench "$name" "${quick[@]}" || status=1
	done
	for name in "${!aside[@]}"; do
		wait "${aside[$name]}" || status=1
		cat "$SCRATCH/$name.log"
	done
	((status == 0)) || fail "a benchmark broke off (see above)"
}
