// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The flow table: what proven, held, closing and closed tuples mean to segments. */
#include "client.h"

#include <stdio.h>

static const struct harness_options wide = { .flow_sets = 4096, .half_open_max = 1024 };
static const struct harness_options narrow = { .flow_sets = 1, .half_open_max = 1024 };

#define PROOF_DONE "syn_received synack_sent proven "

/* A client whose handshake is proven; the flow is PROVEN, its tag not held. */
static struct porch_flow *prove(int v6, const char *offers, struct packet *syn, struct packet *ack)
{
	struct porch_tuple t;

	*syn = client_syn(v6, offers);
	if (!connect_whole(syn, ack))
		return NULL;
	t = tuple_of(syn);
	return flow_of(&t);
}

static void hold(struct porch_flow *f, int held)
{
	__u32 index = f - world.flows;
	__u64 bit = (__u64)PORCH_TAG_HELD << (index % PORCH_SET_WAYS) * 16;

	if (held)
		world.tags[index / PORCH_SET_WAYS] |= bit;
	else
		world.tags[index / PORCH_SET_WAYS] &= ~bit;
}

static void become(struct porch_flow *f, int state)
{
	f->state = state;
	hold(f, state == PORCH_FLOW_DELIVERED || state == PORCH_FLOW_CLOSING);
}

static __u16 fingerprint(const struct porch_flow *f)
{
	__u32 index = f - world.flows;

	return world.tags[index / PORCH_SET_WAYS] >> index % PORCH_SET_WAYS * 16 & PORCH_TAG_MASK;
}

/* ---- one more segment of a flow in some state ---- */

struct flow_row {
	const char *sentence;
	int state;
	void (*change)(struct packet *p, struct porch_flow *f);
	int verdict;
	__u8 kind;
	const char *counters;
	int state_after;
};

/* clang-format off */
static void as_is(struct packet *p, struct porch_flow *f) { }
static void data(struct packet *p, struct porch_flow *f) { p->payload = 50; p->flags |= PSH; }
static void beyond(struct packet *p, struct porch_flow *f) { p->seq += 50; p->payload = 50; }
static void keepalive(struct packet *p, struct porch_flow *f) { p->seq -= 1; }
static void acked_more(struct packet *p, struct porch_flow *f) { p->ack += 1; }
static void fin_at_once(struct packet *p, struct porch_flow *f) { p->flags |= FIN; }
static void rst_exact(struct packet *p, struct porch_flow *f) { p->flags = RST; }
static void rst_off(struct packet *p, struct porch_flow *f) { p->flags = RST; p->seq++; }
static void rst_ack(struct packet *p, struct porch_flow *f) { p->flags = RST | ACK; }
static void synack(struct packet *p, struct porch_flow *f) { p->flags = SYN | ACK; }
static void xmas(struct packet *p, struct porch_flow *f) { p->flags = FIN | PSH | URG; }
static void same_syn(struct packet *p, struct porch_flow *f)
{
	p->flags = SYN;
	p->seq -= 1;
	p->ack = 0;
	offers_parse(OFFERS_LINUX, &p->options);
}
static void other_syn(struct packet *p, struct porch_flow *f) { same_syn(p, f); p->seq += 5000; }
static void held_denied(struct packet *p, struct porch_flow *f) { other_syn(p, f); deny_add(p->source, 128); }
static void no_record(struct packet *p, struct porch_flow *f) { p->options.length = 0; }

#define P PORCH_FLOW_PROVEN
#define D PORCH_FLOW_DELIVERED
#define C PORCH_FLOW_CLOSING
#define T PORCH_FLOW_TOMBSTONE
#define B PORCH_FLOW_BUSY
#define PROOF PORCH_META_PROOF
#define CHECK PORCH_META_CHECK
#define RESET PORCH_META_RESET

