#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A worker is stopped: one that holds the lease of its queue's rings, and one that shares them.
# Others go on; the stopped one's clients wait, and are served when it is continued.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9
daemon_up
bystander_up
pour() { in_c timeout 20 nc -N 10.0.0.1 "$1" <"$DIR/file" | md5sum; }
head -c 16M /dev/urandom >"$DIR/file"
SUM=$(md5sum <"$DIR/file")

# alone on its queue: it holds the lease
app holder '[::]:7'
leased() { [ "$(slots 'select(.worker > 0 and (.lease == 1 or .lease == true))')" = 1 ]; }
check 'alone on the queue: it owns the rings' within 3 leased
served 'before' 7 5
pour 7 >"$DIR/sum" &
poured=$!
spawn held c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=30 pause=50 timeout=8000
sleep 0.4
signal holder STOP
sleep 1.5
bystander_well 'while the holder is stopped'
# a newcomer on the same queue must get frames: the lease is taken from the stopped one
app other '[::]:9'
begin=$(date +%s%3N)
served 'a newcomer on its queue is served while it is stopped' 9 20
at_most 'without waiting for it, ms' $(($(date +%s%3N) - begin)) 3000
pour 9 >"$DIR/other_sum"
is 'and transfers' "$(cat "$DIR/other_sum")" "$SUM"
signal holder CONT
ended held
is 'the stopped one'\''s clients are served when it goes on' "$(results <"$DIR/held.out")" '{"total":10,"ok":10}'
wait $poured
is 'and its transfer arrives' "$(cat "$DIR/sum")" "$SUM"
served 'it accepts again' 7 5

# two share the queue: porchd has the rings
spawn steady c "$TOOLS/client" 10.0.0.1:9 count=10 rounds=100000 pause=20 timeout=2000
for victim in holder other; do
	port=$([ $victim = holder ] && echo 7 || echo 9) rest=$([ $victim = holder ] && echo 9 || echo 7)
	spawn held c "$TOOLS/client" 10.0.0.1:$port count=10 rounds=30 pause=50 timeout=8000
	sleep 0.3
	if [ $victim = other ]; then
		stop steady
		is 'sharing: the clients of the one that was not stopped noticed nothing' "$(all_ok steady 10)" yes
	fi
	signal $victim STOP
	sleep 0.5
	served "sharing, $victim stopped: the other serves" $rest 20 rounds=3
	bystander_well "sharing, $victim stopped"
	sleep 0.5
	signal $victim CONT
	ended held
	is "sharing, $victim: its clients are served when it goes on" "$(results <"$DIR/held.out")" '{"total":10,"ok":10}'
done
# stopped for good, then killed
signal holder STOP
sleep 0.3
stop holder KILL
within 3 queue_is 7 workers 0
is 'killed while stopped: it is gone' "$(queue 7 workers)" 0
served 'killed while stopped: the other serves' 9 20
app_ends other
afxdp_end
