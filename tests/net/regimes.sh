#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who answers SYNs, and when that changes: up at once, down after ten calm seconds, as `porch -j status` shows it.
. "$(dirname "$0")/lib.sh"
net_up
net_spoofed

serve attacked '[::]:8080'
serve always '[::]:8081'
serve small '[::]:8082'
serve quiet '[::]:8083'
serve monitored '[::]:8084'
regime() { listener "$1" .regime; }
regime_is() { [ "$(regime "$1")" = "$2" ]; }	# PORT REGIME
syns() {	# NAME PORT RATE SECONDS
	spawn "$1" c "$FLOOD" c0 kind=syn to="$(at 4 "$2")" from=10.64.0.0/10 mac=$CMAC,$SMAC rate="$3" seconds="$4" seed="$2"
}
honest() {	# WHAT PORT
	is "$1: clients are served" "$(client "$(at 4 "$2")" count=10 gap=20 timeout=8000 | results)" '{"total":10,"ok":10}'
}

cat >"$DIR/porch.conf" <<'CONF'
[porch]
half-open = 16
[listener *:8080]
protect = on-attack
syn-rate = 1000
[listener *:8081]
protect = always
syn-rate = 1000
[listener *:8083]
protect = on-attack
syn-rate = 1000
[listener *:8084]
protect = monitor
syn-rate = 1000
CONF
porch check "$DIR/porch.conf" >"$DIR/said" 2>&1 || bail 'the configuration' "$(cat "$DIR/said")"
porch attach s0 --config "$DIR/porch.conf" --listen '*:8082,protect=always' >"$DIR/said" 2>&1 || bail attach "$(cat "$DIR/said")"
is 'at first: on-attack, always, quiet, monitor' "$(regime 8080) $(regime 8081) $(regime 8083) $(regime 8084)" 'kernel tracked kernel kernel'
honest 'on-attack, quiet' 8080
honest 'always, quiet' 8081
is 'the kernel did the one, porch the other' "$(listener 8080 .proven) $(listener 8081 .proven)" '0 10'
honest 'monitor' 8084
is 'monitor answers nothing' "$(listener 8084 '"\(.synack_sent) \(.syn_passed > 9)"')" '0 true'

# below the rate nothing happens
syns low 8083 500 3
# the table of half-open handshakes runs full far below the rate
syns fill 8082 200 1
# above it, everything at once
syns one 8080 20000 2
syns two 8081 20000 2
syns three 8084 20000 2
started=$SECONDS
check 'a full half-open table makes its listener stateless' within 2 regime_is 8082 stateless
check 'on-attack: stateless at once' within 1 regime_is 8080 stateless
check 'always: stateless at once' within 1 regime_is 8081 stateless
check 'monitor: the regime is worked out' within 1 regime_is 8084 stateless
honest 'on-attack, under attack' 8080
honest 'always, under attack' 8081
honest 'monitor, under attack' 8084
at_least 'on-attack: porch answered' "$(listener 8080 .synack_sent)" 2000
is 'monitor: nothing was answered' "$(listener 8084 .synack_sent)" 0
for name in low fill one two three; do ended $name; done
is 'half the rate for three seconds changes nothing' "$(regime 8083)" kernel

# between a quarter of the rate and the rate nothing falls; below a quarter, after ten seconds
syns between 8080 500 13
sleep $((started + 9 - SECONDS))
is 'always: seven seconds after the flood, still stateless' "$(regime 8081)" stateless
check 'always: tracked again' within 9 regime_is 8081 tracked
at_least 'and that took ten calm seconds' $((SECONDS - started)) 11
check 'monitor: kernel again' within 3 regime_is 8084 kernel
ended between
is 'on-attack: SYNs at half the rate keep it stateless' "$(regime 8080)" stateless
at=$SECONDS
check 'on-attack: kernel again once they stop' within 14 regime_is 8080 kernel
at_least 'not before ten seconds' $((SECONDS - at)) 8
honest 'on-attack, quiet again' 8080
honest 'always, quiet again' 8081
at_least 'every switch is counted' "$(status '.counters | [.regime_up, .regime_down] | min')" 3
story_end
