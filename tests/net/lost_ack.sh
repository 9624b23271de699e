#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Loss at the worst places: the final ACK, so that the first data proves; the first data; the SYN-ACK; the SYN.
. "$(dirname "$0")/lib.sh"
net_up

serve service '[::]:8080'
lose() {	# CHAIN(output|input) RULE
	in_c nft -f - <<-NFT
		table inet lose { chain c { type filter hook $1 priority 0; $2 counter drop; }; }
	NFT
}
lost() { in_c nft list table inet lose | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
nothing_lost() { in_c nft delete table inet lose; }
first='numgen inc mod 1000000 == 0'
ACKS='tcp flags & (fin | syn | rst | psh | ack) == ack'

port=30000 # each handmade connection has its own: nobody closes them
for way in $WAYS; do
	attach $way 8080
	for family in 4 6; do
		at=$(at $family 8080)
		while read -r what hook rule; do
			arm $way 8080
			before=$(accepted service)
			lose "$hook" "$rule"
			said=$(client "$at" rounds=2 timeout=6000 | result)
			is "IPv$family, $way: the $what is lost" "$said, $(lost) lost" 'ok, 1 lost'
			nothing_lost
			sleep 0.05
			is "IPv$family, $way: and there is one connection" $(($(accepted service) - before)) 1
		done <<-CASES
			final_ACK output tcp dport 8080 $ACKS $first
			first_data output tcp dport 8080 tcp flags & psh == psh $first
			SYN output tcp dport 8080 tcp flags & (syn | ack) == syn $first
			SYN-ACK input tcp sport 8080 tcp flags & (syn | ack) == (syn | ack) $first
		CASES
		# by hand: what a kernel client never sends
		net_nobody
		while read -r what words; do
			arm $way 8080
			port=$((port + 1))
			# shellcheck disable=SC2086
			said=$(in_c "$TOOLS/wire" c0 ask "$at" from="$(nobody $family $port)" mac=$SMAC timeout=1000 until=hey $words)
			says "IPv$family, $way: $what" '"text":"hey"' "$said"
			is "IPv$family, $way: $what, one connection" "$(grep -c "\"event\":\"accept\".*\"port\":$port," "$DIR/service.out")" 1
		done <<-CASES
			final-ACK-with-payload then=ack text=hey
			final-ACK-with-payload-and-FIN then=fin text=hey
			the-same-three-times-over then=ack text=hey echo=3
			SYN-three-times-over then=ack text=hey repeat=3
			SYN-with-payload then=ack text=hey data=early
			timestamps then=ack text=hey options=020405b40402080a000000010000000001030307
			no-options-at-all then=ack text=hey options=
		CASES
	done
	detach
done
story_end
