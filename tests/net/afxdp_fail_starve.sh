#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Few frames, and owners who do not return them: rings run dry, drops are counted, and with the
# owner back everything goes on; no frame is lost for good.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

afxdp_attach 7 9
daemon_up 'rx-frames = 256' 'tx-frames = 64'
head -c 8M /dev/urandom >"$DIR/file"
SUM=$(md5sum <"$DIR/file")
pour() { in_c timeout 20 nc -N 10.0.0.1 "$1" <"$DIR/file" | md5sum; }
app service '[::]:7'
is '256 frames to receive, 64 to send: 8 MiB there and back' "$(pour 7)" "$SUM"
served 'and 200 clients' 7 200 rounds=3

# stopped in the middle of a transfer: FILL runs dry, COMPLETION fills up
for round in 1 2 3; do
	pour 7 >"$DIR/sum" &
	pid=$!
	sleep 0.15
	signal service STOP
	sleep 0.8
	signal service CONT
	wait $pid
	is "round $round: stopped in mid-transfer, and it arrives" "$(cat "$DIR/sum")" "$SUM"
done
# so often that any frame that leaks would be missed by now
for _ in 1 2 3 4 5; do
	signal service STOP; client 10.0.0.1:7 count=100 timeout=150 end=rst >/dev/null; signal service CONT
done
sleep 0.3
is 'after all that: 8 MiB' "$(pour 7)" "$SUM"
served 'after all that: 200 clients' 7 200
app other '[::]:9'
is 'two workers, and porchd has the rings: 8 MiB' "$(pour 9)" "$SUM"
signal other STOP
is 'one of them stopped: 8 MiB by the other' "$(pour 7)" "$SUM"
signal other CONT
served 'both' 9 50
app_ends other
app_ends service
says 'porchd counts no frame as missing' '^$' "$(grep -i 'missing' "$DIR/porchd.err")"
afxdp_end
