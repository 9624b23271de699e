#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# deliver=afxdp under other kernels: porchd, and the HTTP example of libporch with curl
# of the kernel's TCP, over veth and through a real driver (virtio_net). Kernel 6.1 has
# nothing that would take a proven connection, and none of this asks for it.
. /vm/lib.sh
PORCHD=0 HTTP=0
FILES=/tmp/files
BIG=4 # MiB
export PORCH_SOCKET=/tmp/porchd.sock

within() {	# SECONDS COMMAND...
	local tries=$(($1 * 10))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.1
	done
}

daemon_runs() { [ -S $PORCH_SOCKET ] && [ "$(status .porchd.running)" = true ]; }
queues() { in_s porch -j queues | jq -r "$1"; }		# FILTER
has_workers() { [ "$(queues '.queues[0].workers')" -ge "$1" ]; }

daemon_up() {	# SENTENCE [LINE...]: of [porchd]
	local sentence=$1
	shift
	printf '%s\n' '[porchd]' "$@" > /tmp/porchd.conf
	(exec nsenter --net=/run/netns/s porchd --config /tmp/porchd.conf --socket $PORCH_SOCKET 2>> /tmp/porchd.err) &
	PORCHD=$!
	within 10 daemon_runs && ok "$sentence" || not_ok "$sentence" "$(cat /tmp/porchd.err)"
}

http_up() {	# SENTENCE
	(exec nsenter --net=/run/netns/s http -q '[::]:80' $FILES 2> /tmp/http.err) &
	HTTP=$!
	within 10 has_workers 1 && ok "$1" || not_ok "$1" "$(cat /tmp/http.err /tmp/porchd.err)"
}

ends() {	# SENTENCE PID: in order, when told to
	kill -TERM "$2"
	within 5 gone "$2" || { not_ok "$1" "it goes on after 5 s"; return; }
	wait "$2"
	is "$1" 0 $?
}
gone() { ! kill -0 "$1"; }

get() {	# ADDRESS FILE [ARGUMENT...]
	local at=$1

	[ "$1" = $S6 ] && at="[$1]"
	in_c curl -sS -m 30 "${@:3}" "http://$at/$2" 2>&1
}

in_turn() {	# ADDRESS COUNT: how many were served, each by a connection of its own
	local i n=0

	for ((i = 0; i < $2; i++)); do
		[ "$(get "$1" small)" = "$(cat $FILES/small)" ] && n=$((n + 1))
	done
	echo $n
}

at_once() {	# ADDRESS COUNT: how many octets came, all connections being open together
	local urls=() at=$1

	[ "$1" = $S6 ] && at="[$1]"
	for ((i = 0; i < $2; i++)); do urls+=("http://$at/small"); done
	in_c curl -sS -m 30 -Z --parallel-immediate --parallel-max "$2" -H 'Connection: close' "${urls[@]}" | wc -c
}

resets() { in_s cat /proc/net/snmp | awk '/^Tcp: [0-9]/ { print $15 }'; }

journey() {	# WHERE
	local before

	in_c ethtool -K c0 tx off > /dev/null
	attach "$1: attach, deliver=afxdp" --listen '*:80,deliver=afxdp,protect=always'
	is "$1: mode" native "$(status .mode)"
	daemon_up "$1: porchd runs"
	http_up "$1: the application listens"
	before=$(resets)
	is "$1: 20 clients in turn, IPv4" 20 "$(in_turn $S4 20)"
	is "$1: 20 clients in turn, IPv6" 20 "$(in_turn $S6 20)"
	is "$1: 40 clients at once, IPv4" $((40 * $(wc -c < $FILES/small))) "$(at_once $S4 40)"
	is "$1: 40 clients at once, IPv6" $((40 * $(wc -c < $FILES/small))) "$(at_once $S6 40)"
	is "$1: $BIG MiB, IPv4" "$(md5sum < $FILES/big)" "$(get $S4 big | md5sum)"
	is "$1: $BIG MiB, IPv6" "$(md5sum < $FILES/big)" "$(get $S6 big | md5sum)"
	is "$1: every client was proven by porch" 122 "$(status .counters.proven)"
	is "$1: nothing refused" 0 "$(status '[.refused[]] | add // 0')"
	is "$1: the kernel reset nobody" "$before" "$(resets)"
	is "$1: every queue is bound in the mode asked for" '[false]' "$(queues '[.slots[].zero_copy] | unique | tojson')"
	beside "$1"

	kill -KILL $PORCHD
	wait $PORCHD 2> /dev/null
	daemon_up "$1: porchd killed and started again"
	within 10 has_workers 1
	is "$1: and the same application serves" 5 "$(in_turn $S4 5)"
	ends "$1: the application ends" $HTTP
	ends "$1: porchd ends" $PORCHD
	check "$1: detach" in_s porch detach s0
	is "$1: no program is left on the interface" "" "$(in_s ip -d link show s0 | grep -o 'prog/xdp.*')"
	is "$1: nothing is left pinned" "" "$(find /sys/fs/bpf -mindepth 1 -path '*porch/*')"
}

# Services of the kernel on the same interface, and what porch can do for them here.
beside() {	# WHERE
	local said

	serve 8080
	like "$1: a service of the kernel beside it" '^5 answered, 0 failed' "$(ask $S4 5 1 10000 8080)"
	said=$(in_s porch listen s0 add '*:8080,protect=always' 2>&1)
	if grep -q ' bpf_sk_assign_tcp_reqsk$' /proc/kallsyms; then
		is "$1: which porch can deliver to as well" '0 ' "$? $said"
		like "$1: and does" '^5 answered, 0 failed' "$(ask $S4 5 1 10000 8080)"
		is "$1: by itself" 5 "$(status '.listeners[] | select(.port == 8080) | .delivered')"
	else
		like "$1: to which this kernel lets nobody deliver, and porch says so" \
			'no bpf_sk_assign_tcp_reqsk\(\).*Linux 6\.9 or newer' "$said"
		like "$1: doctor: that deliver=afxdp does not ask for it" '^ok +kfunc .*deliver=afxdp' "$(in_s porch doctor s0 2>&1)"
	fi
	kill $SERVERS
	SERVERS=
}

mount -t bpf bpf /sys/fs/bpf
mkdir -p $FILES
head -c 2000 /dev/urandom | base64 > $FILES/small
dd if=/dev/urandom of=$FILES/big bs=1024k count=$BIG 2> /dev/null
veth_up
journey veth
hosts_down
cards_up
journey virtio
finish