static const struct flow_row rows[] = {
	{ "the final ACK again proves again and creates nothing", P, as_is, XDP_PASS, PROOF, "", P },
	{ "the first data behind a proof that was lost proves again", P, data, XDP_PASS, PROOF, "", P },
	{ "a FIN behind the proof proves again", P, fin_at_once, XDP_PASS, PROOF, "", P },
	{ "a segment beyond the proof asks for a socket", P, beyond, XDP_PASS, CHECK, "", P },
	{ "a keepalive of a proven flow asks for a socket", P, keepalive, XDP_PASS, CHECK, "", P },
	{ "an acknowledgment beyond the proof asks for a socket", P, acked_more, XDP_PASS, CHECK, "", P },
	{ "a RST with the exact number takes a proven flow back, if no socket is there", P, rst_exact, XDP_PASS, RESET, "", P },
	{ "a RST with ACK and the exact number does so, too", P, rst_ack, XDP_PASS, RESET, "", P },
	{ "a RST with another number asks for a socket", P, rst_off, XDP_PASS, CHECK, "", P },
	{ "a SYN-ACK of a proven flow asks for a socket", P, synack, XDP_PASS, CHECK, "", P },
	{ "a proof again without its timestamps is still of that flow", P, no_record, XDP_PASS, PROOF, "", P },
	{ "the SYN of a proven flow is refused", P, same_syn, XDP_DROP, 0, "syn_received refused_duplicate_syn", P },
	{ "another SYN of a proven tuple is answered", P, other_syn, XDP_TX, 0, "syn_received synack_sent", P },
	{ "a segment of a delivered flow passes", D, data, XDP_PASS, 0, "", D },
	{ "the final ACK of a delivered flow passes", D, as_is, XDP_PASS, 0, "", D },
	{ "a RST of a delivered flow passes", D, rst_exact, XDP_PASS, 0, "", D },
	{ "a keepalive of a delivered flow passes", D, keepalive, XDP_PASS, 0, "", D },
	{ "flag soup of a delivered flow passes", D, xmas, XDP_PASS, 0, "", D },
	{ "a SYN-ACK of a delivered flow passes", D, synack, XDP_PASS, 0, "", D },
	{ "the SYN of a delivered flow passes: the kernel answers", D, same_syn, XDP_PASS, 0, "syn_received syn_passed", D },
	{ "another SYN of a delivered flow passes: the kernel answers", D, other_syn, XDP_PASS, 0, "syn_received syn_passed", D },
	{ "a SYN of a delivered flow passes before it is denied", D, held_denied, XDP_PASS, 0, "syn_received syn_passed", D },
	{ "a segment of a closing flow passes", C, fin_at_once, XDP_PASS, 0, "", C },
	{ "a SYN of a closing flow passes: the kernel reuses TIME-WAIT", C, other_syn, XDP_PASS, 0, "syn_received syn_passed", C },
	{ "the final ACK of a closed flow is a replay", T, as_is, XDP_DROP, 0, "refused_replayed", T },
	{ "the final ACK with payload of a closed flow is a replay", T, data, XDP_DROP, 0, "refused_replayed", T },
	{ "the final ACK with FIN of a closed flow is a replay", T, fin_at_once, XDP_DROP, 0, "refused_replayed", T },
	{ "another segment of a closed flow is nobody's", T, beyond, XDP_DROP, 0, "refused_bad_cookie", T },
	{ "a RST of a closed flow is nobody's", T, rst_exact, XDP_DROP, 0, "refused_unknown_rst", T },
	{ "the SYN of a closed flow is answered", T, same_syn, XDP_TX, 0, "syn_received synack_sent", T },
	{ "another SYN of a closed flow is answered", T, other_syn, XDP_TX, 0, "syn_received synack_sent", T },
	{ "an ACK of a flow that another CPU is proving is refused", B, as_is, XDP_DROP, 0, "refused_duplicate_ack", B },
	{ "a SYN of a flow that another CPU is proving is refused", B, same_syn, XDP_DROP, 0, "syn_received refused_duplicate_syn", B },
};
/* clang-format on */

static void run_row(const struct flow_row *r, int v6)
{
	struct packet syn, ack, p;
	struct porch_flow *f;
	struct frame in, out;

	row("%s, %s", r->sentence, FAMILY(v6));
	f = prove(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		become(f, r->state);
		p = ack;
		r->change(&p, f);
		world_forget();
		packet_build(&p, &in);
		expect_verdict(run_xdp(&in, &out), r->verdict, "segment");
		if (r->kind) {
			const struct porch_meta *m = expect_meta(&in, &out, r->kind);

			if (m) {
				expect_u32("record's flow", m->flow, f - world.flows);
				expect_u32("record's MSS", m->mss, 1460);
				expect_u32("record's options", m->options, 7);
				expect_u32("record's wscale", m->wscale, SCALE << 4 | 7);
				expect_u32("record's TSval", m->ts_val, CLIENT_TSVAL + 20);
			}
		} else if (r->verdict != XDP_TX) {
			expect_same(&in, &out);
		}
		expect_u32("state", f->state, r->state_after);
	}
	row_end(r->counters);
}

/* ---- a tuple's next life ---- */

static void next_life(int v6, int state, const char *what)
{
	struct packet syn, ack, again;
	struct porch_flow *f;
	struct decoded d;
	struct frame out;

	row("a new attempt takes the place of %s, %s", what, FAMILY(v6));
	f = prove(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		become(f, state);
		syn = client_syn(v6, "M1400 S T N W2");
		syn.seq += 77777;
		if (connect_syn(&syn, NULL, &d)) {
			again = client_ack(&syn, &d);
			expect_verdict(send_packet(&again, &out), XDP_PASS, "ACK of the new attempt");
			expect_u32("state", f->state, PORCH_FLOW_PROVEN);
			expect_u32("irs", f->irs, syn.seq);
			expect_u32("mss", f->mss, 1400);
			expect_u32("flows", flows_in_state(PORCH_FLOW_PROVEN), 1);
		}
	}
	row_end("syn_received=2 synack_sent=2 proven=2");
}

