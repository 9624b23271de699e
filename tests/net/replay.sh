#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A final ACK recorded and sent again, while the connection lives and after it has ended: nothing is created twice.
. "$(dirname "$0")/lib.sh"
net_up

serve service '[::]:8080'
serve closes '[::]:8081' close=first
resend() { in_c "$TOOLS/wire" c0 send "$DIR/frame" times=20 gap=2000; sleep 0.1; }
for way in tracked stateless attacked; do
	porch attach s0 --listen "*:8080,$(keys_of $way)" --listen "*:8081,$(keys_of $way)" || bail "attach, $way"
	for family in 4 6; do
		for payload in 0 1; do
			for case in 'service 8080 fin' 'service 8080 rst' 'closes 8081 fin'; do
				read -r name port end <<<"$case"
				what="IPv$family, $way, $([ $payload = 1 ] && echo first data || echo final ACK), $name closes, $end"
				arm $way $port
				rm -f "$DIR/frame"
				spawn recorder c "$TOOLS/wire" c0 record "$DIR/frame" dport=$port flags=ack payload=$payload timeout=3000
				within 3 grep -q recording "$DIR/recorder.out" || not_ok "$what: recorder"
				before=$(accepted $name)
				spawn live c "$TOOLS/client" "$(at $family $port)" rounds=$([ $name = closes ] && echo 1 || echo 2) pause=300 end=$end
				ended recorder || not_ok "$what: recorded" "$(cat "$DIR/recorder.err")"
				resend
				ended live
				is "$what: the connection is unhurt" "$(result <"$DIR/live.out")" ok
				resend
				is "$what: one connection, and no second" $(($(accepted $name) - before)) 1
			done
		done
	done
	at_least "$way: refused as what it is" $(($(refused replayed) + $(refused not_issued))) 10
	is "$way: nothing left half done" "$(in_s ss -Htan state syn-recv 'dst 10.0.0.2 or dst [fd00::2]' | wc -l)" 0
	detach
done
story_end
