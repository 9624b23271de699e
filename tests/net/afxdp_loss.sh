#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A bad network between client and server: frames lost, doubled, late, spoiled. Transfers arrive, octet for octet.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
. tests/net/tools/relay.sh
net_up_relay

mkdir -p "$DIR/www"
head -c 4M /dev/urandom >"$DIR/www/file"
SUM=$(md5sum <"$DIR/www/file")
afxdp_attach 80 7
daemon_up
example http http '[::]:80' "$DIR/www"
example echo echo '[::]:7'
both_ways() {	# WHAT
	local family
	for family in 4 6; do
		is "$1, IPv$family: downloaded" "$(in_c curl -sS --noproxy '*' --max-time 20 "http://$(at $family 80)/file" 2>&1 | md5sum)" "$SUM"
		is "$1, IPv$family: uploaded and echoed" \
			"$(in_c timeout 20 nc -N "$([ $family = 6 ] && echo fd00::1 || echo 10.0.0.1)" 7 <"$DIR/www/file" | md5sum)" "$SUM"
	done
}
while read -r what words; do
	# shellcheck disable=SC2086
	relay $words
	both_ways "$what"
	stop relay
	at_least "$what: the relay has done what it was asked" \
		$(($(relay_said dropped) + $(relay_said doubled) + $(relay_said reordered) + $(relay_said corrupted))) "$([ "$what" = nothing ] && echo 0 || echo 50)"
done <<-CASES
	nothing delay=100
	loss drop=10 delay=100 seed=11
	reordering reorder=50 hold=1500 delay=100 seed=12
	doubling double=100 delay=100 seed=13
	spoiling corrupt=10 delay=100 seed=14
	everything drop=5 double=20 reorder=20 corrupt=5 hold=1500 delay=200 jitter=100 seed=15
CASES
app_ends http
app_ends echo
afxdp_end
