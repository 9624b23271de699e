#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `*` is every address of this host: also one that comes later, and never somebody else's.
. "$(dirname "$0")/lib.sh"
net_up

# A third host behind the server, which forwards.
XNS=porch-$STORY-x
net_namespace "$XNS"
ip -n "$SNS" link add sx type veth peer name x0 netns "$XNS"
ip -n "$SNS" addr add 10.0.5.1/24 dev sx
ip -n "$SNS" addr add fd05::1/64 dev sx nodad
ip -n "$XNS" addr add 10.0.5.2/24 dev x0
ip -n "$XNS" addr add fd05::2/64 dev x0 nodad
ip -n "$SNS" link set sx up
ip -n "$XNS" link set x0 up
ip -n "$XNS" route add default via 10.0.5.1
ip -n "$XNS" -6 route add default via fd05::1
ip -n "$CNS" route add 10.0.5.0/24 via 10.0.0.1
ip -n "$CNS" -6 route add fd05::/64 via fd00::1
in_s sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

serve service '[::]:8080'
spawn behind x "$TOOLS/server" '[::]:8080'
within 5 grep -q listening "$DIR/behind.out" || not_ok 'the host behind'
later() { if [ "$1" = 6 ]; then echo "[fd00::$2]:8080"; else echo "10.0.0.$2:8080"; fi; }
behind() { if [ "$1" = 6 ]; then echo '[fd05::2]:8080'; else echo 10.0.5.2:8080; fi; }

n=10
for way in tracked stateless attacked; do
	attach $way 8080
	for family in 4 6; do
		arm $way 8080
		is "IPv$family, $way: an address it had" "$(client "$(at $family 8080)" count=5 gap=10 | results)" '{"total":5,"ok":5}'
		n=$((n + 1))
		if [ $family = 6 ]; then ip -n "$SNS" addr add fd00::$n/64 dev s0 nodad; else ip -n "$SNS" addr add 10.0.0.$n/24 dev s0; fi
		arm $way 8080
		is "IPv$family, $way: an address it got later" "$(client "$(later $family $n)" count=5 gap=10 timeout=4000 | results)" '{"total":5,"ok":5}'
		before=$(counter proven)
		arm $way 8080
		is "IPv$family, $way: and once more" "$(client "$(later $family $n)" count=5 gap=10 | results)" '{"total":5,"ok":5}'
		is "IPv$family, $way: by porch" $(($(counter proven) - before)) 5

		before="$(counter syn_received) $(counter synack_sent)" served=$(accepted behind)
		is "IPv$family, $way: the host behind this one" "$(client "$(behind $family)" count=10 rounds=3 | results)" '{"total":10,"ok":10}'
		is "IPv$family, $way: it answered itself" $(($(accepted behind) - served)) 10
		is "IPv$family, $way: and none of it was porch's" "$(counter syn_received) $(counter synack_sent)" "$before"
	done
	# an address that goes is nobody's
	ip -n "$SNS" addr del 10.0.0.$((n - 1))/24 dev s0
	arm $way 8080
	is "$way: an address that was taken away is not served" "$(client "$(later 4 $((n - 1)))" timeout=700 | result | sed 's/^ok$/yet it is/; t; s/.*/not/')" not
	detach
done

# One address of two: the other is the kernel's.
ip -n "$SNS" addr add 10.0.0.99/24 dev s0
porch attach s0 --listen '10.0.0.99:8080,protect=always' --listen '[fd00::1]:8080,protect=always' >/dev/null || bail 'attach to one address'
is 'a listener of one address: that one' "$(client 10.0.0.99:8080 count=5 | results), $(counter proven)" '{"total":5,"ok":5}, 5'
is 'and not another' "$(client 10.0.0.1:8080 count=5 | results), $(counter proven)" '{"total":5,"ok":5}, 5'
is 'the same for IPv6' "$(client '[fd00::1]:8080' count=5 | results), $(counter proven)" '{"total":5,"ok":5}, 10'
story_end
