# shellcheck shell=bash
# Sourced by ./dev: lint. Each check is a function that prints what it found and fails if it did.

LINT_PACKAGES=(clang lld libclang-rt-dev clang-format clang-tidy cppcheck shellcheck libcmocka-dev python3 python3-pyflakes)

c_files() {
	find "$ROOT"/{lib,cgi,cron,tests} -path '*/node_modules' -prune -o -name '*.[ch]' -print | sort
}

check_format() {
	c_files | xargs clang-format --dry-run -Werror
}

# Both builds are those that the tests use.
check_gcc() {
	build "$ROOT/build" -DWERROR=ON -DCMAKE_C_COMPILER=gcc
}

# clang-tidy reads how clang compiles each file, so it follows the build. It takes its time: what was
# clean and has not changed since, with all headers, is left out.
check_clang() {
	local clean=$ROOT/build-asan/tidy.clean newer=()
	build "$ROOT/build-asan" -DWERROR=ON -DFUZZ=ON -DSANITIZE=ON -DCMAKE_C_COMPILER=clang
	touch "$clean.new"
	if [[ -e $clean && -z $(find "$ROOT"/{lib,tests,.clang-tidy} \( -name '*.h' -o -name .clang-tidy \) -newer "$clean") ]]; then
		newer=(-newer "$clean")
	fi
	find "$ROOT"/{lib,cgi,cron,tests} -path '*/node_modules' -prune -o -name '*.c' "${newer[@]}" -print0 |
		xargs -0 -r -n 4 -P "$(nproc)" clang-tidy --quiet -p "$ROOT/build-asan" 2>/dev/null
	mv "$clean.new" "$clean"
}

check_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective -I "$ROOT/lib" \
		-D'json_object_object_foreach(o,k,v)=for(char*k=0;k;)' "$ROOT"/{lib,cgi,cron}
}

check_shell() {
	cd "$ROOT" && shellcheck --external-sources --check-sourced dev .ci/run cron/classclock-backup cron/classclock-restore
}

check_types() {
	[[ -e $ROOT/static/package.json ]] || return 0
	npm_packages "$ROOT/static"
	(cd "$ROOT/static" && npx --no-install tsc --noEmit)
}

check_python() {
	find "$ROOT/tests" -path '*/node_modules' -prune -o -name '*.py' -print0 |
		xargs -0 -r /usr/bin/python3 -m pyflakes
}

# Fails, with the lines, if "$@" (grep's arguments) finds any.
none() {
	! grep -nI "$@"
}

# The house rules no other tool knows.
check_rules() {
	local broken=0 program socket
	cd "$ROOT"
	none -E '#include <libpq' lib/*.[ch] cgi/*.c cron/*.c --exclude='db*' || broken=1
	none -E '#include <fcgi' lib/*.[ch] cgi/*.c cron/*.c --exclude='app*' || broken=1
	none -E '\b(strcpy|strcat|v?sprintf|strtok|ato[ifl]l?|gmtime|localtime|system|popen|gets) ?\(' -r \
		--include='*.[ch]' lib cgi cron tests || broken=1
	none -wE 'TODO|FIXME|XXX' -r --include='*.*' --exclude-dir=node_modules --exclude='*.bash' \
		lib cgi cron schema nginx static tests docs dev || broken=1
	for program in cgi/*.c; do
		socket=unix:/run/classclock/$(basename "$program" .c).sock
		[[ $(cat nginx/*.conf | grep -c " $socket;") == 1 ]] || {
			echo "$program: nginx/site.conf must have one location that passes to $socket"
			broken=1
		}
	done
	while read -r socket; do
		[[ -e cgi/$socket.c ]] || {
			echo "nginx: there is no cgi/$socket.c"
			broken=1
		}
	done < <(sed -n 's|.* unix:/run/classclock/\(.*\)\.sock;|\1|p' nginx/*.conf)
	return "$broken"
}

run_lint() {
	local check failed=0 logs checks=(format gcc clang cppcheck shell types python rules)
	local -A pids=()
	packages "${RUN_PACKAGES[@]}" "${LINT_PACKAGES[@]}"
	npm_packages "$ROOT/static"
	logs=$ROOT/build/lint
	mkdir -p "$logs"
	for check in "${checks[@]}"; do
		(set -e && "check_$check") >"$logs/$check.log" 2>&1 &
		pids[$check]=$!
	done
	for check in "${checks[@]}"; do
		if wait "${pids[$check]}"; then
			echo "lint: $check ok"
		else
			failed=1
			head -n 60 "$logs/$check.log"
			echo "lint: $check FAILED; all it said is in $logs/$check.log"
		fi
	done
	return "$failed"
}
