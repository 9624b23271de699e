#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# doctor names each condition that can be made here, and says nothing of those that are not there.
# shellcheck disable=SC2016 # jq's variables are not the shell's
. "$(dirname "$0")/lib.sh"

FOUND=
look() {	# IFACE: what doctor finds, and how it exits
	FOUND=$(porch -j doctor "$1" 2>"$DIR/doctor.err")
	CODE=$?
}
matching() {	# CHECK RESULT PATTERN
	jq -e --arg c "$1" --arg r "$2" --arg p "${3:-}" \
		'any(.[]; .check == $c and .result == $r and (.text | test($p)))' <<<"$FOUND" >/dev/null
}
finds() {	# DESCRIPTION CHECK RESULT [PATTERN]
	if matching "$2" "$3" "${4:-}"; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2 $3 ${4:-}" "$(jq -c --arg c "$2" '.[] | select(.check == $c)' <<<"$FOUND")" \
			"$(cat "$DIR/doctor.err")"
	fi
}
spares() {	# DESCRIPTION CHECK: nothing but ok
	if jq -e --arg c "$2" 'any(.[]; .check == $c) and all(.[]; .check != $c or .result == "ok")' <<<"$FOUND" >/dev/null; then
		ok "$1"
	else
		not_ok "$1" "$(jq -c --arg c "$2" '.[] | select(.check == $c)' <<<"$FOUND")"
	fi
}
rules() { in_s nft -f - || bail "nft takes the rules"; }	# from stdin
flush() { in_s nft flush ruleset; }
set_to() { in_s sysctl -qw "$1" || bail "sysctl $1"; }

net_up

# --- a sound interface ---

serve web '[::]:80'
look s0
is 'a sound interface: exit 0' "$CODE" 0
is 'nothing fails there' "$(jq '[.[] | select(.result == "fail")] | length' <<<"$FOUND")" 0
is 'every finding has the four members, and only those' \
	"$(jq -c '[.[] | keys] | unique' <<<"$FOUND")" '[["advice","check","result","text"]]'
is 'every result is a known word' "$(jq '[.[] | select(.result | IN("ok", "warn", "fail") | not)] | length' <<<"$FOUND")" 0
is 'whatever is not ok comes with advice' \
	"$(jq '[.[] | select(.result != "ok" and .advice == "")] | length' <<<"$FOUND")" 0
for c in btf kfunc hooks jit driver master veth_peer checksum_offload vlan_offload lro mtu queues foreign_xdp syncookies \
	tcp_options rp_filter listener dnat conntrack firewall ipvs xfrm; do
	spares "sound: $c" "$c"
done
finds 'the peer in another namespace is seen' veth_peer ok 'c0 has an XDP program'
is 'looking leaves no pins' "$(find /sys/fs/bpf -name "porch*" | wc -l)" 0
SAID=$(porch doctor s0)
is 'people get the same count' "$(tail -n 1 <<<"$SAID" | cut -d' ' -f1)" \
	"$(jq '[.[] | select(.result == "ok")] | length' <<<"$FOUND")"
porch doctor >/dev/null 2>&1
is 'no interface: exit 2' $? 2
porch doctor nosuch0 >/dev/null 2>&1
is 'an interface that is not there: exit 1' $? 1

# --- the device ---

in_s ip link add d0 mtu 4000 type veth peer name d1 mtu 4000
in_s ip link set d0 up
in_s ip link set d1 up
look d0
is 'a veth that cannot work: exit 1' "$CODE" 1
finds 'a veth peer without an XDP program' veth_peer fail 'd1 has no native XDP program'
finds 'checksums left to be filled in' checksum_offload warn d1
finds 'an MTU above a page' mtu fail 4000
in_s ip link set d0 mtu 1500
in_s ip link set d1 mtu 1500
in_s ethtool -K d1 tx off >/dev/null
in_s "$TOOLS/xdp" d1 pass
look d0
spares 'the peer got a program' veth_peer
spares 'the peer fills checksums in' checksum_offload
spares 'the MTU fits' mtu
in_s "$TOOLS/xdp" d0 pass
look d0
finds "somebody else's XDP program" foreign_xdp fail 'pass \(id [0-9]+\)'
in_s "$TOOLS/xdp" d0 off
in_s ip link set d0 down
look d0
finds 'an interface that is down' driver warn 'is down'

