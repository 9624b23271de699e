# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The generator, the honest client and the programs porch is compared with.
BENCH := $(B)/tests/bench
BENCH_OBJS := $(patsubst %,$(BENCH)/%.o,flood frame meters pins)

BENCH_TARGETS := $(BENCH)/flood $(BENCH)/client $(BENCH)/peers.bpf.o

$(BENCH)/%.bpf.o: tests/bench/%.bpf.c tests/bench/generator.h $(wildcard bpf/*.h) include/porch/maps.h vmlinux.h | deps
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BENCH)/generator.skel.h: $(BENCH)/generator.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name generator_bpf > $@

$(BENCH)/%.o: tests/bench/%.c tests/bench/flood.h tests/bench/generator.h $(BENCH)/generator.skel.h | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I$(BENCH) $(CFLAGS) -c $< -o $@

$(BENCH)/flood: $(BENCH_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz

$(BENCH)/client: tests/bench/client.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

# deliver=afxdp against the kernel: the crowd of clients, the servers
BENCH_TARGETS += $(BENCH)/crowd $(BENCH)/bulk $(BENCH)/epoll $(BENCH)/worker
TEST_TARGETS += $(BENCH_TARGETS)

$(BENCH)/crowd.bpf.o: tests/bench/crowd.h
$(BENCH)/crowd.skel.h: $(BENCH)/crowd.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name crowd_bpf > $@

$(BENCH)/crowd.o: $(BENCH)/crowd.skel.h

$(BENCH)/crowd: $(BENCH)/crowd.o $(BENCH)/cputime.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz

$(BENCH)/bulk: $(BENCH)/bulk.o $(BENCH)/cputime.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(BENCH)/epoll: $(BENCH)/epoll.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(BENCH)/worker: $(BENCH)/worker.o $(B)/libporch.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^
