#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An application queues an answer for a slow client, closes, and is gone: porchd finishes it. What it is
# not allowed, or cannot know, ends with a reset.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

MIB=1048576
# What the application gives, octet for octet.
gift_sum() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%c", (i * 7 + int(i / 253)) % 256 }' | md5sum; }	# OCTETS
# A client that begins to read when the application has been gone for a while.
slow() { in_c timeout 20 nc "$@" </dev/null 2>"$DIR/nc.err" | (sleep 1; md5sum); }	# ADDRESS PORT
received() { in_c timeout 20 nc "$@" </dev/null 2>/dev/null | (sleep 1; wc -c); }
# Resets that the client has met.
resets() {
	in_c cat /proc/net/snmp | awk '$1 == "Tcp:" { if (!n) for (i = 1; i <= NF; i++) if ($i == "EstabResets") n = i; if (++rows == 2) print $n }'
}
finishing_none() { [ "$(queue 7 finishing)" = 0 ]; }

export LC_ALL=C
afxdp_attach 7 9
daemon_up
bystander_up
app other '[::]:9'
right=$(gift_sum $MIB)
host=([4]=10.0.0.1 [6]=fd00::1)
for how in close return; do
	for family in 4 6; do
		app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=$how
		before=$(resets)
		is "$how, IPv$family: the slow client gets all of it, after the application is gone" "$(slow ${host[$family]} 7)" "$right"
		is "$how, IPv$family: and no reset" "$(resets)" "$before"
		ended giver
		is "$how, IPv$family: the application ended well" $? 0
		sane giver
		is "$how, IPv$family: it was porchd who finished it" "$(queue 7 handed_back)" 1
		within 3 finishing_none
		is "$how, IPv$family: and has" "$(queue 7 finishing)" 0
		within 3 eval '[ "$(flows "select(.local_port == 7 and .phase == \"steered\")")" = 0 ]'
		is "$how, IPv$family: no flow is left steered" "$(flows 'select(.local_port == 7 and .phase == "steered")')" 0
		bystander_well "$how"
	done
done
# who does not say goodbye
for how in exit kill; do
	app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=$how
	before=$(resets)
	got=$(received 10.0.0.1 7)
	is "$how: the client does not get all of it" "$([ "$got" -lt $MIB ] && echo less)" less
	is "$how: but a reset" "$(resets)" $((before + 1))
	ended giver
	is "$how: nothing was handed back" "$(queue 7 handed_back)" 0
done
# another application, and new ones, meanwhile
app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=close
spawn late c sh -c 'nc 10.0.0.1 7 </dev/null | (sleep 2; md5sum)'
ended giver
is 'one is being finished' "$(queue 7 finishing)" 1
served 'another application serves meanwhile' 9 20
app next '[::]:7'
served 'the next application on that port, too' 7 20
ended late
is 'and the slow one had all of it' "$(cat "$DIR/late.out")" "$right"
app_ends next
# porchd itself dies while it finishes one
app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=close
spawn late c sh -c 'nc 10.0.0.1 7 </dev/null | (sleep 2; wc -c)'
ended giver
kill -KILL "${PIDS[porchd]}"
ended porchd
daemon_start
ended late
is 'what porchd was finishing dies with it' "$([ "$(cat "$DIR/late.out")" -lt $MIB ] && echo less)" less
within 8 eval '[ "$(flows "select(.local_port == 7 and .phase == \"steered\")")" = 0 ]'
is 'and is reset by the next' "$(flows 'select(.local_port == 7 and .phase == "steered")')" 0
app_ends other
daemon_down

# limits
daemon_up 'handback-memory = 200000'
app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=close
before=$(resets)
got=$(received 10.0.0.1 7)
is 'more than handback-memory: the client does not get all of it' "$([ "$got" -lt $MIB ] && echo less)" less
is 'but a reset' "$(resets)" $((before + 1))
ended giver
is 'and nothing was handed back' "$(queue 7 handed_back)" 0
check 'and porchd has been told' within 2 grep -q 'hands nothing back: 1 connections had too much to say' "$DIR/porchd.err"
app giver '[::]:7' gift=100000 sndbuf=4194304 end=1 how=close
is 'less than that: it does' "$(slow 10.0.0.1 7)" "$(gift_sum 100000)"
ended giver
daemon_down
daemon_up 'handback-memory = 0'
app giver '[::]:7' gift=$MIB sndbuf=4194304 end=1 how=close
before=$(resets)
got=$(received 10.0.0.1 7)
is 'handback-memory = 0: the client does not get all of it' "$([ "$got" -lt $MIB ] && echo less)" less
is 'but a reset, as well' "$(resets)" $((before + 1))
ended giver
is 'and porchd was asked nothing' "$(queue 7 handed_back)" 0
afxdp_end
