#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A client that comes back from the same port, while the server's kernel still holds
# (a) TIME-WAIT, because the server closed first, or (b) the dead predecessor as
# ESTABLISHED, because the client vanished without a word. Each as with the plain kernel.
. "$(dirname "$0")/lib.sh"
net_up

serve closes '[::]:8080' close=first
serve stays '[::]:8081'
[ ! -e /proc/sys/net/ipv4/tcp_tw_reuse_delay ] || in_c sysctl -qw net.ipv4.tcp_tw_reuse_delay=0

own() { if [ "$1" = 6 ]; then echo "[fd00::2]:$2"; else echo "10.0.0.2:$2"; fi; }
held() {	# FAMILY PORT STATE: sockets of the server for this client's port
	in_s ss -Htan state "$3" "dport = :$2" | wc -l
}
again() {	# FAMILY SERVICE FROM: "result, soon or late"
	local said
	said=$(client "$(at "$1" "$2")" from="$(own "$1" "$3")" timeout=8000 | head -1)
	echo "$(result <<<"$said") $([ "$(field total_us <<<"$said")" -lt 2500000 ] && echo soon || echo late)"
}
time_wait() {	# FAMILY PORT
	local said
	said=$(client "$(at "$1" 8080)" from="$(own "$1" "$2")" hold=200 | result)
	echo "$said, $(held "$1" "$2" time-wait) in TIME-WAIT, again: $(again "$1" 8080 "$2")"
}
dead() {	# FAMILY PORT
	local said
	said=$(client "$(at "$1" 8081)" from="$(own "$1" "$2")" end=silent | result)
	echo "$said, $(held "$1" "$2" established) ESTABLISHED, again: $(again "$1" 8081 "$2")"
}

port=20000
for way in plain $WAYS; do
	[ $way = plain ] || porch attach s0 --listen "*:8080,$(keys_of $way)" --listen "*:8081,$(keys_of $way)" || bail "attach, $way"
	for family in 4 6; do
		for case in time_wait dead; do
			for round in 1 2 3; do
				port=$((port + 1))
				[ $way = plain ] || { arm $way 8080; arm $way 8081; }
				seen=$($case $family $port)
				if [ $way = plain ]; then
					declare "plain_${case}_$family=$seen"
					[ $round = 1 ] && says "IPv$family, $case, plain kernel: the client comes back" '^ok, 1 .*again: ok soon$' "$seen"
				else
					wanted=plain_${case}_$family
					is "IPv$family, $case, $way, round $round: as with the plain kernel" "$seen" "${!wanted}"
				fi
			done
		done
	done
	[ $way = plain ] || detach
done
story_end
