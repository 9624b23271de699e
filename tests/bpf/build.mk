# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/bpf: one binary per table, linked with the harness. `reasons` runs some
# of them once more and wants to see every reason for a refusal.
BPF_TABLES := syn syn_series options ack half_open flows vlan malformed regime tick seed layout tc text
BPF_HANDED := afxdp_syn afxdp_proof afxdp_steer afxdp_lives afxdp_time_wait afxdp_icmp afxdp_guard afxdp_race
BPF_WIRED := delivery lives health accept_queue afxdp_wire
BPF_HARNESS := $(addprefix $(B)/tests/bpf/,packets.o harness.o world.o rows.o client.o offers.o reference.o)
BPF_TESTS := $(addprefix $(B)/tests/bpf/,$(BPF_TABLES) $(BPF_HANDED) $(BPF_WIRED))

$(B)/tests/bpf/%.o: tests/bpf/%.c $(SKEL) | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/bpf $(CFLAGS) -Wno-missing-field-initializers -c $< -o $@

$(addprefix $(B)/tests/bpf/,$(BPF_WIRED)): $(B)/tests/bpf/tap.o

$(addprefix $(B)/tests/bpf/,$(BPF_HANDED) text afxdp_wire): $(B)/tests/bpf/handed.o

$(BPF_TESTS): %: %.o $(BPF_HARNESS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz -lsodium

$(B)/tests/bpf/reasons: tests/bpf/reasons $(BPF_TESTS)
	$(Q)install -m 0755 $< $@

TEST_TARGETS += $(BPF_TESTS) $(B)/tests/bpf/reasons
