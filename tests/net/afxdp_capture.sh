#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porch capture shows both directions of what no tap of the kernel sees, and hurts nobody by ending.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
command -v tcpdump >/dev/null || { skip 'captures read by tcpdump' 'there is no tcpdump'; story_end; }
net_up

capturing() {	# NAME ARGUMENTS...: waits until a worker writes to it
	local name=$1
	shift
	spawn "$name" s "$PORCH" capture s0 "$@"
	within 3 grep -q "captures the connections" "$DIR/porchd.err" || not_ok "$name begins" "$(cat "$DIR/$name.err")"
	sleep 0.1
}
# Like `tcpdump -r`, without names or times.
reads() { tcpdump -n -t -r "$@" 2>/dev/null; }

porch capture s0 -w "$DIR/none.pcap" >"$DIR/none.out" 2>&1
is 'without porchd: exit 1' $? 1
says 'which says so' 'is porchd running' "$(cat "$DIR/none.out")"
is 'and makes no file' "$([ -e "$DIR/none.pcap" ] && echo made)" ''

afxdp_attach 7
daemon_up
porch capture s0 >"$DIR/idle.out" 2>"$DIR/idle.err"
is 'without an application: it ends' $? 0
says 'and says why' 'no application' "$(cat "$DIR/idle.err")"
app echo '[::]:7'
: >"$DIR/porchd.err"

capturing file -w "$DIR/all.pcap"
in_s timeout 5 tcpdump -n -i s0 -c 1 tcp port 7 >"$DIR/tap" 2>/dev/null &
tap=$!
sleep 0.5
is 'clients are served meanwhile' "$(client 10.0.0.1:7 count=3 rounds=2 | results)" '{"total":3,"ok":3}'
is 'IPv6 as well' "$(client '[fd00::1]:7' count=1 | results)" '{"total":1,"ok":1}'
sleep 0.3
signal file INT
ended file
is 'SIGINT ends it: exit 0' $? 0
says 'with a count' '[1-9][0-9]* frames captured on s0' "$(cat "$DIR/file.err")"
is 'tcpdump reads as many' "$(reads "$DIR/all.pcap" | wc -l)" "$(sed -n 's/^\([0-9]*\) frame.*/\1/p' "$DIR/file.err")"
at_least 'frames from clients' "$(reads "$DIR/all.pcap" dst host 10.0.0.1 and dst port 7 | wc -l)" 6
at_least 'frames to clients' "$(reads "$DIR/all.pcap" src host 10.0.0.1 and src port 7 | wc -l)" 6
at_least 'IPv6, both ways' "$(reads "$DIR/all.pcap" ip6 and port 7 | wc -l)" 3
at_least 'data as it was sent' "$(reads "$DIR/all.pcap" -v 'tcp[tcpflags] & tcp-push != 0' | grep -c 'length [1-9]')" 6
is 'all with right checksums' "$(reads "$DIR/all.pcap" -v | grep -c -i 'incorrect\|bad cksum')" 0
kill $tap 2>/dev/null
wait $tap 2>/dev/null
is "the kernel's own tap saw nothing of it" "$(grep -c . "$DIR/tap")" 0

: >"$DIR/porchd.err"
capturing lines -c 4
client 10.0.0.1:7 count=2 >/dev/null
within 3 not_running "${PIDS[lines]}"
ended lines
is 'COUNT ends it: exit 0' $? 0
is 'after so many lines' "$(wc -l <"$DIR/lines.out")" 4
is 'each with ends, flags and numbers' \
	"$(grep -cE '^[0-9:.]{15} 10\.0\.0\.[12]:[0-9]+ > 10\.0\.0\.[12]:[0-9]+: Flags \[[A-Z.]+\], seq [0-9:]+, .*length [0-9]+$' "$DIR/lines.out")" 4

: >"$DIR/porchd.err"
spawn json s "$PORCH" -j capture s0 -c 2
within 3 grep -q 'captures the connections' "$DIR/porchd.err"
sleep 0.1
client 10.0.0.1:7 count=1 >/dev/null
ended json
is 'objects, one a line' "$(jq -c '[.destination, .source] | map(select(endswith(":7"))) | length' "$DIR/json.out" | xargs)" '1 1'

: >"$DIR/porchd.err"
spawn pipe s bash -c '"$0" capture s0 -w - -s 64 -c 6 | cat' "$PORCH"
within 3 grep -q 'captures the connections' "$DIR/porchd.err"
sleep 0.1
client 10.0.0.1:7 count=3 >/dev/null
ended pipe
is 'pcap on stdout' "$(reads "$DIR/pipe.out" | wc -l)" 6
is 'of 64 octets each at most' "$(stat -c %s "$DIR/pipe.out")" $((24 + 6 * (16 + 64)))

# a reader that stops reading costs the application nothing
: >"$DIR/porchd.err"
capturing lazy
signal lazy STOP
is 'a reader that has stopped: clients do not notice' "$(client 10.0.0.1:7 count=50 rounds=20 | results)" '{"total":50,"ok":50}'
signal lazy KILL
ended lazy
is 'nor when it is killed' "$(client 10.0.0.1:7 count=5 | results)" '{"total":5,"ok":5}'
app_ends echo
afxdp_end
