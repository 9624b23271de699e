# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/fuzz: libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer, one binary per target. Everything
# they link is compiled for them once more. tests/check/fuzz.sh replays tests/fuzz/corpus and goes on from there.
FUZZ := $(B)/tests/fuzz
FUZZ_TARGETS := engine reassembly options admit control
FUZZ_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -Wno-gnu \
	-fno-sanitize-recover=undefined -ffile-prefix-map=$(CURDIR)=. -MMD -MP
FUZZ_SANITIZE := address,undefined
FUZZ_OBJS := $(patsubst %.c,$(FUZZ)/%.o,$(filter-out %/main.c,$(wildcard user/daemon/*.c)) $(wildcard user/core/*.c user/tcp/*.c))
# what a target has beside the file it is named after
$(FUZZ)/engine: $(FUZZ)/engine_world.o
$(FUZZ)/options: $(FUZZ)/options_parse.o

TEST_TARGETS += $(FUZZ_TARGETS:%=$(FUZZ)/%) $(FUZZ)/seeds

$(FUZZ)/user/%.o: user/%.c $(SKEL) | deps
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) $(FUZZ_CFLAGS) -c $< -o $@

# bpf/ runs where any address will do
$(FUZZ)/options.o: FUZZ_CFLAGS += -fno-sanitize=alignment
$(FUZZ)/%.o: tests/fuzz/%.c $(SKEL) | deps
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) $(FUZZ_CFLAGS) -c $< -o $@

$(FUZZ)/all.a: $(FUZZ_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_TARGETS:%=$(FUZZ)/%): $(FUZZ)/%: $(FUZZ)/%.o $(FUZZ)/all.a
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,$(FUZZ_SANITIZE) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -lcmocka -lsodium -lsystemd -pthread

$(FUZZ)/seeds: tests/fuzz/seeds.c tests/unit/unit.h | deps
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $<

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/%) ## libFuzzer on what peers, workers and XDP can say, SECONDS=60
	$(Q)tests/check/fuzz.sh $(or $(SECONDS),60)