in_s ip link add q0 numrxqueues 1 numtxqueues 1 type veth peer name q1 numrxqueues 4 numtxqueues 4
look q0
finds 'fewer RX queues than the peer sends on' queues fail '1 RX queues, its peer q1 sends on 4'
look lo
finds 'loopback' driver fail loopback

if in_s ip link add br0 type bridge 2>/dev/null; then
	in_s ip link set d0 master br0
	look d0
	finds 'a port of a bridge' master fail 'port of br0'
	look br0
	finds 'a bridge' driver warn bridge
	in_s ip link del br0
else
	skip 'a bridge and its port' 'this kernel has no bridge'
fi
if in_s ip link add link s0 name s0.5 type vlan id 5 2>/dev/null; then
	look s0
	finds 'tags taken off in front of XDP' vlan_offload fail s0.5
	in_s ethtool -K s0 rxvlan off >/dev/null
	look s0
	spares 'tags left on' vlan_offload
	look s0.5
	finds 'a VLAN device' driver fail VLAN
	in_s ip link del s0.5
	in_s ethtool -K s0 rxvlan on >/dev/null
else
	skip 'a VLAN device, and tags taken off in front of XDP' 'this kernel has no 8021q'
fi
in_s ip link del d0
in_s ip link del q0

# --- sysctls ---

set_to net.ipv4.tcp_syncookies=0
look s0
finds 'tcp_syncookies=0' syncookies fail 'tcp_syncookies is 0'
is 'which is reason to exit 1' "$CODE" 1
set_to net.ipv4.tcp_syncookies=2
look s0
spares 'tcp_syncookies=2' syncookies
set_to net.ipv4.tcp_syncookies=1
set_to net.ipv4.tcp_timestamps=0
look s0
finds 'no timestamps' tcp_options warn tcp_timestamps
set_to net.ipv4.tcp_timestamps=1
set_to net.ipv4.conf.s0.rp_filter=1
in_s ip link add e0 type dummy 2>/dev/null || in_s ip link add e0 type veth peer name e1
in_s ip link set e0 up
look s0
finds 'strict rp_filter beside a second interface' rp_filter warn strict
set_to net.ipv4.conf.s0.rp_filter=0
in_s ip link del e0

# --- listening sockets, nothing attached ---

if serve tcp6 '[::]:8081' mptcp=1; then
	look s0
	finds 'an MPTCP listener, before attaching' listener warn '\*:8081 is an MPTCP listener'
fi
serve bgp 10.0.0.1:179 md5=10.0.0.2
look s0
finds 'a listener with MD5 keys, before attaching' listener warn '10.0.0.1:179 has TCP-MD5 keys'

# --- the firewall, nothing attached: every port may become one of ours ---

rules <<-'RULES'
	table inet f {
		chain in {
			type filter hook input priority 0
			udp dport 53 drop
			meta l4proto icmp accept
			iif lo accept
			tcp dport 22 ct state new accept
			ct state established,related accept
		}
		chain through {
			type filter hook forward priority 0; policy drop
			tcp dport 80 drop
		}
	}
RULES
look s0
for c in dnat conntrack firewall; do
	spares "harmless rules: $c" "$c"
done
flush
in_s iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.9:80
look s0
finds 'a port that would be sent elsewhere is worth knowing' dnat warn 8080
in_s iptables -t nat -F
flush

# --- attached ---

attach kernel 80
porch listen s0 add '*:8081' >/dev/null
porch listen s0 add 10.0.0.1:179 >/dev/null
porch listen s0 add '*:8090' >/dev/null
porch listen s0 add '*:8091' >/dev/null
serve four 0.0.0.0:8091
look s0
finds 'our own program is no stranger' foreign_xdp ok porch
finds 'a listener that is served' listener ok '\*:80: 1 listening socket'
finds 'an MPTCP listener' listener fail '\*:8081: an MPTCP listener'
finds 'a listener with MD5 keys' listener fail '10.0.0.1:179: has TCP-MD5 keys'
finds 'a listener without a socket' listener fail '\*:8090: no socket'
finds 'a service on IPv4 only behind *' listener warn '\*:8091: .*IPv4 only'
stop tcp6
stop bgp
stop four
for a in '*:8081' 10.0.0.1:179 '*:8090' '*:8091'; do
	porch listen s0 del "$a" >/dev/null