static void two_at_once(int v6)
{
	struct packet syn, ack;
	struct porch_flow *f;
	struct frame out;

	row("two proofs of one tuple leave one flow, %s", FAMILY(v6));
	f = prove(v6, OFFERS_LINUX, &syn, &ack);
	for (int i = 0; i < 10; i++)
		expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK");
	if (f)
		expect_u32("flows", flows_in_state(PORCH_FLOW_PROVEN), 1);
	row_end(PROOF_DONE);

	row("a hundred clients leave a hundred flows, %s", FAMILY(v6));
	for (int i = 0; i < 100; i++) {
		struct decoded d;

		syn = client_syn(v6, i % 2 ? OFFERS_LINUX : OFFERS_WINDOWS);
		syn.sport += i;
		if (connect_syn(&syn, NULL, &d)) {
			ack = client_ack(&syn, &d);
			send_packet(&ack, &out);
		}
	}
	expect_u32("flows", flows_in_state(PORCH_FLOW_PROVEN), 100);
	row_end("syn_received=100 synack_sent=100 proven=100");
}

/* ---- a table of one set: four ways ---- */

static void fill(int v6, int n, int state)
{
	for (int i = 0; i < n; i++) {
		struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
		struct porch_tuple t;

		syn.sport += 1 + i;
		connect_whole(&syn, &ack);
		t = tuple_of(&syn);
		if (flow_of(&t)) {
			become(flow_of(&t), state);
			flow_of(&t)->expires += i;
		}
	}
	world_forget();
}

static void full_table(int v6)
{
	struct packet syn, ack;
	struct porch_tuple t;
	struct decoded d;
	struct frame in, out;
	const struct porch_meta *m;

	row("with a full table of held flows a proof is served all the same, %s", FAMILY(v6));
	fill(v6, 4, PORCH_FLOW_DELIVERED);
	syn = client_syn(v6, OFFERS_LINUX);
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		packet_build(&ack, &in);
		expect_verdict(run_xdp(&in, &out), XDP_PASS, "ACK");
		m = expect_meta(&in, &out, PORCH_META_PROOF);
		if (m)
			expect_u32("record's flow", m->flow, PORCH_NO_FLOW);
	}
	expect_u32("held flows", flows_in_state(PORCH_FLOW_DELIVERED), 4);
	row_end("syn_received synack_sent proven flow_table_full");

	row("in a full table the closed flow that is over first gives way, %s", FAMILY(v6));
	fill(v6, 4, PORCH_FLOW_TOMBSTONE);
	syn = client_syn(v6, OFFERS_LINUX);
	connect_whole(&syn, &ack);
	syn.sport++; /* the first of the four */
	t = tuple_of(&syn);
	if (flow_of(&t))
		fail("the oldest tombstone is still there");
	expect_u32("tombstones", flows_in_state(PORCH_FLOW_TOMBSTONE), 3);
	row_end("syn_received synack_sent proven flows_reused");

	row("closing flows give way in a full table, delivered ones do not, %s", FAMILY(v6));
	fill(v6, 4, PORCH_FLOW_DELIVERED);
	become(&world.flows[2], PORCH_FLOW_CLOSING);
	syn = client_syn(v6, OFFERS_LINUX);
	connect_whole(&syn, &ack);
	t = tuple_of(&syn);
	if (flow_of(&t) != &world.flows[2])
		fail("the new flow is not where the closing one was");
	row_end("syn_received synack_sent proven flows_reused");
}

static void fingerprints(int v6)
{
	struct packet syn, ack;
	struct porch_flow *f;
	struct frame in, out;

	row("a stranger with a held flow's fingerprint passes, a known error of one in 2^12, %s", FAMILY(v6));
	f = prove(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		become(f, PORCH_FLOW_DELIVERED);
		f->remote_port++; /* somebody else, by the same fingerprint */
		ack.ack++;
		world_forget();
		packet_build(&ack, &in);
		expect_verdict(run_xdp(&in, &out), XDP_PASS, "stranger");
	}
	row_end("");

	row("a stranger with a proven flow's fingerprint is told apart, %s", FAMILY(v6));
	f = prove(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		f->remote_port++;
		ack.ack++;
		world_forget();
		expect_verdict(send_packet(&ack, &out), XDP_DROP, "stranger");
		if (!fingerprint(f))
			fail("the flow lost its fingerprint");
	}
	row_end("refused_bad_cookie");
}

int main(void)
{
	harness_load(&wide);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
		next_life(v6, PORCH_FLOW_PROVEN, "one that was proven and never delivered");
		next_life(v6, PORCH_FLOW_TOMBSTONE, "one that is closed");
		two_at_once(v6);
		fingerprints(v6);
	}
	harness_load(&narrow);
	for (int v6 = 0; v6 < 2; v6++)
		full_table(v6);
	return harness_end();
}
