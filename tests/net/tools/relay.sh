# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A relay between client and server, behind lib.sh, in place of net_up:
#
#   porch-STORY-c c0 --veth-- r0 porch-STORY-r r1 --veth-- s0 porch-STORY-s
in_r() { nsenter --net="/run/netns/porch-$STORY-r" -- "$@"; }
net_up_relay() {
	local rns=porch-$STORY-r
	net_namespace "$CNS"
	net_namespace "$SNS"
	net_namespace "$rns"
	in_r sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$CNS" link add c0 numrxqueues 1 numtxqueues 1 address $CMAC type veth \
		peer name r0 netns "$rns" numrxqueues 1 numtxqueues 1 || exit 1
	ip -n "$SNS" link add s0 numrxqueues 1 numtxqueues 1 address $SMAC type veth \
		peer name r1 netns "$rns" numrxqueues 1 numtxqueues 1 || exit 1
	ip -n "$CNS" addr add 10.0.0.2/24 dev c0
	ip -n "$SNS" addr add 10.0.0.1/24 dev s0
	ip -n "$CNS" addr add fd00::2/64 dev c0 nodad
	ip -n "$SNS" addr add fd00::1/64 dev s0 nodad
	ip -n "$CNS" link set c0 up
	ip -n "$SNS" link set s0 up
	ip -n "$rns" link set r0 up
	ip -n "$rns" link set r1 up
	net_neighbours 0 10.0.0 fd00:
	in_c ethtool -K c0 tx off tso off gso off >/dev/null
	in_s ethtool -K s0 tx off tso off gso off >/dev/null
	in_r ethtool -K r0 gro off tx off >/dev/null
	in_r ethtool -K r1 gro off tx off >/dev/null
	in_r "$TOOLS/xdp" r1 pass || exit 1
}
relay() {	# [key=value...]
	spawn relay r "$TOOLS/relay" r0 r1 "$@"
	within 3 grep -q relaying "$DIR/relay.out" || bail 'the relay relays' "$(cat "$DIR/relay.err")"
}
relay_said() { tail -n 1 "$DIR/relay.out" | field2 "$1"; }	# FIELD, after stop relay
field2() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
