# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# deliver=afxdp against a kernel server doing the same work. CPU 1 runs the server's
# receive threads, porchd and the application; CPU 0 the clients. What is
# compared is run time of all of CPU 1's threads, per connection, request or KiB.
#
# World `k`: the plain kernel and an epoll server. World `a`: porch, porchd, a
# libporch server; its kernel listeners (ports 8014, 8015) are what the same kernel
# does with porch attached. World `i`: idle connections, the default flow table.

CROWD=$BENCH/crowd
PORCHD=${PORCHD:-build/porchd}
declare -A NAPI DAEMON
APP=
AFXDP_LISTENERS='8001 8002 8003 8004 8005 8006'
IDLE=10000

afxdp_up() {
	world_up k
	afxdp_threads k
	afxdp_world a ''
	afxdp_world i ''
	world_up d
	world_xdp d drop
	afxdp_threads d
	# tables touched once, caches and branch predictors in use
	app_up k epoll 8001 abort && crowd k f 8001 kind=connect count=20000 rate=30000 burst=32
	app_up a worker 8001 abort block && crowd a f 8001 kind=connect count=150000 rate=150000 burst=32
}

# NAPI threads of a world; those of the clients may interrupt the generator beside them.
afxdp_threads() {	# WORLD
	local w=$1 side pid
	for side in f h; do
		ip -n "porch-bench-$w-c" -force link set "$w${side}c" xdpdrv obj "$BENCH/peers.bpf.o" program pass
		in_c "$w" ethtool -K "$w${side}c" tso off gso off >/dev/null 2>&1
		coalesce "$w" "$w${side}c" 20000
		in_s "$w" ethtool -K "$w${side}s" tso off gso off >/dev/null 2>&1
	done
	world_threads "$w" >/dev/null
	for side in f h; do
		NAPI[$w$side]=$(pgrep -f "^\[?napi/$w${side}s-")
		for pid in $(pgrep -f "^\[?napi/$w${side}c-"); do chrt -f -p 1 "$pid"; done
	done
}

# The receive interrupt of another machine is no cost of the server. On a veth pair it is the
# sender who wakes the receiver: as on a network card, at most every 20 us.
coalesce() {	# WORLD DEV NS
	in_c "$1" unshare -m sh -c "mount -t sysfs none /sys && echo $3 > /sys/class/net/$2/gro_flush_timeout &&
		echo $(($3 ? 1000 : 0)) > /sys/class/net/$2/napi_defer_hard_irqs" || die "no interrupt coalescing on $2"
}

afxdp_world() {	# NAME CONFIG-LINES
	local w=$1 file dev port
	world_up "$w"
	file=$WORLD_DIR/$w.conf
	{
		printf '[porch]\n%s\n[porchd]\nsocket = %s\n' "$2" "$WORLD_DIR/$w.sock"
		for dev in fs hs; do
			printf '[interface %s]\n' "$w$dev"
			for port in $AFXDP_LISTENERS; do printf 'listen = *:%s,deliver=afxdp,protect=always,backlog=4096\n' "$port"; done
		done
	} > "$file"
	chmod 755 "$WORLD_DIR"
	for dev in fs hs; do in_s "$w" "$PORCH" attach "$w$dev" --config "$file" >/dev/null || die "porch attach $w$dev failed"; done
	afxdp_threads "$w"
	porchd_up "$w"
}

porchd_up() {	# WORLD [OPTION...]
	local w=$1 i
	shift
	rm -f "$WORLD_DIR/$w.log"
	(exec nsenter --net="/run/netns/porch-bench-$w-s" -- taskset -c 1 "$PORCHD" --config "$WORLD_DIR/$w.conf" --socket "$WORLD_DIR/$w.sock" "$@") \
		2> "$WORLD_DIR/$w.log" &
	DAEMON[$w]=$!
	for ((i = 0; i < 100; i++)); do grep -qs " runs: " "$WORLD_DIR/$w.log" && return; sleep 0.05; done
	die "porchd does not start: $(tail -n 3 "$WORLD_DIR/$w.log")"
}
porchd_down() {	# WORLD
	kill "${DAEMON[$1]}" 2>/dev/null
	wait "${DAEMON[$1]}" 2>/dev/null
	unset "DAEMON[$1]"
}

