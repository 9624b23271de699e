#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The service goes and comes back: refused in between as without porch, and served again at once.
. "$(dirname "$0")/lib.sh"
net_up

port=8080
for way in plain $WAYS; do
	serve first "[::]:$port"
	[ $way = plain ] || attach $way $port
	for family in 4 6; do
		[ $way = plain ] || arm $way $port
		is "IPv$family, $way: served" "$(client "$(at $family $port)" | result)" ok
		stop first
		[ $way = plain ] || arm $way $port
		said=$(client "$(at $family $port)" count=5 gap=20)
		is "IPv$family, $way: gone, five clients are refused" "$(results <<<"$said")" '{"total":5,"refused":5}'
		serve first "[::]:$port"
		[ $way = plain ] || arm $way $port
		said=$(client "$(at $family $port)" count=20 gap=20)
		is "IPv$family, $way: back, 20 clients are served" "$(results <<<"$said")" '{"total":20,"ok":20}'
	done
	if [ $way != plain ]; then
		proves $way && at_least "$way: by porch" "$(counter proven)" 30
		detach
	fi
	stop first
done

# A reload as nginx does it: the old process hands the socket over, so nobody is refused.
serve one '[::]:8081' reuseport=1
attach tracked 8081
spawn steady c "$TOOLS/client" 10.0.0.1:8081 count=0 gap=5 width=50 timeout=4000
sleep 0.5
serve two '[::]:8081' reuseport=1
sleep 0.5
stop steady
is 'a second member of a SO_REUSEPORT group joins under traffic' "$(all_ok steady 50)" yes
at_least 'and serves' "$(accepted two)" 5
story_end
