#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A service that greets before the client says a word: SSH, SMTP, databases.
. "$(dirname "$0")/lib.sh"
net_up

serve greeter '[::]:2525' speak=first
for way in $WAYS; do
	attach $way 2525
	for family in 4 6; do
		arm $way 2525
		before=$(counter delivered)
		said=$(client "$(at $family 2525)" count=20 gap=10 speak=server timeout=3000)
		is "IPv$family, $way: 20 clients are greeted and answered" "$(sum_of ok <<<"$said")" 20
		at_most "IPv$family, $way: nobody waits for a retransmission" "$(sum_of connect_worst_us <<<"$said")" 500000
		said=$(client "$(at $family 2525)" count=20 gap=10 speak=silent timeout=3000)
		is "IPv$family, $way: 20 clients that never speak are greeted" "$(sum_of ok <<<"$said")" 20
		proves $way && is "IPv$family, $way: 40 delivered" $(($(counter delivered) - before)) 40
	done
	detach
done
story_end
