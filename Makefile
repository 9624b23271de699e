# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# porch: `make help` lists the targets.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= /lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
CC ?= gcc
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

CORE_SRC := $(wildcard user/core/*.c)
CLI_SRC := $(wildcard user/cli/*.c)
CORE_OBJS := $(CORE_SRC:%.c=$(B)/%.o)
CLI_OBJS := $(CLI_SRC:%.c=$(B)/%.o)
SKEL := $(B)/handshake.skel.h
TEST_TARGETS :=

.PHONY: all
all: $(B)/porch

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

# --- tests: each folder says how its own are built ---
-include $(wildcard tests/*/build.mk)

.PHONY: check check-unit tests
tests: all $(TEST_TARGETS)

check: tests ## build, then run every test; needs root
	$(Q)tests/run

.PHONY: demo bench
demo: all $(TEST_TARGETS) ## before and after, in private namespaces, under two minutes
	$(Q)tests/demo

bench: all $(TEST_TARGETS) ## the tables of README, on this machine
	$(Q)tests/bench/run

.PHONY: install uninstall clean format lint help
install: all ## into $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(B)/porch $(DESTDIR)$(SBINDIR)/porch
	for page in user/share/man/*.8 user/share/man/*.5; do [ -e "$$page" ] || continue; \
		install -D -m 0644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	install -D -m 0644 user/share/completion/porch $(DESTDIR)$(COMPLETIONDIR)/porch
	install -D -m 0644 user/share/systemd/porch@.service $(DESTDIR)$(UNITDIR)/porch@.service
	[ -e $(DESTDIR)$(SYSCONFDIR)/porch.conf ] || \
		install -D -m 0644 user/share/porch.conf $(DESTDIR)$(SYSCONFDIR)/porch.conf

uninstall: ## the reverse, configuration kept
	rm -f $(DESTDIR)$(SBINDIR)/porch $(DESTDIR)$(COMPLETIONDIR)/porch $(DESTDIR)$(UNITDIR)/porch@.service
	rm -f $(DESTDIR)$(MANDIR)/man8/porch.8 $(DESTDIR)$(MANDIR)/man5/porch.conf.5

clean: ## remove build/
	rm -rf $(B)

format: ## clang-format over the C sources
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v '^vmlinux.h')

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/*/build.mk 2>/dev/null | sed -E 's/:[^#]*## /\t/' | expand -t 18
	@echo
	@echo 'Variables: PREFIX SBINDIR MANDIR SYSCONFDIR UNITDIR DESTDIR CC CLANG BPFTOOL PKG_CONFIG V=1'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
