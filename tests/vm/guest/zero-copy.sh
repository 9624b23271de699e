#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# deliver=afxdp with zero-copy = yes, by a driver that can: virtio_net from Linux 6.13 on,
# if the host lets the card see memory as a real one does (VIRTIO_F_ACCESS_PLATFORM). Here
# the driver holds frames of its own, so that every end is another one than in copy mode.
. /vm/lib.sh
. /vm/daemon.sh

answers() { [ "$(in_turn $S4 1)" = 1 ]; }

mount -t bpf bpf /sys/fs/bpf
files_up
cards_up
afxdp_up virtio 'zero-copy = yes'
is "zero-copy, and shown as such" '[true]' "$(modes)"
like "porchd says so when it binds" 's0 queue 0: bound, zero-copy' "$(cat /tmp/porchd.err)"
clients virtio

killed $HTTP
within 10 has_workers 0
http_up "an application killed, another comes"
is "and serves" 5 "$(in_turn $S4 5)"
is "with zero-copy" '[true]' "$(modes)"

killed $PORCHD
daemon_up "porchd killed and started again" 'zero-copy = yes'
within 10 has_workers 1
is "and the same application serves" 5 "$(in_turn $S4 5)"
is "still with zero-copy" '[true]' "$(modes)"

# A quarter of it per second: porchd dies in the middle.
get $S4 big --limit-rate 1M | md5sum > /tmp/sum &
SUM=$!
sleep 1.5
killed $PORCHD
daemon_up "porchd killed and started again, in the middle of a transfer" 'zero-copy = yes'
wait $SUM
is "and the transfer never noticed" "$(md5sum < $FILES/big)" "$(cat /tmp/sum)"

in_s ip link set s0 down
sleep 1
in_s ip link set s0 up
in_s ip addr add fd00::1/64 dev s0 nodad 2> /dev/null # IPv6 addresses go with the link
within 15 answers
is "the interface goes down and up, and clients are served" 5 "$(in_turn $S4 5)"
is "with zero-copy again" '[true]' "$(modes)"
is "a large transfer too" "$(md5sum < $FILES/big)" "$(get $S4 big | md5sum)"
afxdp_down virtio
hosts_down
veth_up
refused_zero_copy veth
finish
