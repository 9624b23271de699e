#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# packetdrill.sh: tests/packetdrill/scripts against porch as a shared object: by our own player,
# with the model of the handshake and with the BPF programs, over IPv6, with numbers about to
# wrap; and by packetdrill itself where it is installed.
set -u
cd "$(dirname "$0")/../.." || exit 1

B=build/tests/packetdrill
SO=$PWD/$B/porch_packetdrill.so
SCRIPTS=(tests/packetdrill/scripts/*.pkt)
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); echo "ok $((passed + failed + skipped)) - $1"; }
not_ok() {	# DESCRIPTION FILE
	failed=$((failed + 1))
	echo "not ok $((passed + failed + skipped)) - $1"
	sed 's/^/#   /' "$2"
}
skip() { skipped=$((skipped + 1)); echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"; }

said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT

# What a program says in its last line, but for what failed.
summed() {	# DESCRIPTION COMMAND...
	local what=$1 p=0 f=0 s=0 rc last
	shift
	"$@" >"$said" 2>&1 </dev/null
	rc=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$said" | tail -n 1)
	read -r p f s <<<"$(tr -cs '0-9\n' ' ' <<<"$last")"
	if [ -n "$last" ] && [ "${f:-1}" = 0 ] && [ $rc = 0 ] && [ "${p:-0}" -gt 0 ]; then
		passed=$((passed + p)) skipped=$((skipped + ${s:-0}))
		echo "# $what: $last"
		grep '# SKIP' "$said" | sed 's/^ok [0-9]*/  ok/'
		return
	fi
	grep -v '^ok ' "$said" >"$said.failed"
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} - 1))
	if [ "${f:-0}" = 0 ]; then failed=$((failed + 1)); fi
	not_ok "$what" "$said.failed"
	rm -f "$said.failed"
}

for tool in "$B/smoke" "$B/play" "$SO"; do
	[ -e "$tool" ] || { echo "$tool is not there: make tests"; echo '0 passed, 1 failed'; exit 1; }
done
summed smoke "$B/smoke" "$SO"

backends=model
if [ "$(id -u)" = 0 ] && [ -e "$B/smoke" ] && "$B/play" "--so=$SO" --so-flags=backend=bpf "${SCRIPTS[0]}" >"$said" 2>&1; then
	backends='model bpf'
else
	skip 'BPF programs of the handshake' "$(grep -v '^[0-9]* passed' "$said" | tail -n 1 | sed 's/^# *//')"
fi
for backend in $backends; do
	summed "$backend, IPv4" "$B/play" "--so=$SO" "--so-flags=backend=$backend" --check-ecr "${SCRIPTS[@]}"
done
# as packetdrill plays scripts of both families: an MTU of 1520, so that the MSS is the same
mapfile -t SIX < <(grep -L -e --ip_version=ipv4 "${SCRIPTS[@]}")
summed 'model, IPv6' "$B/play" "--so=$SO" --so-flags=backend=model,mtu=1520 --check-ecr --ipv6 "${SIX[@]}"
summed 'numbers that wrap' "$B/play" "--so=$SO" --so-flags=backend=model,isn=0xfffff000 --isn=0xfffffc00 --check-ecr "${SCRIPTS[@]}"

# A player that lets everything pass proves nothing: what it must refuse, and what it is to say.
HANDSHAKE='0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 1000 ecr 100,nop,wscale 8>
+.1 < . 1:1(0) ack 1 win 257 <nop,nop,TS val 200 ecr 1000>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 100) = 100'
refuses() {	# DESCRIPTION PATTERN LINES
	printf '%s\n%s\n' "$HANDSHAKE" "$3" >"$said.pkt"
	if "$B/play" "--so=$SO" --so-flags=backend=model --check-ecr "$said.pkt" >"$said" 2>&1; then
		not_ok "the player refuses $1" "$said.pkt"
	elif grep -Eq -- "$2" "$said"; then
		ok "the player refuses $1"
	else
		not_ok "the player refuses $1: /$2/" "$said"
	fi
	rm -f "$said.pkt"
}
GOOD='+0 > P. 1:101(100) ack 1 <nop,nop,TS val 1100 ecr 200>'
refuses 'another number' ':9: sequence number' "${GOOD/1:101/2:102}"
refuses 'another length' ':9: length' "${GOOD/1:101(100)/1:100(99)}"
refuses 'other flags' ':9: flags' "${GOOD/P./.}"
refuses 'another acknowledgement' ':9: acknowledgement' "${GOOD/ack 1/ack 2}"
refuses 'another window' ':9: window' "${GOOD/ack 1/ack 1 win 77}"
refuses 'another echo' ':9: options' "${GOOD/ecr 200/ecr 201}"
refuses 'options that are not there' ':9: options' '+0 > P. 1:101(100) ack 1'
refuses 'other ECN bits' ':9: ECN' "${GOOD/> P/> [ect0] P}"
refuses 'a packet too early' ':9: packet at' "${GOOD/+0/+.1}"
refuses 'a packet too late' ':10: packet at' "$GOOD"$'\n+0 > P. 1:101(100) ack 1 <...>'
refuses 'a packet that never comes' 'nothing' "$GOOD"$'\n+.1 < . 1:1(0) ack 101 win 257 <nop,nop,TS val 300 ecr 1100>\n* > . 101:101(0) ack 1'
refuses 'another result' ':10: recv\(\) returned' "$GOOD"$'\n+0 recv(4, ..., 10, MSG_DONTWAIT) = 10'
refuses 'another error' ':10: recv\(\) failed with EAGAIN' "$GOOD"$'\n+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EPIPE (Broken pipe)'
refuses 'a call that ends at another time' "call's end" "$GOOD"$'\n+0...0.1 read(4, ..., 10) = 10\n+.3 < P. 1:11(10) ack 101 win 257 <nop,nop,TS val 300 ecr 1100>\n+.1 close(4) = 0'
refuses 'a call that never ends' 'never ended' "$GOOD"$'\n+0...0.1 read(4, ..., 10) = 10'
refuses 'an assertion that does not hold' 'tcpi_unacked is 1' "$GOOD"$'\n+0 %{ assert tcpi_unacked == 3 and tcpi_snd_cwnd == 10, tcpi_unacked }%'
refuses 'an unknown constant' 'what is TCP_NODELY' "$GOOD"$'\n+0 setsockopt(4, SOL_TCP, TCP_NODELY, [1], 4) = 0'
refuses 'numbers that do not add up' 'are not 100 octets' '+0 > P. 1:100(100) ack 1'
refuses 'options of a wrong length' 'no multiple of four' '+0 < . 1:1(0) ack 101 win 257 <nop,TS val 300 ecr 1100>'
refuses 'an unknown call' 'beyond this player' '+0 frobnicate(4) = 0'
refuses 'a line that is none' ':9: ' '+0 & nonsense'
refuses 'an echo of what was never sent' 'TS ecr 7' '+0 < . 1:1(0) ack 1 win 257 <nop,nop,TS val 300 ecr 7>'

if command -v packetdrill >/dev/null; then
	for script in "${SCRIPTS[@]}"; do
		if packetdrill "--so_filename=$SO" "$script" >"$said" 2>&1; then
			ok "packetdrill $script"
		else
			not_ok "packetdrill $script" "$said"
		fi
	done
else
	skip 'packetdrill itself' 'packetdrill is not installed'
fi

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
