#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: 200 clients behind a link that loses a tenth of the frames, each way.
. /vm/lib.sh

lossy() {	# REGIME
	local address

	for address in $S4 $S6; do
		# 19 of 100 tries fail, and a client makes ten in a minute.
		answered "$1: 200 clients of $address, 10 % of the frames lost each way" $address 200 100 60000
	done
}

mount -t bpf bpf /sys/fs/bpf
modprobe sch_netem || { skip "loss" "this kernel has no sch_netem"; finish; }
veth_up
serve
# netem for what the client sends; SYN-ACKs by XDP_TX pass no qdisc, so the client's own XDP loses them.
check "a link that loses" in_c tc qdisc add dev c0 root netem loss 10%
lose 10
lossy "plain kernel"
attach "attach" --listen '*:80,protect=always'
lossy "always"
check "listen set" in_s porch listen s0 set '*:80' protect=on-attack syn-rate=10
lossy "on-attack"
check "SYN-ACKs were porch's" [ "$(status .counters.synack_sent)" -gt 400 ]
check "nobody was taken for a forger" [ "$(status '.refused.bad_cookie + .refused.bad_ack + .refused.not_issued')" = 0 ]
say "$(in_s porch status s0)"
check "detach" in_s porch detach s0
finish
