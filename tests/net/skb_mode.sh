#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Generic XDP, for drivers that know no other: the same handshakes, also from a peer that sends super-packets.
. "$(dirname "$0")/lib.sh"
net_up
in_c "$TOOLS/xdp" c0 off
in_c ethtool -K c0 tx on >/dev/null

serve service '[::]:8080'
for way in $WAYS; do
	porch attach s0 --mode skb --listen "*:8080,$(keys_of $way)" >"$DIR/said" 2>&1 || bail "$way: attach --mode skb" "$(cat "$DIR/said")"
	is "$way: status says how" "$(status .mode)" skb
	for family in 4 6; do
		for timestamps in 1 0; do
			in_c sysctl -qw net.ipv4.tcp_timestamps=$timestamps
			arm $way 8080
			before=$(counter proven)
			said=$(client "$(at $family 8080)" count=40 gap=5 rounds=3 timeout=4000)
			is "IPv$family, $way, timestamps=$timestamps: 40 clients" "$(results <<<"$said")" '{"total":40,"ok":40}'
			proves $way && at_least "IPv$family, $way, timestamps=$timestamps: proven" $(($(counter proven) - before)) 39
		done
	done
	detach
done
story_end
