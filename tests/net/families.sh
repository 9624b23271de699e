#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A service that is not everywhere `*` is: on one family, on one address. The rest
# refuses as without porch, and whoever knocks there cannot take the protection away.
. "$(dirname "$0")/lib.sh"
net_up
net_spoofed
ip -n "$SNS" addr add 10.0.0.9/24 dev s0

serve v4only '10.0.0.1:8080'
serve v6only '[::]:8081' v6only=1
other=(8080 '[fd00::1]:8080' 8080 '10.0.0.9:8080' 8081 '10.0.0.1:8081')

knock() {	# each place where nobody listens, without end
	spawn knock1 c "$TOOLS/client" '[fd00::1]:8080' count=0 gap=20 width=20 timeout=2000
	spawn knock2 c "$TOOLS/client" '10.0.0.9:8080' count=0 gap=20 width=20 timeout=2000
	spawn knock3 c "$TOOLS/client" '10.0.0.1:8081' count=0 gap=20 width=20 timeout=2000
}
for way in tracked attacked; do
	porch attach s0 --listen "*:8080,$(keys_of $way)" --listen "*:8081,$(keys_of $way)" >/dev/null || bail "attach, $way"
	for port in 8080 8081; do arm $way $port; done
	if [ $way = attacked ]; then in_c "$TOOLS/wire" c0 ask '[fd00::1]:8081' from="$(nobody 6 4)" mac=$SMAC repeat=40 spread=1 timeout=1; fi >/dev/null
	for ((i = 0; i < ${#other[@]}; i += 2)); do
		said=$(client "${other[i + 1]}" count=5 gap=20 timeout=2000)
		seen=$(results <<<"$said")
		case ${other[i + 1]} in
		*10.0.0.9*)	# the flag is of the family: what XDP has answered, the kernel then resets
			is "$way, ${other[i + 1]}: nobody is served" "$(sum_of ok <<<"$said")" 0 ;;
		*) is "$way, ${other[i + 1]}: refused" "$seen" '{"total":5,"refused":5}' ;;
		esac
	done
	knock
	before=$(counter proven)
	spawn flood c "$FLOOD" c0 kind=syn to=10.0.0.1:8080 from=10.64.0.0/10 mac=$CMAC,$SMAC rate=20000 seconds=3 seed=1
	sleep 0.3
	passed=$(listener 8080 .syn_passed)
	is "$way: while others knock, and under a flood, 100 clients over IPv4" "$(client 10.0.0.1:8080 count=100 gap=10 | results)" '{"total":100,"ok":100}'
	is "$way: and 100 over IPv6" "$(client '[fd00::1]:8081' count=100 gap=10 | results)" '{"total":100,"ok":100}'
	at_least "$way: porch proved them" $(($(counter proven) - before)) 150
	ended flood
	at_most "$way: of the flood, the kernel saw next to nothing" $(($(listener 8080 .syn_passed) - passed)) 6000
	for name in knock1 knock2 knock3; do
		stop $name
		is "$way: $name was served by nobody" "$(tail -1 "$DIR/$name.out" | field ok)" 0
	done
	detach
done
story_end
