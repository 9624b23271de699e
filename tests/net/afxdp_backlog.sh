#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A full accept queue, overflow=drop and overflow=reset: backlog + 1 wait inside, the others
# outside, nobody is admitted meanwhile, and with room everybody still there is served.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

connected() { in_c ss -Htan state established "dport = :$1" | wc -l; }	# PORT
afxdp_attach 7,overflow=drop 9,overflow=reset 25,overflow=drop
daemon_up
for case in 'dropper 7 client' 'greeter 25 server'; do
	read -r name port speaker <<<"$case"
	app "$name" "[::]:$port" backlog=2 credit=1 accept=usr1 speak=$([ "$speaker" = server ] && echo first || echo last)
	is "drop, $speaker first: the limit is what was asked for" "$(queue "$port" limit)" 2
	spawn clients c "$TOOLS/client" 10.0.0.1:"$port" count=10 speak="$speaker" timeout=20000
	within 5 queue_is "$port" depth 3
	sleep 1
	is "drop, $speaker first: backlog + 1 in the queue" "$(queue "$port" depth)" 3
	at_least "drop, $speaker first: one more is the worker's, not yet accepted" "$(queue "$port" handed)" 1
	at_most "drop, $speaker first: who is not in keeps waiting" "$(connected "$port")" 10
	is "drop, $speaker first: nobody is told no" "$(in_c nstat -asz TcpExtTCPAbortOnData TcpEstabResets | awk '/TcpEstabResets/ { print $2 }')" 0
	signal "$name" USR1
	ended clients
	is "drop, $speaker first: with room, all ten are served" "$(results <"$DIR/clients.out")" '{"total":10,"ok":10}'
	is "drop, $speaker first: each once" "$(grep -c '"event":"accept"' "$DIR/$name.out")" 10
	at_least "drop, $speaker first: full was met and counted" "$(($(queue "$port" overflowed) + $(refused accept_queue_full)))" 1
	app_ends "$name"
done
at_least 'the time in the queue is known' "$(queue 7 wait_ns_max)" 500000000

app resetter '[::]:9' backlog=2 credit=1 accept=usr1
spawn clients c "$TOOLS/client" 10.0.0.1:9 count=10 gap=20 timeout=6000
within 5 queue_is 9 depth 3
sleep 1
signal resetter USR1
ended clients
said=$(tail -n 1 "$DIR/clients.out")
at_least 'reset: those inside are served' "$(field ok <<<"$said")" 4
is 'reset: of the others nobody hangs' $(($(field ok <<<"$said") + $(field reset <<<"$said") + $(field refused <<<"$said"))) 10
at_least 'reset: it is counted' "$(($(queue 9 reset) + $(refused accept_queue_full)))" 1
app_ends resetter

# many more than there is room for, and an application that is slow to accept
app slow '[::]:7' backlog=16 credit=4
spawn crowd c "$TOOLS/client" 10.0.0.1:7 count=300 timeout=15000
for _ in 1 2 3 4 5; do signal slow STOP; sleep 0.1; signal slow CONT; sleep 0.1; done
ended crowd
is 'a slow application and a small queue: 300 of 300' "$(results <"$DIR/crowd.out")" '{"total":300,"ok":300}'
app_ends slow
afxdp_end
