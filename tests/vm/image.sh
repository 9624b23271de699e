# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A guest's file system: one initramfs of busybox, this machine's own tools with
# their shared libraries, and what is under test. Nothing is installed in it, so
# a guest starts in seconds.

TOOLS="bash ip tc ethtool curl jq bpftool xdp-loader xdp-filter nginx kmod timeout sysctl nsenter"

image_copy() {	# ROOT FILE [AS]: the file, and the libraries it names
	local root=$1 file=$2 as=${3:-$2} library

	mkdir -p "$root${as%/*}"
	cp -L "$file" "$root$as"
	ldd "$file" 2> /dev/null | grep -o '/[^ ]*' | while read -r library; do
		[ -e "$root$library" ] && continue
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done
}

image_tools() {	# ROOT
	local tool path libdir

	mkdir -p "$1"/{bin,sbin,proc,sys,dev,run,tmp,root,usr/sbin,var/log/nginx,var/lib/nginx,etc}
		for tool in $(busybox --list); do
		ln -sf busybox "$1/bin/$tool"
	done
	cp --remove-destination "$(command -v busybox)" "$1/bin/busybox"
	for tool in $TOOLS; do
		path=$(command -v "$tool") || { echo "no $tool on this machine"; return 1; }
		rm -f "$1/bin/$tool"
		image_copy "$1" "$path" "/usr/sbin/$tool"
	done
	rm -f "$1/bin/modprobe"
	ln -sf kmod "$1/usr/sbin/modprobe"
	# libxdp and xdp-filter load these by path.
	libdir=/usr/lib/$(gcc -print-multiarch)/bpf
	mkdir -p "$1$libdir"
	cp "$libdir"/*.o "$1$libdir/"
	printf 'root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n' > "$1/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' > "$1/etc/group"
	printf '127.0.0.1 localhost\n' > "$1/etc/hosts"
}

image_subject() {	# ROOT: what is under test, and the stories
	image_copy "$1" "$B/porch" /usr/sbin/porch
	image_copy "$1" "$B/porchd" /usr/sbin/porchd
	image_copy "$1" "$B/examples/http" /usr/sbin/http
	image_copy "$1" "$B/tests/vm/peer" /usr/sbin/peer
	image_copy "$1" "$B/tests/vm/share" /usr/sbin/share
	mkdir -p "$1/vm"
	cp "$B/handshake.bpf.o" "$B"/tests/vm/*.bpf.o "$1/vm/"
	cp tests/vm/guest/* "$1/vm/"
	ln -sf /vm/init "$1/init"
}

image_build() {	# SERIES: nothing, or why there is none
	local root=$VM/$1.root out=$VM/$1.img

	rm -rf "$root"
	mkdir -p "$root"
	image_tools "$root" || return 1
	cp -a "$VM/$1/root/." "$root/"
	image_subject "$root"
	(cd "$root" && find . | cpio -o -H newc --quiet) > "$out" || return 1
	rm -rf "$root"
}
