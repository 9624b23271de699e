#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The deny list gives back what a firewall's ban on SYNs lost.
. "$(dirname "$0")/lib.sh"
net_up
ip -n "$CNS" addr add 10.0.0.3/24 dev c0
ip -n "$CNS" addr add fd00::3/64 dev c0 nodad

serve service '[::]:8080'
from() { if [ "$1" = 6 ]; then echo "[fd00::$2]"; else echo "10.0.0.$2"; fi; }
outcome() { client "$(at "$1" 8080)" from="$(from "$1" "$2")" timeout="${3:-700}" | result; }	# FAMILY HOST

for way in $WAYS; do
	attach $way 8080
	for family in 4 6; do
		prefix=$([ $family = 6 ] && echo fd00::3/128 || echo 10.0.0.3/32)
		wide=$([ $family = 6 ] && echo fd00::/64 || echo 10.0.0.0/24)
		what="IPv$family, $way"
		arm $way 8080
		is "$what: served" "$(outcome $family 3)" ok
		spawn old c "$TOOLS/client" "$(at $family 8080)" from="$(from $family 3)" rounds=2 pause=1500
		sleep 0.2
		check "$what: denied" porch deny s0 add "$prefix"
		says "$what: show tells it" "${prefix%/*}" "$(porch deny s0 show)"
		arm $way 8080
		before=$(refused denied)
		is "$what: not answered any more" "$(outcome $family 3)" timeout_connect
		at_least "$what: counted" $(($(refused denied) - before)) 1
		is "$what: the neighbour is served" "$(outcome $family 2)" ok
		check "$what: denied once more, which is no error" porch deny s0 add "$prefix"
		check "$what: allowed again" porch deny s0 del "$prefix"
		arm $way 8080
		is "$what: served again" "$(outcome $family 3)" ok
		porch deny s0 add "$wide" || not_ok "$what: a wide prefix"
		is "$what: a prefix covers the neighbour" "$(outcome $family 2)" timeout_connect
		porch deny s0 del "$wide" || not_ok "$what: a wide prefix goes"
		ended old
		is "$what: an open connection of the denied source went on" "$(result <"$DIR/old.out")" ok
		is "$what: the list is empty" "$(porch -j deny s0 show | jq -c '[.. | strings | select(test("[./:]"))] | length')" 0
	done
	detach
done
story_end
