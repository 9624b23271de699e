#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.1, Debian 12's own: no bpf_sk_assign_tcp_reqsk(), so nothing can be delivered to
# a service of the kernel. porch says so, says what to do, and leaves no trace; it can count.
. /vm/lib.sh

no_trace() {	# WHEN
	sleep 1
	is "$1: no program on the interface" "" "$(in_s ip -d link show s0 | grep -o 'prog/xdp.*')"
	is "$1: nothing pinned" "" "$(find /sys/fs/bpf -mindepth 1 -path '*porch/*')"
	is "$1: no program loaded" "" "$(bpftool prog show | grep -o 'name porch_.*')"
	in_s porch status s0 > /dev/null 2>&1
	is "$1: status says that it is not attached" 3 $?
	answered "$1: the kernel serves, IPv4" $S4 5
	answered "$1: the kernel serves, IPv6" $S6 5
}

refused() {	# SENTENCE PATTERN LISTENER
	local said status

	said=$(in_s porch attach s0 --listen "$3" 2>&1)
	status=$?
	is "$1: exit status" 1 $status
	like "$1: says which kernel it takes" "$2" "$said"
	is "$1: in one line" 1 "$(wc -l <<< "$said")"
	no_trace "$1"
}

mount -t bpf bpf /sys/fs/bpf
veth_up
serve
for protect in on-attack always; do
	refused "attach, protect=$protect" 'bpf_sk_assign_tcp_reqsk.*run Linux 6\.9 or newer' "*:80,protect=$protect"
done
attach "attach, protect=monitor" --listen '*:80,protect=monitor'
is "monitor serves as the kernel does" "20 answered, 0 failed" "$(ask $S4 20 | tail -1)"
is "monitor counts" 20 "$(status .counters.syn_received)"
is "and answers nothing" 0 "$(status .counters.synack_sent)"
check "detach" in_s porch detach s0
no_trace "after monitor"
said=$(in_s porch doctor s0 2>&1)
is "doctor finds something to mend" 1 $?
like "doctor: the kernel cannot take connections" '^FAIL +kfunc .*6\.1\.' "$said"
like "doctor: which one can" 'use Linux 6\.9 or newer' "$said"
like "doctor: TCX links" '^FAIL +hooks .*TCX' "$said"
check "detach of what is not attached" in_s porch detach s0
no_trace "in the end"
finish
