# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porch: `make help` lists the targets.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= /lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
CC ?= gcc
OBJCOPY ?= objcopy
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

ifeq ($(V),1)
Q :=
else
Q := @
endif
say = @printf '  %-8s %s\n' $(1) $(2)

B := build
ARCH := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')

WARN := -Wall -Wextra -Wshadow -Wimplicit-fallthrough -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter
CPPFLAGS += -D_GNU_SOURCE -DPORCH_VERSION='"$(VERSION)"' -I. -Iinclude -I$(B) -Iuser
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 $(WARN) -Werror -ffile-prefix-map=$(CURDIR)=. -MMD -MP
LDLIBS += -lxdp -lbpf -lelf -lz -ljansson
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. -Iinclude -Ibpf -Wall -Wextra -Werror \
	-Wno-unused-parameter -ffile-prefix-map=$(CURDIR)=. -MMD -MP

objs_of = $(patsubst %.c,$(B)/%.o,$(wildcard user/$(1)/*.c))
CORE_OBJS := $(call objs_of,core)
CLI_OBJS := $(call objs_of,cli)
TCP_OBJS := $(call objs_of,tcp)
DAEMON_OBJS := $(call objs_of,daemon)
LIB_OBJS := $(call objs_of,lib)
EXAMPLES := $(patsubst user/examples/%.c,$(B)/examples/%,$(wildcard user/examples/*.c))
SKEL := $(B)/handshake.skel.h
TEST_TARGETS :=

.PHONY: all
all: $(B)/porch $(B)/porchd $(B)/libporch.a $(B)/libporch.so.0 $(EXAMPLES)

# --- what a bare Debian 12 lacks; nothing is asked for when it is all there ---
include tests/deps.mk

# --- BPF ---
$(B)/handshake.bpf.o: bpf/handshake.bpf.c $(wildcard bpf/*.h) include/porch/maps.h vmlinux.h | deps
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(SKEL): $(B)/handshake.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name handshake > $@

# --- userspace ---
$(B)/user/%.o: user/%.c $(SKEL) | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(B)/porch: $(CLI_OBJS) $(CORE_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What the tests of the daemon's parts link, less main().
$(B)/daemon.a: $(filter-out %/main.o,$(DAEMON_OBJS))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/tcp.a: $(TCP_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/porchd: $(DAEMON_OBJS) $(B)/tcp.a $(CORE_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lsystemd

# libporch depends on libc alone: neither skeleton nor libbpf.
$(TCP_OBJS) $(LIB_OBJS): $(B)/user/%.o: user/%.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

# One object whose only global names are the API's.
$(B)/libporch.a: $(LIB_OBJS) $(TCP_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(LD) -r -o $(B)/libporch.o $^ && \
		$(OBJCOPY) --wildcard --keep-global-symbol='porch_*' $(B)/libporch.o && $(AR) rcs $@ $(B)/libporch.o

$(B)/libporch.so.0: $(LIB_OBJS) $(TCP_OBJS) user/lib/libporch.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,libporch.so.0 -Wl,--version-script=user/lib/libporch.map -o $@ \
		$(filter %.o,$^)
	$(Q)ln -sf libporch.so.0 $(B)/libporch.so

$(EXAMPLES): $(B)/examples/%: user/examples/%.c $(wildcard user/examples/*.h) include/porch/porch.h $(B)/libporch.a | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -Iinclude $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libporch.a -pthread

# --- tests: each folder says how its own are built ---
-include $(wildcard tests/*/build.mk)

.PHONY: check check-unit tests
tests: all $(TEST_TARGETS)

check: tests ## build, then run every test; needs root
	$(Q)tests/run

.PHONY: demo bench
demo: all $(BENCH_TARGETS) ## before and after, in private namespaces, under two minutes
	$(Q)tests/demo

bench: all $(BENCH_TARGETS) ## the tables of README, on this machine
	$(Q)tests/bench/run

.PHONY: install uninstall clean format lint help
install: all ## into $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(B)/porch $(DESTDIR)$(SBINDIR)/porch
	install -D -m 0755 $(B)/porchd $(DESTDIR)$(SBINDIR)/porchd
	install -D -m 0644 $(B)/libporch.a $(DESTDIR)$(LIBDIR)/libporch.a
	install -D -m 0755 $(B)/libporch.so.0 $(DESTDIR)$(LIBDIR)/libporch.so.0
	ln -sf libporch.so.0 $(DESTDIR)$(LIBDIR)/libporch.so
	install -D -m 0644 include/porch/porch.h $(DESTDIR)$(INCLUDEDIR)/porch/porch.h
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		user/share/pkgconfig/libporch.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libporch.pc
	for page in user/share/man/*.[3578]; do [ -e "$$page" ] || continue; \
		install -D -m 0644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	install -D -m 0644 user/share/completion/porch $(DESTDIR)$(COMPLETIONDIR)/porch
	for unit in user/share/systemd/*.service; do install -D -m 0644 $$unit $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	[ -e $(DESTDIR)$(SYSCONFDIR)/porch.conf ] || \
		install -D -m 0644 user/share/porch.conf $(DESTDIR)$(SYSCONFDIR)/porch.conf

uninstall: ## the reverse, configuration kept
	rm -f $(DESTDIR)$(SBINDIR)/porch $(DESTDIR)$(SBINDIR)/porchd $(DESTDIR)$(COMPLETIONDIR)/porch
	rm -f $(DESTDIR)$(LIBDIR)/libporch.a $(DESTDIR)$(LIBDIR)/libporch.so $(DESTDIR)$(LIBDIR)/libporch.so.0
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/libporch.pc $(DESTDIR)$(INCLUDEDIR)/porch/porch.h
	for unit in user/share/systemd/*.service; do rm -f $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	for page in user/share/man/*.[3578]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done

clean: ## remove build/
	rm -rf $(B)

format: ## clang-format over the C sources
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v '^vmlinux.h')

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/*/build.mk 2>/dev/null | sed -E 's/:[^#]*## /\t/' | expand -t 18
	@echo
	@echo 'Variables: PREFIX SBINDIR MANDIR SYSCONFDIR UNITDIR DESTDIR CC CLANG BPFTOOL PKG_CONFIG V=1'

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
