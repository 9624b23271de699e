#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# deliver=afxdp under other kernels, over veth and through a real driver (virtio_net, in
# copy mode). Kernel 6.1 has nothing that would take a proven connection, and none of this
# asks for it.
. /vm/lib.sh
. /vm/daemon.sh

# Services of the kernel on the same interface, and what porch can do for them here.
beside() {	# WHERE
	local said status

	serve 8080
	like "$1: a service of the kernel beside it" '^5 answered, 0 failed' "$(ask $S4 5 1 10000 8080)"
	said=$(in_s porch listen s0 add '*:8080,protect=always' 2>&1)
	status=$?
	if grep -q ' bpf_sk_assign_tcp_reqsk$' /proc/kallsyms; then
		is "$1: which porch can deliver to as well" '0 ' "$status $said"
		like "$1: and does" '^5 answered, 0 failed' "$(ask $S4 5 1 10000 8080)"
		is "$1: by itself" 5 "$(status '.listeners[] | select(.port == 8080) | .delivered')"
	else
		is "$1: to which this kernel lets nobody deliver: exit status" 1 $status
		like "$1: and porch says so" 'no bpf_sk_assign_tcp_reqsk\(\).*Linux 6\.9 or newer' "$said"
		like "$1: doctor: deliver=afxdp does not ask for that" '^ok +kfunc .*deliver=afxdp' "$(in_s porch doctor s0 2>&1)"
	fi
	kill $SERVERS
	SERVERS=
}

journey() {	# WHERE
	afxdp_up "$1"
	clients "$1"
	is "$1: in copy mode, and shown as such" '[false]' "$(modes)"
	beside "$1"
	killed $PORCHD
	daemon_up "$1: porchd killed and started again"
	within 10 has_workers 1
	is "$1: and the same application serves" 5 "$(in_turn $S4 5)"
	afxdp_down "$1"
}

mount -t bpf bpf /sys/fs/bpf
files_up
veth_up
journey veth
refused_zero_copy veth
hosts_down
cards_up
journey virtio
finish
