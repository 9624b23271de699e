#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: a listener behind a bond of two: porch on the slaves, or on the bond itself.
. /vm/lib.sh

bond_up() {	# at both ends: s0 and s1, c0 and c1
	local host n

	hosts_up
	for n in 0 1; do
		in_s ip link add s$n type veth peer name c$n netns c
		in_c ip link set c$n xdp obj /vm/seen.bpf.o sec xdp
	done
	for host in s c; do
		"in_$host" ip link add "${host}b" type bond mode active-backup miimon 100
		for n in 0 1; do
			"in_$host" ip link set "$host$n" master "${host}b"
			"in_$host" ip link set "$host$n" up
		done
		"in_$host" ip link set "${host}b" up
	done
	addresses b 0
	# until both ends have chosen the same slave
	for n in 1 2 3 4 5 6 7 8 9 10; do
		in_c ping -c 1 -W 1 $S4 > /dev/null 2>&1 && break
	done
}

serves() {	# SENTENCE DEVICE
	local before

	before=$(served "$2")
	answered "$1: IPv4" $S4 20 5
	answered "$1: IPv6" $S6 20 5
	is "$1: porch delivers them" $((before + 40)) "$(served "$2")"
}

mount -t bpf bpf /sys/fs/bpf
modprobe bonding max_bonds=0
bond_up
serve
answered "the plain kernel" $S4 5

for slave in s0 s1; do
	check "attach to the slave $slave" in_s porch attach $slave --listen '*:80,protect=always'
done
serves "on the slaves" s0
in_s ip link set s0 down
in_c ip link set c0 down
sleep 1
serves "on the slaves, one of them down" s1
in_s ip link set s0 up
in_c ip link set c0 up
for slave in s0 s1; do
	check "detach from $slave" in_s porch detach $slave
done

said=$(in_s porch attach sb --listen '*:80,protect=always' 2>&1)
if [ $? = 0 ]; then
	is "on the bond: mode" native "$(in_s porch -j status sb | jq -r .mode)"
	serves "on the bond" sb
	check "detach from the bond" in_s porch detach sb
else
	like "on the bond: refused, with the next step" '^porch: sb: .*(porch doctor|--mode skb)' "$said"
fi
answered "the plain kernel again" $S4 5
finish
