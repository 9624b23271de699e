#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Four RX queues. Flows that move to another queue in the middle of a transfer go on, whoever serves them.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up 4

in_c sysctl -qw net.ipv4.tcp_mtu_probing=0
head -c 64M /dev/urandom >"$DIR/file"
SUM=$(md5sum <"$DIR/file")
# All that this end sends leaves by queue N, and comes in on the same number over there.
steer_to() { in_c unshare -m sh -c "mount -t sysfs none /sys && for q in 0 1 2 3; do
	[ \$q = $1 ] && m=3 || m=0; echo \$m >/sys/class/net/c0/queues/tx-\$q/xps_cpus; done"; }
transfer() { in_c timeout 20 nc -N 10.0.0.1 7 <"$DIR/file" | md5sum >"$DIR/sum"; }
moved_transfer() {	# WHAT
	local pid q
	steer_to 0 || { skip "$1" 'XPS cannot be set here'; return; }
	transfer &
	pid=$!
	for q in 1 3 0 2 1 3; do
		sleep 0.1
		steer_to $q
	done
	wait $pid
	is "$1: 64 MiB there and back, queues changed six times" "$(cat "$DIR/sum")" "$SUM"
}

afxdp_attach 7
daemon_up
app all '[::]:7'
is 'a worker of all queues has four sockets' "$(slots 'select(.worker > 0)')" 4
is 'porchd has one for each queue' "$(slots 'select(.worker == 0)')" 4
moved_transfer 'one worker'
is 'one worker: 200 clients spread over the queues' "$(client 10.0.0.1:7 count=200 rounds=3 | results)" '{"total":200,"ok":200}'
app_ends all

for q in 0 1 2 3; do app "q$q" '[::]:7' queue=$q; done
is 'a worker each: four sockets' "$(slots 'select(.worker > 0)')" 4
is 'a worker each: it owns its queue'\''s rings' "$(slots 'select(.worker > 0 and (.lease == 1 or .lease == true))')" 4
moved_transfer 'a worker each'
is 'a worker each: 200 clients' "$(client 10.0.0.1:7 count=200 rounds=3 | results)" '{"total":200,"ok":200}'
n=0
for q in 0 1 2 3; do [ "$(grep -c '"event":"accept"' "$DIR/q$q.out")" -gt 0 ] && n=$((n + 1)); done
at_least 'a worker each: how many of them had work' $n 2
for q in 0 1 2 3; do app_ends "q$q"; done

# two workers of one listener on the same queues: porchd has the rings
app one '[::]:7'
app two '[::]:7'
is 'two workers share: eight sockets' "$(slots 'select(.worker > 0)')" 8
moved_transfer 'two workers share'
is 'two workers share: 400 clients' "$(client 10.0.0.1:7 count=400 rounds=3 | results)" '{"total":400,"ok":400}'
at_least 'two workers share: the first has some' "$(grep -c '"event":"accept"' "$DIR/one.out")" 20
at_least 'two workers share: so has the second' "$(grep -c '"event":"accept"' "$DIR/two.out")" 20
app_ends one
app_ends two
is 'nothing went to the kernel' "$(in_s nstat -asz TcpOutRsts | awk '/TcpOutRsts/ { print $2 }')" 0
afxdp_end
