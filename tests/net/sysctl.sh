#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Settings that change after attach, with nobody there to watch: clients go on succeeding.
. "$(dirname "$0")/lib.sh"
net_up

serve service '[::]:8080'
# porch looks once a second; what is missing then cannot be undone for handshakes in
# flight, but for timestamps and SACK, which the peer does not mind.
put() {
	in_s sysctl -qw "net.ipv4.$1"
	case $1 in tcp_timestamps* | tcp_sack* | tcp_ecn*) ;; *) sleep 1.1 ;; esac
}
ten() {	# DESCRIPTION FAMILY
	local said
	arm "$way" 8080
	said=$(client "$(at "$2" 8080)" count=10 gap=20 timeout=4000)
	is "IPv$2, $way: $1" "$(results <<<"$said")" '{"total":10,"ok":10}'
}
while read -r way family; do
	attach $way 8080
	ten 'before' $family
	for name in tcp_timestamps tcp_sack tcp_window_scaling tcp_ecn; do
		old=$(in_s sysctl -n net.ipv4.$name)
		put $name=0
		ten "$name=0" $family
		is "IPv$family, $way: $name=0, and porch still does it" "$(listener 8080 .healthy)" true
		put $name="$old"
		ten "$name=$old again" $family
	done
	put tcp_syncookies=0
	ten 'tcp_syncookies=0' $family
	is "IPv$family, $way: syncookies off, the listener is unhealthy" "$(listener 8080 .healthy)" false
	put tcp_syncookies=1
	ten 'tcp_syncookies=1 again' $family
	is "IPv$family, $way: and well again" "$(listener 8080 .healthy)" true
	detach
done <<-WAYS
	tracked 4
	tracked 6
	stateless 4
	attacked 6
WAYS
story_end
