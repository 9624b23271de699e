#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd, libporch and the examples as AddressSanitizer and UndefinedBehaviorSanitizer see
# them, and with the table of who owns which frame: some stories of tests/net at smaller sizes.
# The shared rings, as ThreadSanitizer does. tests/check/sanitize_fail.sh has more of them.
set -u
cd "$(dirname "$0")/../.." || exit 1

ASAN=$PWD/build/asan
# those named, or these
STORIES=${*:-afxdp_echo afxdp_waiting afxdp_transfer afxdp_queues afxdp_replay afxdp_loss afxdp_fail_exit afxdp_fail_lazy afxdp_fail_starve}
passed=0 failed=0
say() {	# ok|not_ok WHAT [FILE]
	if [ "$1" = ok ]; then passed=$((passed + 1)); echo "ok $((passed + failed)) - $2"; return; fi
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) - $2"
	[ -z "${3:-}" ] || sed 's/^/#   /' "$3"
}

if [ ! -x "$ASAN/porchd" ] || [ ! -x "$ASAN/tests/net/app" ]; then
	echo '# build/asan is not there: make tests'
	echo '0 passed, 1 failed'
	exit 1
fi
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
if "$ASAN/ring_threads" >"$said" 2>&1; then say ok 'rings: two threads, 200000 entries'; else say not_ok 'rings' "$said"; fi

# porchd has dropped its privileges, so nobody may look into it, its own leak checker neither
export ASAN_OPTIONS=abort_on_error=0:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PORCHD=$ASAN/porchd EXAMPLES=$ASAN/examples APP=$ASAN/tests/net/app
export PORCH_STORY_MIB=16 PORCH_STORY_CROWD=1000
for story in $STORIES; do
	if timeout -k 2 60 "tests/net/$story.sh" >"$said" 2>&1; then say ok "$story"; else say not_ok "$story" "$said"; fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
