#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porchd stopped: after three seconds without a sign of it nobody is admitted (or the kernel is
# asked, if so configured), what is established goes on, and all is well when it continues.
. "$(dirname "$0")/lib.sh"
. tests/net/tools/daemon.sh
net_up

for fallback in drop kernel; do
	afxdp_attach 7
	daemon_up "fallback = $fallback"
	app service '[::]:7'
	if [ $fallback = kernel ]; then serve kernel '[::]:7'; else bystander_up; fi
	spawn steady c "$TOOLS/client" 10.0.0.1:7 count=10 rounds=100000 pause=20 timeout=1500
	sleep 0.5
	served "$fallback: before" 7 5
	before=$(grep -c '"event":"accept"' "$DIR/service.out")
	signal porchd STOP
	sleep 3.6
	is "$fallback: status says that porchd gives no sign" "$(status .porchd.running)" false
	refused_before=$(refused no_daemon)
	said=$(client 10.0.0.1:7 count=3 timeout=800 | results)
	if [ $fallback = drop ]; then
		is 'drop: nobody is admitted' "$said" '{"total":3,"timeout_connect":3}'
		at_least 'drop: SYNs are refused, with the reason' $(($(refused no_daemon) - refused_before)) 3
		bystander_well 'drop: porchd stopped'
	else
		is 'kernel: the kernel'\''s listener serves' "$said" '{"total":3,"ok":3}'
		is 'kernel: it was the kernel' "$(accepted kernel)" 3
	fi
	is "$fallback: the application has got nothing" "$(grep -c '"event":"accept"' "$DIR/service.out")" "$before"
	signal porchd CONT
	within 5 eval '[ "$(status .porchd.running)" = true ]'
	served "$fallback: served again when it goes on" 7 5
	at_least "$fallback: by the application" "$(grep -c '"event":"accept"' "$DIR/service.out")" $((before + 5))
	stop steady
	is "$fallback: connections from before did not even wait" "$(all_ok steady 10)" yes
	app_ends service
	if [ $fallback = kernel ]; then stop kernel; else stop bystander; fi
	daemon_down
	detach
done

# the end in order: nobody is admitted from that moment on
afxdp_attach 7
daemon_up
app service '[::]:7'
served 'before the end' 7 1
daemon_down
is 'after it: refused at once, not after three seconds' "$(client 10.0.0.1:7 timeout=600 | result)" timeout_connect
at_least 'with the reason' "$(refused no_daemon)" 1
app_ends service
afxdp_end