afxdp_down() {
	local w
	app_down
	for w in "${!DAEMON[@]}"; do porchd_down "$w"; done
}

# porchd and whoever it has started, as `times=` of crowd and bulk wants them
daemon_pids() { local pids; pids=$(pgrep -P "${DAEMON[$1]}"); echo "${DAEMON[$1]}${pids:++${pids//$'\n'/+}}"; }

app_up() {	# WORLD epoll|worker ARGUMENTS...
	local w=$1 program=$2
	shift 2
	app_down
	rm -f "$WORLD_DIR/app" # the last one's word is not this one's
	(PORCH_SOCKET=$WORLD_DIR/$w.sock exec nsenter --net="/run/netns/porch-bench-$w-s" -- taskset -c 1 "$BENCH/$program" "$@") \
		> "$WORLD_DIR/app" 2> "$WORLD_DIR/app.err" &
	APP=$!
	for ((i = 0; i < 100; i++)); do grep -qs listening "$WORLD_DIR/app" && return 0; sleep 0.03; done
	echo "# $program $*: $(cat "$WORLD_DIR/app.err")" >&2
	return 1
}

app_down() {
	[ -n "$APP" ] || return 0
	kill "$APP" 2>/dev/null
	wait "$APP" 2>/dev/null
	APP=
}

# Sends a crowd; its words are in M. Addresses are new each time, so that nobody meets his predecessor's TIME-WAIT.
crowd() {	# WORLD f|h PORT key=value...
	local w=$1 side=$2 port=$3 net=77
	shift 3
	[ "$side" = h ] && net=78
	words "$(in_c "$w" "$CROWD" "$w${side}c" to="10.$net.0.1:$port" from="10.$((64 + RANDOM % 8)).$((RANDOM % 250)).1" \
		mac="$(crowd_macs "$w" "$side")" \
		cpu=0 seed=$RANDOM times="$(crowd_times "$w" "$side")" "$@")"
}
crowd_times() { echo "napi:${NAPI[$1$2]},app:$APP${DAEMON[$1]:+,daemon:$(daemon_pids "$1")}"; }
crowd_macs() { echo "$(mac_of c "$1" "$1$2c"),$(mac_of s "$1" "$1$2s")"; }
mac_of() { ip -n "porch-bench-$2-$1" -br link show dev "$3" | awk '{ print $3 }'; }

cpu_us() { calc "(${M[napi_ns]} + ${M[app_ns]} + ${M[daemon_ns]:-0}) / 1000 / $1"; }

# The last crowd's clients must all have got what they wanted.
all_done() {	# NAME OF
	[ "${M[done]:-0}" = "$2" ] && return 0
	echo "# $1: ${M[done]:-0} of $2 done (connected ${M[connected]:-0}, odd ${M[odd]:-0}); sample dropped" >&2
	return 1
}

# One row of connections: NAME WORLD WORK RATE SECONDS BURST. SYNs leave BURST at a time, as a card with
# interrupt moderation delivers them: the wake-up of the receive thread, the same for both sides,
# is most of what a lone frame costs.
connections() {
	local name=$1 w=$2 work=$3 rate=$4 seconds=$5 burst=$6 port=8001 count
	[ "$work" = close ] && port=8002
	count=$(awk "BEGIN { print int($rate * $seconds) }")
	crowd "$w" f $port kind=connect count="$count" rate="$rate" burst="$burst" || return 0
	all_done "$name" "$count" || return 0
	sample "$name" "$(cpu_us "$count")"
	sample "$name-napi" "$(calc "${M[napi_ns]} / 1000 / $count")"
	sample "$name-app" "$(calc "${M[app_ns]} / 1000 / $count")"
	sample "$name-daemon" "$(calc "${M[daemon_ns]:-0} / 1000 / $count")"
}

