# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A network story: a client's namespace, a server's, a veth pair between them.
#
#   porch-STORY-c                                     porch-STORY-s
#     c0 10.0.0.2 fd00::2  02:00:00:00:00:02 ---veth--- s0 10.0.0.1 fd00::1  02:00:00:00:00:01
#
# Each story has processes, mounts and /run to itself: whatever it leaves behind, or
# however it is killed, its namespaces, pins and processes end with it.
# `.` this file first; then net_up, steps, and `story_end` as the last line.

set -u
STORY=$(basename "$0" .sh)
if [ -z "${PORCH_NET_ALONE:-}" ]; then
	cd "$(dirname "$0")/../.." || exit 1
	[ "$(id -u)" = 0 ] || { echo "$STORY: needs root" >&2; exit 1; }
	export PORCH_NET_ALONE=1
	exec unshare --mount --pid --fork --kill-child --mount-proc -- /bin/bash "tests/net/$STORY.sh" "$@"
fi
while umount /sys/fs/bpf 2>/dev/null; do :; done # the machine's own, in our private view
mount -t tmpfs none /run && mount -t bpf -o mode=700 bpf /sys/fs/bpf || exit 1
ulimit -l unlimited 2>/dev/null # older kernels count maps against it

TOOLS=$PWD/build/tests/net
FLOOD=$PWD/build/tests/bench/flood
PORCH=${PORCH:-$PWD/build/porch}
DIR=/run/story
mkdir -p "$DIR"
CNS=porch-$STORY-c SNS=porch-$STORY-s
CMAC=02:00:00:00:00:02 SMAC=02:00:00:00:00:01
WAYS='tracked stateless kernel attacked'
PASSED=0 FAILED=0 SKIPPED=0
declare -A PIDS=()

# --- what is said ---

