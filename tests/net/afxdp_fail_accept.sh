#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An application dies between being handed a connection and accepting it; nobody's connection is
# lost to it, or given out twice. And a listener whose process is gone.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7
daemon_up
bystander_up
# the first to be handed anything dies before it accepts; the other inherits
for round in 1 2 3; do
	app dies '[::]:7' end=ready how=kill credit=4
	app lives '[::]:7' credit=64
	spawn clients c "$TOOLS/client" 10.0.0.1:7 count=30 gap=5 rounds=2 timeout=6000
	ended clients
	said=$(tail -n 1 "$DIR/clients.out") ok=$(field ok <<<"$said")
	is "round $round: nobody hangs" $((ok + $(field reset <<<"$said"))) 30
	at_most "round $round: reset are those it had read, and no more" "$(field reset <<<"$said")" 4
	is "round $round: the others are served by the one that lives" "$(grep -c '"event":"accept"' "$DIR/lives.out")" "$ok"
	is "round $round: each by one accept" "$(grep -h '"event":"accept"' "$DIR/lives.out" | sed 's/.*"port":\([0-9]*\).*/\1/' | sort | uniq -d | wc -l)" 0
	is "round $round: the other is dead" "$(not_running "${PIDS[dies]}" && echo dead)" dead
	ended dies
	app_ends lives
done

# nobody else to inherit: they wait in the queue for the next worker
app dies '[::]:7' end=ready how=kill credit=4 backlog=64
spawn clients c "$TOOLS/client" 10.0.0.1:7 count=8 timeout=8000
ended dies
sleep 0.3
app next '[::]:7' backlog=64
ended clients
said=$(tail -n 1 "$DIR/clients.out")
is 'no worker left: all are served by the next, or told' $(($(field ok <<<"$said") + $(field reset <<<"$said") + $(field refused <<<"$said"))) 8
app_ends next

# a worker that is handed connections and never accepts: they are its own, until it goes
app never '[::]:7' accept=never credit=4 backlog=8
spawn clients c "$TOOLS/client" 10.0.0.1:7 count=6 timeout=7000
within 3 queue_is 7 handed "$(queue 7 handed)"
sleep 0.5
stop never KILL
app next '[::]:7'
ended clients
said=$(tail -n 1 "$DIR/clients.out")
is 'never accepted, then killed: nobody hangs' $(($(field ok <<<"$said") + $(field reset <<<"$said"))) 6
app_ends next
within 3 queue_is 7 workers 0
is 'gone: a SYN is refused, with its reason' "$(client 10.0.0.1:7 timeout=400 | result | sed 's/timeout_connect\|refused\|reset/not served/')" 'not served'
at_least 'and counted' "$(refused no_application)" 1
bystander_well 'at the end'
afxdp_end
