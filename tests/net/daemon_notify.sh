#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd under a service manager: ready when it is, alive while its loop runs, reloading while it reloads,
# stopping when told; never by another process than its own; and its lines bear the journal's priorities.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

WATCHDOG_MS=600
spawn manager s "$TOOLS/notify" "$DIR/notify.sock"
within 5 grep -q listening "$DIR/manager.out" || bail 'somebody to be told' "$(cat "$DIR/manager.err")"
told() { grep -Eq "^[0-9]+ [0-9]+ $1" "$DIR/manager.out"; }
count() { grep -Ec "^[0-9]+ [0-9]+ $1" "$DIR/manager.out"; }
more() { [ "$(count "$1")" -gt "$2" ]; }	# ASSIGNMENT THAN
# WATCHDOG_PID must be porchd's own, so the shell that becomes it sets it.
run() {
	printf '[porchd]\n' >"$DIR/porchd.conf"
	# shellcheck disable=SC2016
	spawn porchd s env NOTIFY_SOCKET="$DIR/notify.sock" WATCHDOG_USEC=${WATCHDOG_MS}000 bash -c \
		'WATCHDOG_PID=$$ exec "$@"' run "$PORCHD" --config "$DIR/porchd.conf" --socket "$PORCH_SOCKET"
}

# --- it cannot start: never ready, and the manager is told why ---
run
ended porchd
is 'nothing attached: status 1' $? 1
check 'the manager is told why' within 2 told 'STATUS=nothing is attached in this network namespace'
is 'and never that it was ready' "$(count READY=1)" 0
says 'the line is an error to the journal' '^<3>' "$(cat "$DIR/porchd.err")"

# --- ready, alive ---
afxdp_attach 7
run
check 'ready' within 5 told READY=1
check 'whoever is ready answers' [ -S "$PORCH_SOCKET" ]
main=${PIDS[porchd]}
check 'and says for how many interfaces' within 2 told 'STATUS=1 interfaces'
check 'signs of life' within 3 more WATCHDOG=1 4
gap=$(awk '$3 == "WATCHDOG=1" { if (last && $1 - last > worst) worst = $1 - last; last = $1 } END { print worst }' "$DIR/manager.out")
at_most 'none later than the watchdog bears' "$gap" $WATCHDOG_MS

# --- a stopped loop gives no sign ---
kill -STOP "$main"
before=$(count WATCHDOG=1)
sleep 1
is 'stopped: no sign of life, though its other process runs' "$(count WATCHDOG=1)" "$before"
kill -CONT "$main"
check 'continued: signs again' within 2 more WATCHDOG=1 "$before"

# --- reload ---
ready=$(count READY=1)
kill -HUP "$main"
check 'a reload is announced' within 2 told RELOADING=1
check 'with its time' within 2 told 'MONOTONIC_USEC=[1-9][0-9]*$'
check 'and its end' within 2 more READY=1 "$ready"
is 'in this order' "$(sed -n 's/^[0-9]* [0-9]* \(RELOADING\|READY\)=1/\1/p' "$DIR/manager.out" | tail -n 2 | xargs)" 'RELOADING READY'
echo nonsense >>"$DIR/porchd.conf"
ready=$(count READY=1)
kill -HUP "$main"
check 'one that fails ends too' within 2 more READY=1 "$ready"
check 'and the journal has it as an error' within 2 grep -q '^<3>.*not reloaded' "$DIR/porchd.err"

# --- the end ---
daemon_down
check 'stopping' within 2 told STOPPING=1
is 'nobody but porchd itself has spoken' "$(awk -v main="$main" '$3 ~ /^(READY|WATCHDOG|RELOADING|STOPPING)=/ && $2 != main' "$DIR/manager.out")" ''
is 'every line has a priority' "$(grep -vc '^<[3-7]>' "$DIR/porchd.err")" 0
afxdp_end
