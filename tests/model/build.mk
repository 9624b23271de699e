# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/model: the programs against a plain C model of the handshake.
# One case again: SEED=s ONLY=n build/tests/model/property
MODEL_OBJS := $(addprefix $(B)/tests/model/,property.o compare.o afxdp.o generator.o traffic.o model.o segment.o answer.o parse.o)

$(B)/tests/model/%.o: tests/model/%.c $(SKEL) | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/bpf -Itests/model $(CFLAGS) -Wno-missing-field-initializers -c $< -o $@

$(B)/tests/model/property: $(MODEL_OBJS) $(addprefix $(B)/tests/bpf/,packets.o harness.o world.o handed.o client.o rows.o offers.o reference.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz -lsodium -lm

TEST_TARGETS += $(B)/tests/model/property
