#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A service with TCP-MD5 keys (BGP): a cookie would bypass the check of the handshake, so the kernel does it all.
. "$(dirname "$0")/lib.sh"
net_up

serve keyed '10.0.0.1:179' md5=10.0.0.2
grep -q 'TCP_MD5SIG' "$DIR/keyed.err" && { skip 'MD5 listener' 'this kernel has no TCP_MD5SIG'; story_end; }
for way in tracked stateless; do
	attach $way 179
	arm $way 179
	said=$(client 10.0.0.1:179 md5=1 count=5 gap=20)
	is "$way: 5 clients with the key" "$(results <<<"$said")" '{"total":5,"ok":5}'
	is "$way: one without it hears nothing" "$(client 10.0.0.1:179 timeout=800 | result)" timeout_connect
	is "$way: the listener is unhealthy" "$(listener 179 .healthy)" false
	is "$way: no SYN was answered" "$(counter synack_sent)" 0
	detach
done
story_end