# What the receive thread takes to be woken for as many frames as so many connections send, all
# dropped at once: neither side can be cheaper at that rate.
floor() {	# NAME RATE SECONDS
	words "$(world_flood d 4 rate=$((2 * $2)) seconds="$3" cpu=0 napi="${NAPI[df]}" seed="$RANDOM")" || return 0
	sample "$1" "$(calc "${M[napi_ns]} / 1000 / ${M[rx]} * 2")"
}

# The highest offered rate, of a ladder, that loses nobody, each rung tried twice: what was done
# per second there, and what one connection took.
ceiling() {	# NAME WORLD SECONDS RATE...
	local name=$1 w=$2 seconds=$3 rate count best=0 took=0 try
	shift 3
	for rate; do
		count=$(awk "BEGIN { print int($rate * $seconds) }")
		for try in 1 2; do
			crowd "$w" f 8001 kind=connect count="$count" rate="$rate" burst=32 && [ "${M[done]}" = "$count" ] && break
		done
		[ "${M[done]:-}" = "$count" ] || break
		best=$(calc "${M[done]} / ${M[seconds]}") took=$(cpu_us "$count")
	done
	[ "$best" = 0 ] && return
	sample "$name" "$best"
	sample "$name-us" "$took"
}

requests() {	# NAME WORLD SECONDS
	crowd "$2" f 8003 kind=ask count=32 rate=2000 seconds="$3" || return 0
	[ "${M[requests]:-0}" -gt 0 ] || { echo "# $1: no answers" >&2; return 0; }
	sample "$1" "$(cpu_us "${M[requests]}")"
	sample "$1-rate" "$(calc "${M[requests]} / ${M[ask_seconds]}")"
}

bulk() {	# NAME WORLD PORT send|receive SECONDS: as the client sees it
	local said times
	times="napi:${NAPI[$2h]},app:$APP"
	[ "$1" = "${1%-porch}" ] || times+=",daemon:$(daemon_pids "$2")"
	said=$(in_c "$2" taskset -c 0 "$BENCH/bulk" "10.78.0.1:$3" "$4" "$5" times="$times") && words "$said" || return 0
	sample "$1" "$(calc "(${M[napi_ns]} + ${M[app_ns]} + ${M[daemon_ns]:-0}) / (${M[octets]} / 1024)")"
	sample "$1-rate" "$(calc "${M[octets]} * 8 / ${M[seconds]} / 1e9")"
}

# Segments longer than the MTU on the server's side of the bulk pair: what the kernel makes of them
# in software (a veth segments for itself nothing, and joins nothing).
joined() {	# WORLD on|off
	ip -n "porch-bench-$1-s" link set "$1hs" gso_max_segs "$([ "$2" = on ] && echo 65535 || echo 1)" || die "no gso_max_segs"
	in_s "$1" ethtool -K "$1hs" gro "$2" >/dev/null || die "no gro $2"
}

# Both poll, and yield whenever there is nothing. One NAPI thread, porchd and the worker share CPU 1.
latency() {
	app_down
	porchd_down a
	porchd_up a --spin 1000000
	M=()
	coalesce a afc 0 # each client answers at once
	app_up a worker 8001 abort yield && crowd a f 8001 kind=connect count=5000 rate=5000 burst=16 && kill -USR1 "$APP"
	sleep 0.2
	words "$(grep accepted= "$WORLD_DIR/app" | tail -n 1)"
	app_down
	coalesce a afc 20000
	porchd_down a
	porchd_up a
	[ -n "${M[p50_ns]:-}" ] || return 0
	sample handover-p50 "$(calc "${M[p50_ns]} / 1000")"
	sample handover-p99 "$(calc "${M[p99_ns]} / 1000")"
}

