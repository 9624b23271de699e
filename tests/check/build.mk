# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
.PHONY: check-vmlinux
check-vmlinux: | deps ## compare vmlinux.h with the running kernel
	$(Q)BPFTOOL=$(BPFTOOL) tests/check/vmlinux.sh
