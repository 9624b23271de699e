# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/sim: the TCP engine alone. Two of them, or one and a model, over a seeded link (one seed again:
# build/tests/sim/sim SEED); many at once on one stack; one against Linux over a TUN device.
SIM_OBJS := $(addprefix $(B)/tests/sim/,main.o world.o plan.o stream.o link.o end.o app.o check.o check_records.o \
	watch.o laws.o peer.o peer_input.o peer_frame.o)
LINUX_OBJS := $(addprefix $(B)/tests/sim/,linux.o linux_peer.o linux_counters.o linux_link.o linux_engine.o)

$(B)/tests/sim/%.o: tests/sim/%.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(B)/tests/sim/sim: $(SIM_OBJS) $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/sim/linux: $(LINUX_OBJS) $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/sim/crowd: $(B)/tests/sim/crowd.o $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/sim/instructions: $(B)/tests/sim/instructions.o $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

TEST_TARGETS += $(addprefix $(B)/tests/sim/,sim crowd linux instructions)
