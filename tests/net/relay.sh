#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The relay that other stories trust: it does what it is asked, as often as it is asked, and the same by the same seed.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/relay.sh
net_up_relay

serve service '[::]:7'
fate() {	# WORDS...: what 400 connections' frames met
	relay "$@"
	is "$*: every client is served" "$(client 10.0.0.1:7 count=400 width=20 rounds=2 timeout=8000 | results)" '{"total":400,"ok":400}'
	stop relay
}
fate delay=100
is 'asked for nothing, it does nothing' "$(relay_said dropped) $(relay_said doubled) $(relay_said reordered) $(relay_said corrupted)" '0 0 0 0'
is 'what came went on' "$(relay_said arrived)" "$(relay_said sent)"
begin=$(date +%s%3N)
fate delay=5000
at_least 'a delay is a delay, ms' $(($(date +%s%3N) - begin)) 600
for kind in drop double reorder corrupt; do
	fate $kind=30 seed=5
	case $kind in drop) said=dropped ;; double) said=doubled ;; reorder) said=reordered ;; corrupt) said=corrupted ;; esac
	many=$(relay_said $said) all=$(relay_said arrived)
	at_least "$kind: about thirty of a thousand ($many of $all)" $((many * 1000 / all)) 20
	at_most "$kind: and no more" $((many * 1000 / all)) 40
	is "$kind: nothing else befell them" $(($(relay_said dropped) + $(relay_said doubled) + $(relay_said reordered) + $(relay_said corrupted))) "$many"
done
fate drop=100 way=there from=10 seed=3
at_least 'one way: dropped there' "$(relay_said dropped)" 30
relay drop=1000 way=back
is 'all that comes back is lost: nobody is served' "$(client 10.0.0.1:7 timeout=500 | result)" timeout_connect
stop relay
relay queue=1 delay=100000
client 10.0.0.1:7 count=5 timeout=500 >/dev/null
stop relay
at_least 'a full queue loses and counts' "$(relay_said overflowed)" 3
story_end
