# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The whole server under flood: one core (CPU 1) runs the receive threads and
# nginx, the other (CPU 0) the sink of the answers and the honest client. Cost is
# the run time of the flood interface's receive thread divided by the packets it
# has received: receive, answer, and hand the answer to the peer.
#
# The generator runs either on CPU 0, so that every frame is fetched from the
# other core's cache (ns-*), or on CPU 1 beside the receive thread (own-*), where
# frames are as near as a network card with direct cache access puts them.

declare -A THREAD
DEFENCES="kernel nft porch reflect drop"
declare -A LETTER=([kernel]=k [nft]=n [porch]=o [reflect]=r [drop]=d)

server_up() {
	FLOOD_MAC=
	local d w
	for d in $DEFENCES; do
		w=${LETTER[$d]}
		world_up "$w"
		case $d in reflect | drop) world_xdp "$w" "$d" ;; *) world_nginx "$w" ;; esac
		[ "$d" = nft ] && nft_up "$w"
		[ "$d" = porch ] && porch_attach "$w" '' protect=always
		THREAD[$d]=$(world_threads "$w")
		[ -n "${THREAD[$d]}" ] || die "no receive thread for ${w}fs"
	done
}

# The ruleset of nft(8), with the kernel's own window scale; conntrack must not pick up strangers.
nft_up() {
	local scale
	scale=$(own_wscale)
	in_s "$1" nft -f - <<-RULES
		table inet guard {
			chain pre { type filter hook prerouting priority raw; tcp dport 80 tcp flags & (fin|syn|rst|ack) == syn notrack; }
			chain in { type filter hook input priority filter;
				tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale $scale timestamp sack-perm
				tcp dport 80 ct state invalid drop; }
		}
	RULES
	in_s "$1" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
}

own_wscale() {	# what the kernel announces: tcp_rmem[2] or rmem_max, halved until it fits 16 bits
	local space max scale=0
	read -r _ _ space < /proc/sys/net/ipv4/tcp_rmem
	max=$(cat /proc/sys/net/core/rmem_max)
	[ "$max" -gt "$space" ] && space=$max
	while [ "$space" -gt 65535 ] && [ $scale -lt 14 ]; do space=$((space / 2)); scale=$((scale + 1)); done
	echo $scale
}

server_round() {	# SECONDS CONNECTIONS
	local d
	for d in $DEFENCES; do
		server_sample "$d" ns 0 "$1"
		server_sample "$d" own 1 "$1"
	done
	for d in kernel nft; do
		sample "ratio-$d" "$(last_ratio "ns-$d" ns-porch)"
		sample "own-ratio-$d" "$(last_ratio "own-$d" own-porch)"
		sample "faster-$d" "$(last_ratio rate-porch "rate-$d")"
	done
	sample ratio-ceiling "$(last_ratio ns-kernel ns-reflect)"
	sample own-ratio-ceiling "$(last_ratio own-kernel own-reflect)"
	for d in kernel nft porch; do honest "$d" flood 0 "$2"; done
	for d in kernel nft porch; do honest "$d" paced 1000000 "$2"; done
	for d in kernel porch; do honest "$d" quiet - "$2"; done
	for d in flood paced; do sample "connect-ratio-$d" "$(last_ratio "connect-$d-kernel" "connect-$d-porch")"; done
}

last_ratio() { calc "$(tail -1 "$SAMPLES/$1") / ($(tail -1 "$SAMPLES/$2") + 1e-9)"; }

# All that is received counts as answered; porch's own counter says whether that is true.
server_sample() {	# DEFENCE NAME CPU SECONDS
	local d=$1 w=${LETTER[$1]} pins=
	[ "$d" = porch ] && pins="pins=$(world_pins "$w")"
	# shellcheck disable=SC2086
	words "$(world_flood "$w" 4 seconds="$4" cpu="$3" napi="${THREAD[$d]}" seed="$RANDOM" $pins)" || die 'no flood'
	if [ "$d" = porch ] && [ "$((M[synack_sent] * 100))" -lt "$((M[rx] * 98))" ]; then
		echo "# porch answered ${M[synack_sent]} of ${M[rx]} SYNs; sample dropped" >&2
		return 0
	fi
	sample "$2-$d" "$(calc "${M[napi_ns]} / ${M[rx]}")"
	[ "$2" = ns ] || return 0
	sample "offered-$d" "$(calc "${M[sent]} / ${M[seconds]}")"
	sample "rate-$d" "$(calc "${M[rx]} / ${M[seconds]}")"
}

honest() {	# DEFENCE NAME RATE|- CONNECTIONS: an honest client while the flood lasts
	local w=${LETTER[$1]} pid=
	if [ "$3" != - ]; then
		(FLOOD_EXEC=exec; world_flood "$w" 4 seconds=4 rate="$3" cpu=0 seed="$RANDOM" >/dev/null) &
		pid=$!
		sleep 0.3
	fi
	words "$(in_c "$w" taskset -c 0 "$BENCH/client" 10.78.0.1 80 "$4" 3000 3)"
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	fi
	sample "honest-$2-$1" "$(calc "100 * ${M[ok]:-0} / ${M[tried]:-1}")"
	sample "connect-$2-$1" "${M[median_us]:-0}"
}

server_table() {
	local d
	heading 'server core under flood, frames from the other core'
	for d in $DEFENCES; do row "ns-$d" ns - "time per SYN: $(defence $d)"; done
	row ratio-kernel x '>=12' 'kernel over porch'
	row ratio-nft x '>=12' 'nft synproxy over porch'
	row ratio-ceiling x - 'kernel over bare reflector: the most that any answer can reach'
	for d in kernel nft porch; do row "rate-$d" /s - "SYNs answered per second: $(defence $d)"; done
	row faster-kernel x '>=10' 'porch over kernel'
	row faster-nft x - 'porch over nft synproxy'
	row offered-porch /s - '(offered)'
	heading 'server core under flood, frames in its own cache'
	for d in $DEFENCES; do row "own-$d" ns - "time per SYN: $(defence $d)"; done
	row own-ratio-kernel x '>=12' 'kernel over porch'
	row own-ratio-nft x '>=12' 'nft synproxy over porch'
	row own-ratio-ceiling x - 'kernel over bare reflector: the most that any answer can reach'
	heading 'honest clients under flood: connect, GET, read'
	for d in kernel nft porch; do row "honest-flood-$d" % "$([ $d = porch ] && echo '>=100' || echo -)" "answers, unpaced flood: $(defence $d)"; done
	for d in kernel nft porch; do row "connect-flood-$d" us - "median connect, unpaced flood: $(defence $d)"; done
	row connect-ratio-flood x '>=2' 'kernel over porch'
	for d in kernel nft porch; do row "honest-paced-$d" % "$([ $d = porch ] && echo '>=100' || echo -)" "answers, 1 M SYN/s: $(defence $d)"; done
	for d in kernel nft porch; do row "connect-paced-$d" us - "median connect, 1 M SYN/s: $(defence $d)"; done
	row connect-ratio-paced x '>=2' 'kernel over porch'
	for d in kernel porch; do row "connect-quiet-$d" us - "median connect, no flood: $(defence $d)"; done
}

defence() {
	case $1 in
	kernel) echo 'kernel, tcp_syncookies=1' ;;
	nft) echo 'nft synproxy' ;;
	porch) echo 'porch' ;;
	reflect) echo 'bare reflector (floor of any answer)' ;;
	drop) echo 'XDP_DROP (floor of receiving)' ;;
	esac
}
