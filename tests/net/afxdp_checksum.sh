#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tx-checksum: sums made by who is asked to; the client's kernel finds none wrong, and every octet is compared.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

head -c 40M /dev/urandom >"$DIR/all"
ALL=$(md5sum <"$DIR/all")
SUMS='TcpInCsumErrors Ip6InCsumErrors TcpInErrs'
wrong() { in_c nstat -asz $SUMS | awk '/InCsumErrors|InErrs/ { n += $2 } END { print n + 0 }'; }
echoed() { in_c timeout 20 nc -N "$([ "$1" = 6 ] && echo fd00::1 || echo 10.0.0.1)" 7 <"$DIR/all" | md5sum; }

# What a tap at the client's end sees of a short conversation: `-v` computes the sums anew.
tapped() {	# FAMILY
	rm -f "$DIR/tap.pcap"
	spawn tap c tcpdump -Z root --immediate-mode -U -i c0 -w "$DIR/tap.pcap" "src port 7"
	within 5 grep -q 'listening on' "$DIR/tap.err" || not_ok 'tcpdump listens' "$(cat "$DIR/tap.err")"
	sleep 0.2
	served "IPv$1: a conversation under a tap" 7 3 rounds=2
	sleep 0.3
	stop tap INT
	tcpdump -n -t -v -r "$DIR/tap.pcap" 2>/dev/null >"$DIR/tap.txt"
	GOOD=$(grep -c 'cksum 0x[0-9a-f]* (correct)' "$DIR/tap.txt") BAD=$(grep -c 'cksum 0x[0-9a-f]* (incorrect' "$DIR/tap.txt")
}

round() {	# NAME WANTED TAP [LINE]: who makes the sums; what the tap sees: right or left
	local name=$1 wanted=$2 tap=$3 family
	shift 3
	afxdp_attach 7
	daemon_up "$@"
	example echo echo '[::]:7'
	is "$name: every slot says tx_checksum $wanted" \
		"$(porch -j queues | jq -c '[.slots[].tx_checksum] | unique')" "[$wanted]"
	says "$name: porch queues says so" "$([ "$wanted" = true ] && echo device || echo worker)" "$(porch queues | grep -A9 'TX CHECKSUM')"
	in_c nstat -n >/dev/null 2>&1
	for family in 4 6; do
		is "$name, IPv$family: 40 MiB there and back" "$(echoed $family)" "$ALL"
	done
	served "$name: small messages, opened and closed" 7 50 rounds=5
	served "$name: by clients that reset" 7 10 end=rst
	if command -v tcpdump >/dev/null; then
		tapped 4
		at_least "$name: the tap sees segments" $((GOOD + BAD)) 6
		if [ "$tap" = right ]; then is "$name: all sums are there" "$BAD" 0; else at_least "$name: they are left to whoever sends on" "$BAD" 6; fi
	else
		skip "$name: under a tap" 'there is no tcpdump'
	fi
	is "$name: the client's kernel found no sum wrong" "$(wrong)" 0
	app_ends echo
	daemon_down
	detach
}

# The server's device makes no sums: what is asked for is made by its kernel, and is there to be verified.
in_s ethtool -K s0 tx off >/dev/null || bail 'tx off'
round 'auto' false right
is 'auto: porchd says who makes the sums' "$(grep -c 'bound, copy mode, TCP sums made by workers' "$DIR/porchd.err")" 1
round 'no' false right tx-checksum=no
read -r MAJOR MINOR < <(uname -r | sed "s/\([0-9]*\)\.\([0-9]*\).*/\1 \2/")
if [ $((MAJOR * 100 + MINOR)) -lt 608 ]; then
	round 'yes, before Linux 6.8' false right tx-checksum=yes
	says 'which is said' 'tx-checksum = yes wants Linux 6.11' "$(cat "$DIR/porchd.err")"
	story_end
fi
if [ $((MAJOR * 100 + MINOR)) -lt 611 ]; then
	skip "yes" "of Linux 6.8 to 6.10 some stable releases know it and some do not"
	story_end
fi
round 'yes, a device that makes none' true right tx-checksum=yes
is 'yes: porchd says who makes the sums' "$(grep -c 'bound, copy mode, TCP sums made by the kernel or the device' "$DIR/porchd.err")" 1
# It says it does, and being a veth leaves them out: the client's kernel knows, as with the server's own TCP.
in_s ethtool -K s0 tx on >/dev/null
round 'yes, a device that makes them' true left tx-checksum=yes

# porchd dies and comes back with another configuration: what was registered stays as it is, and is shown so.
afxdp_attach 7
daemon_up tx-checksum=yes
app echo '[::]:7'
spawn talk c "$TOOLS/client" 10.0.0.1:7 count=5 rounds=40 pause=50
sleep 0.5
signal porchd KILL
{ ended porchd; } 2>/dev/null
sed -i 's/tx-checksum=yes/tx-checksum=no/' "$DIR/porchd.conf"
daemon_start
within 5 eval '[ "$(state_of echo)" = reattached ]'
ended talk
is 'conversations outlive porchd' "$(results <"$DIR/talk.out")" '{"total":5,"ok":5}'
is 'after its return the area is what it was' "$(porch -j queues | jq -c '[.slots[].tx_checksum] | unique')" '[true]'
served 'new clients are served' 7 10 rounds=3
is 'and no sum was wrong' "$(wrong)" 0
app_ends echo
afxdp_end
