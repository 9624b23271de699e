# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/sim: the TCP engine alone. Two of them over a seeded link (one seed again:
# build/tests/sim/sim SEED); one against Linux over a TUN device; one fed with
# anything at all, by seed here and by coverage with `make fuzz-tcp`.
SIM_OBJS := $(addprefix $(B)/tests/sim/,main.o world.o plan.o link.o end.o app.o check.o)
LINUX_OBJS := $(addprefix $(B)/tests/sim/,linux.o linux_link.o)
FUZZ_OBJS := $(addprefix $(B)/tests/sim/,fuzz.o end.o app.o check.o plan.o)

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

$(B)/tests/sim/fuzz: $(FUZZ_OBJS) $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/sim/instructions: $(B)/tests/sim/instructions.o $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

TEST_TARGETS += $(addprefix $(B)/tests/sim/,sim linux fuzz instructions)

FUZZ_SECONDS ?= 60
.PHONY: fuzz-tcp
fuzz-tcp: ## libFuzzer on the TCP engine, FUZZ_SECONDS=60
	@mkdir -p $(B)/fuzz/tcp
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -g -O1 -DFUZZER -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(B)/fuzz/tcp_fuzz user/tcp/*.c \
		$(addprefix tests/sim/,fuzz.c end.c app.c check.c plan.c)
	$(Q)$(B)/fuzz/tcp_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -timeout=10 -print_final_stats=0 $(B)/fuzz/tcp
