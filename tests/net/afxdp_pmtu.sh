#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A narrower link behind a router: its ICMP errors reach the application's own TCP, which sends in smaller
# pieces from then on; forged ones change nothing, and without any (a black hole) the pages arrive all the same.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

# porch-STORY-s s0 -- c0 router c1 (MTU 1300) -- x0 porch-STORY-x, which offers an MSS for 1500
XNS=porch-$STORY-x
in_x() { nsenter --net="/run/netns/$XNS" -- "$@"; }
net_namespace "$XNS"
ip -n "$CNS" link add c1 type veth peer name x0 netns "$XNS"
ip -n "$CNS" addr add 10.0.5.1/24 dev c1
ip -n "$CNS" addr add fd05::1/64 dev c1 nodad
ip -n "$XNS" addr add 10.0.5.2/24 dev x0
ip -n "$XNS" addr add fd05::2/64 dev x0 nodad
ip -n "$CNS" link set c1 up mtu 1300
ip -n "$XNS" link set x0 up
ip -n "$XNS" route add default via 10.0.5.1
ip -n "$XNS" -6 route add default via fd05::1
ip -n "$SNS" route add 10.0.5.0/24 via 10.0.0.2
ip -n "$SNS" -6 route add fd05::/64 via fd00::2
in_c sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
in_c ethtool -K c0 gro off tso off gso off >/dev/null
in_x sysctl -qw net.ipv4.tcp_mtu_probing=0

mkdir -p "$DIR/www"
head -c 2M /dev/urandom >"$DIR/www/page"
sum=$(md5sum <"$DIR/www/page")
afxdp_attach 80
daemon_up
example http http '[::]:80' "$DIR/www"
page() { in_x timeout "$2" curl -sS "http://$([ "$1" = 6 ] && echo '[fd00::1]' || echo 10.0.0.1)/page" | md5sum; }	# FAMILY SECONDS
too_big() {	# FAMILY: what the router has said so far
	in_c nstat -asz IcmpOutDestUnreachs Icmp6OutPktTooBigs |
		awk -v name="$([ "$1" = 6 ] && echo Icmp6OutPktTooBigs || echo IcmpOutDestUnreachs)" '$1 == name { print $2 }'
}
for family in 4 6; do
	is "IPv$family: a page through the narrow link" "$(page $family 8)" "$sum"
	at_least "IPv$family: of which the router complained" "$(too_big $family)" 1
	# 2 MiB are 1600 segments; a first flight per connection is too large, and no more than that
	at_most "IPv$family: and was heard at once" "$(too_big $family)" 40
done

# --- a black hole: the router says nothing ---
in_c nft -f - <<-RULES
	table inet silence {
		chain out {
			type filter hook output priority 0;
			icmp type destination-unreachable drop
			icmpv6 type packet-too-big drop
		}
	}
RULES
for family in 4 6; do
	is "IPv$family: a page through a black hole" "$(page $family 30)" "$sum"
done
app_ends http
afxdp_end
