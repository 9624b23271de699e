#!/bin/bash
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up
afxdp_attach 7
daemon_up
app service '[::]:7'
spawn steady c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=100000 pause=20 timeout=15000
sleep 0.5
in_s bpftool net show dev s0
id=$(in_s bpftool -j net show dev s0 | jq -r ".[0].xdp[0].id"); link=$(in_s bpftool -j link show | jq -r ".[] | select(.type == \"xdp\" and .prog_id == $id) | .id" | head -n 1)
echo link $link; in_s bpftool link detach id "$link"
in_s bpftool net show dev s0
porch -j status s0 | jq -c '.refused|to_entries[]|select(.value>0)|[.key,.value]' | xargs
in_s timeout 2 tcpdump -c 5 -nn -i s0
sleep 2
porch -j status s0 | jq -c '.refused|to_entries[]|select(.value>0)|[.key,.value]' | xargs
in_s bpftool net show dev s0
in_c ss -tn | head -3
cat $DIR/porchd.err
ok x
story_end
