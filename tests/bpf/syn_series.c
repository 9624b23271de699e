// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* SYNs in a row: duplicates, budgets, stamps, chains of listeners, metadata in front. */
#include "client.h"

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

static void duplicates(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	struct frame first, second;

	row("duplicate SYNs get identical answers, %s", FAMILY(v6));
	send_packet(&syn, &first);
	world.host->tick += 250;
	expect_verdict(send_packet(&syn, &second), XDP_TX, "duplicate");
	expect_same(&first, &second);
	row_end("syn_received=2 synack_sent=2");

	syn = client_syn(v6, "M1460 S");
	row("duplicate SYNs get identical answers by the general path, %s", FAMILY(v6));
	send_packet(&syn, &first);
	world.host->tick += 250;
	expect_verdict(send_packet(&syn, &second), XDP_TX, "duplicate");
	expect_same(&first, &second);
	row_end("syn_received=2 synack_sent=2 synack_slow=2");
}

/* Whatever changes in the SYN changes the cookie. */
static void attempts(int v6)
{
	struct decoded d[6] = {};
	struct packet syn;

	row("ISN, ports, addresses, options and epoch each make another cookie, %s", FAMILY(v6));
	for (int i = 0; i < 6; i++) {
		syn = client_syn(v6, i == 4 ? OFFERS_LINUX_PLAIN : OFFERS_LINUX);
		syn.seq += i == 1;
		syn.sport += i == 2;
		if (i == 3)
			address_client(syn.source, v6, 8);
		if (i == 5)
			clock_epoch(EPOCH_START + 1);
		connect_syn(&syn, NULL, &d[i]);
		for (int j = 0; j < i; j++)
			if (d[j].seq == d[i].seq)
				fail("attempts %d and %d have one ISN", j, i);
	}
	row_end("syn_received=6 synack_sent=6");
}

static void budget(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	struct frame out;

	row("more SYN-ACKs to one prefix than the budget are refused, %s", FAMILY(v6));
	world.host->reply_rate = 3;
	for (int i = 0; i < 5; i++) {
		/* neighbours share the prefix */
		address_client(syn.source, v6, 1 + i);
		expect_verdict(send_packet(&syn, &out), i < 3 ? XDP_TX : XDP_DROP, "SYN");
	}
	row_end("syn_received=5 synack_sent=3 refused_reply_budget=2");

	row("another prefix has a budget of its own, %s", FAMILY(v6));
	world.host->reply_rate = 1;
	for (int i = 0; i < 4; i++) {
		syn = client_syn(v6, OFFERS_LINUX);
		syn.source[v6 ? 7 : 14] += i / 2;
		expect_verdict(send_packet(&syn, &out), i % 2 ? XDP_DROP : XDP_TX, "SYN");
	}
	row_end("syn_received=4 synack_sent=2 refused_reply_budget=2");

	syn = client_syn(v6, OFFERS_LINUX);
	row("the budget is renewed every second, %s", FAMILY(v6));
	world.host->reply_rate = 2;
	for (int second = 0; second < 3; second++) {
		for (int i = 0; i < 3; i++)
			expect_verdict(send_packet(&syn, &out), i < 2 ? XDP_TX : XDP_DROP, "SYN");
		world.host->tick += 10;
	}
	row_end("syn_received=9 synack_sent=6 refused_reply_budget=3");

	row("the budget is not renewed within the second, %s", FAMILY(v6));
	world.host->reply_rate = 1;
	for (int tick = 0; tick < 10; tick++) {
		expect_verdict(send_packet(&syn, &out), tick ? XDP_DROP : XDP_TX, "SYN");
		world.host->tick++;
	}
	row_end("syn_received=10 synack_sent refused_reply_budget=9");
}

