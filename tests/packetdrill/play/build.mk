# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/packetdrill/play: packetdrill's script language, for machines without packetdrill
PLAY := $(B)/tests/packetdrill/play
PLAY_OBJS := $(patsubst tests/packetdrill/play/%.c,$(PLAY)-objs/%.o,$(wildcard tests/packetdrill/play/*.c))

TEST_TARGETS += $(PLAY)

$(PLAY)-objs/%.o: tests/packetdrill/play/%.c | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(CFLAGS) -c $< -o $@

$(PLAY): $(PLAY_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -ldl -pthread
