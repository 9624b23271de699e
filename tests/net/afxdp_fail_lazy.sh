#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Applications that never read, that keep what was lent to them, and clients that never
# read: memory stays within its bound and the others' service goes on.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9 11
daemon_up
bystander_up
app good '[::]:7'
app deaf '[::]:9' work=ignore memory=8388608 recvbuf=262144
app keeps '[::]:11' work=lend memory=8388608 recvbuf=262144
pids=()
for port in 9 11; do
	for _ in 1 2 3 4; do
		(in_c timeout 6 head -c 8M /dev/zero | in_c timeout 6 nc -N 10.0.0.1 $port >/dev/null) &
		pids+=($!)
	done
done
sleep 1.5
served 'meanwhile others are served' 7 50 rounds=3
head -c 4M /dev/urandom >"$DIR/file"
is 'and transfer' "$(in_c timeout 10 nc -N 10.0.0.1 7 <"$DIR/file" | md5sum)" "$(md5sum <"$DIR/file")"
for name in deaf keeps; do
	at_most "$name: buffers in use" "$(app_stat $name memory)" 8388608
	is "$name: four connections are held" "$(app_stat $name conns)" 4
done
client 10.0.0.1:9 timeout=500 >/dev/null
is 'it still accepts' "$(grep -c '"event":"accept"' "$DIR/deaf.out")" 5
bystander_well 'meanwhile'
wait "${pids[@]}"
# the clients have given up: what they sent is given back
app_ends deaf
app_ends keeps
within 3 queue_is 9 workers 0
served 'after they are gone' 7 20

# a client that never reads: the echo comes to a stop, and the memory of one connection with it
app small '[::]:9' memory=4194304 recvbuf=65536 sndbuf=65536
(in_c timeout 4 head -c 8M /dev/zero | in_c timeout 4 nc 10.0.0.1 9 | sleep 4) &
sleep 1
served 'a client that never reads: others are served by the same worker' 9 20
at_most 'and its memory is bounded' "$(app_stat small memory)" 4194304
wait $!
app_ends small
app_ends good
afxdp_end
