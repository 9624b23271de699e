#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Final ACKs doubled and replayed, FINs repeated into TIME-WAIT, tuples used again: nothing twice, nothing lost.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up
net_nobody

afxdp_attach 7 9
daemon_up
app service '[::]:7'
app closes '[::]:9' close=first
accepted_from() { grep -c "\"event\":\"accept\".*\"port\":$2[,}]" "$DIR/$1.out"; }	# NAME PORT
port=30000
for family in 4 6; do
	what="IPv$family"
	while read -r case words; do
		port=$((port + 1))
		# shellcheck disable=SC2086
		said=$(in_c "$TOOLS/wire" c0 ask "$(at $family 7)" from="$(nobody $family $port)" mac=$SMAC timeout=1000 until=hey $words)
		says "$what: $case: it is served" '"text":"hey"' "$said"
		is "$what: $case: once" "$(accepted_from service $port)" 1
	done <<-CASES
		final-ACK-with-payload then=ack text=hey
		with-payload-and-FIN then=fin text=hey
		three-times-over then=ack text=hey echo=3
		SYN-three-times-over then=ack text=hey repeat=3
		timestamps then=ack text=hey options=020405b40402080a000000010000000001030307
		no-options-at-all then=ack text=hey options=
	CASES
	for case in 'service 7 fin' 'service 7 rst' 'closes 9 fin'; do
		read -r name dport end <<<"$case"
		for payload in 0 1; do
			this="$what, $([ $payload = 1 ] && echo first data || echo final ACK), $name, $end"
			rm -f "$DIR/frame"
			spawn recorder c "$TOOLS/wire" c0 record "$DIR/frame" dport="$dport" flags=ack payload=$payload timeout=3000
			within 3 grep -q recording "$DIR/recorder.out" || not_ok "$this: recorder"
			before=$(accepted "$name")
			spawn live c "$TOOLS/client" "$(at $family "$dport")" rounds=$([ "$name" = closes ] && echo 1 || echo 2) pause=300 end="$end"
			ended recorder || not_ok "$this: recorded" "$(cat "$DIR/recorder.err")"
			in_c "$TOOLS/wire" c0 send "$DIR/frame" times=10 gap=2000
			ended live
			is "$this: again while it lives: unhurt" "$(result <"$DIR/live.out")" ok
			sleep 0.1
			in_c "$TOOLS/wire" c0 send "$DIR/frame" times=10 gap=2000
			sleep 0.1
			is "$this: again when it is closed: one connection and no second" $(($(accepted "$name") - before)) 1
		done
	done
done
at_least 'replays were refused as what they are' "$(($(refused replayed) + $(refused time_wait)))" 20

# The server closes first; the client's FIN is lost on the way to TIME-WAIT's keeper and sent again.
rm -f "$DIR/frame"
spawn recorder c "$TOOLS/wire" c0 record "$DIR/frame" dport=9 flags=fin,ack timeout=3000
within 3 grep -q recording "$DIR/recorder.out"
client 10.0.0.1:9 from=10.0.0.2:41000 hold=100 >/dev/null
ended recorder
sleep 0.3
at_least 'the closed connection is in TIME-WAIT' "$(flows 'select(.phase == "time_wait")')" 1
in_c nstat -n
in_c nft -f - <<-NFT
	table inet seen { chain c { type filter hook input priority 0; tcp sport 9 tcp flags & (fin | syn | rst | ack) == ack counter drop; }; }
NFT
in_c "$TOOLS/wire" c0 send "$DIR/frame" times=3 gap=5000
sleep 0.2
is 'a FIN repeated three times is acknowledged three times' "$(in_c nft list table inet seen | sed -n 's/.*packets \([0-9]*\).*/\1/p')" 3
in_c nft delete table inet seen
is 'and nothing was accepted for it' "$(accepted_from closes 41000)" 1

# The same address and port again, at once: RFC 9293 3.10.7.4, timestamps have moved on.
sleep 1.1
is 'a new SYN from a tuple in TIME-WAIT opens a new connection' "$(client 10.0.0.1:9 from=10.0.0.2:41000 | result)" ok
is 'which is accepted' "$(accepted_from closes 41000)" 2
is 'and after a reset as well' "$(for _ in 1 2 3; do client 10.0.0.1:7 from=10.0.0.2:41001 end=rst | result; done | xargs)" 'ok ok ok'
app_ends service
app_ends closes
afxdp_end
