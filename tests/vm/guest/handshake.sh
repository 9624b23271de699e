#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: handshakes end to end, over veth and through a real driver (virtio_net).
. /vm/lib.sh

both_families() {	# WHERE: two clients after another, then many at once
	answered "$1: 20 clients in turn, IPv4" $S4 20
	answered "$1: 20 clients in turn, IPv6" $S6 20
	answered "$1: 60 clients at once, IPv4" $S4 60 60
	answered "$1: 60 clients at once, IPv6" $S6 60 60
}

options() {	# what a socket of the server knows of its client, with fewer and fewer options
	local name

	for name in "" timestamps sack window_scaling; do
		[ -n "$name" ] && in_c sysctl -qw net.ipv4.tcp_$name=0
		ask $S4 1 | head -1
		ask $S6 1 | head -1
	done
	in_c sysctl -qw net.ipv4.tcp_timestamps=1 net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1
}

journey() {	# WHERE
	local plain before

	serve
	plain=$(options)
	like "$1: a socket of the plain kernel" '^mss=1448 sack=1 timestamps=1 wscale=[0-9]+/[0-9]+$' "$plain"
	attach "$1: attach, protect=always" --listen '*:80,protect=always'
	is "$1: mode" native "$(status .mode)"
	both_families "$1, always"
	is "$1: all of them served" 160 "$(served)"
	is "$1: proven, then delivered" "$(status .counters.proven)" "$(status .counters.delivered)"
	check "$1: by porch" [ "$(status .counters.delivered)" -ge 155 ]
	is "$1: nothing refused" 0 "$(status '[.refused[]] | add // 0')"
	is "$1: the server's sockets know of their clients what they know without porch" "$plain" "$(options)"

	sleep 2 # the rate is that of the last second
	check "$1: listen set, protect=on-attack" in_s porch listen s0 set '*:80' protect=on-attack syn-rate=20
	is "$1: in quiet times the kernel does it" kernel "$(status '.listeners[0].regime')"
	before=$(status .counters.synack_sent)
	both_families "$1, on-attack"
	is "$1: more SYNs than syn-rate, and cookies answer them" stateless "$(status '.listeners[0].regime')"
	check "$1: SYN-ACKs were porch's" [ "$(status .counters.synack_sent)" -gt "$before" ]
	attach "$1: a second attach" --listen '*:80'
	is "$1: changes nothing" "on-attack stateless" "$(status '"\(.listeners[0].protect) \(.listeners[0].regime)"')"
	check "$1: detach" in_s porch detach s0
	is "$1: no program is left on the interface" "" "$(in_s ip -d link show s0 | grep -o 'prog/xdp.*')"
	answered "$1: the kernel serves alone" $S4 5
}

mount -t bpf bpf /sys/fs/bpf
veth_up
journey veth
hosts_down
cards_up
journey virtio
finish
