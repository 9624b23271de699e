# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For stories of deliver=afxdp, behind lib.sh: porchd, applications, queues. A
# sanitizer's build takes the place of the usual one by PORCHD, EXAMPLES and APP.

PORCHD=${PORCHD:-$PWD/build/porchd}
EXAMPLES=${EXAMPLES:-$PWD/build/examples}
APP=${APP:-$TOOLS/app}
export PORCH_SOCKET=$DIR/porchd.sock
# sizes of transfers and crowds; smaller for sanitizers
MIB=${PORCH_STORY_MIB:-1024}
CROWD=${PORCH_STORY_CROWD:-10000}

for need in "$PORCHD" "$EXAMPLES/echo" "$EXAMPLES/http" "$APP"; do
	[ -x "$need" ] || { echo "$STORY: $need is not built" >&2; exit 1; }
done

# --- porchd ---

afxdp_attach() {	# PORT[,key=value]...: on s0; the first half must not be needed to run the second
	local listens=() word said
	for word; do listens+=(--listen "*:$word,deliver=afxdp,protect=always"); done
	said=$(porch attach s0 "${listens[@]}" 2>&1) || bail 'attach with deliver=afxdp' "$said"
}
daemon_up() {	# [LINE...]: of the section [porchd]
	printf '[porchd]\n' >"$DIR/porchd.conf"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$DIR/porchd.conf"
	daemon_start
}
daemon_start() {
	spawn porchd s "$PORCHD" --config "$DIR/porchd.conf" --socket "$PORCH_SOCKET"
	within 5 daemon_answers || bail 'porchd starts' "$(cat "$DIR/porchd.err")"
}
# The socket is there before anybody is admitted; the heartbeat says that the loop runs.
daemon_answers() { kill -0 "${PIDS[porchd]}" && [ -S "$PORCH_SOCKET" ] && [ "$(status .porchd.running)" = true ]; }
# Ends in order, within three seconds, and had nothing to complain of.
daemon_down() {
	local pid=${PIDS[porchd]:-}
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	within 3 not_running "$pid" || { not_ok 'porchd ends within 3 s'; kill -KILL "$pid"; }
	ended porchd
	is 'porchd ends in order' $? 0
	sane porchd
}
not_running() { [ "$(sed -n 's/^State:[^A-Z]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null | tr -d Z)" = '' ]; }
# No sanitizer, no assertion has spoken in what NAME wrote.
sane() {	# NAME
	local said
	said=$(grep -E 'Sanitizer|runtime error|Assertion|owner [0-9]+ where' "$DIR/$1.err")
	[ -z "$said" ] || not_ok "$1 is sane" "$(head -n 60 "$DIR/$1.err")"
}

# --- applications ---

app() {	# NAME ADDR:PORT [key=value...]
	local name=$1
	shift
	spawn "$name" s "$APP" "$@"
	within 5 grep -q listening "$DIR/$name.out" || bail "app $* listens" "$(cat "$DIR/$name.err" "$DIR/porchd.err")"
}
example() {	# NAME echo|http ADDR:PORT [DIR]
	local name=$1 program=$2 port=${3##*:}
	shift 2
	spawn "$name" s "$EXAMPLES/$program" "$@"
	within 5 listens "$port" || bail "$program $* listens" "$(cat "$DIR/$name.err" "$DIR/porchd.err")"
}
app_ends() {	# NAME
	stop "$1"
	sane "$1"
}
state_of() { sed -n 's/.*"event":"state","state":"\([a-z]*\)".*/\1/p' "$DIR/$1.out" | tail -n 1 | grep . || echo attached; }	# NAME
app_stat() {	# NAME FIELD
	local n
	n=$(grep -c '"event":"stats"' "$DIR/$1.out")
	signal "$1" USR2
	within 3 more_stats "$1" "$n"
	grep '"event":"stats"' "$DIR/$1.out" | tail -n 1 | sed "s/.*\"$2\":\([0-9]*\).*/\1/"
}
more_stats() { [ "$(grep -c '"event":"stats"' "$DIR/$1.out")" -gt "$2" ]; }

# --- what porch says ---

queue() { porch -j queues | jq -r ".queues[] | select(.port == $1) | .$2"; }	# PORT FIELD
slots() { porch -j queues | jq -r "[.slots[] | $1] | length"; }			# FILTER, or `.`
listens() { [ "$(queue "$1" workers)" -ge "${2:-1}" ]; }				# PORT [WORKERS]
queue_is() { [ "$(queue "$1" "$2")" = "$3" ]; }					# PORT FIELD VALUE
flows() { porch -j flows s0 | jq "[.[]? | $1] | length"; }			# FILTER

# Clients of a kernel listener on the same interface, which nothing here may hurt.
bystander_up() { serve bystander '[::]:2222'; }
bystander_well() {	# WHEN
	is "a kernel listener's clients, $1" "$(client "$(at 4 2222)" count=5 rounds=2 timeout=3000 | results)" '{"total":5,"ok":5}'
}

# `client` of lib.sh against an application; 5 s are enough for anybody.
served() {	# WHAT PORT COUNT [key=value...]
	local what=$1 port=$2 count=$3
	shift 3
	is "$what" "$(client "$(at 4 "$port")" count="$count" timeout=5000 "$@" | results)" "{\"total\":$count,\"ok\":$count}"
}

afxdp_end() {	# in place of story_end
	local name
	for name in "${!PIDS[@]}"; do [ "$name" = porchd ] || stop "$name"; done
	daemon_down
	detach
	is 'no pin is left' "$(find /sys/fs/bpf -mindepth 2 | head -n 3)" ''
	story_end
}
