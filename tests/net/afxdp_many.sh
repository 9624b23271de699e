#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Ten thousand connections at the same time, all of them alive, from an ordinary Linux client.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

in_c sysctl -qw net.ipv4.ip_local_port_range='1024 65000'
printf '[porch]\nflows = 65536\n[interface s0]\nlisten = *:7,deliver=afxdp,protect=always,backlog=4096\n' >"$DIR/porch.conf"
check 'attach with room for 65536 flows' porch attach s0 --config "$DIR/porch.conf"
daemon_up
app service '[::]:7' credit=1024 backlog=4096
for family in 4 6; do
	said=$(in_c "$TOOLS/many" "$(at $family 7)" count="$CROWD" rate=10000 rounds=2 2>"$DIR/many.err")
	is "IPv$family: $CROWD at once, each answered twice" "$(sed 's/,"connect_ms.*/}/' <<<"$said")" \
		"{\"total\":$CROWD,\"connected\":$CROWD,\"failed\":0,\"answered\":$((2 * CROWD))}"
	[ -s "$DIR/many.err" ] && sed 's/^/#   /' "$DIR/many.err"
	within 5 queue_is 7 depth 0
	is "IPv$family: all were accepted, once" "$(grep -c '"event":"accept"' "$DIR/service.out")" $((family == 4 ? CROWD : 2 * CROWD))
done
within 5 eval '[ "$(app_stat service conns)" = 0 ]'
is 'none is open any more' "$(app_stat service conns)" 0
is 'and no buffer is in use' "$(app_stat service memory)" 0
app_ends service
afxdp_end
