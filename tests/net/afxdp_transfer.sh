#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A Linux client downloads a gibibyte and uploads one, MTU 1500, then less with MTU 3000; every octet compared.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

mkdir -p "$DIR/www"
head -c "${MIB}M" /dev/urandom >"$DIR/www/all"
head -c "$((MIB / 8))M" "$DIR/www/all" >"$DIR/www/part"
ALL=$(md5sum <"$DIR/www/all") PART=$(md5sum <"$DIR/www/part")
megabits() { awk "BEGIN { printf \"%d Mbit/s\", $1 * 8.389 / ($2 / 1000) }"; }	# MIB MS

round() {	# MTU FAMILY FILE SUM MIB
	local begin ms sum
	begin=$(date +%s%3N)
	sum=$(in_c curl -sS --noproxy '*' --max-time 25 "http://$(at "$2" 80)/$3" 2>&1 | md5sum)
	ms=$(($(date +%s%3N) - begin))
	is "MTU $1, IPv$2: $5 MiB downloaded, $(megabits "$5" $ms)" "$sum" "$4"
	begin=$(date +%s%3N)
	sum=$(in_c timeout 25 nc -N "$([ "$2" = 6 ] && echo fd00::1 || echo 10.0.0.1)" 7 <"$DIR/www/$3" | md5sum)
	ms=$(($(date +%s%3N) - begin))
	is "MTU $1, IPv$2: $5 MiB uploaded and echoed, $(megabits "$5" $ms) each way" "$sum" "$4"
}

afxdp_attach 80 7
daemon_up
example http http '[::]:80' "$DIR/www"
example echo echo '[::]:7'
round 1500 4 all "$ALL" "$MIB"
round 1500 6 part "$PART" $((MIB / 8))
app_ends http
app_ends echo
daemon_down
detach

ip -n "$SNS" link set s0 mtu 3000 && ip -n "$CNS" link set c0 mtu 3000 || bail 'MTU 3000'
afxdp_attach 80 7
daemon_up
example http http '[::]:80' "$DIR/www"
example echo echo '[::]:7'
for family in 4 6; do
	round 3000 $family part "$PART" $((MIB / 8))
done
app_ends http
app_ends echo
afxdp_end