# The same crowd by the honest pair, alone and while the other pair's flood fills the core.
flooded() {	# SECONDS
	local pid rate=50000 count
	count=$(awk "BEGIN { print int($rate * $1) }")
	app_up a worker 8001 abort block || return 0
	crowd a h 8001 kind=connect count="$count" rate=$rate burst=32 tries=3 || return 0
	sample calm-rate "$(calc "${M[done_first]} / ${M[seconds]}")"
	(FLOOD_EXEC=exec; world_flood a 4 to=10.77.0.1:8001 seconds=12 cpu=0 seed="$RANDOM" >/dev/null 2>&1) &
	pid=$!
	sleep 0.4
	crowd a h 8001 kind=connect count="$count" rate=$rate burst=32 tries=3
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ -n "${M[done]:-}" ] || return 0
	sample flooded-rate "$(calc "${M[done_first]} / ${M[seconds]}")"
	sample flooded-ratio "$(last_ratio flooded-rate calm-rate)"
	sample flooded-lost "$((count - M[done]))"
}

anonymous() { local pid sum=0 kib; for pid in ${1//+/ }; do kib=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"); sum=$((sum + kib)); done; echo $sum; }

# Connections that have said nothing: what both processes have grown by.
idle() {
	local before after
	app_up i worker 8006 hold block || return 0
	crowd i f 8006 kind=idle count=200 rate=2000 || return 0
	before=$(anonymous "$(daemon_pids i)+$APP")
	crowd i f 8006 kind=idle count=$IDLE rate=10000 || return 0
	after=$(anonymous "$(daemon_pids i)+$APP")
	kill -USR1 "$APP"
	sleep 0.2
	words "$(grep accepted= "$WORLD_DIR/app" | tail -n 1)" || return 0
	[ "${M[accepted]}" -ge $((IDLE * 98 / 100)) ] || { echo "# idle: ${M[accepted]} accepted" >&2; return 0; }
	sample idle-octets "$(calc "($after - $before) * 1024 / $IDLE")"
}

ratio() { have "$2" && have "$3" && sample "$1" "$(last_ratio "$2" "$3")"; }	# NAME OVER UNDER: of this round

afxdp_round() {	# SECONDS
	local s=$1 w
	app_up k epoll 8001 abort && { connections conn-kernel k abort 40000 "$s" 32; connections conn-kernel-lone k abort 40000 "$s" 1; }
	app_up a worker 8001 abort block && { connections conn-porch a abort 40000 "$s" 32; connections conn-porch-lone a abort 40000 "$s" 1; }
	floor conn-floor 40000 "$s"
	app_up k epoll 8001 abort && ceiling accepts-kernel k 0.3 20000 30000 40000 50000 60000 70000 80000
	app_up a worker 8001 abort block && ceiling accepts-porch a 0.3 100000 150000 200000 250000 300000 350000 400000
	app_up k epoll 8002 close && connections fin-kernel k close 20000 "$s" 32
	app_up a worker 8002 close block && connections fin-porch a close 20000 "$s" 32
	ratio conn-ratio conn-kernel conn-porch
	ratio conn-lone-ratio conn-kernel-lone conn-porch-lone
	ratio accepts-ratio accepts-porch accepts-kernel
	ratio accepts-us-ratio accepts-kernel-us accepts-porch-us
	ratio fin-ratio fin-kernel fin-porch
	app_up k epoll 8003 echo && requests ask-kernel k "$s"
	app_up a worker 8003 echo block && requests ask-porch a "$s"
	ratio ask-ratio ask-kernel ask-porch
	latency
	flooded "$s"
	for w in k a; do ip -n "porch-bench-$w-c" -force link set "${w}hc" xdpdrv obj "$BENCH/peers.bpf.o" program pass; done
	app_up k epoll 8004 sink && bulk receive-kernel k 8004 send "$s"
	app_up a epoll 8014 sink && bulk receive-joined a 8014 send "$s"
	joined a off
	app_up a epoll 8014 sink && bulk receive-attached a 8014 send "$s"
	app_up a worker 8004 sink block && bulk receive-porch a 8004 send "$s"
	app_up k epoll 8005 source && bulk send-kernel k 8005 receive "$s"
	app_up a epoll 8015 source && bulk send-attached a 8015 receive "$s"
	joined a on
	app_up a epoll 8015 source && bulk send-joined a 8015 receive "$s"
	app_up a worker 8005 source block && bulk send-porch a 8005 receive "$s"
	for w in send receive; do
		ratio $w-ratio $w-attached $w-porch
		ratio $w-ratio-joined $w-joined $w-porch
		ratio $w-ratio-alone $w-kernel $w-porch
	done
	have idle-octets || idle
	app_down
}

part() { case $1 in napi) echo "receive thread" ;; daemon) echo porchd ;; app) echo application ;; esac; }

