#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The interface goes down and comes up; the number of its queues changes; another one goes away.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up 4
in_c ethtool -L c0 tx 2 >/dev/null 2>&1 && in_s ethtool -L s0 rx 2 >/dev/null 2>&1 || bail "two queues to begin with"

afxdp_attach 7
daemon_up
app service '[::]:7'
spawn steady c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=100000 pause=20 timeout=8000
served 'before' 7 20
for end in s0 c0; do
	[ $end = s0 ] && ns=$SNS || ns=$CNS
	ip -n "$ns" link set $end down
	sleep 0.7
	ip -n "$ns" link set $end up
	net_neighbours 0 10.0.0 fd00:
	ip -n "$CNS" addr replace fd00::2/64 dev c0 nodad
	ip -n "$SNS" addr replace fd00::1/64 dev s0 nodad
	within 5 eval '[ "$(client 10.0.0.1:7 timeout=500 | result)" = ok ]'
	served "$end down and up: clients are served" 7 20
done
stop steady
is 'connections from before went on' "$(all_ok steady 10)" yes
is 'the application is still attached' "$(state_of service | sed s/reattached/attached/)" attached

# More queues: frames come in where nobody had a socket. Fewer: the kernel refuses while sockets are bound.
is 'two queues, two sockets of porchd' "$(slots 'select(.worker == 0)')" 2
check 'the server has four queues now' in_s ethtool -L s0 rx 4
check 'so has the client' in_c ethtool -L c0 tx 4
# a veth runs XDP on added queues only once it has been down and up
ip -n "$SNS" link set s0 down
ip -n "$SNS" link set s0 up
net_neighbours 0 10.0.0 fd00:
within 5 eval '[ "$(slots "select(.worker == 0)")" = 4 ]'
is 'four queues: four sockets of porchd' "$(slots 'select(.worker == 0)')" 4
served 'four queues: clients are served' 7 100 rounds=3
is 'four queues: the kernel takes none away from under a socket' "$(in_s ethtool -L s0 rx 1 2>/dev/null || echo refused)" refused
served 'and clients are served' 7 20
is 'porchd said what happened' "$(grep -c 's0' "$DIR/porchd.err" | sed 's/^[1-9][0-9]*$/yes/')" yes
app_ends service
is 'the kernel has reset nobody' "$(in_s nstat -asz TcpOutRsts | awk '/TcpOutRsts/ { print $2 }')" 0
afxdp_end
