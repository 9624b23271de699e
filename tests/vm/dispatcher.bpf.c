// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A dispatcher for libxdp (protocol version 2) whose stubs change packets, on a
 * path that is never taken: from Linux 6.12.6 on a program that changes packets
 * replaces only such a function, and Debian 12's libxdp has none. With this in
 * its place the guest shows how porch and others share an interface under a
 * libxdp of today.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define STUBS 10
#define GO_ON 31 /* from a stub that nobody has replaced */
#define PROTOCOL 2

/* libxdp fills this in before it loads the dispatcher. */
struct xdp_dispatcher_config {
	__u8 magic;
	__u8 dispatcher_version;
	__u8 num_progs_enabled;
	__u8 is_xdp_frags;
	__u32 chain_call_actions[STUBS];
	__u32 run_prios[STUBS];
	__u32 program_flags[STUBS];
};

static volatile const struct xdp_dispatcher_config conf = {};

#define STUB(name)                                                                                           \
	__attribute__((noinline)) int name(struct xdp_md *ctx)                                               \
	{                                                                                                    \
		volatile int ret = GO_ON;                                                                    \
                                                                                                             \
		if (!ctx)                                                                                    \
			return XDP_ABORTED;                                                                  \
		if (ret != GO_ON)                                                                            \
			bpf_xdp_adjust_head(ctx, 0);                                                         \
		return ret;                                                                                  \
	}

STUB(prog0)
STUB(prog1)
STUB(prog2)
STUB(prog3)
STUB(prog4)
STUB(prog5)
STUB(prog6)
STUB(prog7)
STUB(prog8)
STUB(prog9)
STUB(compat_test) /* where libxdp tries whether the kernel replaces at all */

#define STEP(n)                                                                                              \
	if (conf.num_progs_enabled <= (n))                                                                   \
		return XDP_PASS;                                                                             \
	ret = prog##n(ctx);                                                                                  \
	if (!(1u << ret & conf.chain_call_actions[n]))                                                       \
		return ret

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	int ret;

	STEP(0);
	STEP(1);
	STEP(2);
	STEP(3);
	STEP(4);
	STEP(5);
	STEP(6);
	STEP(7);
	STEP(8);
	STEP(9);
	/* never: keeps the function for libxdp */
	return conf.num_progs_enabled > STUBS ? compat_test(ctx) : XDP_PASS;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
__uint(dispatcher_version, PROTOCOL) SEC("xdp_metadata");
