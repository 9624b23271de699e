#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Attached, changed and detached under continuous traffic, again and again: nothing is lost.
. "$(dirname "$0")/lib.sh"
net_up 2

serve service '[::]:8080'
serve greeter '[::]:8081' speak=first
load() {	# begins the traffic
	for family in 4 6; do
		spawn new$family c "$TOOLS/client" "$(at $family 8080)" count=0 gap=4 width=200 timeout=6000
		spawn greeted$family c "$TOOLS/client" "$(at $family 8081)" count=0 gap=9 width=200 timeout=6000 speak=server
		spawn old$family c "$TOOLS/client" "$(at $family 8080)" count=10 rounds=100000 pause=30 timeout=6000
	done
	sleep 0.3
}
unload() {	# WHAT: ends it and judges
	local family said
	for family in 4 6; do
		for name in new$family greeted$family old$family; do
			stop $name
			said=$(tail -1 "$DIR/$name.out")
			if [ "$(all_ok $name 10)" = yes ]; then
				ok "$1: $name, all $(sum_of ok <<<"$said") connections"
			else
				not_ok "$1: $name" "$(results <<<"$said")" "$(grep -v '"result":"ok"' "$DIR/$name.out" | head -5)"
			fi
		done
	done
}

for way in $WAYS; do
	load
	for round in 1 2 3; do
		porch attach s0 --listen "*:8080,$(keys_of $way)" --listen "*:8081,$(keys_of $way)" >/dev/null || not_ok "$way: attach $round"
		sleep 0.4
		porch detach s0 >/dev/null || not_ok "$way: detach $round"
		sleep 0.2
	done
	unload "$way, attached and detached three times"
done

load
porch attach s0 --listen "*:8080" >/dev/null || not_ok 'attach'
for change in 'add *:8081 protect=always' 'set *:8080 protect=always' 'set *:8080 protect=monitor' 'set *:8080 syn-rate=10 protect=always' \
	'set *:8081 protect=off' 'set *:8080 protect=on-attack' 'del *:8081' 'set *:8080 protect=always mss=1200' 'del *:8080'; do
	set -f
	# shellcheck disable=SC2086
	porch listen s0 $change >/dev/null || not_ok "listen $change"
	set +f
	sleep 0.3
done
is 'the listeners are gone' "$(status '.listeners | length')" 0
detach
unload 'every option changed'
story_end
