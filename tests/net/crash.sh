#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porch killed at any moment leaves the old state or the new one, and the next run finds its way.
. "$(dirname "$0")/lib.sh"
net_up
serve service '[::]:8080'

left() { find /sys/fs/bpf -mindepth 2 | wc -l; }
served() { client "$(at 4 8080)" count=3 gap=5 timeout=3000 | results; }
OK3='{"total":3,"ok":3}'
# 0 or 3: attached or not, and XDP agrees; else a description of the mess
whole() {
	local rc xdp
	porch status s0 >"$DIR/status" 2>&1
	rc=$?
	xdp=$(in_s "$TOOLS/xdp" s0 id)
	case $rc in
	0) [ "$xdp" != 0 ] && echo attached || echo "status 0 without a program" ;;
	3) [ "$xdp" = 0 ] && echo detached || echo "status 3 with program $xdp" ;;
	*) echo "status $rc: $(cat "$DIR/status")" ;;
	esac
}
killed() {	# MILLISECONDS VERB...: 0 if it was still running
	local ms=$1 pid
	shift
	(exec nsenter --net="/run/netns/$SNS" -- "$PORCH" "$@") >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' "$ms")"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $? = 137 ]
}

# how long the two take, so that the blows fall all along
begin=$(date +%s%N)
porch attach s0 --listen '*:8080,protect=always' >/dev/null || bail attach
took=$((($(date +%s%N) - begin) / 1000000))
begin=$(date +%s%N)
porch detach s0 >/dev/null || bail detach
went=$((($(date +%s%N) - begin) / 1000000))
echo "# attach takes $took ms, detach $went ms"

hits=0 torn='' lost=0
for i in {1..24}; do
	killed $((took * i / 22)) attach s0 --listen '*:8080,protect=always' && hits=$((hits + 1))
	state=$(whole)
	case $state in attached | detached) ;; *) torn+="attach, blow $i: $state"$'\n' ;; esac
	[ "$(served)" = "$OK3" ] || lost=$((lost + 1))
	porch attach s0 --listen '*:8080,protect=always' >"$DIR/again" 2>&1 || torn+="attach again, blow $i: $(cat "$DIR/again")"$'\n'
	[ "$(whole)" = attached ] || torn+="attached again, blow $i: $(whole)"$'\n'
	[ "$(served)" = "$OK3" ] || lost=$((lost + 1))
	porch detach s0 >"$DIR/again" 2>&1 || torn+="detach, blow $i: $(cat "$DIR/again")"$'\n'
	[ "$(left)" = 0 ] || torn+="pins left, blow $i: $(find /sys/fs/bpf -mindepth 2 | xargs)"$'\n'
done
at_least 'attach was killed on its way' $hits 10
is 'attach: the old state or the new one, and the next attach works' "$torn" ''
is 'attach: clients are always served' $lost 0

hits=0 torn='' lost=0
for i in {1..16}; do
	porch attach s0 --listen '*:8080,protect=always' >/dev/null 2>&1
	killed $((went * i / 15)) detach s0 && hits=$((hits + 1))
	state=$(whole)
	case $state in attached | detached) ;; *) torn+="detach, blow $i: $state"$'\n' ;; esac
	[ "$(served)" = "$OK3" ] || lost=$((lost + 1))
	porch detach s0 >"$DIR/again" 2>&1 || torn+="detach again, blow $i: $(cat "$DIR/again")"$'\n'
	[ "$(whole)" = detached ] || torn+="detached again, blow $i: $(whole)"$'\n'
	[ "$(left)" = 0 ] || torn+="pins left, blow $i: $(find /sys/fs/bpf -mindepth 2 | xargs)"$'\n'
done
at_least 'detach was killed on its way' $hits 5
is 'detach: the old state or the new one, and the next detach works' "$torn" ''
is 'detach: clients are always served' $lost 0

torn='' lost=0
porch attach s0 --listen '*:8080,protect=always' >/dev/null
for i in {1..12}; do
	killed $((2 * i)) listen s0 set '*:8080' protect="$([ $((i & 1)) = 1 ] && echo on-attack || echo always)"
	[ "$(whole)" = attached ] || torn+="listen, blow $i: $(whole)"$'\n'
	case $(listener 8080 .protect) in always | on-attack) ;; *) torn+="listener, blow $i: $(status .listeners)"$'\n' ;; esac
	[ "$(served)" = "$OK3" ] || lost=$((lost + 1))
done
is 'listen: the old options or the new ones' "$torn" ''
is 'listen: clients are always served' $lost 0
detach
story_end
