# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
.PHONY: check-vmlinux
check-vmlinux: | deps ## compare vmlinux.h with the running kernel
	$(Q)BPFTOOL=$(BPFTOOL) tests/check/vmlinux.sh

# What tests/check/sanitize.sh runs: everything of deliver=afxdp once more, under sanitizers.
ASAN := $(B)/asan
ASAN_GOALS := $(ASAN)/porchd $(ASAN)/examples/echo $(ASAN)/examples/http $(ASAN)/tests/net/app
ifneq ($(B),build/asan)
TEST_TARGETS += $(ASAN)/built $(ASAN)/ring_threads
endif
$(ASAN)/built: $(wildcard user/core/*.[ch] user/daemon/*.[ch] user/lib/*.[ch] user/tcp/*.[ch] user/examples/*.c include/porch/*.h \
		tests/net/tools/app.c) $(SKEL) | deps
	$(call say,ASAN,$(ASAN))
	@mkdir -p $(@D)
	$(Q)CFLAGS='-O1 -g -DPORCH_DEBUG_FRAMES -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined' \
		LDFLAGS='-fsanitize=address,undefined' $(MAKE) --no-print-directory B=$(ASAN) $(ASAN_GOALS) >/dev/null
	$(Q)touch $@

$(ASAN)/ring_threads: tests/check/ring_threads.c include/porch/ring.h | deps
	$(call say,TSAN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -Iinclude -std=gnu11 $(WARN) -Werror -Wno-tsan -O1 -g -fsanitize=thread -o $@ $< -pthread
