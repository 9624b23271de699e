#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Connections on which nothing is said: kept as long as somebody is there; with keepalive asked for, those
# whose client has vanished without a word end, their flows with them, and those still there notice nothing.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9
daemon_up
app patient '[::]:7'
app asks '[::]:9' keepalive=1
holds() { [ "$(app_stat "$1" conns)" = "$2" ]; }	# NAME CONNECTIONS

spawn idle7 c "$TOOLS/client" 10.0.0.1:7 count=5 hold=4000 timeout=6000
spawn idle9 c "$TOOLS/client" "$(at 6 9)" count=5 hold=4000 timeout=6000
is 'five vanish' "$(client 10.0.0.1:7 count=5 end=silent | results)" '{"total":5,"ok":5}'
is 'and five of the other service' "$(client 10.0.0.1:9 count=5 end=silent | results)" '{"total":5,"ok":5}'
check 'with keepalive, within three seconds, the vanished are known' within 3 holds asks 5
is 'without it, nobody can know' "$(app_stat patient conns)" 10
for port in 7 9; do
	ended idle$port
	is "port $port: who was only silent was kept" "$(results <"$DIR/idle$port.out")" '{"total":5,"ok":5}'
done
check 'keepalive: none is left' within 2 holds asks 0
check 'nor a flow of theirs' within 3 eval '[ "$(flows "select(.local_port == 9 and .phase == \"steered\")")" = 0 ]'
is 'the others: those nobody knows of' "$(app_stat patient conns)" 5

# --- the application goes: what it held is reclaimed, whether or not anybody is there to hear of it ---
app_ends patient
check 'with the application its flows end' within 3 eval '[ "$(flows "select(.phase == \"steered\")")" = 0 ]'
app_ends asks
afxdp_end
