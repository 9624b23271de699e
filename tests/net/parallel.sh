#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 200 clients at the same moment, on a pair with four queues, so that SYN and ACK meet on different CPUs.
. "$(dirname "$0")/lib.sh"
net_up 4

serve all '[::]:8080'
for way in $WAYS; do
	attach $way 8080
	for family in 4 6; do
		arm $way 8080
		before=$(counter proven) served=$(accepted all)
		said=$(client "$(at $family 8080)" count=200 rounds=3 pause=20 timeout=8000)
		is "IPv$family, $way: 200 of 200, three messages each" "$(results <<<"$said")" '{"total":200,"ok":200}'
		is "IPv$family, $way: the service saw 200" $(($(accepted all) - served)) 200
		case $way in
		tracked | stateless) is "IPv$family, $way: each proven once" $(($(counter proven) - before)) 200 ;;
		esac
	done
	detach
done
story_end
