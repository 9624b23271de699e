// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch_tc by itself, without a record in front: drivers that have no room for one. */
#include "client.h"

#include <linux/pkt_cls.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

#define NEXT   TC_ACT_UNSPEC
#define PROVEN "syn_received synack_sent proven "

struct tc_row {
	const char *sentence;
	void (*change)(struct packet *p);
	__u8 no_meta;
	const char *counters;
	int state; /* of the flow, behind it */
};

/* clang-format off */
static void as_is(struct packet *p) { }
static void other_tuple(struct packet *p) { p->sport++; }
static void other_port(struct packet *p) { p->dport = 81; }
static void other_address(struct packet *p) { address_server(p->dest, p->v6, 2); }
static void beyond(struct packet *p) { p->seq += 10; p->payload = 10; }
static void reset(struct packet *p) { p->flags = RST; }
static void udp(struct packet *p) { p->protocol = 17; }
static void arp(struct packet *p) { p->ethertype = 0x0806; }
static void ip_options(struct packet *p)
{
	if (!p->v6)
		p->ip_options = BYTES(1, 1, 1, 1);
}
static void hold(struct packet *p)
{
	struct porch_tuple t = tuple_of(p);
	struct porch_flow *f = flow_of(&t);
	__u32 index = f ? f - world.flows : 0;

	if (!f)
		return;
	f->state = PORCH_FLOW_DELIVERED;
	world.tags[index / PORCH_SET_WAYS] |= (__u64)PORCH_TAG_HELD << index % PORCH_SET_WAYS * 16;
}
static void close_it(struct packet *p)
{
	struct porch_tuple t = tuple_of(p);

	if (flow_of(&t))
		flow_of(&t)->state = PORCH_FLOW_TOMBSTONE;
}

#define P PORCH_FLOW_PROVEN
#define GONE PORCH_FLOW_FREE

static const struct tc_row rows[] = {
	{ "a segment without record passes unlooked", as_is, 0, PROVEN, P },
	{ "without room for records the flow is found; without a socket it ends", as_is, 1, PROVEN "refused_no_listener", GONE },
	{ "the same behind IPv4 options", ip_options, 1, PROVEN "refused_no_listener", GONE },
	{ "data beyond the proof of a listener that is gone", beyond, 1, PROVEN "refused_no_listener", GONE },
	{ "a RST for a listener that is gone", reset, 1, PROVEN "refused_no_listener", GONE },
	{ "a stranger passes", other_tuple, 1, PROVEN, P },
	{ "a port without listener passes", other_port, 1, PROVEN, P },
	{ "another address passes", other_address, 1, PROVEN, P },
	{ "UDP passes", udp, 1, PROVEN, P },
	{ "ARP passes", arp, 1, PROVEN, P },
	{ "a held flow passes", hold, 1, PROVEN, PORCH_FLOW_DELIVERED },
	{ "a closed flow passes", close_it, 1, PROVEN, PORCH_FLOW_TOMBSTONE },
};
/* clang-format on */

static void run_row(const struct tc_row *r, int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct frame in, out;
	int verdict;

	row("tc: %s, %s", r->sentence, FAMILY(v6));
	if (connect_whole(&syn, &ack)) {
		if (r->no_meta)
			world.host->flags |= PORCH_HOST_NO_META;
		r->change(&ack);
		packet_build(&ack, &in);
		verdict = run_tc(&in, &out);
		if (verdict != NEXT)
			fail("verdict is %d", verdict);
		expect_same(&in, &out);
		expect_u32("flow", flow_of(&t) ? flow_of(&t)->state : GONE, r->state);
		if (strstr(r->counters, "no_listener"))
			expect_u32("health", l()->health[v6], PORCH_HEALTH_WELL);
	}
	row_end(r->counters);
}

int main(void)
{
	harness_load(&options);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int v6 = 0; v6 < 2; v6++)
			run_row(&rows[i], v6);
	return harness_end();
}
