# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/sim: two TCP engines over a seeded link (one seed again: build/tests/sim/sim SEED);
# and the engine against Linux over a TUN device.
SIM_OBJS := $(addprefix $(B)/tests/sim/,main.o world.o plan.o link.o end.o check.o)
LINUX_OBJS := $(addprefix $(B)/tests/sim/,linux.o linux_link.o)

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

TEST_TARGETS += $(B)/tests/sim/sim $(B)/tests/sim/linux
