# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One binary per file of this folder, named after the source file it tests.
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)
UNIT_LDLIBS := -lcmocka -lsodium

TEST_TARGETS += $(UNIT_BIN)

# Archives, so that a test may bring its own of what a part calls: those of UNIT_CLI test the CLI's,
# lib_* the library; the others may use the daemon's parts.
UNIT_CLI := output packet pcap
UNIT_ARCHIVES = $(if $(filter $(UNIT_CLI),$(notdir $(1))),$(B)/user/cli/$(notdir $(1)).o,$(if $(filter lib_%,$(notdir $(1))),$(B)/lib.a,$(B)/daemon.a) \
	$(B)/tcp.a)

$(B)/lib.a: $(LIB_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNIT_BIN): $(B)/tests/unit/%: tests/unit/%.c tests/unit/unit.h $(CORE_OBJS) $(UNIT_CLI:%=$(B)/user/cli/%.o) $(B)/daemon.a $(B)/lib.a $(B)/tcp.a | deps
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Werror=unused-function $(LDFLAGS) -o $@ $< $(call UNIT_ARCHIVES,$@) $(CORE_OBJS) \
		$(LDLIBS) $(UNIT_LDLIBS) -lsystemd -pthread

check-unit: $(UNIT_BIN) ## the unit tests alone; no root
	$(Q)failed=0; for t in $(UNIT_BIN); do "$$t" || failed=1; done; exit $$failed
