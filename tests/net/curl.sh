#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real curl, real nginx, which knows nothing of porch: a few octets and 20 MB, both ways.
. "$(dirname "$0")/lib.sh"
ARP=1
net_up

mkdir -p "$DIR/www" "$DIR/up"
chmod 755 "$DIR" "$DIR/www"
chmod 777 "$DIR/up"
echo 'hello from nginx' >"$DIR/www/small"
head -c 20000000 /dev/urandom >"$DIR/www/big"
BIG=$(md5sum <"$DIR/www/big")
cat >"$DIR/nginx.conf" <<CONF
daemon off; user root; worker_processes 1; pid $DIR/nginx.pid; error_log $DIR/error.log warn;
events { worker_connections 512; }
http {
	access_log off; client_max_body_size 64m;
	client_body_temp_path $DIR/a; proxy_temp_path $DIR/b; fastcgi_temp_path $DIR/c; uwsgi_temp_path $DIR/d; scgi_temp_path $DIR/e;
	server { listen 80; listen [::]:80 ipv6only=on; root $DIR/www;
		location /up/ { root $DIR; dav_methods PUT; } }
}
CONF
# the body of a PUT needs the dav module, which not every nginx package has
in_s nginx -t -q -c "$DIR/nginx.conf" -p "$DIR" 2>/dev/null || sed -i '/dav_methods/d' "$DIR/nginx.conf"
spawn nginx s nginx -c "$DIR/nginx.conf" -p "$DIR"

fetch() { in_c curl -sS --noproxy '*' --max-time 20 "$@"; }
within 5 fetch "http://10.0.0.1/small" || bail 'nginx answers' "$(cat "$DIR/nginx.err" "$DIR/error.log")"

for way in $WAYS; do
	attach $way 80
	for family in 4 6; do
		url=http://$(at $family 80)
		arm $way 80
		before=$(counter proven)
		is "IPv$family, $way: a small page" "$(fetch "$url/small" 2>&1)" 'hello from nginx'
		is "IPv$family, $way: ten pages over one connection" "$(fetch "$url/small?[1-10]" | sort | uniq -c | xargs)" '10 hello from nginx'
		is "IPv$family, $way: 20 MB" "$(fetch "$url/big" | md5sum)" "$BIG"
		if grep -q dav_methods "$DIR/nginx.conf"; then
			fetch -T "$DIR/www/big" "$url/up/$way$family"
			is "IPv$family, $way: 20 MB uploaded" "$(md5sum <"$DIR/up/$way$family")" "$BIG"
			rm -f "$DIR/up/$way$family"
		fi
		if proves $way; then at_least "IPv$family, $way: porch proved these connections" $(($(counter proven) - before)) 3; fi
	done
	is "$way: nothing refused but what is nobody's" "$(status '[.refused | to_entries[] | select(.value > 0 and (.key | IN("unknown_rst") | not))] | length')" 0
	detach
done
story_end
