#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The final ACK is lost, and it is the server's turn to speak: nobody would ever send
# again. porchd repeats the SYN-ACK, as Linux does for its own half-open connections.
. "$(dirname "$0")/lib.sh"
net_up
net_nobody

serve greeter '[::]:2525' speak=first
lose() {	# how many bare ACKs to the service do not arrive
	in_c nft -f - <<-NFT
		table inet lose {
			chain c {
				type filter hook output priority 0
				tcp dport 2525 tcp flags & (fin | syn | rst | psh | ack) == ack numgen inc mod 1000000 < $1 counter drop
			}
		}
	NFT
}
lost() { in_c nft list table inet lose | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
nothing_lost() { in_c nft delete table inet lose; }
ask() { in_c "$TOOLS/wire" c0 ask "$@" mac=$SMAC; }

# how Linux itself does: what is to be matched
lose 1
said=$(client 10.0.0.1:2525 speak=server timeout=5000)
is 'the plain kernel: the client is greeted' "$(sum_of ok <<<"$said")" 1
nothing_lost

attach tracked 2525
lose 1
said=$(client 10.0.0.1:2525 speak=server timeout=3000)
is 'without porchd: the client waits for ever' "$(result <<<"$said"), $(lost) lost" 'timeout_data, 1 lost'
nothing_lost

daemon() {	# starts porchd
	spawn porchd s "${PORCHD:-$PWD/build/porchd}" --socket "$DIR/porchd.sock" "$@"
	within 5 grep -q ' runs: ' "$DIR/porchd.err" || bail 'porchd runs' "$(cat "$DIR/porchd.err")"
}
daemon
for family in 4 6; do
	at=$(at $family 2525)
	for times in 1 2; do
		lose $times
		before=$(accepted greeter) start=$(date +%s%N)
		said=$(client "$at" speak=server timeout=8000)
		ms=$((($(date +%s%N) - start) / 1000000))
		is "IPv$family: $times final ACKs are lost: the client is greeted and answered" "$(result <<<"$said"), $(lost) lost" "ok, $times lost"
		wanted=$((times == 1 ? 1000 : 3000))
		at_least "IPv$family: $times lost: after $wanted ms" $ms $((wanted - 50))
		at_most "IPv$family: $times lost: and not much later" $ms $((wanted + 900))
		nothing_lost
		is "IPv$family: and there is one connection" $(($(accepted greeter) - before)) 1
	done
	# nothing lost: nothing is repeated
	before=$(accepted greeter)
	said=$(client "$at" count=20 gap=5 speak=server timeout=3000)
	is "IPv$family: 20 clients with nothing lost" "$(sum_of ok <<<"$said")" 20
	is "IPv$family: make 20 connections" $(($(accepted greeter) - before)) 20
done

# by hand: a client that says nothing after its SYN
port=1024
seen() { sed -E 's/"text":"[^"]*",?//g; s/,\}/}/' <<<"$1"; }
for family in 4 6; do
	for options in 020405b40402080a000000010000000001030307 020405b4 020405b401010402 020405b40103030801010402 ''; do
		port=$((port + 1))
		said=$(ask "$(at $family 2525)" from="$(nobody $family $port)" options=$options timeout=1900 answers=2)
		is "IPv$family, options ${options:-none}: the SYN-ACK comes again" "$(grep -c '"flags":"syn,ack"' <<<"$said")" 2
		is "IPv$family, options ${options:-none}: and is the same" "$(sort -u <<<"$(seen "$said")" | grep -c .)" 1
	done
	port=$((port + 1))
	said=$(ask "$(at $family 2525)" from="$(nobody $family $port)" tags=42 timeout=1600 answers=2)
	is "IPv$family: a SYN with a VLAN tag: both answers have it" "$(grep -c '"tags":\[42\]' <<<"$said")" 2
	port=$((port + 1))
	said=$(ask "$(at $family 2525)" from="$(nobody $family $port)" then=rst timeout=1600)
	is "IPv$family: a client that resets is left alone" "$(grep -c '"flags":"syn,ack"' <<<"$said")" 1
done

# it goes away, and says so
stop porchd
says 'porchd takes its leave' 'porchd ends' "$(cat "$DIR/porchd.err")"
lose 1
said=$(client 10.0.0.1:2525 speak=server timeout=3000)
is 'porchd is gone: the client waits for ever' "$(result <<<"$said")" timeout_data
nothing_lost

# as an ordinary user it would have no right to any of this
daemon --user nobody
pid=${PIDS[porchd]}
pid=$(pgrep -P "$pid" -x porchd || echo "$pid") # behind nsenter, if that forks
is 'porchd is nobody' "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" "$(id -u nobody)"
has=$(sed -n "s/^CapPrm:\t//p" "/proc/$pid/status")
is 'and has no capability it can do without' "${has/%4000/0000}" 0000000000000000
said=$(in_s "${PORCHD:-$PWD/build/porchd}" --socket "$DIR/second.sock" 2>&1)
is 'a second one in the namespace is refused' "$? $(grep -c 'runs already' <<<"$said")" '1 1'
detach
ended porchd
is 'porch is detached: porchd ends with an error' "$? $(grep -c 'taken off this network namespace' "$DIR/porchd.err")" '1 1'
said=$(in_s "${PORCHD:-$PWD/build/porchd}" 2>&1)
is 'with nothing attached it does not start' "$? $(grep -c 'porch attach' <<<"$said")" '1 1'
in_s "${PORCHD:-$PWD/build/porchd}" --no-such-option >/dev/null 2>&1
is 'a wrong option is a usage error' $? 2
story_end