ok() { PASSED=$((PASSED + 1)); echo "ok $((PASSED + FAILED + SKIPPED)) - $*"; }
not_ok() {	# DESCRIPTION [DETAIL...]
	FAILED=$((FAILED + 1))
	echo "not ok $((PASSED + FAILED + SKIPPED)) - $1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}
skip() { SKIPPED=$((SKIPPED + 1)); echo "ok $((PASSED + FAILED + SKIPPED)) - $1 # SKIP $2"; }
is() {	# DESCRIPTION GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2" "wanted: $3"; fi
}
at_least() { if [ "${2:-0}" -ge "$3" ]; then ok "$1"; else not_ok "$1" "got $2, wanted $3 at least"; fi; }
at_most() { if [ "${2:-0}" -le "$3" ]; then ok "$1"; else not_ok "$1" "got $2, wanted $3 at most"; fi; }
check() {	# DESCRIPTION COMMAND...
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$* -> $?" "$said"; fi
}
says() {	# DESCRIPTION PATTERN TEXT: an extended regular expression
	if grep -Eq -- "$2" <<<"$3"; then ok "$1"; else not_ok "$1" "wanted: $2" "in: $3"; fi
}
bail() { not_ok "$@"; story_end; }

story_end() {
	local name
	for name in "${!PIDS[@]}"; do stop "$name"; done
	if [ $((PASSED + FAILED + SKIPPED)) = 0 ]; then echo "nothing was asserted"; FAILED=1; fi
	echo "$PASSED passed, $FAILED failed$([ $SKIPPED = 0 ] || echo ", $SKIPPED skipped")"
	[ $FAILED = 0 ]
	exit
}

# --- namespaces ---

in_c() { nsenter --net="/run/netns/$CNS" -- "$@"; }
in_s() { nsenter --net="/run/netns/$SNS" -- "$@"; }

net_up() {	# [QUEUES]
	net_namespace "$CNS"
	net_namespace "$SNS"
	net_pair 0 10.0.0 fd00: "${1:-1}"
}

net_namespace() {
	ip netns add "$1" && ip -n "$1" link set lo up || exit 1
	nsenter --net="/run/netns/$1" -- sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.tcp_no_metrics_save=1 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
}

# One more veth pair c$1 - s$1: IPv4 $2.1/24 and .2/24, IPv6 $3:1/64 and $3:2/64.
net_pair() {	# NUMBER PREFIX4 PREFIX6 [QUEUES]
	local n=$1 queues=${4:-1}
	ip -n "$CNS" link add "c$n" numrxqueues "$queues" numtxqueues "$queues" address "02:00:00:00:0$n:02" type veth \
		peer name "s$n" netns "$SNS" numrxqueues "$queues" numtxqueues "$queues" address "02:00:00:00:0$n:01" || exit 1
	ip -n "$CNS" addr add "$2.2/24" dev "c$n"
	ip -n "$SNS" addr add "$2.1/24" dev "s$n"
	ip -n "$CNS" addr add "$3:2/64" dev "c$n" nodad
	ip -n "$SNS" addr add "$3:1/64" dev "s$n" nodad
	ip -n "$CNS" link set "c$n" up
	ip -n "$SNS" link set "s$n" up
	net_neighbours "$n" "$2" "$3"
	# XDP_TX out of a veth needs a native program at the other end, and real checksums
	in_c ethtool -K "c$n" tx off >/dev/null
	in_c "$TOOLS/xdp" "c$n" sink || exit 1
}

# Nobody asks for an address, unless the story says ARP=1 before net_up.
net_neighbours() {	# NUMBER PREFIX4 PREFIX6
	[ -z "${ARP:-}" ] || return 0
	ip -n "$CNS" neigh replace "$2.1" lladdr "02:00:00:00:0$1:01" dev "c$1" nud permanent
	ip -n "$CNS" neigh replace "$3:1" lladdr "02:00:00:00:0$1:01" dev "c$1" nud permanent
	ip -n "$SNS" neigh replace "$2.2" lladdr "02:00:00:00:0$1:02" dev "s$1" nud permanent
	ip -n "$SNS" neigh replace "$3:2" lladdr "02:00:00:00:0$1:02" dev "s$1" nud permanent
}

# Somebody at the client's end whom no kernel knows, for `wire ask`.
NOBODY4=10.0.0.77 NOBODY6=fd00::77
net_nobody() {
	ip -n "$SNS" neigh replace $NOBODY4 lladdr $CMAC dev s0 nud permanent
	ip -n "$SNS" neigh replace $NOBODY6 lladdr $CMAC dev s0 nud permanent
}

# Spoofed sources: 10.64.0.0/10 and fd64::/16 are behind the client, where XDP drops what comes for them.
net_spoofed() {
	ip -n "$SNS" route replace 10.64.0.0/10 via 10.0.0.2
	ip -n "$SNS" route replace fd64::/16 via fd00::2
}

# A flood from spoofed sources in PIECES pieces, each as fast as frames can be made.
flood() {	# NAME PIECES FRAMES FAMILY PORT key=value...
	local name=$1 pieces=$2 frames=$3 family=$4 port=$5
	shift 5
	# shellcheck disable=SC2016
	spawn "$name" c bash -c 'pieces=$1; shift
		for ((i = 1; i <= pieces; i++)); do "$@" seed=$i || exit 1; sleep 0.1; done' flood "$pieces" \
		"$FLOOD" c0 to="$(at "$family" "$port")" from="$([ "$family" = 6 ] && echo fd64:: || echo 10.64.0.0/10)" \
		mac=$CMAC,$SMAC count="$frames" "$@"
}
flooded() {	# NAME FRAMES WHAT: waits for it; they must all have been sent
	local n sent=0
	ended "$1" || not_ok "$3: the flood" "$(cat "$DIR/$1.err")"
	while read -r n; do sent=$((sent + n)); done < <(sed -n 's/^sent=\([0-9]*\).*/\1/p' "$DIR/$1.out")
	is "$3: sent" $sent "$2"
}

at() { if [ "$1" = 6 ]; then echo "[fd00::1]:$2"; else echo "10.0.0.1:$2"; fi; }	# FAMILY PORT
nobody() { if [ "$1" = 6 ]; then echo "[$NOBODY6]:$2"; else echo "$NOBODY4:$2"; fi; }	# FAMILY PORT
rule_family() { if [ "$1" = 6 ]; then echo ip6; else echo ip; fi; }

# --- processes ---

spawn() {	# NAME c|s COMMAND...: in the background, output in $DIR/NAME.out and .err
	local name=$1 ns=porch-$STORY-$2
	shift 2
	rm -f "$DIR/$name.out" "$DIR/$name.err" # nobody shall read what the last one said
	(exec nsenter --net="/run/netns/$ns" -- "$@") >"$DIR/$name.out" 2>"$DIR/$name.err" &
	PIDS[$name]=$!
}
stop() {	# NAME [SIGNAL]
	local pid=${PIDS[$1]:-}
	[ -n "$pid" ] || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	unset "PIDS[$1]"
}
signal() { kill "-$2" "${PIDS[$1]}"; }	# NAME SIGNAL
ended() {	# NAME: waits for it, returns its exit status
	local r
	wait "${PIDS[$1]}"
	r=$?
	unset "PIDS[$1]"
	return $r
}
within() {	# SECONDS COMMAND...: until it is true
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
serve() {	# NAME ADDR:PORT [key=value...]
	local name=$1
	shift
	spawn "$name" s "$TOOLS/server" "$@"
	within 5 grep -q listening "$DIR/$name.out" || bail "server $* listens" "$(cat "$DIR/$name.err")"
}
accepted() { grep -c '"event":"accept"' "$DIR/$1.out"; }	# NAME
client() { in_c "$TOOLS/client" "$@"; }
# jq takes a tenth of a second to start; these lines are flat.
field() { sed -n "1s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }	# NAME: of the first line
result() { field result; }
sum_of() { tail -n 1 | field "$1"; }	# NAME: of a client's last line
# All of a background client's connections are well, and there were enough of them.
all_ok() {	# NAME AT LEAST
	local last
	last=$(tail -n 1 "$DIR/$1.out")
	if [ "$(field total <<<"$last")" = "$(field ok <<<"$last")" ] && [ "$(field ok <<<"$last")" -ge "$2" ]; then echo yes; else results <<<"$last"; fi
}
results() { tail -n 1 | sed -E 's/"[a-z_]+":0,?//g; s/"connect_[a-z]+_us":[0-9]+,?//g; s/,\}/}/'; }

# --- porch ---

porch() { in_s "$PORCH" "$@"; }
status() { porch -j status s0 | jq -r "$1"; }	# FILTER
listener() { status ".listeners[] | select(.port == $1) | $2"; }	# PORT FILTER
counter() { status ".counters.$1"; }
refused() { status ".refused.$1 // 0"; }
pins() { status .pin_path; }

# The ways a listener can be protected, as keys of `porch listen`.
keys_of() {
	case $1 in
	tracked) echo protect=always ;;
	stateless) echo protect=always,syn-rate=10 ;;
	kernel) echo protect=on-attack ;;
	attacked) echo protect=on-attack,syn-rate=10 ;;
	esac
}
attach() {	# WAY PORT [key=value,...]: on s0
	local said
	said=$(porch attach s0 --listen "*:$2,$(keys_of "$1")${3:+,$3}" 2>&1) || bail "attach, $1" "$said"
}
detach() {
	local said
	said=$(porch detach s0 2>&1) || not_ok "detach" "$said"
}
# Ways whose regime a burst of SYNs makes stateless (for ten seconds) get one. It also
# has the listener looked at, if nobody has yet.
arm() {	# WAY PORT
	case $1 in stateless | attacked) ;; *) return 0 ;; esac
	net_nobody
	in_c "$TOOLS/wire" c0 ask "$(at 4 "$2")" from="$(nobody 4 4)" mac=$SMAC repeat=40 spread=1 timeout=1 >/dev/null
}
# Is this way's final ACK porch's business?
proves() { [ "$1" != kernel ]; }
