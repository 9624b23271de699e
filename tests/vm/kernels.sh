# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Kernels of the guests: Debian's cloud images, fetched by apt, never installed,
# kept unpacked in build/vm/VERSION until that folder is removed. What this machine's
# apt does not know may be in the backports of the next Debian, whose lists are kept
# apart, in build/vm/apt.

BACKPORTS="http://deb.debian.org/debian trixie-backports main"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

apt_apart() {	# PROGRAM ARGUMENT...: apt-get or apt-cache, with lists of its own
	local program=$1

	shift
	"$program" -o Dir::Etc::sourcelist="$VM/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$VM/apt/lists" -o Dir::Cache="$VM/apt/cache" "$@"
}

apt_apart_begin() {
	mkdir -p "$VM/apt/lists/partial" "$VM/apt/cache/archives/partial"
	echo "deb [arch=amd64 signed-by=$KEYRING] $BACKPORTS" > "$VM/apt/sources.list"
	apt_apart apt-get update -qq > /dev/null 2>&1
}

# The newest package of a series that apt knows; the pattern leaves out -dbg and -unsigned.
kernel_packages() {	# SERIES [apt_apart]
	${2:-} apt-cache search --names-only "^linux-image-${1//./\\.}[.][.+0-9a-z-]*-cloud-amd64\$" 2> /dev/null |
		cut -d' ' -f1 | grep -v unsigned | sort -V -r | head -3
}

kernel_present() {	# SERIES
	[ -e "$VM/$1/vmlinuz" ] && [ -e "$VM/$1/release" ]
}

# Fetches and unpacks; says on failure, in one line, why there is none.
kernel_fetch() {	# SERIES
	local dir=$VM/$1 work=$VM/$1.new apart="" package said

	kernel_present "$1" && return
	[ -n "$(kernel_packages "$1")" ] || apt-get update -qq > /dev/null 2>&1
	if [ -z "$(kernel_packages "$1")" ]; then
		apt_apart_begin
		apart=apt_apart
	fi
	said="apt knows no linux-image-$1*-cloud-amd64, nor do the backports"
	for package in $(kernel_packages "$1" $apart); do
		rm -rf "$work"
		mkdir -p "$work/tree"
		if ! said=$(cd "$work" && $apart apt-get download -qq "$package" 2>&1); then
			said="apt-get download $package: $(tail -1 <<< "$said")"
			continue
		fi
		if ! dpkg -x "$work"/*.deb "$work/tree"; then
			said="dpkg cannot unpack $package"
			continue
		fi
		rm -f "$work"/*.deb
		kernel_unpack "$work" || { said="$package: no kernel in it"; continue; }
		rm -rf "$dir"
		mv "$work" "$dir"
		return
	done
	rm -rf "$work"
	echo "$said"
	return 1
}

# What the stories load; modprobe finds the rest. Decompressed here, because it is quicker than in the guest.
MODULES="virtio_net virtio_pci veth 8021q bonding dummy sch_netem sch_ingress cls_bpf tcp_diag inet_diag"

kernel_unpack() {	# FOLDER
	local tree=$1/tree release module file

	mv "$tree"/boot/vmlinuz-* "$1/vmlinuz" 2> /dev/null || return 1
	release=$(ls "$tree/lib/modules" 2> /dev/null || ls "$tree/usr/lib/modules")
	[ -d "$tree/lib/modules" ] || { mkdir -p "$tree/lib" && mv "$tree/usr/lib/modules" "$tree/lib/"; }
	depmod -b "$tree" "$release" || return 1
	mkdir -p "$1/root/lib/modules/$release"
	for module in $MODULES; do
		# Built-in ones print "builtin"; what a series has not is left out.
		modprobe -d "$tree" -S "$release" --show-depends "$module" 2> /dev/null
	done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
		file=/lib/modules/${file#*/lib/modules/}
		mkdir -p "$1/root${file%/*}"
		case $file in
		*.xz) xz -dc "$tree$file" > "$1/root${file%.xz}" ;;
		*.zst) zstd -qdc "$tree$file" > "$1/root${file%.zst}" ;;
		*) cp "$tree$file" "$1/root$file" ;;
		esac
	done
	cp "$tree/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$1/root/lib/modules/$release/"
	depmod -b "$1/root" "$release" || return 1
	rm -rf "$tree"
	echo "$release" > "$1/release"
}
