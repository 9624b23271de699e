# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/vm: what this machine's kernel cannot show, in guests under other kernels.
VM_TESTS := $(addprefix $(B)/tests/vm/,peer share seen.bpf.o dispatcher.bpf.o)

VM_DEPS := /usr/bin/qemu-system-x86_64:qemu-system-x86 /bin/busybox:busybox-static /usr/bin/cpio:cpio \
	/usr/sbin/depmod:kmod /usr/bin/xz:xz-utils /usr/bin/jq:jq /usr/sbin/xdp-loader:xdp-tools \
	/usr/sbin/sysctl:procps
VM_MISSING := $(sort $(foreach d,$(VM_DEPS),$(if $(wildcard $(firstword $(subst :, ,$(d)))),,$(lastword $(subst :, ,$(d))))))

$(B)/tests/vm/peer $(B)/tests/vm/share: $(B)/tests/vm/%: tests/vm/%.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(if $(filter share,$*),-lxdp -lbpf)

$(B)/tests/vm/%.bpf.o: tests/vm/%.bpf.c vmlinux.h | deps
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

.PHONY: check-vm
check-vm: all $(VM_TESTS) ## the stories for other kernels (Debian's 6.1, 6.12 and 6.18), in qemu; fetches them once
	$(Q)VM_MISSING='$(VM_MISSING)' tests/vm/run
