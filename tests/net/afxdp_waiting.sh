#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Connections that wait in the queue: kept too long, reset by the client, closed by it, spoken on, in order.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7
daemon_up 'accept-timeout = 2'
waiting() { app service '[::]:7' backlog=64 credit=1 accept=usr1 "$@"; }

# the first of each group is handed over on credit; those behind it are in porchd's queue
waiting
spawn clients c "$TOOLS/client" 10.0.0.1:7 count=5 timeout=8000
within 5 queue_is 7 depth 4
ended clients
said=$(tail -n 1 "$DIR/clients.out")
at_least 'kept for more than two seconds: reset, not forgotten' "$(field reset <<<"$said")" 4
at_least 'and counted' "$(queue 7 reset)" 4
is 'the queue is empty' "$(queue 7 depth)" 0
app_ends service

waiting
before=$(queue 7 aborted)
client 10.0.0.1:7 count=5 timeout=400 end=rst >/dev/null
sleep 0.3
is 'five that reset while they wait: none of those inside is left' "$(queue 7 depth)" 0
at_least 'and it is counted' "$(($(queue 7 aborted) - before))" 4
before=$(grep -c '"event":"data"' "$DIR/service.out")
signal service USR1
sleep 0.3
served 'the next client is served' 7 1
at_most 'of the dead no more than the one on credit was accepted' "$(grep -c '"event":"accept"' "$DIR/service.out")" 2
app_ends service

pids=()
# what was said before anybody listened arrives in order, and so does the end
waiting
for i in 1 2 3 4; do
	(for part in a b c d e; do printf '%s%s-' "$part" "$i"; sleep 0.05; done | in_c timeout 6 nc -N 10.0.0.1 7 >"$DIR/nc$i") &
	pids+=($!)
done
sleep 1
is 'four wait, each has spoken five times and closed' "$(queue 7 depth)" 3
signal service USR1
wait "${pids[@]}"
for i in 1 2 3 4; do is "client $i: echo of all, in order" "$(cat "$DIR/nc$i")" "a$i-b$i-c$i-d$i-e$i-"; done
app_ends service

# more than porchd keeps for one connection: the rest is the client's to send again
head -c 300K /dev/urandom >"$DIR/file"
waiting
pids=()
for i in 1 2 3; do
	(in_c timeout 8 nc -N 10.0.0.1 7 <"$DIR/file" | md5sum >"$DIR/sum$i") &
	pids+=($!)
done
sleep 0.7
signal service USR1
wait "${pids[@]}"
for i in 1 2 3; do is "client $i: 300 KiB, begun before it was accepted" "$(cat "$DIR/sum$i")" "$(md5sum <"$DIR/file")"; done
app_ends service
afxdp_end
