# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The tools of the network stories: server, client, wire, xdp.
NET := $(B)/tests/net
NET_TOOLS := $(NET)/server $(NET)/client $(NET)/wire $(NET)/xdp

TEST_TARGETS += $(NET_TOOLS)

$(NET)/pass.bpf.o: tests/net/tools/pass.bpf.c vmlinux.h | deps
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(NET)/pass.skel.h: $(NET)/pass.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name pass_bpf > $@

$(NET)/%.o: tests/net/tools/%.c tests/net/tools/common.h | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I$(NET) $(CFLAGS) -c $< -o $@

$(NET)/xdp.o: $(NET)/pass.skel.h

$(NET)/server $(NET)/client: $(NET)/%: $(NET)/%.o $(NET)/common.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(NET)/wire: $(NET)/wire.o $(NET)/frame.o $(NET)/common.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(NET)/xdp: $(NET)/xdp.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz

# deliver=afxdp: the relay, clients by the thousand, an application that misbehaves on
# request, a service manager to be notified
TEST_TARGETS += $(NET)/relay $(NET)/many $(NET)/app $(NET)/notify

$(NET)/relay $(NET)/many $(NET)/notify: $(NET)/%: $(NET)/%.o $(NET)/common.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(NET)/app: $(NET)/app.o $(NET)/common.o $(B)/libporch.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# a program that speaks porch/wire.h by itself, for tests of porchd
ifneq ($(wildcard tests/net/tools/fake_app.c),)
TEST_TARGETS += $(NET)/fake_app
$(NET)/fake_app: $(NET)/fake_app.o $(NET)/fake_session.o $(NET)/fake_frames.o $(NET)/fake_garbage.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(NET)/fake_app.o $(NET)/fake_session.o $(NET)/fake_frames.o $(NET)/fake_garbage.o: tests/net/tools/fake_app.h
endif
