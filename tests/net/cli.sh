#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The command line as other people's scripts use it: exit codes, nothing changed by what is wrong, nothing replaced.
. "$(dirname "$0")/lib.sh"
net_up
net_pair 1 10.0.1 fd01:
serve service '[::]:8080'

runs() {	# DESCRIPTION EXIT ARGUMENTS...: and one line on stderr unless it is 0
	local what=$1 wanted=$2 rc
	shift 2
	porch "$@" >"$DIR/stdout" 2>"$DIR/stderr"
	rc=$?
	is "$what: exit $wanted" $rc "$wanted"
	case $wanted in
	1 | 2) is "$what: one line on stderr" "$(grep -c . <"$DIR/stderr")" 1 ;;
	esac
}
# All that porch holds, so that two moments can be compared
state() {
	find /sys/fs/bpf/porch 2>/dev/null | sort
	in_s "$TOOLS/xdp" s0 id
	in_s bpftool net show 2>/dev/null | sed 's/ id [0-9]*//'
	porch -j status s0 2>/dev/null | jq -cS '[.mode, .listeners[] | {address, port, protect, deliver, backlog}]' 2>/dev/null
}

runs 'status before attach' 3 status s0
runs 'status, the default verb' 3
runs 'detach of what is not attached' 0 detach s0
before=$(state)
while IFS='|' read -r what arguments; do
	set -f
	# shellcheck disable=SC2086
	runs "$what" 2 $arguments
	set +f
done <<-BAD
	unknown verb|frobnicate s0
	unknown option|status --frobnicate
	attach without interface|attach
	attach with two|attach s0 s1
	a word that is no listener|attach s0 --listen nonsense
	port 0|attach s0 --listen *:0
	port 65536|attach s0 --listen *:65536
	port 80x|attach s0 --listen *:80x
	IPv6 without brackets|attach s0 --listen fd00::1:80
	bad IPv4|attach s0 --listen 10.0.0.256:80
	a name|attach s0 --listen localhost:80
	unknown key|attach s0 --listen *:80,frob=1
	unknown protect|attach s0 --listen *:80,protect=maybe
	unknown deliver|attach s0 --listen *:80,deliver=pigeon
	empty value|attach s0 --listen *:80,protect=
	negative mss|attach s0 --listen *:80,mss=-1
	mss too small|attach s0 --listen *:80,mss=100
	unknown mode|attach s0 --mode fast
	no such configuration|attach s0 --config /nonexistent
	deny: bad prefix|deny s0 add 10.0.0.0/33
	deny: bad verb|deny s0 frob 10.0.0.0/8
	key: bad verb|key frob
	afxdp on attack|attach s0 --listen *:80,deliver=afxdp,protect=on-attack
	afxdp: backlog too large|attach s0 --listen *:80,deliver=afxdp,backlog=65536
	capture without interface|capture
	capture of two|capture s0 s1
	capture: snaplen too small|capture s0 -s 10
	capture: no number|capture s0 -c many
	capture: no value|capture s0 -w
	queues of an interface|queues s0
	listen: bad verb|listen s0 frob *:80
	check without file|check
BAD
is 'none of that changed anything' "$(state)" "$before"
runs 'attach to an interface that is not there' 1 attach nope0
says 'it is named' nope0 "$(cat "$DIR/stderr")"
says 'errors with -j are objects' '^\{"error": ?"' "$(porch -j attach nope0 2>&1)"
is 'and go by jq' "$(porch -j attach nope0 2>&1 | jq -r '.error | type')" string
is 'still nothing changed' "$(state)" "$before"
runs 'queues, not attached' 1 queues
runs 'capture without porchd' 1 capture s0
says 'it is named' 'porchd\.sock.*is porchd running' "$(cat "$DIR/stderr")"
runs 'capture of an interface that is not there' 1 capture nope0
runs 'help' 0 --help
runs 'version' 0 -V

# twice the same
runs 'attach' 0 attach s0 --listen '*:8080,protect=always'
runs 'status' 0 status s0
first=$(state) xdp=$(in_s "$TOOLS/xdp" s0 id)
is 'served' "$(client 10.0.0.1:8080 count=5 | results)" '{"total":5,"ok":5}'
proven=$(counter proven)
runs 'attach once more' 0 attach s0 --listen '*:8080,protect=always'
is 'a second attach changes nothing' "$(state)" "$first"
is 'not even the program or a counter' "$(in_s "$TOOLS/xdp" s0 id) $(counter proven)" "$xdp $proven"
runs 'attach with nothing said' 0 attach s0
is 'changes nothing either' "$(state)" "$first"
runs 'a bad listener while attached' 2 listen s0 add '*:99999'
runs 'set of a listener that is not there' 1 listen s0 set '*:81' protect=off
is 'change nothing' "$(state)" "$first"
runs 'listen add' 0 listen s0 add '10.0.0.1:8081' protect=monitor
is 'is there' "$(listener 8081 '"\(.address) \(.protect)"')" '10.0.0.1 monitor'
runs 'the same once more' 0 listen s0 add '10.0.0.1:8081' protect=monitor
runs 'listen set' 0 listen s0 set '10.0.0.1:8081' protect=on-attack
is 'is set' "$(listener 8081 .protect)" on-attack
runs 'listen set deliver=afxdp' 0 listen s0 set '10.0.0.1:8081' deliver=afxdp
is 'takes protect=always and a backlog with it' "$(listener 8081 '"\(.deliver) \(.protect) \(.backlog) \(.health)"')" 'afxdp always 4096 no_daemon'
runs 'afxdp takes no on-attack' 1 listen s0 set '10.0.0.1:8081' protect=on-attack
runs 'not even with deliver' 2 listen s0 set '10.0.0.1:8081' deliver=afxdp protect=on-attack
runs 'afxdp takes monitor' 0 listen s0 set '10.0.0.1:8081' protect=monitor
is 'queues shows it' "$(porch -j queues | jq -c '[.queues[] | [.address, .port, .workers]]')" '[["10.0.0.1",8081,0]]'
runs 'back to kernel' 0 listen s0 set '10.0.0.1:8081' deliver=kernel protect=on-attack
is 'is back' "$(listener 8081 '"\(.deliver) \(.protect)"')" 'kernel on-attack'
is 'queues shows none' "$(porch -j queues | jq -c .queues)" '[]'
runs 'listen del' 0 listen s0 del '10.0.0.1:8081'
runs 'listen del of none' 0 listen s0 del '10.0.0.1:8081'
is 'as at first' "$(state)" "$first"

