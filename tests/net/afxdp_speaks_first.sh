#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A server that speaks first, and the client's final ACK lost: it will never be repeated by
# itself, so porchd repeats the SYN-ACK. For its own connections, and for the kernel's.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

lose() {	# PORT: the first bare ACK to it
	in_c nft -f - <<-NFT
		table inet lose { chain c { type filter hook output priority 0;
			tcp dport $1 tcp flags & (fin | syn | rst | psh | ack) == ack numgen inc mod 1000000 == 0 counter drop; }; }
	NFT
}
lost() { in_c nft list table inet lose | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
nothing_lost() { in_c nft delete table inet lose; }

porch attach s0 --listen '*:25,deliver=afxdp,protect=always' --listen '*:26,deliver=kernel,protect=always' >/dev/null || bail attach
daemon_up
app greeter '[::]:25' speak=first
serve kernel '[::]:26' speak=first
for case in 'afxdp 25' 'kernel 26'; do
	read -r name port <<<"$case"
	for family in 4 6; do
		for speak in server silent; do
			lose "$port"
			begin=$(date +%s%3N)
			said=$(client "$(at $family "$port")" speak=$speak timeout=6000 | result)
			ms=$(($(date +%s%3N) - begin))
			is "$name, IPv$family, $speak: greeted, although the final ACK is lost" "$said, $(lost) lost" 'ok, 1 lost'
			at_most "$name, IPv$family, $speak: by the first repetition, ms" $ms 2500
			nothing_lost
		done
	done
done

# The SYN-ACK is repeated as often as configured, and no more; then the entry goes.
net_nobody
in_c ip neigh replace 10.0.0.77 lladdr $CMAC dev c0 nud permanent
said=$(in_c "$TOOLS/wire" c0 ask 10.0.0.1:25 from=10.0.0.77:5000 mac=$SMAC timeout=4000)
is 'a client that never answers: SYN-ACK at 0, 1 and 3 s' "$(grep -c '"flags":"syn,ack"' <<<"$said")" 3
is 'each the same' "$(grep '"flags":"syn,ack"' <<<"$said" | sed 's/.*"seq":\([0-9]*\).*/\1/' | sort -u | wc -l)" 1
app_ends greeter
afxdp_end
