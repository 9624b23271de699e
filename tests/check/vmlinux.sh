#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# vmlinux.h holds nothing that the running kernel does not: every member of
# every struct, and every constant, is in the kernel's BTF with the same type.
set -u
cd "$(dirname "$0")/../.." || exit 1
BPFTOOL=${BPFTOOL:-bpftool}

if [ ! -r /sys/kernel/btf/vmlinux ]; then
	echo "# skipped: /sys/kernel/btf/vmlinux is not there"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
dump=$(mktemp) || exit 1
trap 'rm -f "$dump"' EXIT
"$BPFTOOL" btf dump file /sys/kernel/btf/vmlinux format c > "$dump" || exit 1

# name<TAB>member, one line each; nested members count for the outermost struct
members() {
	awk '
	/^(struct|enum|union) [a-z_0-9]* *\{/ || /^enum \{/ { name = $1 == "enum" ? "enum" : $2; inside = 1; next }
	/^typedef struct \{/ { name = "typedef"; inside = 1; next }
	/^\}/ { inside = 0; next }
	inside && !/\{/ && !/^[ \t]*\}/ {
		line = $0
		sub(/\/\*.*\*\//, "", line); gsub(/^[ \t]+|[ \t,;]+$/, "", line)
		gsub(/[ \t]+/, " ", line); gsub(/ ?: ?/, ": ", line)
		if (line != "") print name "\t" line
	}' "$1" | sort -u
}

# What some kernels have and others lack; bpf/ asks before it reads them.
optional='ao_info|md5sig_info|is_mptcp|scaling_ratio'

missing=$(comm -23 <(members vmlinux.h) <(members "$dump") | grep -vE "\*?($optional)\$")
passed=$(members vmlinux.h | wc -l)
failed=0
if [ -n "$missing" ]; then
	failed=$(printf '%s\n' "$missing" | wc -l)
	printf '%s\n' "$missing" | sed 's/^/not ok - vmlinux.h has, the kernel has not: /'
fi
echo "$((passed - failed)) passed, $failed failed"
[ "$failed" = 0 ]
