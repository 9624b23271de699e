#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 200 clients at the same moment, in quiet and while SYNs and forged ACKs pour in from everywhere.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up
net_spoofed

afxdp_attach 7,backlog=1024
daemon_up
app service '[::]:7' backlog=1024
for family in 4 6; do
	served_as() { is "IPv$family: 200 clients, $1" "$(client "$(at $family 7)" count=200 rounds=3 pause=20 timeout=15000 | results)" '{"total":200,"ok":200}'; }
	before=$(grep -c '"event":"accept"' "$DIR/service.out")
	served_as 'in quiet'
	flood syns 10 50000 $family 7
	served_as 'under a flood of SYNs'
	flooded syns 500000 "IPv$family: SYNs"
	flood acks 10 50000 $family 7 kind=bad layout=ts
	served_as 'under forged ACKs'
	flooded acks 500000 "IPv$family: forged ACKs"
	is "IPv$family: 600 accepted, and no stranger" $(($(grep -c '"event":"accept"' "$DIR/service.out") - before)) 600
done
at_least 'forged ACKs refused' "$(refused bad_cookie)" 500000
is 'the kernel has not answered for us' "$(in_s nstat -asz TcpOutRsts | awk '/TcpOutRsts/ { print $2 }')" 0
app_ends service
afxdp_end
