#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The master key changes while a handshake is under way; and while clients come and go.
. "$(dirname "$0")/lib.sh"
net_up

serve service '[::]:8080'
hold_acks() {	# everything of the client but SYNs is lost
	in_c nft -f - <<-NFT
		table inet hold { chain out { type filter hook output priority 0;
			tcp dport 8080 tcp flags & syn == 0 drop; }; }
	NFT
}
release_acks() { in_c nft delete table inet hold; }
connected() { [ "$(in_c ss -Htan state established 'dport = :8080' | wc -l)" = 1 ]; }
key_id() { porch -j key show; }

for way in tracked stateless attacked; do
	attach $way 8080
	for family in 4 6; do
		for timestamps in 1 0; do
			what="IPv$family, $way, timestamps=$timestamps"
			in_c sysctl -qw net.ipv4.tcp_timestamps=$timestamps
			arm $way 8080
			hold_acks
			spawn held c "$TOOLS/client" "$(at $family 8080)" timeout=9000
			within 3 connected || not_ok "$what: the SYN was answered"
			before=$(key_id)
			check "$what: the key is rotated" porch key rotate
			if [ "$(key_id)" != "$before" ]; then ok "$what: key show tells it"; else not_ok "$what: key show tells it" "$before"; fi
			release_acks
			ended held
			is "$what: the handshake that was under way succeeds" "$(result <"$DIR/held.out")" ok
		done
	done
	spawn steady c "$TOOLS/client" "$(at 4 8080)" count=0 gap=5 width=50 timeout=5000
	for i in 1 2 3; do sleep 0.3; porch key rotate >/dev/null || not_ok "rotation $i"; done
	sleep 0.3
	stop steady
	is "$way: three rotations under traffic, nothing lost" "$(all_ok steady 50)" yes
	detach
done

# Secrets come by file or stdin and are never shown
attach tracked 8080
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$DIR/master"
chmod 600 "$DIR/master"
check 'a key is imported from a file' porch key import "$DIR/master"
is 'what is imported is not printed' "$(porch key show | grep -c "$(cat "$DIR/master")")" 0
is 'and clients are served' "$(client "$(at 4 8080)" count=5 | sum_of ok)" 5
story_end
