#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A million forged final ACKs, with and without timestamps, and 300 honest clients
# among them: 300 of 300, and not one connection more.
. "$(dirname "$0")/lib.sh"
net_up
net_spoofed

serve service '[::]:8080' backlog=1024

for way in tracked stateless attacked; do
	attach $way 8080
	for family in 4 6; do
		what="IPv$family, $way"
		arm $way 8080
		client "$(at $family 8080)" >/dev/null # a cookie has been given out, so proofs are expected
		sleep 2.2 # handshakes that the kernel began may end unproven for two seconds
		before=$(refused bad_cookie) served=$(accepted service) proven=$(counter proven) passed=$(counter unknown_passed)
		for layout in ts plain; do
			flood flood 10 50000 $family 8080 kind=bad layout=$layout
			sleep 0.2
			said=$(client "$(at $family 8080)" count=150 gap=10 width=50 timeout=15000)
			flooded flood 500000 "$what, $layout: forged ACKs"
			is "$what, $layout: honest clients" "$(results <<<"$said")" '{"total":150,"ok":150}'
		done
		is "$what: connections the service saw" $(($(accepted service) - served)) 300
		[ $way = attacked ] || is "$what: proven, honest and no other" $(($(counter proven) - proven)) 300
		at_least "$what: forged ACKs refused" $(($(refused bad_cookie) - before)) 300000
		at_most "$what: segments the kernel saw of them" $(($(counter unknown_passed) - passed)) 100000
	done
	detach
done
story_end
