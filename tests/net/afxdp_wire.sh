#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd alone, with an application that speaks wire.h itself: registers, is handed
# connections, holds the lease, shares it, loses it; everything given back at its end.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
FAKE=$TOOLS/fake_app
daemon_answers() { [ -S "$PORCH_SOCKET" ]; }
net_up

fake() {	# NAME [key=value...]
	local name=$1
	shift
	spawn "$name" s "$FAKE" "$PORCH_SOCKET" 7 "$@"
	within 5 grep -q listening "$DIR/$name.out" || bail "fake_app $* listens" "$(cat "$DIR/$name.out" "$DIR/$name.err" "$DIR/porchd.err")"
}
# Whatever is done to it, it is there afterwards.
alive() {	# AFTER
	kill -0 "${PIDS[porchd]}" 2>/dev/null && return
	ended porchd
	not_ok "porchd lives after $1" "it ended with $?" "$(tail -n 20 "$DIR/porchd.err")"
	daemon_start
}
leases() { slots 'select(.worker > 0 and (.lease == true or .lease == 1))'; }
one_lease() { [ "$(leases)" = 1 ]; }
nobody_left() { [ "$(slots 'select(.worker > 0)')" = 0 ]; }

afxdp_attach 7
daemon_up
bystander_up

fake one
is 'one worker has one slot' "$(slots 'select(.worker > 0)')" 1
served 'echo by a worker alone' 7 50 rounds=3
check 'it holds the lease' within 2 grep -q '^leased' "$DIR/one.out"
fake two
served 'echo by two workers' 7 50 rounds=3
is 'of two workers none holds the lease' "$(leases)" 0
stop two
served 'echo after one of them has left' 7 50 rounds=3
check 'who is left has the lease again' within 3 one_lease
signal one KILL
ended one
check 'nothing is left of a killed worker' within 2 nobody_left
fake three
served 'echo by the next' 7 50 rounds=3
stop three
check 'nothing is left of one that said goodbye' within 2 nobody_left

# --- garbage: whoever writes it loses by it, the others go on ---
for what in finish finish_entries back give accept inject credit session messages handback; do
	fake good
	fake bad garbage=$what seed=7
	served "two workers, before $what" 7 10
	signal bad USR1
	within 2 grep -q 'wrote garbage' "$DIR/bad.out" || not_ok "$what is written" "$(cat "$DIR/bad.out")"
	served "garbage in $what: the other worker" 7 20 rounds=2
	stop bad
	stop good
	check "garbage in $what: nothing is left" within 2 nobody_left
	alive "garbage in $what"
done
for what in fill completion lease fill_addresses fill_rewind frames; do
	fake bad garbage=$what seed=7
	served "before $what" 7 10
	within 2 one_lease
	signal bad USR1
	within 2 grep -q 'wrote garbage' "$DIR/bad.out" || not_ok "$what is written" "$(cat "$DIR/bad.out")"
	bystander_well "garbage in $what"
	case $what in
	frames | fill_rewind) ;; # told by their records; some frames less, found when the worker leaves
	fill_addresses) # nothing comes any more, which shows when somebody wants something
		client "$(at 4 7)" count=5 timeout=200 >/dev/null
		check "garbage in $what: seen, and the queue is back" within 4 grep -q '^bound' "$DIR/bad.out" ;;
	*) check "garbage in $what: seen, and the queue is back within 2 s" within 2 grep -q '^bound' "$DIR/bad.out" ;;
	esac
	served "garbage in $what: afterwards" 7 20 rounds=2
	stop bad
	check "garbage in $what: nothing is left" within 2 nobody_left
	alive "garbage in $what"
done

# --- the holder of the lease is stopped ---
fake held
served 'before it is stopped' 7 10
signal held STOP
bystander_well 'while it is stopped'
signal held CONT
served 'when it goes on' 7 10
stop held
fake busy garbage=stop_busy credit=1
served 'before it is stopped in the middle' 7 10
signal busy USR1
fake other
client "$(at 4 7)" count=20 rounds=2 timeout=2000 >"$DIR/beside" # one of them is the stopped one's
at_least 'a worker beside it serves' "$(tail -n 1 "$DIR/beside" | field ok)" 19
signal busy CONT
served 'when it goes on' 7 20 rounds=2
stop busy
stop other
check 'nothing is left of them' within 2 nobody_left

# --- an MTU that asks for other frames ---
fake large
served 'before the MTU is raised' 7 10
ip -n "$SNS" link set s0 mtu 3000
ip -n "$CNS" link set c0 mtu 3000
check 'a greater MTU: the queue is made anew' within 4 grep -q '^bound' "$DIR/large.out"
served 'with a greater MTU' 7 20 rounds=2
stop large
check 'nothing is left of it' within 2 nobody_left
bystander_well 'after that'
grep -E '<[0-4]>' "$DIR/porchd.err" | sed 's/^/# /'
afxdp_end