static void stamps(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	struct decoded d;

	row("an answer with timestamps stamps that form alone, %s", FAMILY(v6));
	connect_syn(&syn, NULL, &d);
	expect_u32("issued_ts", l()->issued_ts, TICK_START);
	expect_u32("issued_plain", l()->issued_plain, 0);
	expect_u32("issued_tracked", l()->issued_tracked, 0);
	row_end("syn_received synack_sent");

	syn = client_syn(v6, OFFERS_WINDOWS);
	row("an answer without timestamps stamps that form alone, %s", FAMILY(v6));
	connect_syn(&syn, NULL, &d);
	expect_u32("issued_ts", l()->issued_ts, 0);
	expect_u32("issued_plain", l()->issued_plain, TICK_START);
	row_end("syn_received synack_sent");

	row("at tick 0 a stamp is not \"never\", %s", FAMILY(v6));
	world.host->tick = 0;
	connect_syn(&syn, NULL, &d);
	if (!l()->issued_plain)
		fail("issued_plain is 0");
	row_end("syn_received synack_sent");

	row("a SYN that is refused stamps nothing, %s", FAMILY(v6));
	deny_add(syn.source, 128);
	struct frame out;
	expect_verdict(send_packet(&syn, &out), XDP_DROP, "SYN");
	expect_u32("issued_plain", l()->issued_plain, 0);
	row_end("syn_received refused_denied");
}

static void chains(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	struct porch_stats s;
	struct decoded d;
	__u8 address[16];

	row("a listener of that very address comes before `*`, %s", FAMILY(v6));
	listener_add(2, syn.dest, PORT, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_STATELESS)->mss = 999;
	connect_syn(&syn, &(struct answer){ .options = "M999 S T N W7" }, &d);
	stats_get(2, &s);
	expect_u32("SYN-ACKs of listener 2", s.synack_sent, 1);
	row_end("syn_received synack_sent");

	row("`*` serves the addresses that have no listener of their own, %s", FAMILY(v6));
	address_server(address, v6, 2);
	listener_add(2, address, PORT, PORCH_PROTECT_OFF, PORCH_REGIME_KERNEL);
	connect_syn(&syn, &(struct answer){ .options = "M S T N W7" }, &d);
	row_end("syn_received synack_sent");

	row("a chain of eight listeners is walked to its end, %s", FAMILY(v6));
	for (int i = 2; i < 8; i++) {
		address_server(address, v6, 10 + i);
		listener_add(i, address, PORT, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_STATELESS);
	}
	address_server(address, v6, 20);
	listener_add(8, address, PORT, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_STATELESS);
	connect_syn(&syn, &(struct answer){ .options = "M S T N W7" }, &d);
	stats_get(LISTENER, &s);
	expect_u32("SYN-ACKs of the last listener", s.synack_sent, 1);
	row_end("syn_received synack_sent");

	row("the same address and another port is another listener, %s", FAMILY(v6));
	listener_add(3, NULL, 443, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_STATELESS)->mss = 777;
	syn.dport = 443;
	connect_syn(&syn, &(struct answer){ .options = "M777 S T N W7" }, &d);
	row_end("syn_received synack_sent");
}

/* Frame of a SYN with `meta` octets of somebody else's metadata in front. */
static void with_meta(const struct packet *p, __u32 meta, struct frame *f)
{
	packet_build(p, f);
	memmove(f->bytes + meta, f->bytes, f->length);
	memset(f->bytes, 0x5a, meta);
	f->length += meta;
	f->meta = meta;
}

static void headroom(int v6)
{
	struct packet syn = client_syn(v6, "S T W7");
	struct frame in, out;
	struct decoded d;
	int verdict;

	row("an answer longer than its SYN grows at the head, %s", FAMILY(v6));
	packet_build(&syn, &in);
	expect_verdict(run_xdp(&in, &out), XDP_TX, "SYN");
	expect_u32("growth", out.length - in.length, 4);
	expect_synack(&syn, &out, &(struct answer){ .options = "M S T N W7" }, &d);
	row_end("syn_received synack_sent synack_slow");

	row("an answer for which there is no headroom is refused, %s", FAMILY(v6));
	with_meta(&syn, 216, &in);
	verdict = run_xdp(&in, &out);
	if (verdict < 0)
		row_skip("this kernel takes no such metadata");
	else
		expect_verdict(verdict, XDP_DROP, "SYN");
	row_end("syn_received refused_no_room");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		duplicates(v6);
		attempts(v6);
		budget(v6);
		stamps(v6);
		chains(v6);
		headroom(v6);
	}
	return harness_end();
}
