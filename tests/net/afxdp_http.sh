#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The HTTP example over AF_XDP and real clients: curl, both families, pages small and large; wrk, 32 connections.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
ARP=1
net_up

mkdir -p "$DIR/www"
echo 'hello from porch' >"$DIR/www/small"
: >"$DIR/www/empty"
head -c 20000000 /dev/urandom >"$DIR/www/big"
BIG=$(md5sum <"$DIR/www/big")
afxdp_attach 80,backlog=256
daemon_up
example http http '[::]:80' "$DIR/www"
fetch() { in_c curl -sS --noproxy '*' --max-time 10 "$@" 2>&1; }

for family in 4 6; do
	url=http://$(at $family 80)
	is "IPv$family: a small page" "$(fetch "$url/small")" 'hello from porch'
	is "IPv$family: an empty one" "$(fetch -w '%{http_code} %{size_download}' "$url/empty")" '200 0'
	is "IPv$family: none" "$(fetch -o /dev/null -w '%{http_code}' "$url/nothing")" 404
	is "IPv$family: nothing above its directory" "$(fetch -o /dev/null -w '%{http_code}' --path-as-is "$url/../porchd.conf" | grep -c 200)" 0
	is "IPv$family: ten pages over one connection" "$(fetch "$url/small?[1-10]" | sort | uniq -c | xargs)" '10 hello from porch'
	is "IPv$family: fifty connections, one page each" \
		"$(fetch -H 'Connection: close' "$url/small?[1-50]" | sort | uniq -c | xargs)" '50 hello from porch'
	is "IPv$family: 20 MB" "$(fetch "$url/big" | md5sum)" "$BIG"
	is "IPv$family: 20 MB, four at once" \
		"$(for _ in 1 2 3 4; do fetch "$url/big" | md5sum & done | sort | uniq -c | awk '{ print $1 }')" 4
	is "IPv$family: HEAD" "$(fetch -I "$url/big" | tr -d '\r' | sed -n 's/^[Cc]ontent-[Ll]ength: //p')" 20000000
done
said=$(in_c wrk -t 1 -c 32 -d 2s --timeout 5s http://10.0.0.1/small 2>&1)
says 'wrk: no error of any kind' 'Requests/sec' "$(grep -v 'Socket errors\|Non-2xx' <<<"$said")"
is 'wrk: no error is mentioned' "$(grep -c 'Socket errors\|Non-2xx' <<<"$said")" 0
at_least "wrk: requests per second" "$(sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p' <<<"$said")" 1000
sleep 0.3
is 'every connection admitted was handed over and accepted' "$(queue 80 admitted) $(queue 80 admitted)" "$(queue 80 handed) $(queue 80 accepted)"
is 'the queue is empty' "$(queue 80 depth)" 0
is 'nothing refused but what is nobody'\''s' \
	"$(status '[.refused | to_entries[] | select(.value > 0 and (.key | IN("unknown_rst", "time_wait") | not)) | "\(.key) \(.value)"] | join(", ")')" ''
app_ends http
afxdp_end
