#!/bin/bash
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up
afxdp_attach 7
spawn porchd s "$PORCHD" --config /dev/null --socket "$PORCH_SOCKET"
sleep 2
porch -j status s0 | jq -c 'del(.counters) | del(.refused)'
porch -j queues
spawn a s "$APP" '[::]:7'
sleep 1
cat $DIR/a.*
porch -j queues
strace -f -o /run/story/st -p ${PIDS[porchd]} & sleep 0.5; timeout 3 nsenter --net=/run/netns/$SNS "$APP" "[::]:7"; grep -E "ENOBUFS|setsockopt|bind" /run/story/st | tail -30; grep -i mem /proc/${PIDS[porchd]}/limits
timeout 5 nsenter --net=/run/netns/$CNS $TOOLS/client 10.0.0.1:7 count=3 rounds=2
porch -j flows s0
cat $DIR/porchd.err
ok x
story_end
