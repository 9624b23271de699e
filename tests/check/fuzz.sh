#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# fuzz.sh [SECONDS]: every input of tests/fuzz/corpus once more, then new ones for so long
# altogether (60), grown from those; what they find stays in build/tests/fuzz/new. An input that
# fails is kept there as TARGET-crash-...: `build/tests/fuzz/TARGET FILE` does it again alone.
set -u
cd "$(dirname "$0")/../.." || exit 1

TARGETS='engine reassembly options admit control'
declare -A SHARE=([engine]=50 [reassembly]=15 [options]=5 [admit]=20 [control]=10)
declare -A LENGTH=([engine]=2000 [reassembly]=1500 [options]=300 [admit]=1000 [control]=600)
seconds=${1:-60}
bin=build/tests/fuzz new=build/tests/fuzz/new
export ASAN_OPTIONS=abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
passed=0 failed=0
say() {	# ok|not_ok WHAT [FILE]
	if [ "$1" = ok ]; then passed=$((passed + 1)); echo "ok $((passed + failed)) - $2"; return; fi
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) - $2"
	[ -z "${3:-}" ] || grep -av $'\tNEW\\|\tREDUCE\\|NEW_FUNC' "$3" | tail -n 60 | sed 's/^/#   /'
}

said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
for t in $TARGETS; do
	if [ ! -x "$bin/$t" ]; then say not_ok "$bin/$t is not there: make tests"; continue; fi
	inputs=("tests/fuzz/corpus/$t"/*)
	if [ ! -e "${inputs[0]}" ]; then say not_ok "$t: no corpus"; continue; fi
	mkdir -p "$new/$t" || exit 1
	args=(-seed=1 -timeout=20 -rss_limit_mb=1024 "-artifact_prefix=$new/$t-")
	if "$bin/$t" "${args[@]}" "${inputs[@]}" >"$said" 2>&1 </dev/null; then
		say ok "$t: ${#inputs[@]} inputs of the corpus"
	else
		say not_ok "$t: corpus" "$said"
		continue
	fi
	time=$((seconds * SHARE[$t] / 100))
	[ $time -gt 0 ] || time=1
	if "$bin/$t" "${args[@]}" -max_len="${LENGTH[$t]}" -max_total_time=$time "$new/$t" "tests/fuzz/corpus/$t" >"$said" 2>&1 </dev/null; then
		say ok "$t: $(grep -a '^Done' "$said"), $(grep -ao 'DONE *cov: [0-9]* ft: [0-9]*' "$said" | tail -n 1 | tr -s ' ' | cut -d' ' -f2-)"
	else
		say not_ok "$t: fuzzed for $time s" "$said"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
