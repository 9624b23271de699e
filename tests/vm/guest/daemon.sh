# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For the stories of deliver=afxdp, behind lib.sh: porchd, the HTTP example of libporch,
# and curl of the kernel's TCP as its client.
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

gone() { ! kill -0 "$1"; }
daemon_runs() { [ -S $PORCH_SOCKET ] && [ "$(status .porchd.running)" = true ]; }
queues() { in_s porch -j queues | jq -r "$1"; }	# FILTER
has_workers() { [ "$(queues '.queues[0].workers')" = "$1" ]; }
modes() { queues '[.slots[].zero_copy] | unique | tojson'; }

files_up() {
	mkdir -p $FILES
	head -c 2000 /dev/urandom | base64 > $FILES/small
	dd if=/dev/urandom of=$FILES/big bs=1024k count=$BIG 2> /dev/null
}

daemon_up() {	# SENTENCE [LINE...]: of [porchd]
	local sentence=$1

	shift
	printf '%s\n' '[porchd]' "$@" > /tmp/porchd.conf
	rm -f $PORCH_SOCKET
	(exec nsenter --net=/run/netns/s porchd --config /tmp/porchd.conf --socket $PORCH_SOCKET 2>> /tmp/porchd.err) &
	PORCHD=$!
	within 10 daemon_runs && ok "$sentence" || not_ok "$sentence" "$(cat /tmp/porchd.err)"
}

http_start() {
	(exec nsenter --net=/run/netns/s http -q '[::]:80' $FILES 2> /tmp/http.err) &
	HTTP=$!
}

http_up() {	# SENTENCE
	http_start
	within 10 has_workers 1 && ok "$1" || not_ok "$1" "$(cat /tmp/http.err /tmp/porchd.err)"
}

killed() {	# PID
	kill -KILL "$1"
	wait "$1" 2> /dev/null
}

ends() {	# SENTENCE PID: in order, when told to
	kill -TERM "$2"
	within 5 gone "$2" || { not_ok "$1" "it goes on after 5 s"; return; }
	wait "$2"
	is "$1" 0 $?
}

get() {	# ADDRESS FILE [ARGUMENT...]
	local at=$1

	[ "$1" = $S6 ] && at="[$1]"
	in_c curl -sS --max-time 60 "${@:3}" "http://$at/$2" 2>&1
}

in_turn() {	# ADDRESS COUNT: how many were served until one was not, each by a connection of its own
	local i n=0

	for ((i = 0; i < $2; i++)); do
		[ "$(get "$1" small -m 10)" = "$(cat $FILES/small)" ] || break
		n=$((n + 1))
	done
	echo $n
}

at_once() {	# ADDRESS COUNT: how many octets came, all connections being open together
	local urls=() at=$1 i

	[ "$1" = $S6 ] && at="[$1]"
	for ((i = 0; i < $2; i++)); do urls+=("http://$at/small"); done
	in_c curl -sS -m 30 -Z --parallel-immediate --parallel-max "$2" -H 'Connection: close' "${urls[@]}" | wc -c
}

resets() { in_s cat /proc/net/snmp | awk '/^Tcp: [0-9]/ { print $15 }'; }

clients() {	# WHERE: all that a browser would do, in both families
	local before

	before=$(resets)
	is "$1: 20 clients in turn, IPv4" 20 "$(in_turn $S4 20)"
	is "$1: 20 clients in turn, IPv6" 20 "$(in_turn $S6 20)"
	is "$1: 40 clients at once, IPv4" $((40 * $(wc -c < $FILES/small))) "$(at_once $S4 40)"
	is "$1: 40 clients at once, IPv6" $((40 * $(wc -c < $FILES/small))) "$(at_once $S6 40)"
	is "$1: $BIG MiB, IPv4" "$(md5sum < $FILES/big)" "$(get $S4 big | md5sum)"
	is "$1: $BIG MiB, IPv6" "$(md5sum < $FILES/big)" "$(get $S6 big | md5sum)"
	is "$1: every client was proven by porch" 122 "$(status .counters.proven)"
	# a slow guest's clients may say a thing twice
	is "$1: nothing refused" "{}" "$(status '.refused | del(.duplicate_syn, .duplicate_ack, .time_wait) | with_entries(select(.value > 0)) | tojson')"
	is "$1: the kernel reset nobody" "$before" "$(resets)"
}

afxdp_up() {	# WHERE [LINE...]: of [porchd]; an application behind it
	in_c ethtool -K c0 tx off > /dev/null
	attach "$1: attach, deliver=afxdp" --listen '*:80,deliver=afxdp,protect=always'
	is "$1: mode" native "$(status .mode)"
	daemon_up "$1: porchd runs" "${@:2}"
	http_up "$1: the application listens"
}

afxdp_down() {	# WHERE
	ends "$1: the application ends" $HTTP
	ends "$1: porchd ends" $PORCHD
	check "$1: detach" in_s porch detach s0
	is "$1: no program is left on the interface" "" "$(in_s ip -d link show s0 | grep -o 'prog/xdp.*')"
	is "$1: nothing is left pinned" "" "$(find /sys/fs/bpf -mindepth 1 -path '*porch/*')"
}

# Asked for, and not to be had: whoever would serve is told so, and nothing less is given to him.
refused_zero_copy() {	# WHERE
	check "$1, zero-copy = yes: attach" in_s porch attach s0 --listen '*:80,deliver=afxdp,protect=always'
	daemon_up "$1, zero-copy = yes: porchd runs" 'zero-copy = yes'
	http_start
	within 5 gone $HTTP || not_ok "$1, zero-copy = yes: the application is refused" "it runs"
	wait $HTTP
	is "$1, zero-copy = yes: the application is refused" 1 $?
	like "$1, zero-copy = yes: and porchd says why" 'zero-copy = yes, and its driver' "$(tail -n 3 /tmp/porchd.err)"
	is "$1, zero-copy = yes: no socket in another mode" 0 "$(queues '[.slots[]?] | length')"
	ends "$1, zero-copy = yes: porchd ends" $PORCHD
	check "$1, zero-copy = yes: detach" in_s porch detach s0
}
