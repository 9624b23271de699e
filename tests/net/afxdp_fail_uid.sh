#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who may register: root unless others are listed, and those listed. Everybody else is told so.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

chmod 755 "$DIR"
afxdp_attach 7
refuse() { in_s timeout 5 "$APP" '[::]:7' "$@" 2>&1; }
daemon_up
says 'a uid that is not listed is refused' '(Permission denied|EACCES)' "$(refuse uid=12345)"
says 'porchd says who it was' '12345' "$(cat "$DIR/porchd.err")"
app service '[::]:7'
served 'root is not' 7 5
says 'an address that is not listened on is refused' 'Cannot assign requested address' "$(in_s timeout 5 "$APP" '[::]:4711' 2>&1)"
app_ends service
daemon_down

daemon_up 'allow-uid = 0 12345'
app other '[::]:7' uid=12345
is 'when it is listed, it is served' "$(client 10.0.0.1:7 count=5 rounds=2 | results)" '{"total":5,"ok":5}'
is 'and shown as who it is' "$(slots 'select(.uid == 12345)')" 1
app_ends other
daemon_down

# limits on what registers
daemon_up 'workers = 2'
app one '[::]:7'
app two '[::]:7'
says 'more workers than configured are refused' '(Too many users|EUSERS)' "$(refuse)"
served 'and those that are in go on' 7 20
app_ends one
within 3 queue_is 7 workers 1
app three '[::]:7'
is 'a place that is free again is given out' "$(queue 7 workers)" 2
app_ends three
app_ends two

daemon_down
daemon_up

# people who talk nonsense
for i in 1 2 3; do spawn "nonsense$i" s "$TOOLS/fake_app" "$PORCH_SOCKET" 7 credit=0 garbage=messages seed=$i seconds=5; done
sleep 0.3
for i in 1 2 3; do signal "nonsense$i" USR1 2>/dev/null; done
app four '[::]:7'
served 'strangers at the socket hold nobody up' 7 20
app_ends four
afxdp_end
