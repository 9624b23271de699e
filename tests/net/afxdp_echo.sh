#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Echo in both families; peers with and without each option; nc; a server that speaks first; either side closing.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7,backlog=256 25 9 99
daemon_up
app echo '[::]:7'
app greeter '[::]:25' speak=first
app closes '[::]:9' close=first
app aborts '[::]:99' close=abort
for family in 4 6; do
	is "IPv$family: 50 clients, five messages each" "$(client "$(at $family 7)" count=50 rounds=5 pause=5 | results)" '{"total":50,"ok":50}'
	is "IPv$family: clients that reset" "$(client "$(at $family 7)" count=20 end=rst | results)" '{"total":20,"ok":20}'
	is "IPv$family: greeted, then answered" "$(client "$(at $family 25)" count=20 speak=server | results)" '{"total":20,"ok":20}'
	is "IPv$family: greeted, without a word" "$(client "$(at $family 25)" count=20 speak=silent | results)" '{"total":20,"ok":20}'
	is "IPv$family: the server closes first" "$(client "$(at $family 9)" count=20 hold=200 | results)" '{"total":20,"ok":20}'
	said=$(client "$(at $family 99)" count=5 rounds=2 pause=100 | results)
	says "IPv$family: the server aborts: the second message meets a reset" '"reset":5' "$said"
	is "IPv$family: nc" "$(printf 'one\ntwo\n' | in_c timeout 5 nc -N "$([ $family = 6 ] && echo fd00::1 || echo 10.0.0.1)" 7 | xargs)" 'one two'
done
long() { in_c timeout 10 nc -N 10.0.0.1 7 <"$DIR/long" | md5sum; }
head -c 3M /dev/urandom >"$DIR/long"
for off in tcp_timestamps tcp_sack tcp_window_scaling; do
	in_c sysctl -qw net.ipv4.$off=0
	is "without $off: 3 MiB" "$(long)" "$(md5sum <"$DIR/long")"
	is "without $off: ten clients" "$(client 10.0.0.1:7 count=10 rounds=2 | results)" '{"total":10,"ok":10}'
	option=${off#tcp_}
	says "without $off: the application was told so" "\"$(case $option in window_scaling) echo wscale ;; *) echo "$option" ;; esac)\":0" \
		"$(grep '"event":"accept"' "$DIR/echo.out" | tail -n 1)"
done
is 'without any of them: 3 MiB' "$(long)" "$(md5sum <"$DIR/long")"
in_c sysctl -qw net.ipv4.tcp_timestamps=1 net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1
is 'a client with a small MSS' "$(client 10.0.0.1:7 mss=600 | results)" '{"total":1,"ok":1}'
at_most 'whose MSS is kept to' "$(grep '"event":"accept"' "$DIR/echo.out" | tail -n 1 | sed 's/.*"mss":\([0-9]*\).*/\1/')" 600
is 'a client with a small receive buffer' "$(client 10.0.0.1:7 rcvbuf=2304 rounds=3 | results)" '{"total":1,"ok":1}'
is 'nobody outside: the kernel said nothing' "$(in_s nstat -asz TcpOutRsts | awk '/TcpOutRsts/ { print $2 }')" 0
sleep 0.3
for name in echo greeter closes aborts; do
	is "$name: no connection is left open" "$(app_stat $name conns)" 0
	app_ends $name
done
afxdp_end
