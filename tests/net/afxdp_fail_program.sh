#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Another tool takes porch's XDP program off the interface: the guard keeps the kernel from
# resetting anybody, porchd says so, and with the program back all connections go on.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7
daemon_up
bystander_up
app service '[::]:7'
spawn steady c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=100000 pause=20 timeout=15000
served 'before' 7 5
take_off() {	# as an administrator would: the link's own tool, or the plain way
	local id
	id=$(in_s bpftool -j net show dev s0 2>/dev/null | jq -r '.[0].xdp[0].id // empty')
	[ -n "$id" ] || id=$(in_s "$TOOLS/xdp" s0 id)
	in_s ip link set dev s0 xdpdrv off 2>/dev/null
	in_s ip link set dev s0 xdp off 2>/dev/null
	local link
	link=$(in_s bpftool -j link show 2>/dev/null | jq -r ".[] | select(.type == \"xdp\" and .prog_id == $id) | .id" | head -n 1)
	[ -z "$link" ] || in_s bpftool link detach id "$link"
}
resets() { in_s nstat -asz TcpOutRsts | awk '/TcpOutRsts/ { print $2 }'; }
before=$(resets)
guarded=$(refused guarded)
take_off
is 'the program is off' "$(in_s "$TOOLS/xdp" s0 id)" 0
sleep 2
is 'the kernel has reset nobody' $(($(resets) - before)) 0
bystander_well 'without the program'
within 3 grep -Eqi 's0.*(program|XDP)|(program|XDP).*s0' "$DIR/porchd.err"
says 'porchd says what happened' '(program|XDP).*s0|s0.*(program|XDP)' "$(cat "$DIR/porchd.err")"
is 'and a new client is not served by the kernel' "$(client 10.0.0.1:7 timeout=500 | result)" timeout_connect

in_s "$TOOLS/xdp" s0 pass || not_ok 'another tool attaches its own'
says 'porch does not replace a stranger silently' '.' "$(porch attach s0 --listen '*:7,deliver=afxdp,protect=always' 2>&1)"
in_s "$TOOLS/xdp" s0 off
afxdp_attach 7
within 5 eval '[ "$(client 10.0.0.1:7 timeout=500 | result)" = ok ]'
served 'attached again: clients are served' 7 20
at_least 'meanwhile the guard dropped what reached the kernel' $(($(refused guarded) - guarded)) 1
sleep 2
stop steady
is 'and the connections from before have gone on' "$(all_ok steady 10)" yes
app_ends service
afxdp_end
