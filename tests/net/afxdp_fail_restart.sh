#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd killed and started again while connections carry data: those established never pause on
# a leased queue, those queued are rebuilt from the flow table, nobody is given out twice.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9
daemon_up 'accept-timeout = 20'
bystander_up
app service '[::]:7'
head -c 32M /dev/urandom >"$DIR/file"
SUM=$(md5sum <"$DIR/file")
alive() { is "$1: the application says $2" "$(state_of service)" "$2"; }

spawn steady c "$TOOLS/client" 10.0.0.1:7 count=20 rounds=100000 pause=20 timeout=1500
for round in 1 2 3; do
	(in_c timeout 20 nc -N 10.0.0.1 7 <"$DIR/file" | md5sum >"$DIR/sum") &
	pour=$!
	sleep 0.2
	stop porchd KILL
	sleep 1
	within 3 eval '[ "$(state_of service)" = detached ]'
	alive "round $round" detached
	bystander_well "round $round, porchd dead"
	wait $pour
	is "round $round: a transfer goes on without porchd" "$(cat "$DIR/sum")" "$SUM"
	daemon_start
	within 5 eval '[ "$(state_of service)" = reattached ]'
	alive "round $round" reattached
	served "round $round: it serves again" 7 20 rounds=2
done
stop steady
is 'connections from before: a pause of 1.5 s would have been noticed' "$(all_ok steady 20)" yes
is 'each was accepted once' "$(grep '"event":"accept"' "$DIR/service.out" | sed 's/.*"port":\([0-9]*\).*/\1/' | sort | uniq -d | wc -l)" 0
app_ends service

# queued ones
app lazy '[::]:9' backlog=64 credit=1 accept=usr1
spawn waiting c "$TOOLS/client" 10.0.0.1:9 count=10 timeout=15000
within 5 queue_is 9 depth 9
is 'nine are queued' "$(queue 9 depth)" 9
stop porchd KILL
sleep 0.5
daemon_start
within 5 queue_is 9 depth 9
at_least 'queued again by the new porchd, from the flow table' "$(queue 9 depth)" 9
signal lazy USR1
ended waiting
is 'all ten are served' "$(results <"$DIR/waiting.out")" '{"total":10,"ok":10}'
is 'each once' "$(grep '"event":"accept"' "$DIR/lazy.out" | sed 's/.*"port":\([0-9]*\).*/\1/' | sort | uniq -d | wc -l)" 0
app_ends lazy

# porchd and the worker both gone: the flow table knows connections that nobody will ever claim
app service '[::]:7'
spawn orphans c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=1000 pause=200 timeout=12000
sleep 0.5
stop porchd KILL
stop service KILL
daemon_start
ended orphans
said=$(tail -n 1 "$DIR/orphans.out")
is 'both gone: all clients are told' $(($(field reset <<<"$said") + $(field closed <<<"$said"))) 10
app service '[::]:7'
served 'and the next worker serves' 7 10
app_ends service
afxdp_end