done
look s0
is 'without them: exit 0' "$CODE" 0

set_to net.ipv4.tcp_sack=0
look s0
finds 'a sysctl that changed after attach' tcp_options warn 'tcp_sack is 0, porch still has 1'
set_to net.ipv4.tcp_sack=1

# --- the firewall, with *:80 attached ---

rules <<-'RULES'
	table ip n {
		chain pre {
		type nat hook prerouting priority -100
		tcp dport 80 dnat to 10.0.0.9:8080
		tcp dport 8888 dnat to 10.0.0.9:8080
		}
	}
RULES
look s0
finds 'nft: DNAT of the port' dnat fail 'nft rule ip n pre handle'
is 'nft: of the port only' "$(jq '[.[] | select(.check == "dnat")] | length' <<<"$FOUND")" 1
flush
in_s iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
in_s iptables -A INPUT -p tcp --dport 80 -m hashlimit --hashlimit-above 10/sec --hashlimit-name t -j DROP
look s0
finds 'iptables: REDIRECT of the port' dnat fail 'iptables-save.*REDIRECT'
finds 'iptables: a rate on the port' firewall warn 'iptables-save.*hashlimit'
in_s iptables -F
in_s iptables -t nat -F
in_s ip6tables -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP
look s0
finds 'ip6tables: new, and no SYN: dropped' conntrack fail 'ip6tables-save'
in_s ip6tables -F
flush
look s0
spares 'rules gone: dnat' dnat
spares 'rules gone: conntrack' conntrack
spares 'rules gone: firewall' firewall

rules <<-'RULES'
	table inet f {
		chain in {
		type filter hook input priority 0
		ct state invalid drop
		tcp dport 80 accept
		}
	}
RULES
look s0
spares 'invalid is dropped, conntrack is lenient' conntrack
set_to net.netfilter.nf_conntrack_tcp_loose=0
look s0
finds 'invalid is dropped, conntrack is strict' conntrack fail 'nf_conntrack_tcp_loose=0'
set_to net.netfilter.nf_conntrack_tcp_loose=1
flush

rules <<-'RULES'
	table inet f {
		chain in {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		tcp dport 80 tcp flags & (fin | syn | rst | ack) == syn ct state new accept
		}
	}
RULES
look s0
finds 'only a SYN opens the port' conntrack fail 'is what admits the port, by its SYN'
set_to net.netfilter.nf_conntrack_tcp_loose=0
flush
rules <<-'RULES'
	table inet f {
		chain in {
		type filter hook input priority 0; policy drop;
		ct state { established, related, new } accept
		}
	}
RULES
look s0
finds 'invalid is dropped in the end' conntrack fail 'nf_conntrack_tcp_loose is 0'
set_to net.netfilter.nf_conntrack_tcp_loose=1
flush

rules <<-'RULES'
	table inet f {
		set banned {
			type ipv4_addr
			elements = { 192.0.2.7 }
		}
		chain in {
			type filter hook input priority 0
			ip saddr @banned drop
			tcp dport 80 tcp flags syn limit rate over 100/second drop
			tcp dport 443 drop
		}
	}
RULES
look s0
finds 'a ban' firewall warn 'bans sources'
finds 'a rate of SYNs' firewall warn 'decides by rate or by SYN'
is 'a port that is not ours may be closed' \
	"$(jq '[.[] | select(.check == "firewall" and (.text | test("closes")))] | length' <<<"$FOUND")" 0
flush
for _ in 1 2 3 4 5 6 7 8; do
	echo "add rule inet f in tcp dport 80 ct state new tcp flags != syn drop"
done | { echo 'add table inet f; add chain inet f in { type filter hook input priority 0; }'; cat; } | rules
look s0
is 'a long list is counted, not printed' "$(jq '[.[] | select(.check == "conntrack")] | length' <<<"$FOUND")" 6
finds 'and says how many more' conntrack fail '^3 more'
flush

if in_s ip xfrm policy add src 10.9.0.0/16 dst 10.0.0.0/24 dir in tmpl proto esp mode transport 2>/dev/null; then
	look s0
	finds 'an IPsec policy' xfrm warn '1 incoming IPsec policy'
	in_s ip xfrm policy flush
else
	skip 'an IPsec policy' 'this kernel has none'
fi

detach
story_end
