#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The client's MAC changes while its connections live: those that speak take the new one along, those that
# have gone quiet are told by the neighbour table, whoever has answers under way goes on.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7
daemon_up
app echo '[::]:7'
NEW=02:00:00:00:00:2a
moved() {	# MAC: the client's interface has another from now on
	ip -n "$CNS" link set c0 address "$1"
	ip -n "$CNS" neigh replace 10.0.0.1 lladdr $SMAC dev c0 nud permanent
	ip -n "$CNS" neigh replace fd00::1 lladdr $SMAC dev c0 nud permanent
	ip -n "$CNS" route replace default via 10.0.0.1 2>/dev/null
}
noticed() { grep -q "next hop $1 is now $2" "$DIR/porchd.err"; }

# --- the client speaks: the segment brings its MAC along, whatever the neighbour table says ---
for family in 4 6; do
	spawn "talks$family" c "$TOOLS/client" "$(at $family 7)" count=5 rounds=12 pause=100 timeout=4000
done
sleep 0.4
moved $NEW
for family in 4 6; do
	ended "talks$family"
	is "IPv$family: clients that go on speaking" "$(results <"$DIR/talks$family.out")" '{"total":5,"ok":5}'
done
is 'nobody had to ask the neighbour table' "$(grep -c 'next hop' "$DIR/porchd.err")" 0

# --- the client is silent and the server has something to say: only the neighbour table knows ---
ip -n "$SNS" neigh replace 10.0.0.2 lladdr $NEW dev s0 nud permanent
ip -n "$SNS" neigh replace fd00::2 lladdr $NEW dev s0 nud permanent
check 'the table is followed' within 3 noticed $CMAC $NEW

app_ends echo
app greeter '[::]:7' speak=first accept=usr1 credit=4
for family in 4 6; do
	spawn "listens$family" c "$TOOLS/client" "$(at $family 7)" count=5 speak=silent timeout=6000
done
check 'ten wait: four with the application, six with porchd' within 4 queue_is 7 depth 6
moved $CMAC
ip -n "$SNS" neigh replace 10.0.0.2 lladdr $CMAC dev s0 nud permanent
ip -n "$SNS" neigh replace fd00::2 lladdr $CMAC dev s0 nud permanent
check 'back again' within 3 noticed $NEW $CMAC
signal greeter USR1
for family in 4 6; do
	ended "listens$family"
	is "IPv$family: greeted at the new MAC, without a word" "$(results <"$DIR/listens$family.out")" '{"total":5,"ok":5}'
done
app_ends greeter
afxdp_end
