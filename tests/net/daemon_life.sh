#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd as a process: its sign of life, what it notices of the world, how it ends.
. "$(dirname "$0")/lib.sh"
net_up 2
PORCHD=${PORCHD:-$PWD/build/porchd}
in_c ethtool -L c0 rx 2 tx 2 >/dev/null 2>&1

host() { in_s bpftool -j map dump pinned "$(pins)/porch_host" | jq -r ".[0].formatted.value.$1"; }
pid_of() { pgrep -x porchd | head -1; }
said() { grep -Eq -- "$1" "$DIR/porchd.err"; }
run() {
	spawn porchd s "$PORCHD" --socket "$DIR/porchd.sock" "$@"
	within 5 said ' runs: ' || bail 'porchd runs' "$(cat "$DIR/porchd.err")"
}

attach tracked 8080 deliver=afxdp
is 'before porchd: no sign of it' "$(host daemon_tick)" 0
cat >"$DIR/porch.conf" <<-CONF
	[porchd]
	backlog = 100
	fallback = drop
	rx-frames = 2048
CONF
run --config "$DIR/porch.conf"
porchd=$(pid_of)
is 'porchd says which process it is' "$(host daemon_pid)" "$porchd"
check 'its control socket is there' [ -S "$DIR/porchd.sock" ]

# --- the sign of life ---
age() { echo $(($(host tick) - $(host daemon_tick))); }
worst=0
for _ in {1..10}; do
	[ "$(age)" -le $worst ] || worst=$(age)
	sleep 0.1
done
at_most 'its sign of life is half a second old at most' $worst 8
cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
before=$(cpu "$porchd")
sleep 3
at_most 'idle, it takes no hundredth of the CPU' $(($(cpu "$porchd") - before)) 3
# but CAP_IPC_LOCK, where memory cannot be locked without
has=$(sed -n "s/^CapPrm:\t//p" "/proc/$porchd/status")
is 'it holds no capability it can do without' "${has/%4000/0000}" 0000000000000000
is 'nor could it get one' "$(sed -n "s/^CapBnd:\t//p" "/proc/$porchd/status")" 0000000000000000
opener=$(pgrep -x porchd-opener)
is 'the opener holds one' "$(sed -n 's/^Cap\(Prm\|Eff\):\t//p' "/proc/$opener/status" | sort -u)" 0000000000002000
is 'and two descriptors beside standard input and output' "$(find "/proc/$opener/fd" -type l 2>/dev/null | wc -l)" 4

# --- reload ---
sed -i -e 's/drop/kernel/' -e 's/2048/1024/' "$DIR/porch.conf"
kill -HUP "$porchd"
check 'a reload says what has to wait' within 3 said 'after a restart: rx-frames'
fallback() { [ "$(host fallback)" = 1 ]; }
check 'the fallback is another at once' within 3 fallback
echo 'nonsense' >>"$DIR/porch.conf"
kill -HUP "$porchd"
check 'what is wrong is not taken, and said' within 3 said 'not reloaded: .*porch.conf:[0-9]+'

# --- links ---
ip -n "$SNS" link set s0 down
check 'the interface is down: it is said' within 3 said 's0: .*interface is down'
ip -n "$SNS" link set s0 up
check 'up again: it is said' within 3 said 's0: is as it should be again'
in_c ethtool -L c0 tx 1 >/dev/null
in_s ethtool -L s0 rx 1 >/dev/null
check 'fewer RX queues: it is said' within 4 said 's0: .*had 2 RX queues and has 1'
: >"$DIR/porchd.err"
index=$(in_s cat /sys/class/net/s0/ifindex 2>/dev/null || in_s ip -j link show s0 | jq '.[0].ifindex')
in_s bpftool link detach pinned "$(pins)/$index/xdp"
check 'the XDP program is taken off: it is said' within 3 said "s0: .*porch's XDP program was taken off"
check 'another program is put there' in_s "$TOOLS/xdp" s0 pass
check 'and it is said' within 3 said 's0: .*XDP program [0-9]+ runs in place of porch'
porch detach s0 >/dev/null 2>&1
check 'porch is detached: it ends' within 5 said 'taken off this network namespace'
ended porchd
is 'with status 1' $? 1
is 'and its opener with it' "$(pgrep -c -x porchd-opener)" 0
in_s "$TOOLS/xdp" s0 off >/dev/null 2>&1
ip -n "$SNS" link set s0 xdp off 2>/dev/null

# --- next hops ---
attach tracked 8080
ip -n "$SNS" neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev s0 nud permanent
ip -n "$SNS" neigh replace 10.0.0.8 lladdr 02:00:00:00:00:08 dev s0 nud permanent
ip -n "$SNS" neigh replace 10.0.0.7 lladdr 02:00:00:00:00:08 dev s0 nud permanent
run
porchd=$(pid_of)
ip -n "$SNS" neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev s0 nud permanent
check 'a next hop with another MAC: noticed' within 3 said '02:00:00:00:00:09 is now 02:00:00:00:00:0a'
ip -n "$SNS" neigh replace 10.0.0.8 lladdr 02:00:00:00:00:0b dev s0 nud permanent
sleep 0.3
is 'one whose MAC another has too is left alone' "$(grep -c '00:08 is now' "$DIR/porchd.err")" 0

# --- ends ---
kill -STOP "$porchd"
sleep 1
at_least 'stopped, it gives no sign' "$(age)" 8
kill -CONT "$porchd"
alive() { [ "$(age)" -le 6 ]; }
check 'and goes on' within 3 alive
kill -TERM "$porchd"
ended porchd
is 'SIGTERM: status 0' $? 0
is 'it has said goodbye' "$(host daemon_tick) $(host daemon_pid)" '0 0'
run
kill -KILL "$(pgrep -x porchd-opener)"
check 'without its opener' within 3 said 'the opener is gone'
ended porchd
is 'it ends with status 1' $? 1
run
stop porchd KILL
gone() { ! pgrep -x porchd-opener; }
check 'killed: its opener ends too' within 3 gone
run
check 'and it starts again' said ' runs: '
stop porchd
story_end
