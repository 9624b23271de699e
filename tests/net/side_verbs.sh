#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# check, deny and key: what they take, what they refuse, what they print, and what XDP makes of it.
. "$(dirname "$0")/lib.sh"

# A usage error: one line on stderr, exit 2.
misused() {	# DESCRIPTION ARGUMENTS...
	local what=$1 said code
	shift
	said=$(porch "$@" 2>&1 >/dev/null)
	code=$?
	is "$what: exit 2, one line" "$code $(wc -l <<<"$said")" '2 1'
}

# --- check: no kernel, no root ---

printf '[interface eth0]\nlisten = *:80\nlisten = *:443\n[interface eth1]\nlisten = *:80\n' >"$DIR/good.conf"
printf '[interface eth0]\nlisten = *:80\nlisten = *:99999\n' >"$DIR/bad.conf"
net_up
is 'check: a good file' "$(porch check "$DIR/good.conf")" "$DIR/good.conf: ok, 2 interfaces, 2 listeners"
is 'check: the same as JSON' "$(porch -j check "$DIR/good.conf" | jq -c '[.ok, .interfaces, .listeners]')" '[true,2,2]'
SAID=$(porch check "$DIR/bad.conf" 2>&1 >/dev/null)
is 'check: a bad file: exit 2' $? 2
says 'check: with its line' "^porch: $DIR/bad.conf:3: " "$SAID"
says 'check: the error as JSON' "^\{\"error\":\"$DIR/bad.conf:3: " "$(porch -j check "$DIR/bad.conf")"
porch check "$DIR/none.conf" 2>/dev/null
is 'check: no such file: exit 1' $? 1
misused 'check: no file' check
check 'check: the example that is shipped' porch check user/share/porch.conf
SAID=$(porch attach s0 --config "$DIR/bad.conf" 2>&1)
is 'attach: a bad file attaches nothing' "$? $(find /sys/fs/bpf -name 'porch*' | wc -l)" '2 0'

# --- deny ---

serve web '[::]:80'
attach tracked 80
PINS=$(pins)
flags() { in_s bpftool -j map lookup pinned "$PINS/porch_host" key 0 0 0 0 | jq '.formatted.value.flags % 2'; }
denied() { porch -j deny s0 show | jq -c '[.[].prefix]'; }
tries() {	# DESCRIPTION ADDR SECONDS RESULT
	is "$1" "$(client "$2" timeout="$3" | sum_of ok)" "$4"
}
is 'deny: nothing at first' "$(denied)" '[]'
says 'deny: which is said in words' 'nothing' "$(porch deny s0 show)"
is 'deny: and costs no lookup' "$(flags)" 0
check 'deny: a prefix' porch deny s0 add 10.0.0.0/24
is 'deny: BPF looks now' "$(flags)" 1
is 'deny: again changes nothing' "$(porch -j deny s0 add 10.0.0.0/24 | jq .changed)" 0
tries 'deny: its SYNs are not answered' "$(at 4 80)" 1500 0
at_least 'deny: but counted' "$(refused denied)" 1
tries 'deny: the other family is' "$(at 6 80)" 2000 1
check 'deny: hosts of both families at once' porch deny s0 add fd00::2 192.0.2.7/32 2001:DB8::/32
is 'deny: shown in one form, in order' "$(denied)" '["10.0.0.0/24","192.0.2.7","2001:db8::/32","fd00::2"]'
is 'deny: one a line for people' "$(porch deny s0 show | grep -c '^[0-9f]')" 4
tries 'deny: IPv6 hosts as well' "$(at 6 80)" 1500 0
misused 'deny: bits behind the prefix' deny s0 add 10.0.0.1/24
misused 'deny: no prefix' deny s0 add
misused 'deny: no such verb' deny s0 drop 10.0.0.1
misused 'deny: one bad prefix among good ones' deny s0 add 198.51.100.0/24 300.1.1.1
is 'deny: then none is taken' "$(denied | jq 'length')" 4
is 'deny: deleting what is not there changes nothing' "$(porch -j deny s0 del 203.0.113.1 | jq .changed)" 0
check 'deny: all away' porch deny s0 del 10.0.0.0/24 192.0.2.7 2001:db8::/32 fd00::2
is 'deny: no lookup again' "$(flags)" 0
tries 'deny: and everybody is served' "$(at 4 80)" 2000 1
porch deny nosuch0 show >/dev/null 2>&1
is 'deny: an interface that is not there: exit 1' $? 1

# --- key ---

ids() { porch -j key show | jq -c '[.[].id]'; }
is 'key: one at first' "$(ids | jq length)" 1
is 'key: and it is in use' "$(porch -j key show | jq -c '[.[].current]')" '[true]'
FIRST=$(ids)
check 'key: rotate' porch key rotate
is 'key: the old one stays behind the new one' "$(ids | jq -c '[length, .[1]]')" "[2,$(jq '.[0]' <<<"$FIRST")]"
says 'key: times for people' '20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC' "$(porch key show)"
(umask 077 && echo 000102030405060708090a0b0c0d0e0f >"$DIR/key" && printf '\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17' >"$DIR/raw")
check 'key: import' porch key import "$DIR/key"
THIRD=$(ids | jq '.[0]')
is 'key: raw octets are the same key' "$(porch -j key import "$DIR/raw" | jq '.[0].id')" "$THIRD"
is 'key: so is stdin' "$(porch -j key import - <"$DIR/key" | jq '.[0].id')" "$THIRD"
is 'key: nothing that is printed holds a key' "$(porch key show | cat - <(porch -pj key show) | grep -ci 0001020304)" 0
chmod 644 "$DIR/key"
says 'key: a file for everybody is remarked upon' 'chmod 600' "$(porch key import "$DIR/key" 2>&1)"
BEFORE=$(ids)
printf 'short' >"$DIR/short"
porch key import "$DIR/short" >/dev/null 2>&1
is 'key: a wrong length: exit 1' $? 1
misused 'key: a key in the command line' key import
misused 'key: no such verb' key print
is 'key: and nothing has changed' "$(ids)" "$BEFORE"
tries 'key: clients are served' "$(at 4 80)" 2000 1

detach
porch key show >/dev/null 2>&1
is 'key: nothing attached: exit 1' $? 1
story_end
