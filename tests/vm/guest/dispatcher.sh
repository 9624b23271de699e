#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: porch and another XDP program on one interface, with the libxdp that is
# installed, and with a dispatcher that takes programs which change packets.
. /vm/lib.sh

other() {	# on|off: the other program, which is to run first
	case $1 in
	on) in_s share s0 on /vm/seen.bpf.o 10 ;;
	off) in_s share s0 off seen_pass ;;
	esac
}

programs() {	# in the order in which they run
	in_s xdp-loader status s0 | awk '/=>/ { print $3 }' | xargs
}

other_saw() {	# how many frames
	local id

	id=$(in_s xdp-loader status s0 | awk '/seen_pass/ { print $4 }')
	bpftool -j map lookup id "$(bpftool -j prog show id "$id" | jq '.map_ids[0]')" key 0 0 0 0 | jq .formatted.value
}

serves() {	# WHEN: both families, and it is porch that answers
	local before

	before=$(served)
	answered "$1: IPv4" $S4 10
	answered "$1: IPv6" $S6 10
	is "$1: porch delivers them" $((before + 20)) "$(served)"
}

alone() {	# porch has the hook for itself
	local said before

	is "attached by" bpf_link "$(status .attached_by)"
	serves "alone"
	check "another program does not get in" eval '! other on'
	serves "and disturbs nothing"
	check "detach" in_s porch detach s0
	check "the other program first" other on
	before=$(other_saw)
	said=$(in_s porch attach s0 --listen '*:80,protect=always' 2>&1)
	is "porch does not get in" 1 $?
	like "and says why" 'dispatcher.*libxdp 1\.5\.5 or newer; take' "$said"
	is "the other one runs on" seen_pass "$(programs)"
	answered "and passes everything" $S4 5
	check "which it sees" [ "$(other_saw)" -gt "$before" ]
	is "nothing is pinned" "" "$(find /sys/fs/bpf/porch -mindepth 1 2> /dev/null)"
	check "the other program goes" other off
}

together() {	# WHEN
	is "$1: attached by" libxdp "$(status .attached_by)"
	serves "$1: alone in the dispatcher"
	check "$1: another program in front" other on
	is "$1: in front" "seen_pass porch_xdp" "$(programs)"
	serves "$1: with one in front"
	check "$1: which sees the frames" [ "$(other_saw)" -gt 50 ]
	attach "$1: a second attach" --listen '*:80'
	is "$1: changes nothing" "seen_pass porch_xdp" "$(programs)"
	check "$1: detach" in_s porch detach s0
	is "$1: the other one stays" seen_pass "$(programs)"
	answered "$1: and passes everything" $S4 5
	attach "$1: porch joins one that is there" --listen '*:80,protect=always'
	is "$1: behind it" "seen_pass porch_xdp" "$(programs)"
	serves "$1: behind it"
	check "$1: the other one goes" other off
	is "$1: porch stays" porch_xdp "$(programs)"
	serves "$1: and serves"
	check "$1: detach the last" in_s porch detach s0
	is "$1: nothing is left" "" "$(programs)"
}

mount -t bpf bpf /sys/fs/bpf
veth_up
serve
attach "attach" --listen '*:80,protect=always'
is "mode" native "$(status .mode)"
if [ "$(status .attached_by)" = libxdp ]; then
	together "the installed dispatcher"
else
	alone
	cp /vm/dispatcher.bpf.o "$(find /usr/lib -name xdp-dispatcher.o)"
	attach "attach, with a dispatcher for it" --listen '*:80,protect=always'
	together "a newer dispatcher"
fi
export PORCH_NO_LIBXDP=1
attach "attach without libxdp" --listen '*:80,protect=always'
is "attached by a link" bpf_link "$(status .attached_by)"
serves "by a link"
check "detach" in_s porch detach s0
finish
