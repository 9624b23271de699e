#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What status, queues, flows, monitor and doctor say of deliver=afxdp; a listener that changes hands; tc by a filter.
# shellcheck disable=SC2016 # jq's variables are not the shell's
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

look() { FOUND=$(porch -j doctor s0 2>/dev/null); }
finds() {	# DESCRIPTION CHECK RESULT [PATTERN]
	if jq -e --arg c "$2" --arg r "$3" --arg p "${4:-}" \
		'any(.[]; .check == $c and .result == $r and (.text | test($p)))' <<<"$FOUND" >/dev/null; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2 $3 ${4:-}" "$(jq -c --arg c "$2" '.[] | select(.check == $c)' <<<"$FOUND")"
	fi
}
silent() { is "$1" "$(jq --arg c "$2" '[.[] | select(.check == $c)] | length' <<<"$FOUND")" 0; }	# DESCRIPTION CHECK
kind() { listener 7 '"\(.deliver) \(.protect) \(.healthy) \(.health)"'; }

look
finds 'nothing attached: AF_XDP is looked for' af_xdp ok 'can be made'
silent 'and nothing else of it' visibility

# --- without porchd, without an application ---

afxdp_attach 7,backlog=64,overflow=reset
is 'a listener of afxdp' "$(kind)" 'afxdp always false no_daemon'
is 'status: porchd is not running' "$(status .porchd.running)" false
says 'status says what that means' 'porchd: not running, so nobody is admitted' "$(porch status s0)"
says 'queues too' 'porchd is not running' "$(porch queues)"
is 'queues: one' "$(porch -j queues | jq -c '[.queues[] | [.address, .port, .depth, .workers]]')" '[["*",7,0,0]]'
is 'queues: no socket' "$(porch -j queues | jq -c .slots)" '[]'
is 'the guard runs' "$(status .tc)" true
look
finds 'doctor: no porchd' porchd fail 'not running'
finds 'doctor: no application' application fail '\*:7: no application'
silent 'doctor: no kernel socket is missed' listener
finds 'doctor: the MTU fits' frames ok 1500
finds 'doctor: tcpdump sees nothing' visibility warn tcpdump
in_s nft -f - <<-'RULES'
	add table inet f; add chain inet f in { type filter hook input priority 0; }
	add rule inet f in tcp dport 7 ct state invalid drop
	add rule inet f in tcp dport 8 drop
RULES
look
finds 'doctor: a rule that names the port' firewall_afxdp warn 'port 7, whose traffic'
is 'doctor: that rule alone' "$(jq '[.[] | select(.check == "firewall_afxdp")] | length' <<<"$FOUND")" 1
is 'doctor: conntrack is no matter there' "$(jq '[.[] | select(.check == "conntrack" and .result != "ok")] | length' <<<"$FOUND")" 0
in_s nft flush ruleset

# --- with both ---

daemon_up
is 'porchd, but nobody listens' "$(kind)" 'afxdp always false no_application'
at_least 'status: its process' "$(status .porchd.pid)" 1
at_most 'status: a fresh heartbeat' "$(status .porchd.heartbeat_age_ms)" 3000
says 'status in words' "porchd: running, process $(status .porchd.pid)" "$(porch status s0)"
app echo '[::]:7'
is 'and an application' "$(kind)" 'afxdp always true well'
is 'status: the limit is the least of the three' "$(listener 7 .backlog)" 64
is 'status: depth is a number' "$(listener 7 '.accept_queue | type')" number
is 'served' "$(client 10.0.0.1:7 count=5 rounds=2 | results)" '{"total":5,"ok":5}'
within 2 queue_is 7 accepted 5
is 'queues: what was admitted, handed and accepted' "$(porch -j queues | jq -c '.queues[0] | [.admitted, .handed, .accepted]')" '[5,5,5]'
at_least 'queues: they waited' "$(queue 7 wait_ns_avg)" 1
at_least 'queues: the longest no less' "$(queue 7 wait_ns_max)" "$(queue 7 wait_ns_avg)"
is 'slots: porchd and one worker' "$(porch -j queues | jq -c '[.slots[] | [.interface, .queue, .worker, .zero_copy]] | sort')" \
	'[["s0",0,0,false],["s0",0,1,false]]'
is 'slots: the one worker holds the rings' "$(porch -j queues | jq '.slots[] | select(.lease) | .worker')" 1
says 'queues for people' '^s0 +0 +1 .* copy +yes$' "$(porch queues)"
says 'columns have their names' 'ADDRESS +PORT +DEPTH +LIMIT' "$(porch queues)"
for way in close rst; do client 10.0.0.1:7 count=2 end=$way >/dev/null; done
spawn holding c "$TOOLS/client" 10.0.0.1:7 count=3 hold=2500
within 2 eval '[ "$(flows "select(.phase == \"steered\")")" = 3 ]'
is 'flows: three are steered, to worker 1, by s0' \
	"$(porch -j flows s0 | jq -c '[.[] | select(.phase == "steered") | [.state, .worker, .interface, .local_port]] | unique')" '[["handed",1,"s0",7]]'
