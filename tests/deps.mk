# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is needed to build and to test, as "file that proves it : Debian package".
DEPS := /usr/bin/gcc:gcc /usr/include/stdio.h:libc6-dev /usr/bin/clang:clang /usr/bin/llvm-strip:llvm /usr/sbin/bpftool:bpftool \
	/usr/include/bpf/libbpf.h:libbpf-dev /usr/include/xdp/libxdp.h:libxdp-dev /usr/include/libelf.h:libelf-dev \
	/usr/include/zlib.h:zlib1g-dev /usr/include/jansson.h:libjansson-dev \
	/usr/include/systemd/sd-daemon.h:libsystemd-dev /usr/include/cmocka.h:libcmocka-dev /usr/include/sodium.h:libsodium-dev /usr/bin/pkg-config:pkg-config \
	/usr/sbin/nginx:nginx-light /usr/bin/curl:curl /usr/bin/wrk:wrk /usr/bin/jq:jq /usr/sbin/nft:nftables /usr/sbin/iptables:iptables \
	/usr/sbin/ethtool:ethtool /usr/bin/ip:iproute2 /usr/sbin/tc:iproute2 /usr/bin/gnuplot:gnuplot-nox \
	/bin/nc.openbsd:netcat-openbsd /usr/bin/nsenter:util-linux /usr/bin/valgrind:valgrind /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a:libclang-rt-14-dev /usr/bin/pkill:procps /usr/include/linux/if_ether.h:linux-libc-dev

MISSING := $(sort $(foreach d,$(DEPS),$(if $(wildcard $(firstword $(subst :, ,$(d)))),,$(lastword $(subst :, ,$(d))))))

.PHONY: deps
deps:
ifneq ($(MISSING),)
	@echo "installing: $(MISSING)"
	@if [ "$$(id -u)" != 0 ]; then echo "porch: missing packages, become root or install them: $(MISSING)" >&2; exit 1; fi
	@printf '#!/bin/sh\nexit 101\n' > /tmp/porch-policy.$$$$ && chmod 755 /tmp/porch-policy.$$$$ && \
	own=0; if [ ! -e /usr/sbin/policy-rc.d ]; then cp /tmp/porch-policy.$$$$ /usr/sbin/policy-rc.d; own=1; fi; \
	rm -f /tmp/porch-policy.$$$$; \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(MISSING) >/dev/null; }; \
	rc=$$?; [ $$own = 0 ] || rm -f /usr/sbin/policy-rc.d; exit $$rc
endif
