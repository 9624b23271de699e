# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/sim: two TCP engines over a seeded link. One seed again: build/tests/sim/sim SEED
SIM_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))

$(B)/tests/sim/%.o: tests/sim/%.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(B)/tests/sim/sim: $(SIM_OBJS) $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

TEST_TARGETS += $(B)/tests/sim/sim
