#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Asymmetric routing: SYNs come in on one interface, everything behind them on another.
. "$(dirname "$0")/lib.sh"
net_up
net_pair 1 10.0.1 fd01:

# The service's address is the host's, not an interface's.
ip -n "$SNS" addr add 10.9.9.9/32 dev lo
ip -n "$SNS" addr add fd99::9/128 dev lo nodad
ip -n "$CNS" route add 10.9.9.9/32 via 10.0.0.1 src 10.0.0.2
ip -n "$CNS" route add fd99::9/128 via fd00::1 src fd00::2
ip -n "$CNS" route add 10.9.9.9/32 via 10.0.1.1 src 10.0.0.2 table 100
ip -n "$CNS" route add fd99::9/128 via fd01::1 src fd00::2 table 100
ip -n "$CNS" rule add fwmark 1 table 100
ip -n "$CNS" -6 rule add fwmark 1 table 100
in_c nft -f - <<-'NFT'
	table inet split { chain out { type route hook output priority -150;
		ip daddr 10.9.9.9 tcp flags & syn == 0 counter meta mark set 1
		ip6 daddr fd99::9 tcp flags & syn == 0 counter meta mark set 1; }; }
NFT
received() { in_s ip -s -j link show "$1" | jq '.[0].stats64.rx.packets'; }

serve service '[::]:8080'
for way in $WAYS; do
	for dev in s0 s1; do
		porch attach $dev --listen "*:8080,$(keys_of $way)" >"$DIR/said" 2>&1 || bail "$way: attach $dev" "$(cat "$DIR/said")"
	done
	is "$way: one set of tables" "$(porch -j status s0 | jq -r .pin_path | xargs dirname 2>/dev/null)" "$(porch -j status s1 | jq -r .pin_path | xargs dirname 2>/dev/null)"
	for to in 10.9.9.9:8080 '[fd99::9]:8080'; do
		arm $way 8080
		before=$(counter proven) seen=$(received s1)
		said=$(client "$to" count=50 gap=5 rounds=3 timeout=4000)
		is "$to, $way: 50 clients" "$(results <<<"$said")" '{"total":50,"ok":50}'
		at_least "$to, $way: their ACKs came in on the other interface" $(($(received s1) - seen)) 150
		case $way in tracked | stateless) is "$to, $way: proven there" $(($(counter proven) - before)) 50 ;; esac
	done
	# one goes, the other stays
	porch detach s1 >/dev/null || not_ok "$way: detach s1"
	is "$way: s0 is still attached" "$(porch -j status s0 | jq -r .interface)" s0
	arm $way 8080
	is "$way: and serves" "$(client 10.0.0.1:8080 count=5 | results)" '{"total":5,"ok":5}'
	detach
done
story_end
