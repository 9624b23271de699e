#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a person can read without porch: pinned maps by name, with fields by name, and the list of flows.
. "$(dirname "$0")/lib.sh"
net_up
net_nobody

serve service '[::]:8080'
attach tracked 8080
client 10.0.0.1:8080 >/dev/null
spawn live4 c "$TOOLS/client" 10.0.0.1:8080 from=10.0.0.2:40404 hold=6000
spawn live6 c "$TOOLS/client" '[fd00::1]:8080' from='[fd00::2]:40406' hold=6000
in_c "$TOOLS/wire" c0 ask 10.0.0.1:8080 from=$NOBODY4:1234 mac=$SMAC timeout=100 >/dev/null
in_c "$TOOLS/wire" c0 ask '[fd00::1]:8080' from=[$NOBODY6]:1236 mac=$SMAC timeout=100 >/dev/null
pins=$(pins)
says 'status prints where the pins are' "^/sys/fs/bpf/porch/$(stat -Lc %i "/run/netns/$SNS")(/|\$)" "$pins"
says 'and so does the text' "$pins" "$(porch status s0)"
pins=${pins%/}
[ -e "$pins/porch_flows" ] || pins=$(dirname "$pins") # status may name the interface's directory
dump() { bpftool map dump pinned "$pins/$1" 2>&1; }

for map in porch_listeners porch_half_open porch_flows porch_counters porch_keys; do check "$map is pinned" test -e "$pins/$map"; done
half=$(dump porch_half_open)
says 'half_open: client ISN by name' '"irs": 1000' "$half"
says 'half_open: ports in host order' '"remote_port": 1234' "$half"
says 'half_open: IPv6 as well' '"remote_port": 1236' "$half"
is 'half_open: two of them' "$(grep -c '"remote_port"' <<<"$half")" 2
listeners=$(dump porch_listeners)
says 'listeners: port as a number' '"port": 8080' "$listeners"
says 'listeners: regime by name' '"regime": 1' "$listeners"
counters=$(dump porch_counters)
says 'counters: proven by name' '"proven": [0-9]' "$counters"
says 'counters: a reason by name' '"refused_bad_cookie": 0' "$counters"
flows=$(cat "$pins/flows" 2>&1)
says 'cat flows: IPv4, and that the kernel holds it' '10\.0\.0\.2.*40404' "$flows"
says 'cat flows: IPv6' 'fd00:.*40406' "$flows"
is 'cat flows lists what lives, and not the empty slots' "$([ "$(wc -l <<<"$flows")" -lt 12 ] && echo few)" few

says 'porch half-open: the same' "10\.0\.0\.77:1234" "$(porch half-open s0)"
is 'porch half-open --count' "$(porch half-open s0 --count)" 2
says 'porch flows: the same' '10\.0\.0\.2:40404' "$(porch flows s0)"
for verb in status 'status s0' 'half-open s0' 'half-open s0 --count' 'flows s0' 'flows s0 --count' queues 'deny s0 show' 'key show' 'doctor s0'; do
	# shellcheck disable=SC2086
	said=$(porch -j $verb 2>&1)
	if jq -e 'type == "object" or type == "array"' <<<"$said" >/dev/null 2>&1; then ok "-j $verb is JSON"; else not_ok "-j $verb is JSON" "$said"; fi
done
keys='interface ifindex pin_path mode attached_by listeners half_open flows counters refused'
for key in $keys; do is "status has $key" "$(status "has(\"$key\")")" true; done
for key in address port deliver protect regime healthy backlog accept_queue syn_received syn_passed synack_sent proven delivered refused; do
	is "a listener has $key" "$(status ".listeners[0] | has(\"$key\")")" true
done
is 'numbers are numbers' "$(status '[.ifindex, .half_open, .flows, .counters.proven, .refused.bad_cookie, .listeners[0].port, .listeners[0].proven] | map(type) | unique | join(" ")')" number
# the master key and the keys derived from it
secrets=$(bpftool -j map dump pinned "$pins/porch_keys" 2>/dev/null | jq -r '.. | objects | .k? // empty | .[] | tostring' | grep -v '^0x0*$' | grep -v '^0$' | sort -u)
at_least 'keys are in the map, for root' "$(wc -l <<<"$secrets")" 2
shown=$(porch status; porch -j status s0; porch key show; porch -j key show; porch -v doctor s0; porch -v status)
leak=
for secret in $secrets; do grep -qiF "${secret#0x}" <<<"$shown" && leak+="$secret "; done
is 'no verb shows one' "$leak" ''
stop live4
stop live6
story_end