# a mode that changes; options that change with no detach
runs 'attach says another mode' 0 attach s0 --mode skb
is 'mode' "$(status .mode)" skb
is 'and serves' "$(client 10.0.0.1:8080 count=5 | results)" '{"total":5,"ok":5}'
runs 'and back' 0 attach s0 --mode native
is 'mode again' "$(status .mode)" native
runs 'attach with another option' 0 attach s0 --listen '*:8080,protect=on-attack'
is 'is taken over' "$(listener 8080 .protect)" on-attack
is 'counters were kept' "$([ "$(counter proven)" -ge "$proven" ] && echo kept)" kept

# two interfaces, one namespace
runs 'attach of a second interface' 0 attach s1
is 'it has the same listeners' "$(porch -j status s1 | jq -c '[.listeners[].port]')" '[8080]'
runs 'status of both' 0 status
runs 'detach of the first' 0 detach s0
runs 'status of the first' 3 status s0
runs 'status of the second' 0 status s1
runs 'detach of the second' 0 detach s1
runs 'detach again' 0 detach s1
is 'nothing is left' "$(state)" "$before"
is 'no XDP program' "$(in_s "$TOOLS/xdp" s0 id) $(in_s "$TOOLS/xdp" s1 id)" '0 0'
is 'no pin' "$(find /sys/fs/bpf -mindepth 2 | wc -l)" 0

# somebody else's program
in_s "$TOOLS/xdp" s0 pass
foreign=$(in_s "$TOOLS/xdp" s0 id)
runs 'attach over a foreign XDP program' 1 attach s0 --listen '*:8080'
is 'it is still there' "$(in_s "$TOOLS/xdp" s0 id)" "$foreign"
is 'and nothing of ours' "$(find /sys/fs/bpf -mindepth 2 | wc -l)" 0
runs 'detach with a foreign program' 0 detach s0
is 'leaves it alone' "$(in_s "$TOOLS/xdp" s0 id)" "$foreign"
in_s "$TOOLS/xdp" s0 off

# bpffs: not mounted, and wanted twice at the same moment
umount /sys/fs/bpf
in_s "$PORCH" attach s0 --listen '*:8080' >"$DIR/one" 2>&1 &
in_s "$PORCH" attach s1 --listen '*:8081' >"$DIR/two" 2>&1
two=$?
wait $!
is 'two attach at once, bpffs not mounted' "$? $two $(cat "$DIR/one" "$DIR/two" | grep -c -i error)" '0 0 0'
is 'both are there' "$(porch -j status s0 | jq -c '[.listeners[].port] | sort') $(porch status s1 >/dev/null; echo $?)" '[8080,8081] 0'
is 'it is mounted once' "$(grep -c ' /sys/fs/bpf bpf ' /proc/mounts)" 1
porch detach s0 >/dev/null
porch detach s1 >/dev/null
is 'and nothing is left' "$(find /sys/fs/bpf -mindepth 2 | wc -l)" 0

# configuration files
cat >"$DIR/good.conf" <<'CONF'
[interface s0]
mode = native
listen = *:8080,protect=always
[listener 10.0.0.1:8081]
protect = monitor
[porchd]
allow-uid = 0, 33
backlog = 100
CONF
sed 's/monitor/sometimes/' "$DIR/good.conf" >"$DIR/bad.conf"
runs 'check of a good file' 0 check "$DIR/good.conf"
runs 'check of a bad one' 2 check "$DIR/bad.conf"
says 'names file and line' 'bad\.conf:5' "$(cat "$DIR/stderr")"
is 'check shows what [porchd] comes to' "$(porch -j check "$DIR/good.conf" | jq -c '.porchd | [.allow_uid, .backlog, .workers, .zero_copy, .fallback]')" \
	'[[0,33],100,16,false,"drop"]'
printf '[porchd]\nbacklog = 0\n' >"$DIR/porchd.conf"
runs 'check of a bad [porchd]' 2 check "$DIR/porchd.conf"
says 'names file, line and range' 'porchd\.conf:2: backlog wants a number from 1 to 65535' "$(cat "$DIR/stderr")"
runs 'attach with a bad file' 2 attach s0 --config "$DIR/bad.conf"
is 'nothing is attached' "$(find /sys/fs/bpf -mindepth 2 | wc -l)" 0
runs 'attach with a good file' 0 attach s0 --config "$DIR/good.conf"
is 'its listeners' "$(status '[.listeners[] | "\(.address):\(.port) \(.protect)"] | sort | join(", ")')" '*:8080 always, 10.0.0.1:8081 monitor'
porch doctor s0 >/dev/null 2>&1
is 'doctor, with a service missing: exit 1' $? 1
serve another '10.0.0.1:8081'
runs 'doctor' 0 doctor s0
detach
story_end
