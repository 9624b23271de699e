# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A world: a server's namespace and a client's, joined by two veth pairs. The
# flood comes in by one, honest clients by the other, so that a full ring of the
# flood's costs them nothing; the listener is the same.
#
#   porch-bench-NAME-c                        porch-bench-NAME-s
#     NAMEfc 10.77.0.2  fd77::2  ---flood---  NAMEfs 10.77.0.1  fd77::1
#     NAMEhc 10.78.0.2  fd78::2  --honest---  NAMEhs 10.78.0.1  fd78::1
#
# Spoofed sources are 10.64.0.0/11 and fd64::/16; the way back to them is the
# flood's pair, whose client end drops all it gets.

FLOOD_FROM4=10.64.0.0/11
FLOOD_FROM6=fd64::
WORLDS=()
WORLD_DIR=
FLOOD_EXEC=

in_s() { local w=$1; shift; nsenter --net="/run/netns/porch-bench-$w-s" -- "$@"; }
in_c() { local w=$1; shift; nsenter --net="/run/netns/porch-bench-$w-c" -- "$@"; }

world_up() {	# NAME
	local w=$1 ns side
	[ -n "$WORLD_DIR" ] || WORLD_DIR=$(mktemp -d /tmp/porch-bench.XXXXXX)
	WORLDS+=("$w")
	for side in s c; do
		ns=porch-bench-$w-$side
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	for side in f h; do
		ip -n "porch-bench-$w-c" link add "$w${side}c" numrxqueues 1 numtxqueues 1 type veth \
			peer name "$w${side}s" netns "porch-bench-$w-s" numrxqueues 1 numtxqueues 1
	done
	ip -n "porch-bench-$w-c" link set "${w}fc" address 02:00:00:00:77:02
	ip -n "porch-bench-$w-s" link set "${w}fs" address 02:00:00:00:77:01
	in_s "$w" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.tcp_syncookies=1 net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_timestamps=1
	for side in f h; do
		in_s "$w" sysctl -qw "net.ipv4.conf.$w${side}s.rp_filter=0"
		ip -n "porch-bench-$w-c" link set "$w${side}c" up
		ip -n "porch-bench-$w-s" link set "$w${side}s" up
		in_c "$w" ethtool -K "$w${side}c" gro on tx off >/dev/null
		in_s "$w" ethtool -K "$w${side}s" gro on tx off >/dev/null
	done
	ip -n "porch-bench-$w-s" addr add 10.77.0.1/24 dev "${w}fs"
	ip -n "porch-bench-$w-s" addr add 10.78.0.1/24 dev "${w}hs"
	ip -n "porch-bench-$w-c" addr add 10.77.0.2/24 dev "${w}fc"
	ip -n "porch-bench-$w-c" addr add 10.78.0.2/24 dev "${w}hc"
	ip -n "porch-bench-$w-s" addr add fd77::1/64 dev "${w}fs" nodad
	ip -n "porch-bench-$w-s" addr add fd78::1/64 dev "${w}hs" nodad
	ip -n "porch-bench-$w-c" addr add fd78::2/64 dev "${w}hc" nodad
	ip -n "porch-bench-$w-s" neigh add 10.77.0.2 lladdr 02:00:00:00:77:02 dev "${w}fs" nud permanent
	ip -n "porch-bench-$w-s" neigh add fd77::2 lladdr 02:00:00:00:77:02 dev "${w}fs" nud permanent
	ip -n "porch-bench-$w-s" route add default via 10.77.0.2
	ip -n "porch-bench-$w-s" route add fd64::/16 via fd77::2
	# XDP_TX into a veth needs a native program at the other end
	ip -n "porch-bench-$w-c" link set "${w}fc" xdpdrv obj "$BENCH/peers.bpf.o" program drop
	ip -n "porch-bench-$w-c" link set "${w}hc" xdpdrv obj "$BENCH/peers.bpf.o" program pass
	in_s "$w" ip tcp_metrics flush all >/dev/null 2>&1
	return 0
}

