# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Program time: what porch_xdp takes per packet by the kernel's own run-time
# statistics, less what an empty program takes for the same frames in the same
# minute. Frames come from random sources and are written by the CPU that
# receives them; they carry somebody else's MAC address, so that what passes is
# dropped behind XDP and the kernel's TCP does not heat the caches.

FLOWS=8192	# seeded into the table of 16384
FRAMES=60000	# of one sample

programs_up() {
	world_up e; world_xdp e pass
	world_up r; world_xdp r reflect
	for w in p t m l; do world_up "$w"; world_nginx "$w"; done
	porch_attach p '' protect=on-attack
	porch_attach m 'flows = 131072' protect=always
	porch_attach l 'flows = 1048576' protect=always
	porch_attach t 'half-open = 262144' protect=always,syn-rate=100000000
	for w in p m l; do world_flood "$w" 4 count=$FRAMES cpu=1 >/dev/null; done
	world_flood t 4 count=64 cpu=1 >/dev/null
	sleep 2.2 # as long as porch gives the kernel to finish its own handshakes
	refill p
}

programs_down() { worlds_down; }

porch_attach() {	# WORLD CONFIG-LINES KEYS: both interfaces, one listener
	local w=$1 file=$WORLD_DIR/$1.conf dev
	printf '[porch]\n%s\n' "$2" > "$file"
	for dev in fs hs; do printf '[interface %s]\nlisten = *:80,%s\n' "$w$dev" "$3" >> "$file"; done
	for dev in fs hs; do in_s "$w" "$PORCH" attach "$w$dev" --config "$file" >/dev/null || die "porch attach $w$dev failed"; done
}

refill() {	# WORLD: forget every flow and half-open entry, then seed FLOWS flows
	flood_tables "$1" forget && flood_tables "$1" seed
}

flood_tables() {	# WORLD seed|forget
	in_c "$1" "$BENCH/flood" "${1}fc" kind="$2" to=10.77.0.1:80 from=10.64.0.0 tuples=$FLOWS pins="$(world_pins "$1")"
}

program_pins() { [ "$1" = r ] || echo "pins=$(world_pins "$1")"; }

# One sample of NAME. EXPECT: the counter that must have risen by (nearly) every
# packet, or `none`: neither refused nor given to the kernel as unknown.
program_sample() {	# NAME WORLD EXPECT FAMILY key=value...
	local name=$1 w=$2 expect=$3 empty
	shift 3
	FLOOD_MAC=02:00:00:00:99:99
	words "$(world_flood e "$@" kind=$KIND cpu=1 runtime=1 pins="$(world_pins p)")" || die "no flood"
	empty=$(calc "${M[run_ns]} / ${M[run_cnt]}")
	words "$(world_flood "$w" "$@" kind=$KIND cpu=1 runtime=1 $(program_pins "$w"))" || die "no flood"
	if [ "$expect" = none ]; then
		M[none]=$((M[run_cnt] - M[bad_cookie] - M[unknown_passed]))
	fi
	if [ "$((M[$expect] * 100))" -lt "$((M[run_cnt] * 98))" ]; then
		echo "# $name: $expect rose by ${M[$expect]} in ${M[run_cnt]} packets; sample dropped" >&2
		return 0
	fi
	sample "$name" "$(calc "${M[run_ns]} / ${M[run_cnt]} - $empty")"
	sample empty "$empty"
}

programs_round() {
	local family layout
	KIND=syn
	program_sample reflector r none 4 count=$FRAMES
	for family in 4 6; do
		for layout in linux windows apple none mss-only shuffled nops; do
			program_sample "syn$family-$layout" p synack_sent "$family" layout="$layout" count=$FRAMES
		done
	done
	KIND=bad
	program_sample bad-16k p bad_cookie 4 layout=ts count=$FRAMES
	program_sample bad-16k-plain p bad_cookie 4 layout=plain count=$FRAMES
	program_sample bad-16k-6 p bad_cookie 6 layout=ts count=$FRAMES
	KIND=syn world_flood m 4 count=2000 cpu=1 >/dev/null
	KIND=syn world_flood l 4 count=2000 cpu=1 >/dev/null
	program_sample bad-128k m bad_cookie 4 layout=ts count=$FRAMES
	program_sample bad-1m l bad_cookie 4 layout=ts count=$FRAMES
	KIND=data
	program_sample established p none 4 layout=ts payload=60 tuples=$FLOWS from=10.64.0.0 count=$FRAMES
	KIND=good
	for family in 4 6; do
		program_sample "good$family-ts" p proven $family layout=ts count=3000 seed="$RANDOM$RANDOM"
		refill p
		program_sample "good$family-plain" p proven $family layout=plain count=3000 seed="$RANDOM$RANDOM"
		refill p
	done
	KIND=syn
	program_sample tracked t synack_sent 4 layout=linux count=16000 seed="$RANDOM$RANDOM"
	flood_tables t forget
}

programs_table() {
	local family layout ip goal
	heading 'program time, ns per packet, net of an empty program'
	for family in 4 6; do
		[ $family = 4 ] && goal=150 || goal=180
		for layout in linux windows apple; do
			row "syn$family-$layout" ns "<=$goal" "SYN answered, stateless, IPv$family, layout of ${layout^}"
		done
	done
	for family in 4 6; do
		for layout in none mss-only shuffled nops; do
			case $layout in
			none) ip='no options' ;; mss-only) ip='MSS alone (reply grows at the head)' ;;
			shuffled) ip='usual options, unusual order' ;; nops) ip='36 NOPs before the MSS' ;;
			esac
			row "syn$family-$layout" ns '<=350' "SYN answered, IPv$family, $ip"
		done
	done
	row good4-ts ns '<=300' 'valid final ACK, flow published, IPv4, timestamps'
	row good4-plain ns '<=300' 'valid final ACK, flow published, IPv4, none'
	row good6-ts ns '<=300' 'valid final ACK, flow published, IPv6, timestamps'
	row good6-plain ns '<=300' 'valid final ACK, flow published, IPv6, none'
	row bad-16k ns '<=120' 'bad ACK, filter for 16 k flows, IPv4, timestamps'
	row bad-16k-plain ns '<=120' 'bad ACK, filter for 16 k flows, IPv4, none'
	row bad-16k-6 ns - 'bad ACK, filter for 16 k flows, IPv6, timestamps'
	row bad-128k ns - 'bad ACK, filter for 128 k flows, IPv4'
	row bad-1m ns - 'bad ACK, filter for 1 M flows, IPv4'
	row established ns '<=60' 'segment of an established connection'
	row tracked ns - 'SYN answered, tracked (half-open entry inserted)'
	row reflector ns - '(a reflector without any defence, for scale: 87 where the goals were set)'
	row empty ns - '(the empty program that was subtracted)'
}

# Bytes, by what the kernel says of the pinned maps.
sizes_table() {
	local pins map bytes
	pins=$(world_pins p)
	map=$(bpftool -j map show pinned "$pins/porch_half_open")
	bytes=$(( $(json_number "$map" bytes_key) + $(json_number "$map" bytes_value) ))
	sample size-half-open $bytes
	map=$(bpftool -j map show pinned "$pins/porch_flows")
	# a flow has its share of a word of four fingerprints beside its entry
	bytes=$(( $(json_number "$map" bytes_value) + 2 ))
	sample size-flow $bytes
	heading 'memory'
	row size-half-open B '<=80' 'half-open entry (key and value)'
	row size-flow B '<=128' 'flow entry (entry and fingerprint)'
}

json_number() { sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" <<< "$1"; }