at_least 'flows: with an age' "$(porch -j flows s0 | jq '[.[] | select(.phase == "steered") | .age_ms] | min')" 1
is 'flows: and no end' "$(porch -j flows s0 | jq -c '[.[] | select(.phase == "steered") | .expires_seconds] | unique')" '[null]'
at_least 'flows: those reset are tombstones' "$(flows 'select(.phase == "tombstone")')" 2
at_most 'flows: which end within a minute' "$(porch -j flows s0 | jq '[.[] | select(.phase == "tombstone") | .expires_seconds] | max')" 61
says 'flows for people' 'handed +steered +1 ' "$(porch flows s0)"
look
finds 'doctor: porchd' porchd ok 'is running'
finds 'doctor: the application' application ok '1 worker listens'
finds 'doctor: queues and mode' copy_mode ok '1 RX queue, AF_XDP sockets in copy mode'
is 'doctor: nothing to mend' "$(jq '[.[] | select(.result == "fail")] | length' <<<"$FOUND")" 0
porch -j monitor s0 --count 2 >"$DIR/monitor" &
monitor=$!
sleep 1.2
client 10.0.0.1:7 count=20 >/dev/null
wait $monitor
is 'monitor: a queue and who accepted' "$(jq -c '.listeners[0] | [has("accept_queue"), has("accepted")]' "$DIR/monitor" | sort -u)" '[true,true]'
at_least 'monitor: as many as came' "$(jq -s '[.[].listeners[0].accepted] | add' "$DIR/monitor")" 15
is 'monitor: porchd' "$(jq -c .porchd.running "$DIR/monitor" | sort -u)" true
says 'monitor for people' 'ACCEPTED/S +QUEUE' "$(porch monitor s0 --count 1)"
ended holding

# --- a listener changes hands while connections of both kinds are open ---

serve kernel '[::]:7'
spawn old c "$TOOLS/client" 10.0.0.1:7 count=5 rounds=40 pause=100
within 3 eval '[ "$(flows "select(.phase == \"steered\")")" -ge 5 ]'
check 'listen set deliver=kernel' porch listen s0 set '*:7' deliver=kernel
is 'is the kernel'"'"'s now' "$(listener 7 '"\(.deliver) \(.protect)"')" 'kernel always'
before=$(queue 7 admitted)
is 'new clients go there' "$(client 10.0.0.1:7 count=5 rounds=2 | results)" '{"total":5,"ok":5}'
at_least 'the service accepted them' "$(accepted kernel)" 5
spawn new c "$TOOLS/client" 10.0.0.1:7 count=5 rounds=40 pause=100
within 3 eval '[ "$(accepted kernel)" -ge 10 ]'
check 'attach with deliver=afxdp' porch attach s0 --listen '*:7,deliver=afxdp'
is 'is back' "$(listener 7 '"\(.deliver) \(.protect)"')" 'afxdp always'
is 'new clients go to the application' "$(client 10.0.0.1:7 count=5 rounds=2 | results)" '{"total":5,"ok":5}'
at_least 'which accepted them' "$(app_stat echo accepted)" 10
for name in old new; do
	wait "${PIDS[$name]}"
	unset "PIDS[$name]"
	is "connections made before that went on ($name)" "$(results <"$DIR/$name.out")" '{"total":5,"ok":5}'
done
stop kernel

# --- XDP goes, the guard counts ---

in_s bpftool link detach pinned "$(pins)/$(status .ifindex)/xdp" >"$DIR/bpftool" 2>&1 || not_ok 'bpftool takes XDP off' "$(cat "$DIR/bpftool")"
is 'XDP is off' "$(in_s "$TOOLS/xdp" s0 id)" 0
client 10.0.0.1:7 count=1 timeout=300 >/dev/null
at_least 'status still counts what the guard refuses' "$(status .refused.guarded)" 1
says 'says what is wrong' "porch's XDP program was taken off" "$(status .error)"
porch status s0 >"$DIR/lost" 2>&1
is 'and exits with 3' $? 3
says 'in words too' 'XDP program was taken off' "$(cat "$DIR/lost")"
check 'attach' porch attach s0
is 'puts it back: served' "$(client 10.0.0.1:7 count=5 | results)" '{"total":5,"ok":5}'
app_ends echo
daemon_down
detach

# --- tc by a filter, as before Linux 6.6 ---

if ! in_s tc qdisc add dev s0 clsact 2>/dev/null; then
	skip 'tc by a filter of clsact' 'this kernel has no clsact'
	afxdp_end
fi
in_s tc qdisc del dev s0 clsact
filters() { in_s tc filter show dev s0 ingress | grep -c 'handle 0x706f'; }
export PORCH_NO_TCX=1
attach tracked 8
is 'without TCX: a filter' "$(filters)" 1
is 'status sees it' "$(status .tc)" true
serve web '[::]:8'
is 'it delivers' "$(client 10.0.0.1:8 count=5 | results)" '{"total":5,"ok":5}'
in_s tc filter del dev s0 ingress
is 'somebody takes it off: status says so' "$(status .tc)" false
says 'and what to do' 'porch attach puts it back' "$(porch status s0)"
check 'attach' porch attach s0
is 'puts it back' "$(filters) $(status .tc)" '1 true'
is 'it delivers again' "$(client 10.0.0.1:8 count=5 | results)" '{"total":5,"ok":5}'
detach
is 'detach takes it off' "$(filters)" 0
unset PORCH_NO_TCX
afxdp_end
