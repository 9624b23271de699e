#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: listeners behind VLAN devices: one tag, a service tag, and both (QinQ).
. /vm/lib.sh

vlan() {	# BELOW ABOVE ID NET [PROTOCOL]: at both ends
	local host

	for host in s c; do
		"in_$host" ip link add link "$host$1" name "$host$2" type vlan id "$3" ${5:+protocol "$5"}
		"in_$host" ip link set "$host$2" up
	done
	addresses "$2" "$4"
}

behind() {	# WHERE NET TAGS: 10.0.NET.1 is behind so many tags; SYN-ACKs bear them as well
	local untagged tagged delivered

	untagged=$(seen 1) tagged=$(seen $((1 + $3))) delivered=$(served)
	answered "$1: 10 clients in turn, IPv4" "10.0.$2.1" 10
	answered "$1: 10 clients in turn, IPv6" "fd0$2::1" 10
	answered "$1: 40 clients at once, IPv4" "10.0.$2.1" 40 40
	answered "$1: 40 clients at once, IPv6" "fd0$2::1" 40 40
	is "$1: porch delivered them all" $((delivered + 100)) "$(served)"
	is "$1: nothing came back without its tags" "$untagged" "$(seen 1)"
	check "$1: the answers bore $3" [ "$(seen $((1 + $3)))" -ge $((tagged + 300)) ]
}

everywhere() {	# WHERE
	behind "$1, 802.1Q" 1 1
	behind "$1, 802.1ad" 2 1
	behind "$1, QinQ" 3 2
}

links() { find /sys/fs/bpf/porch -name "tc-*" | wc -l; }

late() {	# WHERE: VLAN devices that come and go while porch is attached
	is "$1: tc runs on each VLAN device" 3 "$(links)"
	vlan 0.200 0.200.6 6 4
	attach "$1: attach after a VLAN device has come"
	is "$1: tc runs on the new one" 4 "$(links)"
	answered "$1: which serves" 10.0.4.1 10
	in_s ip link del s0.200.6
	in_c ip link del c0.200.6
	attach "$1: attach after a VLAN device has gone"
	is "$1: its link is gone" 3 "$(links)"
}

journey() {	# WHERE
	serve
	vlan 0 0.100 100 1
	vlan 0 0.200 200 2 802.1ad
	vlan 0.200 0.200.5 5 3
	attach "$1: attach" --listen '*:80,protect=always'
	everywhere "$1, always"
	check "$1: listen set" in_s porch listen s0 set '*:80' protect=on-attack syn-rate=10
	# The first ones are the kernel's; then cookies.
	ask $S4 40 40 > /dev/null
	is "$1: more SYNs than syn-rate" stateless "$(status '.listeners[0].regime')"
	everywhere "$1, stateless"
	is "$1: nothing refused" 0 "$(status '[.refused[]] | add // 0')"
	late "$1"
	check "$1: detach" in_s porch detach s0
	sleep 1
	is "$1: no program is left" "" "$(bpftool prog show | grep -o "name porch_[a-z]*")"
	answered "$1: and the kernel serves alone" 10.0.3.1 3
}

mount -t bpf bpf /sys/fs/bpf
modprobe 8021q
cards_up
journey virtio
hosts_down
veth_up
like "doctor: tags that veth keeps out of the frame" 'vlan_offload' "$(in_s ip link add link s0 name s0.9 type vlan id 9
	in_s porch doctor s0 | grep -E '^(FAIL|WARN)')"
in_s ip link del s0.9
# veth carries tags beside the frame, where XDP does not see them, unless the sender may not.
in_c ethtool -K c0 txvlan off tx-vlan-stag-hw-insert off
in_s ethtool -K s0 txvlan off tx-vlan-stag-hw-insert off
journey veth
finish
