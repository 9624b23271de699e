# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/packetdrill: porch as a shared object that packetdrill loads instead of using the
# kernel (packetdrill --so_filename=build/tests/packetdrill/porch_packetdrill.so SCRIPT),
# and a player of such scripts for machines that have no packetdrill.
DRILL := $(B)/tests/packetdrill
DRILL_SRC := $(addprefix tests/packetdrill/,adapter.c clock.c wire.c listener.c handshake.c xdp.c xdp_world.c flow.c \
	socket.c stream.c option.c info.c ready.c pipe.c interpose.c flags.c)
DRILL_OBJS := $(DRILL_SRC:tests/packetdrill/%.c=$(DRILL)/%.o)
# porchd's SYN-ACK and its schedule, for a shared object; the rest of what these files hold is left out
DRILL_DAEMON := $(addprefix $(DRILL)/daemon/,synack.o packet.o retransmit_rows.o)

TEST_TARGETS += $(DRILL)/porch_packetdrill.so $(DRILL)/smoke

$(DRILL)/%.o: tests/packetdrill/%.c $(SKEL) | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(DRILL)/daemon/%.o: user/daemon/%.c $(SKEL) | deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -ffunction-sections -c $< -o $@

$(DRILL)/porch_packetdrill.so: $(DRILL_OBJS) $(DRILL_DAEMON) $(B)/tcp.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,--gc-sections -Wl,-z,defs -o $@ $^ $(LDLIBS) -pthread

$(DRILL)/smoke: $(DRILL)/smoke.o $(DRILL)/wirepeer.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ldl -pthread

# the player, and what it plays
-include tests/packetdrill/play/build.mk
