#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What was there before, what is idle, and what is not listed at all never notices porch.
. "$(dirname "$0")/lib.sh"
net_up

serve older '[::]:8080' keepalive=1
serve ssh '[::]:22' speak=first
probes() { in_s nstat -asz TcpExtTCPKeepAlive | sed -n 's/^TcpExtTCPKeepAlive *\([0-9]*\).*/\1/p'; }

for family in 4 6; do
	spawn before$family c "$TOOLS/client" "$(at $family 8080)" count=5 rounds=2 pause=7000 keepalive=1
	spawn ssh$family c "$TOOLS/client" "$(at $family 22)" count=5 speak=server rounds=3 pause=3000
done
within 3 eval '[ $(accepted older) = 10 ] && [ $(accepted ssh) = 10 ]' || not_ok 'everybody is there'
attach stateless 8080
arm stateless 8080
for family in 4 6; do spawn after$family c "$TOOLS/client" "$(at $family 8080)" count=5 rounds=2 pause=5000 keepalive=1; done
sleep 0.5
sent=$(probes)
for family in 4 6; do
	is "IPv$family: another port is served, byte for byte as before" "$(client "$(at $family 22)" count=10 speak=server | results)" '{"total":10,"ok":10}'
	is "IPv$family: a port nobody listens on still refuses" "$(client "$(at $family 23)" | result)" refused
done
is 'and porch counted none of that' "$(listener 8080 '"\(.syn_received > 10) \(.proven)"')" 'true 10'
for family in 4 6; do
	ended before$family
	is "IPv$family: connections older than porch, idle with keepalive probes for seconds" "$(results <"$DIR/before$family.out")" '{"total":5,"ok":5}'
	ended after$family
	is "IPv$family: younger ones, idle likewise" "$(results <"$DIR/after$family.out")" '{"total":5,"ok":5}'
	ended ssh$family
	is "IPv$family: a session on another port over the attachment" "$(results <"$DIR/ssh$family.out")" '{"total":5,"ok":5}'
done
at_least 'probes were sent meanwhile' $(($(probes) - sent)) 40
is 'nothing was refused' "$(status '[.refused[]] | add')" 0

# The flow table is lost: connections of the kernel are found again, not cut.
spawn lasting c "$TOOLS/client" 10.0.0.1:8080 count=5 rounds=3 pause=1000
sleep 0.5
at_least 'flows are known' "$(status .flows)" 5
detach
attach stateless 8080
ended lasting
is 'detached and attached again in the middle of connections' "$(results <"$DIR/lasting.out")" '{"total":5,"ok":5}'
story_end
