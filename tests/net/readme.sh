#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every command of README.md that works on an attached interface, as it stands there, with s0 for eth0.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

# A command line of README.md, without its comment; fails when README.md has none such.
line() {	# PATTERN
	sed -n 's/^    \([a-z].*\)/\1/p' README.md | sed 's/ \{2,\}#.*//' | grep -E -m 1 -- "$1" | sed 's/\beth0\b/s0/g; s/ &$//'
}
inline() { grep -oE '`[^`]*`' README.md | tr -d '`' | grep -E -m 1 -- "$1" | sed 's/\beth0\b/s0/g'; }
# In the server's namespace, with porch on the path and what earlier lines have set.
run() {	# WHAT LINE
	local said
	[ -n "$2" ] || { not_ok "$1" 'README.md has no such line'; return; }
	# shellcheck disable=SC2016
	if said=$(in_s env PATH="$DIR/bin:$PATH" pins="${pins:-}" EXAMPLES="$EXAMPLES" bash -euo pipefail -c "$2" 2>&1); then ok "$1: $2"; else not_ok "$1: $2" "$said"; fi
}
mkdir -p "$DIR/bin" "$DIR/www"
ln -s "$PORCH" "$DIR/bin/porch"
echo 'a page' >"$DIR/www/index.html"

# --- protect a real interface ---
serve web '[::]:80'
serve secure '[::]:443'
run 'doctor' "$(line '^porch doctor') || [ \$? = 1 ]"
run 'attach' "$(line "^porch attach eth0 --listen '\*:80'")"
run 'status' "$(line '^porch status')"
is 'the services are served' "$(client 10.0.0.1:80 | results) $(client '[fd00::1]:443' | results)" '{"total":1,"ok":1} {"total":1,"ok":1}'
run 'an option changes' "$(inline '^porch listen .* protect=always')"
is 'and has' "$(listener 80 .protect)" always
run 'back to careful' "$(inline '^porch listen .* protect=on-attack')"
run 'deny' "$(inline '^porch deny')"
run 'half-open' "$(inline '^porch half-open')"
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$DIR/FILE"
run 'a key of several nodes' "cd $DIR; $(inline '^porch key import')"

# --- read the maps ---
pins=$(in_s env PATH="$DIR/bin:$PATH" bash -c "$(line '^pins='); echo \"\$pins\"")
check 'the directory of pins, as README.md finds it' [ -d "$pins" ]
for what in flows porch_half_open porch_listeners porch_counters porch_host porch_xdp; do
	run "maps" "$(line "pinned \\\$pins/$what|cat \\\$pins/$what")"
done
run 'detach' "$(line '^porch detach')"

# --- serve over AF_XDP ---
run 'attach' "$(line '^porch attach .*deliver=afxdp')"
is 'protect=always is the default there' "$(listener 8080 .protect)" always
daemon_up
server=$(line '^build/examples/http')
says 'the server' "^build/examples/http '\[::\]:8080' [^ ]+\$" "$server"
example http http '[::]:8080' "$DIR/www"
is 'a page' "$(in_c curl -s -m 5 http://10.0.0.1:8080/)" 'a page'
run 'queues' "$(line '^porch queues')"
run 'flows' "$(line '^porch flows')"
run 'the queue as a map' "$(line 'pinned \$pins/porch_queues')"
# it ends by ^C, or by a count
run 'capture' "cd $DIR; (sleep 0.5; nsenter --net=/run/netns/$CNS curl -s -m 5 -o page http://10.0.0.1:8080/) & $(line '^porch capture') -c 3; [ -s file.pcap ]"
app_ends http
afxdp_end
