#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A full accept queue: backlog 1, nobody accepts, five clients, at once and one by
# one, either side speaking first. Nobody is reset, and once the service accepts
# everybody is served whom the plain kernel serves.
. "$(dirname "$0")/lib.sh"
net_up

connected() { in_c ss -Htan state established "dport = :$1" | wc -l; }	# PORT
waiting() { in_c ss -Htan state syn-sent "dport = :$1" | wc -l; }

# Five clients; after 1.5 s the service begins to accept. Prints what became of them.
five() {	# NAME FAMILY PORT SPEAKER GAP
	local name=$1 family=$2 port=$3 speaker=$4 gap=$5 served said
	served=$(mktemp -u "served_XXXXXX")
	serve "$served" "$(at "$family" "$port")" backlog=1 accept=usr1 speak=$([ "$speaker" = server ] && echo first || echo last)
	spawn "$name" c "$TOOLS/client" "$(at "$family" "$port")" count=5 gap="$gap" speak="$speaker" timeout=14000
	sleep 1.5
	echo "$(connected "$port") $(waiting "$port")" >"$DIR/$name.before"
	signal "$served" USR1
	ended "$name"
	said=$(tail -n 1 "$DIR/$name.out")
	sleep 0.2
	echo "$(accepted "$served") $(sum_of ok <<<"$said") $(sum_of reset <<<"$said") $(sum_of refused <<<"$said") $(sum_of closed <<<"$said")" >"$DIR/$name.after"
	stop "$served"
}

# Every case has a port of its own, so that they run at the same time.
cases() {	# WAY
	local port=9000 family speaker gap pids=()
	for family in 4 6; do
		for speaker in client server; do
			for gap in 0 50; do
				port=$((port + 1))
				five "$1-$family-$speaker-$gap" $family $port $speaker $gap &
				pids+=($!)
			done
		done
	done
	wait "${pids[@]}"
}

judge() {	# WAY
	local family speaker gap name what plain served before after
	for family in 4 6; do
		for speaker in client server; do
			for gap in 0 50; do
				name=$1-$family-$speaker-$gap what="IPv$family, $1, $speaker first, $([ $gap = 0 ] && echo at once || echo one by one)"
				read -ra plain <"$DIR/plain-$family-$speaker-$gap.after"
				read -ra before <"$DIR/$name.before"
				read -ra after <"$DIR/$name.after"
				is "$what: no reset, no refusal" "${after[*]:2:3}" '0 0 0'
				served=${after[1]}
				at_least "$what: ${served} of 5 answered (plain kernel: ${plain[1]})" "$served" $((plain[1] < 5 ? plain[1] : 5))
				[ $gap = 0 ] || at_least "$what: while it was full, clients waited in SYN-SENT (${before[0]} connected)" "${before[1]}" 2
			done
		done
	done
}

in_s sysctl -qw net.ipv4.tcp_abort_on_overflow=0
cases plain
judge plain
for way in tracked stateless; do
	listens=()
	for port in {9001..9008}; do listens+=(--listen "*:$port,$(keys_of $way)"); done
	porch attach s0 "${listens[@]}" || bail "attach, $way"
	[ $way = tracked ] || for port in {9001..9008}; do arm $way $port; done
	cases $way
	judge $way
	at_least "$way: proofs were parked, or SYNs unanswered" $(($(refused parked) + $(refused accept_queue_full))) 1
	detach
done
story_end
