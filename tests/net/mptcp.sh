#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An MPTCP listener, which the kernel's kfunc refuses: unhealthy at once, and its clients notice nothing.
. "$(dirname "$0")/lib.sh"
net_up

[ -e /proc/sys/net/mptcp/enabled ] || { skip 'MPTCP listener' 'this kernel has no MPTCP'; story_end; }
serve multipath '[::]:8080' mptcp=1
for way in $WAYS; do
	attach $way 8080
	arm $way 8080
	for family in 4 6; do
		said=$(client "$(at $family 8080)" count=20 gap=20 timeout=3000)
		is "IPv$family, $way: 20 clients of an MPTCP service" "$(results <<<"$said")" '{"total":20,"ok":20}'
	done
	if proves $way; then is "$way: the listener is unhealthy" "$(listener 8080 .healthy)" false; fi
	is "$way: none of it was porch's" "$(counter synack_sent) $(counter delivered)" '0 0'
	detach
done

# The same port taken over by a service of the usual kind
attach tracked 8080
client "$(at 4 8080)" >/dev/null
stop multipath
serve usual '[::]:8080'
said=$(client "$(at 4 8080)" count=20 gap=20)
is 'a usual service on the port again: 20 clients' "$(results <<<"$said")" '{"total":20,"ok":20}'
is 'and the listener is well' "$(listener 8080 .healthy)" true
at_least 'and porch answers' "$(counter proven)" 19
story_end
