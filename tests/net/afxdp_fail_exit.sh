#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A worker goes with connections open: by exit(), porch_close(), SIGKILL, or its machine-mate's SIGTERM.
# Its clients are told, nothing of it stays, and those of another worker notice nothing.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9
daemon_up
bystander_up
app other '[::]:9'
spawn steady c "$TOOLS/client" 10.0.0.1:9 count=20 rounds=100000 pause=20 timeout=3000
flows_none() { [ "$(flows 'select(.local_port == 7 and .phase == "steered")')" = 0 ]; }
for way in exit close kill; do
	app doomed '[::]:7' end=20 how=$way
	spawn clients c "$TOOLS/client" 10.0.0.1:7 count=20 rounds=1000 pause=100 timeout=5000
	ended doomed
	ended clients
	said=$(tail -n 1 "$DIR/clients.out")
	is "$way: all twenty clients are told" $(($(field reset <<<"$said") + $(field closed <<<"$said"))) 20
	within 3 queue_is 7 workers 0
	is "$way: nobody listens any more" "$(queue 7 workers)" 0
	is "$way: its sockets are gone" "$(slots 'select(.worker > 0)')" 1
	is "$way: the next client is not served" "$(client 10.0.0.1:7 timeout=400 | result | sed 's/timeout_connect\|refused\|reset/not served/')" 'not served'
	within 3 flows_none
	is "$way: no flow is left with it" "$(flows 'select(.local_port == 7 and .phase == "steered")')" 0
	app next '[::]:7'
	served "$way: the next worker serves at once" 7 5
	app_ends next
	bystander_well "$way"
done
at_least 'refused because nobody listens' "$(refused no_application)" 1
stop steady
is 'the other worker'\''s clients noticed nothing' "$(all_ok steady 20)" yes
app_ends other
afxdp_end
