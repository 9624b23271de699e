// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch_seed: connections that the kernel held before porch came. */
#include "client.h"

static const struct harness_options options = { .flow_sets = 1, .half_open_max = 16 };

static int seed(const struct packet *p, int closing)
{
	struct porch_seed_args args = { .tuple = tuple_of(p), .closing = closing };

	return run_syscall("porch_seed", &args, sizeof(args));
}

static void rows_of(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), p;
	struct porch_tuple t = tuple_of(&syn);
	struct porch_flow *f;
	struct frame in, out;

	row("a seeded connection is held by the kernel: its segments pass, %s", FAMILY(v6));
	expect_u32("porch_seed", seed(&syn, 0), 0);
	f = flow_of(&t);
	if (!f) {
		fail("there is no flow");
	} else {
		expect_u32("state", f->state, PORCH_FLOW_DELIVERED);
		expect_u32("by_cookie", f->by_cookie, 0);
		expect_u32("listener", f->listener, LISTENER);
	}
	p = syn;
	for (__u16 flags = 0; flags < 64; flags++) {
		p.flags = flags;
		packet_build(&p, &in);
		expect_verdict(run_xdp(&in, &out),
			       (flags & (SYN | ACK)) == SYN && (flags & (FIN | RST)) ? XDP_DROP : XDP_PASS,
			       "segment");
	}
	/* SYNs: 16 combinations without ACK, 4 of them without FIN and RST */
	row_end("syn_received=16 syn_passed=4 refused_bad_flags=12");

	row("a seeded TIME-WAIT is held for two minutes, %s", FAMILY(v6));
	expect_u32("porch_seed", seed(&syn, 1), 0);
	f = flow_of(&t);
	if (f) {
		expect_u32("state", f->state, PORCH_FLOW_CLOSING);
		expect_u32("expires", f->expires, TICK_START + 1200);
	}
	expect_verdict(send_packet(&syn, &out), XDP_PASS, "SYN");
	world.host->tick += 1200;
	l()->calm_since = world.host->tick;
	tick_once();
	expect_verdict(send_packet(&syn, &out), XDP_TX, "SYN two minutes later");
	row_end("syn_received=2 syn_passed synack_sent flows_expired");

	row("seeding twice leaves one flow, %s", FAMILY(v6));
	seed(&syn, 0);
	expect_u32("porch_seed", seed(&syn, 0), 0);
	expect_u32("flows", flows_in_state(PORCH_FLOW_DELIVERED), 1);
	row_end("");

	row("a connection of a port without listener is not seeded, %s", FAMILY(v6));
	p = syn;
	p.dport = 81;
	expect_u32("porch_seed", seed(&p, 0), (__u32)-2);
	expect_u32("flows", flows_in_state(PORCH_FLOW_DELIVERED), 0);
	row_end("");

	row("a connection to another address is not seeded, %s", FAMILY(v6));
	p = syn;
	address_server(p.dest, v6, 2);
	expect_u32("porch_seed", seed(&p, 0), (__u32)-2);
	row_end("");

	row("a full table says so, %s", FAMILY(v6));
	for (int i = 0; i < 5; i++) {
		p = syn;
		p.sport += i;
		expect_u32("porch_seed", seed(&p, 0), i < 4 ? 0 : (__u32)-28);
	}
	expect_u32("flows", flows_in_state(PORCH_FLOW_DELIVERED), 4);
	row_end("");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++)
		rows_of(v6);
	return harness_end();
}
