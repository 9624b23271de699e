#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The SYN-ACK on the wire is the kernel's own in all that a client can tell: options and
# their values, TTL, flags; the window to less than a segment (porch rounds as the kernel
# does for the child of a cookie); and it leaves with the VLAN tags the SYN had.
. "$(dirname "$0")/lib.sh"
net_up
net_nobody
in_s ethtool -K s0 tx off >/dev/null # the kernel's checksums are to be real as well
serve usual '[::]:8080'
serve narrow '[::]:8081' rcvbuf=6000
serve small '[::]:8082' mss=900

no_window() { sed 's/"window":[0-9]*,//' <<<"$1"; }
port=1024
ask() {	# FAMILY PORT OPTIONS [WORDS...]: the first answer
	local family=$1 to=$2 options=$3
	shift 3
	in_c "$TOOLS/wire" c0 ask "$(at "$family" "$to")" from="$(nobody "$family" $port)" mac=$SMAC options="$options" timeout=1000 answers=1 "$@" | head -1
}
seen() { sed -E 's/"(seq|text|tags)":([0-9]+|"[^"]*"|\[[^]]*\]),?//g; s/,\}/}/'; }
OFFERS=(
	'Linux 020405b40402080a000000010000000001030307' 'Windows 020405b40103030801010402'
	'Apple 020405b4010303060101080a000000010000000004020000' 'nothing -' 'MSS 020405b4' 'SACK 020405b401010402'
	'timestamps 020405b40101080a0000000100000000' 'scale_15 020405b40103030f' 'MSS_536 02040218' 'MSS_1220 020404c4'
	'NOPs_first 0101010101010101010101010101010101010101020405b4' 'other_order 03030701010104020101080a000000010000000002040500'
	'wrong_length 0203050102040500' 'unknown_kind 020405b4fe04000001030307' 'end_of_list 020405b40003030701010402'
)
all() {	# FILE
	local family offer name options service
	for family in 4 6; do
		for offer in "${OFFERS[@]}"; do
			read -r name options <<<"$offer"
			[ "$options" != - ] || options=
			port=$((port + 1))
			[ -z "${2:-}" ] || [ $((port % 8)) != 0 ] || { arm "$2" 8080; arm "$2" 8081; arm "$2" 8082; }
			echo "$family $name $(ask $family 8080 "$options" | seen)"
		done
		for service in 8081 8082; do
			port=$((port + 1))
			[ -z "${2:-}" ] || arm "$2" $service
			echo "$family service_$service $(ask $family $service 020405b40402080a000000010000000001030307 | seen)"
		done
		port=$((port + 1))
		echo "$family ECN $(ask $family 8080 020405b40402080a000000010000000001030307 flags=syn,ece,cwr | seen)"
	done >"$1"
}
all "$DIR/plain"
is 'the plain kernel answers them all' "$(grep -c 'syn,ack' "$DIR/plain")" $((2 * (${#OFFERS[@]} + 3)))
for way in tracked stateless attacked; do
	porch attach s0 --listen "*:8080,$(keys_of $way)" --listen "*:8081,$(keys_of $way)" --listen "*:8082,$(keys_of $way)" || bail "attach, $way"
	for p in 8080 8081 8082; do arm $way $p; client "$(at 4 $p)" >/dev/null; done
	before=$(counter synack_sent)
	port=1024
	all "$DIR/seen" $way
	while read -r family name plain; do
		seen=$(sed -n "s/^$family $name //p" "$DIR/seen")
		is "IPv$family, $way, $name: as the kernel" "$(no_window "$seen")" "$(no_window "$plain")"
		apart=$(($(field window <<<"$seen") - $(field window <<<"$plain")))
		at_most "IPv$family, $way, $name: its window" ${apart#-} 1460
	done <"$DIR/plain"
	at_least "$way: and porch sent them" $(($(counter synack_sent) - before)) $((2 * (${#OFFERS[@]} + 3) - 1)) # an MSS of 536 is the kernel's over IPv6
	for family in 4 6; do
		for tags in 42 7,42; do
			port=$((port + 1))
			arm $way 8080
			said=$(ask $family 8080 020405b40402080a000000010000000001030307 tags=$tags)
			is "IPv$family, $way: tagged $tags, answered tagged" "$(sed -E 's/.*"flags":"([^"]*)".*"sums":([a-z]*).*"tags":\[([^]]*)\].*/\1 \2 \3/' <<<"$said")" "syn,ack true $tags"
		done
	done
	detach
done

# MSS that follows the route, and the listener's own
ip -n "$SNS" route replace 10.0.0.0/24 dev s0 src 10.0.0.1 advmss 1111
port=60000
plain=$(ask 4 8080 020405b4 | field mss)
attach tracked 8080
client 10.0.0.1:8080 >/dev/null
port=$((port + 1))
is 'a route with advmss' "$(ask 4 8080 020405b4 | field mss)" "$plain"
porch listen s0 set '*:8080' mss=1000 >/dev/null
port=$((port + 1))
is 'a listener with mss=1000' "$(ask 4 8080 020405b4 | field mss)" 1000
story_end