afxdp_table() {
	heading 'deliver=afxdp: server core per connection, accepted by another process'
	row conn-kernel us - 'SYN to RST close, 40 k/s in bursts of 32: kernel, epoll + accept4'
	row conn-porch us - 'SYN to RST close, 40 k/s in bursts of 32: porch'
	row conn-ratio x '>=5' 'kernel over porch'
	for w in napi daemon app; do row conn-porch-$w us - "of porch's: $(part $w)"; done
	for w in napi app; do row conn-kernel-$w us - "of the kernel's: $(part $w)"; done
	row conn-kernel-lone us - 'the same, each SYN alone: kernel'
	row conn-porch-lone us - 'the same, each SYN alone: porch'
	row conn-lone-ratio x - 'kernel over porch'
	row conn-floor us - '(receive thread, woken for as many lone frames that XDP drops)'
	row accepts-kernel /s - 'connections accepted per second, none lost: kernel'
	row accepts-porch /s - 'connections accepted per second, none lost: porch'
	row accepts-ratio x '>=6' 'porch over kernel'
	row accepts-kernel-us us - 'SYN to RST close at that rate: kernel'
	row accepts-porch-us us - 'SYN to RST close at that rate: porch'
	row accepts-us-ratio x - 'kernel over porch, each at its own highest rate'
	row fin-kernel us - 'SYN to FIN close, 20 k/s in bursts of 32: kernel'
	row fin-porch us - 'SYN to FIN close, 20 k/s in bursts of 32: porch'
	row fin-ratio x '>=4' 'kernel over porch'
	row handover-p50 us '<=20' 'XDP time stamp to porch_accept(), 5 k/s in bursts of 16, yielding: median'
	row handover-p99 us '<=100' 'the same: 99 of 100'
	row calm-rate /s - '(offered by the honest pair, no flood: done)'
	row flooded-rate /s - 'connections per second while a flood fills the core'
	row flooded-ratio x '>=0.5' 'flooded over calm'
	row flooded-lost '' '<=0' 'connections lost under flood, of clients that repeat their SYN'
	heading 'deliver=afxdp: one octet there and back, 32 connections, blocking worker'
	row ask-kernel us - 'server core per request: kernel, epoll'
	row ask-porch us - 'server core per request: porch'
	row ask-ratio x '>=2' 'kernel over porch'
	row ask-kernel-rate /s - 'requests per second: kernel'
	row ask-porch-rate /s - 'requests per second: porch'
	heading 'deliver=afxdp: bulk, CUBIC, MTU 1500, no offloads, a Linux peer; server core per KiB'
	for w in send receive; do
		row $w-attached ns - "$w: kernel, porch on the interface"
		row $w-porch ns - "$w: porch"
		row $w-ratio x "$([ $w = send ] && echo '>=1' || echo '>=0.8')" "$w: kernel over porch"
		row $w-joined ns - "$w: kernel, porch on the interface, software $([ $w = send ] && echo GSO || echo GRO)"
		row $w-ratio-joined x - "$w: that over porch"
		row $w-kernel ns - "$w: kernel, no porch on the interface, software GSO and GRO"
		row $w-ratio-alone x - "$w: that over porch"
		for k in attached porch joined kernel; do row $w-$k-rate Gb/s - "$w: throughput, $k"; done
	done
	heading 'deliver=afxdp: memory'
	row idle-octets B '<=1024' "idle connection, application and porchd, $IDLE of them"
}
