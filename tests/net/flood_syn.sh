#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A million SYNs from made-up sources, and 300 honest clients among them: 300 of 300.
. "$(dirname "$0")/lib.sh"
net_up
net_spoofed

serve service '[::]:8080' backlog=1024

# One client has its SYN-ACK and its final ACK is held back all through the flood.
hold_ack() {
	in_c nft -f - <<-NFT
		table inet hold { chain out { type filter hook output priority 0;
			tcp sport 5555 tcp flags & syn == 0 drop; }; }
	NFT
	spawn held c "$TOOLS/client" "$(at "$1" 8080)" from="$([ "$1" = 6 ] && echo '[fd00::2]' || echo 10.0.0.2):5555" timeout=30000
	within 3 eval '[ "$(in_c ss -Htan state established "sport = :5555" | wc -l)" = 1 ]' || not_ok "$what: answered before the flood"
}

for protect in always on-attack; do
	porch attach s0 --listen "*:8080,protect=$protect" || bail "attach, $protect"
	for family in 4 6; do
		what="IPv$family, $protect"
		hold_ack $family
		before=$(counter synack_sent) served=$(accepted service)
		flood flood 20 50000 $family 8080 kind=syn layout=linux
		sleep 0.3
		said=$(client "$(at $family 8080)" count=300 gap=10 width=50 timeout=15000)
		is "$what: regime during the flood" "$(listener 8080 .regime)" stateless
		entries=$(status .half_open)
		flooded flood 1000000 "$what: SYNs"
		at_least "$what: most of them were answered" $(($(counter synack_sent) - before)) 300000
		is "$what: honest clients" "$(results <<<"$said")" '{"total":300,"ok":300}'
		in_c nft delete table inet hold
		ended held
		is "$what: a handshake begun before the flood" "$(result <"$DIR/held.out")" ok
		is "$what: connections the service saw" $(($(accepted service) - served)) 301
		at_most "$what: half-open entries during the flood" "$entries" 2000
		[ $protect = on-attack ] || is "$what: connections that the kernel began" "$(in_s ss -Htan state syn-recv | wc -l)" 0
		echo "# $what: connect median $(sum_of connect_median_us <<<"$said") us, worst $(sum_of connect_worst_us <<<"$said") us"
	done
	detach
done
story_end