# Each interface's receive work in a kernel thread of its own: the server's on
# CPU 1, the client's on CPU 0. Prints the thread of the server's flood interface.
world_threads() {	# NAME
	local w=$1 dev pid
	for dev in fs hs; do in_s "$w" sh -c "echo 1 > /sys/class/net/$w$dev/threaded" 2>/dev/null || world_threaded s "$w" "$dev"; done
	for dev in fc hc; do in_c "$w" sh -c "echo 1 > /sys/class/net/$w$dev/threaded" 2>/dev/null || world_threaded c "$w" "$dev"; done
	for dev in fs hs fc hc; do
		for pid in $(pgrep -f "^\[?napi/$w$dev-"); do
			case $dev in ?s) taskset -pc 1 "$pid" ;; *) taskset -pc 0 "$pid" ;; esac >/dev/null
			[ $dev = fs ] && echo "$pid"
		done
	done
	return 0
}

# /sys of this namespace does not show another's interfaces: mount one for a moment.
world_threaded() {	# s|c NAME DEV
	nsenter --net="/run/netns/porch-bench-$2-$1" -- unshare -m sh -c \
		"mount -t sysfs none /sys && echo 1 > /sys/class/net/$2$3/threaded"
}

world_nginx() {	# NAME: one worker on CPU 1, listening on *:80, both families
	local w=$1 dir=$WORLD_DIR/$1
	mkdir -p "$dir"
	cat > "$dir/nginx.conf" <<-CONF
		daemon on; user root; worker_processes 1; pid $dir/pid; error_log $dir/error.log crit;
		events { worker_connections 4096; }
		http { access_log off; client_body_temp_path $dir/a; proxy_temp_path $dir/b; fastcgi_temp_path $dir/c;
		       uwsgi_temp_path $dir/d; scgi_temp_path $dir/e;
		       server { listen 80 backlog=511; listen [::]:80 ipv6only=on backlog=511; location / { return 200 "hello\n"; } } }
	CONF
	in_s "$w" taskset -c 1 nginx -c "$dir/nginx.conf" -p "$dir"
}

world_xdp() {	# NAME PROGRAM: one of peers.bpf.c at the server's end of the flood's pair
	ip -n "porch-bench-$1-s" link set "${1}fs" xdpdrv off
	ip -n "porch-bench-$1-s" link set "${1}fs" xdpdrv obj "$BENCH/peers.bpf.o" program "$2"
}

world_pins() { echo "/sys/fs/bpf/porch/$(stat -Lc %i "/run/netns/porch-bench-$1-s")"; }

worlds_down() {
	local w dev
	for w in "${WORLDS[@]}"; do
		if [ -d "$(world_pins "$w")" ]; then
			for dev in fs hs; do in_s "$w" "$PORCH" detach "$w$dev" >/dev/null 2>&1; done
		fi
		[ -r "$WORLD_DIR/$w/pid" ] && kill "$(cat "$WORLD_DIR/$w/pid")" 2>/dev/null
		ip netns del "porch-bench-$w-s" 2>/dev/null
		ip netns del "porch-bench-$w-c" 2>/dev/null
	done
	WORLDS=()
	[ -z "$WORLD_DIR" ] || rm -rf "$WORLD_DIR"
	WORLD_DIR=
}

# Sends from the client's side of a world; prints what flood prints. In a background
# subshell FLOOD_EXEC=exec makes $! the flood itself.
world_flood() {	# NAME FAMILY key=value...
	local w=$1 family=$2 to from
	shift 2
	if [ "$family" = 6 ]; then to='[fd77::1]:80' from=$FLOOD_FROM6; else to=10.77.0.1:80 from=$FLOOD_FROM4; fi
	$FLOOD_EXEC nsenter --net="/run/netns/porch-bench-$w-c" -- "$BENCH/flood" "${w}fc" to="$to" from=$from mac=02:00:00:00:77:02,"${FLOOD_MAC:-02:00:00:00:77:01}" \
		server="porch-bench-$w-s/${w}fs" "$@"
}
