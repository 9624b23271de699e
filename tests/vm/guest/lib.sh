# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the stories of a guest share: sentences that are checked, and two hosts.
# Host `s` serves on s0, host `c` asks from c0: 10.0.0.1 and fd00::1, 10.0.0.2 and fd00::2.
set -u
FAILED=0 SERVERS=
S4=10.0.0.1 S6=fd00::1

ok() { echo "ok - $1"; }

not_ok() {	# SENTENCE [WHAT WAS SEEN]
	echo "not ok - $1"
	FAILED=$((FAILED + 1))
	[ -n "${2:-}" ] && head -20 <<< "$2" | sed 's/^/#   /'
	return 0
}

check() {	# SENTENCE COMMAND...: it succeeds
	local sentence=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	[ $status = 0 ] && ok "$sentence" || not_ok "$sentence" "exit $status: $* -> $said"
}

is() {	# SENTENCE WANTED GOT
	[ "$2" = "$3" ] && ok "$1" || not_ok "$1" "wanted '$2', got '$3'"
}

like() {	# SENTENCE PATTERN TEXT
	grep -qE -- "$2" <<< "$3" && ok "$1" || not_ok "$1" "wanted /$2/ in: $3"
}

skip() { echo "ok - $1 # SKIP $2"; }
say() { sed 's/^/# /' <<< "$*"; }
in_s() { nsenter --net=/run/netns/s "$@"; }
in_c() { nsenter --net=/run/netns/c "$@"; }

hosts_up() {
	local host

	for host in s c; do
		ip netns add $host
		"in_$host" ip link set lo up
		"in_$host" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
}

hosts_down() {	# and whoever serves there
	# shellcheck disable=SC2086
	kill $SERVERS 2> /dev/null
	SERVERS=
	ip netns del s
	ip netns del c
	# The cards come home to the first namespace in their own time.
	sleep 1
}

addresses() {	# DEVICE-SUFFIX NET: both ends
	in_s ip addr add "10.0.$2.1/24" dev "s$1" && in_s ip addr add "fd0$2::1/64" dev "s$1" nodad
	in_c ip addr add "10.0.$2.2/24" dev "c$1" && in_c ip addr add "fd0$2::2/64" dev "c$1" nodad
}

links_up() {
	in_s ip link set s0 up
	in_c ip link set c0 up
	addresses 0 0
}

# A pair of veth devices. XDP_TX on veth needs a program at the other end as well.
veth_up() {
	hosts_up
	in_s ip link add s0 type veth peer name c0 netns c
	in_c ip link set c0 xdp obj /vm/seen.bpf.o sec xdp
	links_up
}

# The two cards, which are joined outside: s0 and c0 again, with a real driver.
cards_up() {
	local device mac

	hosts_up
	for device in /sys/class/net/*; do
		mac=$(cat "$device/address")
		device=${device##*/}
		case $mac in
		02:00:00:00:00:01) ip link set "$device" netns s name s0 ;;
		02:00:00:00:00:02) ip link set "$device" netns c name c0 ;;
		esac
	done
	in_c ip link set c0 xdp obj /vm/seen.bpf.o sec xdp
	links_up
}

# What the program at c0 has seen: frames, TCP with no tag, one, two.
seen() {	# NUMBER
	local id

	id=$(in_c ip -d -j link show c0 | jq '.[0].xdp.prog.id // .[0].xdp.attached[0].prog.id')
	id=$(bpftool -j prog show id "$id" | jq '.map_ids[0]')
	bpftool -j map lookup id "$id" key "$1" 0 0 0 | jq '.formatted.value'
}

lose() {	# ONE-OF: frames on their way to c
	local id

	id=$(in_c ip -d -j link show c0 | jq '.[0].xdp.prog.id // .[0].xdp.attached[0].prog.id')
	id=$(bpftool -j prog show id "$id" | jq '.map_ids[0]')
	bpftool map update id "$id" key 4 0 0 0 value "$1" 0 0 0 0 0 0 0
}

serve() {	# [PORT]: on every address of host s
	(exec nsenter --net=/run/netns/s peer serve :: "${1:-80}") &
	SERVERS="$SERVERS $!"
	sleep 0.3
}

ask() {	# ADDRESS COUNT [PARALLEL [TIMEOUT_MS [PORT]]]
	in_c peer ask "$1" "${5:-80}" "$2" "${3:-1}" "${4:-10000}" 2>&1
}

answered() {	# SENTENCE ADDRESS COUNT [PARALLEL [TIMEOUT_MS]]: all of them
	like "$1" "^$3 answered, 0 failed" "$(ask "${@:2}")"
}

attach() {	# SENTENCE [ARGUMENT...]: without it the story ends
	local failed=$FAILED

	check "$1" in_s porch attach s0 "${@:2}"
	[ "$failed" = "$FAILED" ] || finish
}

status() {	# FILTER: from `porch status s0`
	in_s porch -j status s0 | jq -r "$1"
}

# Connections porch has brought to the service. A SYN that comes in the very tick of its
# first look at the listening socket is the kernel's.
served() {	# [DEVICE]
	in_s porch -j status "${1:-s0}" | jq ".counters.delivered + .counters.syn_passed"
}

finish() { [ $FAILED = 0 ]; exit; }
