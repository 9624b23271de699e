#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# deliver=afxdp behind VLAN devices: what libporch, porchd and XDP send bears the tags that
# the client's frames bear, and in them the same protocol: 802.1Q, 802.1ad, or both.
. /vm/lib.sh
. /vm/daemon.sh

vlan() {	# BELOW ABOVE ID NET PROTOCOL [MTU]: at both ends
	local host

	for host in s c; do
		"in_$host" ip link add link "$host$1" name "$host$2" type vlan id "$3" protocol "$5"
		"in_$host" ip link set "$host$2" mtu "${6:-1500}" up
	done
	addresses "$2" "$4"
}

behind() {	# WHAT NET TAGS
	local untagged tagged

	untagged=$(seen 1) tagged=$(seen $((1 + $3)))
	is "$1: clients in turn, IPv4" 5 "$(in_turn "10.0.$2.1" 5)"
	is "$1: clients in turn, IPv6" 5 "$(in_turn "[fd0$2::1]" 5)"
	is "$1: $BIG MiB" "$(md5sum < $FILES/big)" "$(get "10.0.$2.1" big | md5sum)"
	is "$1: nothing came back without its tags" "$untagged" "$(seen 1)"
	check "$1: the answers bore $3" [ "$(seen $((1 + $3)))" -gt $((tagged + 30)) ]
}

mount -t bpf bpf /sys/fs/bpf
modprobe 8021q
files_up
veth_up
# veth carries tags beside the frame, where XDP does not see them, unless the sender may not.
in_c ethtool -K c0 txvlan off tx-vlan-stag-hw-insert off
in_s ethtool -K s0 txvlan off tx-vlan-stag-hw-insert off
vlan 0 0.100 100 1 802.1Q
vlan 0 0.200 200 2 802.1ad
vlan 0.200 0.200.5 5 3 802.1Q 1496
vlan 0.100 0.100.6 6 4 802.1Q 1496
afxdp_up tags
behind "802.1Q" 1 1
behind "802.1ad alone" 2 1
behind "QinQ" 3 2
behind "QinQ of before 802.1ad" 4 2
is "all of them porch's" 44 "$(status .counters.proven)"
afxdp_down tags
finish
