// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TIME-WAIT of deliver=afxdp: XDP's own ACK, octet by octet, and the tuple's next life. */
#include "handed.h"

#include <stdio.h>
#include <time.h>

static const struct harness_options options = { .flow_sets = 64, .half_open_max = 64 };

#define SENT	  20000u /* octets we have sent, FIN included */
#define RECEIVED  300u	 /* octets the client has sent, FIN included */
#define TS_OFFSET 0x70000000u
#define WINDOW	  (PORCH_AFXDP_WINDOW >> PORCH_AFXDP_WSCALE) /* of what XDP answers */

static __u32 milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* A connection that porchd has put into TIME-WAIT; *fin: its last segment, again. */
static struct porch_flow *over(int v6, const char *offers, struct packet *syn, struct packet *ack,
			       struct packet *fin)
{
	struct porch_flow *f = handed(v6, offers, syn, ack);
	struct porch_steer *s;

	if (!f)
		return NULL;
	s = steer_of(f);
	s->snd_nxt = f->iss + 1 + SENT;
	s->rcv_nxt = f->irs + 1 + RECEIVED;
	s->ts_offset = TS_OFFSET;
	s->until = world.host->tick + 600;
	phase_set(f, PORCH_PHASE_TIME_WAIT, 0);
	*fin = *ack;
	fin->flags = FIN | ACK;
	fin->seq = s->rcv_nxt - 1;
	fin->ack = s->snd_nxt;
	world_forget();
	return f;
}

static void expect_answer(const struct packet *p, const struct porch_flow *f, const char *options_text,
			  __u16 window)
{
	__u32 before = milliseconds(), l3 = packet_l3(p), header = 20;
	struct frame in, out;
	struct decoded d;
	const char *wrong;

	packet_build(p, &in);
	expect_verdict(run_xdp(&in, &out), XDP_TX, "segment");
	wrong = packet_decode(&out, &d);
	if (wrong) {
		fail("the answer: %s", wrong);
		return;
	}
	if (memcmp(d.dst_mac, client_mac, 6) || memcmp(d.src_mac, porch_mac, 6))
		fail("the MAC addresses are not swapped");
	if (memcmp(d.source, p->dest, 16) || memcmp(d.dest, p->source, 16) ||
	    memcmp(d.tag, p->tag, sizeof(d.tag)))
		fail("addresses or tags are others");
	header += *options_text ? 12 : 0;
	expect_u32("length", out.length, l3 + (p->v6 ? 40 : 20) + header);
	expect_u32("metadata", out.meta, 0);
	expect_u32("source port", d.sport, p->dport);
	expect_u32("destination port", d.dport, p->sport);
	expect_u32("seq", d.seq, f->iss + 1 + SENT);
	expect_u32("ack", d.ack, f->irs + 1 + RECEIVED);
	expect_u32("flags", d.flags, ACK);
	expect_u32("window", d.window, window);
	expect_u32("urgent", d.urgent, 0);
	expect_u32("payload", d.payload, 0);
	expect_u32("ttl", d.ttl, 64);
	expect_u32("tos", d.tos, 0);
	if (!p->v6)
		expect_u32("fragment word", d.fragment, DONT_FRAGMENT);
	if (strcmp(options_text, offers_text(&d.options)))
		fail("options are \"%s\", not \"%s\"", offers_text(&d.options), options_text);
	if (d.has_ts && (d.tsval - TS_OFFSET - before > 1000))
		fail("TSval is %u, the clock was %u", d.tsval - TS_OFFSET, before);
	if (d.has_ts)
		expect_u32("TSecr", d.tsecr, p->options.length ? CLIENT_TSVAL + 20 : f->ts_recent);
}

/* ---- what is answered ---- */

struct answer_row {
	const char *sentence;
	void (*change)(struct packet *p);
	const char *refused; /* NULL: answered */
};

/* clang-format off */
static void as_is(struct packet *p) { }
static void tagged(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 9 }; }
static void odd_options(struct packet *p) { offers_parse("N T16909080:7 N", &p->options); }
static void with_data(struct packet *p) { p->payload = 100; p->seq -= 100; }
static void early_fin(struct packet *p) { p->seq -= 50; }
static void future_fin(struct packet *p) { p->seq += 1000; }
static void old_data(struct packet *p) { p->flags = ACK | PSH; p->seq -= RECEIVED - 1; p->payload = 200; }
static void long_data(struct packet *p) { old_data(p); p->payload = 1400; }
static void new_data(struct packet *p) { p->flags = ACK; p->seq += 1; p->payload = 10; }
static void no_options(struct packet *p) { p->options.length = 0; }
static void ip_options(struct packet *p) { if (!p->v6) p->ip_options = BYTES(1, 1, 1, 1); old_data(p); }
static void no_daemon(struct packet *p) { world.host->daemon_tick = 0; old_data(p); }
static void nobody(struct packet *p) { queue_of_listener()->workers = 0; }
static void no_slot(struct packet *p) { slots_empty(); old_data(p); }
static void last_ack(struct packet *p) { p->flags = ACK; p->seq += 1; }
static void old_ack(struct packet *p) { p->flags = ACK; p->seq -= 100; }
static void keepalive(struct packet *p) { p->flags = ACK; }
static void rst(struct packet *p) { p->flags = RST; p->seq += 1; }
static void rst_ack(struct packet *p) { p->flags = RST | ACK; p->seq += 1; }
static void synack(struct packet *p) { p->flags = SYN | ACK; }
static void bare_fin(struct packet *p) { p->flags = FIN; }
static void nothing(struct packet *p) { p->flags = 0; p->payload = 10; }
static void old_syn(struct packet *p)
{
	p->flags = SYN;
	p->seq -= 10;
	p->ack = 0;
	p->options.length = 0;
	offers_parse(OFFERS_LINUX_PLAIN, &p->options);
}

static const struct answer_row rows[] = {
	{ "a repeated FIN is acknowledged", as_is, NULL },
	{ "behind a tag", tagged, NULL },
	{ "its timestamps in an unusual place", odd_options, NULL },
	{ "with its data", with_data, NULL },
	{ "with another number, early", early_fin, NULL },
	{ "with another number, late", future_fin, NULL },
	{ "while nobody listens", nobody, NULL },
	{ "old data is acknowledged", old_data, NULL },
	{ "a full segment of it", long_data, NULL },
	{ "behind IPv4 options", ip_options, NULL },
	{ "without a sign of porchd", no_daemon, NULL },
	{ "without a socket of porchd's", no_slot, NULL },
	{ "data that cannot be is acknowledged", new_data, NULL },
	{ "without timestamps of its own the last known are echoed", no_options, NULL },
	{ "a bare ACK is not answered: two who do that never end", last_ack, "refused_time_wait" },
	{ "an old bare ACK neither", old_ack, "refused_time_wait" },
	{ "a keepalive neither", keepalive, "refused_time_wait" },
	{ "a RST does not end TIME-WAIT", rst, "refused_time_wait" },
	{ "nor one with ACK", rst_ack, "refused_time_wait" },
	{ "a SYN-ACK is not answered", synack, "refused_time_wait" },
	{ "a FIN without ACK is not", bare_fin, "refused_time_wait" },
	{ "data without ACK is not", nothing, "refused_time_wait" },
	{ "an old SYN is challenged, RFC 5961", old_syn, NULL },
};
/* clang-format on */

static void run_row(const struct answer_row *r, int v6, int ts)
{
	struct packet syn, ack, fin, p;
	struct porch_flow *f;
	int is_syn;

	row("%s, %s%s", r->sentence, FAMILY(v6), ts ? "" : ", without timestamps");
	world_afxdp();
	f = over(v6, ts ? OFFERS_LINUX : OFFERS_WINDOWS, &syn, &ack, &fin);
	p = fin;
	r->change(&p);
	is_syn = p.flags == SYN;
	if (f && r->refused) {
		expect_refused(&p, "segment");
	} else if (f) {
		if (is_syn)
			p.options.length = 0; /* nothing to be echoed */
		expect_answer(&p, f, ts ? "N N T" : "", PORCH_AFXDP_WINDOW >> PORCH_AFXDP_WSCALE);
	}
	if (f)
		expect_u32("state", f->state, PORCH_FLOW_HANDED);
	row_end(r->refused ? r->refused : is_syn ? "syn_received" : "");
}

static void unscaled(int v6)
{
	struct packet syn, ack, fin;
	struct porch_flow *f;

	row("where no scale was agreed the window is whole, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, "M1460 S T", &syn, &ack, &fin);
	if (f)
		expect_answer(&fin, f, "N N T", PORCH_AFXDP_WINDOW);
	row_end("");
}

/* ---- how long ---- */

static void duration(int v6)
{
	struct packet syn, ack, fin;
	struct porch_flow *f;

	row("TIME-WAIT ends when porchd said, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	clock_forward(599);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 1);
	clock_forward(1);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	row_end("flows_expired");

	row("a repeated FIN begins it anew, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	clock_forward(500);
	if (f)
		expect_answer(&fin, f, "N N T", WINDOW);
	clock_forward(599);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 1);
	clock_forward(1);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	row_end("flows_expired");

	row("old data does not, nor does a FIN that is not the client's last octet, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	clock_forward(500);
	fin.seq -= 1;
	if (f)
		expect_answer(&fin, f, "N N T", WINDOW);
	clock_forward(100);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	row_end("flows_expired");

	row("a tombstone ends when porchd said, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	if (f)
		phase_set(f, PORCH_PHASE_TOMBSTONE, 0);
	clock_forward(599);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 1);
	clock_forward(1);
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	row_end("flows_expired");

	row("what is forgotten is swept at once, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	if (f)
		phase_set(f, PORCH_PHASE_FORGOTTEN, 0);
	tick_once();
	expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	row_end("flows_expired");

	row("what porchd or a worker has is never swept, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	for (__u8 phase = PORCH_PHASE_PENDING; f && phase <= PORCH_PHASE_CLOSING; phase++) {
		phase_set(f, phase, 1);
		clock_forward(100000);
		expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 1);
	}
	row_end("");

	row("what porchd never took note of is, five minutes behind its last segment, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	if (f) {
		steer_of(f)->word = 0;
		clock_forward(1000);
		ack.seq++;
		expect_steered(&ack, PORCH_RECORD_SEGMENT, f);
		clock_forward(2999);
		expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 1);
		clock_forward(1);
		expect_u32("handed", flows_in_state(PORCH_FLOW_HANDED), 0);
	}
	row_end("flows_expired");
}

/* ---- the next life ---- */

struct next_row {
	const char *sentence;
	__s32 ahead; /* of RCV.NXT */
	__s32 ts;    /* TSval, ahead of the last known; 0: none offered */
	__u8 reused;
};

static const struct next_row lives[] = {
	{ "a SYN beyond all the client sent reuses TIME-WAIT", 1, 0, 1 },
	{ "one far beyond", 0x7fffffff, 0, 1 },
	{ "one with the next number is an old one", 0, 0, 0 },
	{ "one far behind is an old one", -0x7fffffff, 0, 0 },
	{ "an old number with a later timestamp reuses it", -1000, 1, 1 },
	{ "an old number with the same timestamp does not", -1000, -1, 0 },
	{ "a new number with an older timestamp does", 1000, -1000, 1 },
};

static void next_life(const struct next_row *r, int v6)
{
	struct packet syn, ack, fin, next;
	char text[64];
	struct porch_flow *f;
	struct decoded d;
	struct frame out;

	row("%s, %s", r->sentence, FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	next = syn;
	if (f) {
		next.seq = steer_of(f)->rcv_nxt + r->ahead;
		next.options.length = 0;
		snprintf(text, sizeof(text), r->ts ? "M1460 S T%u N W7" : "M1460 N N S N W7",
			 f->ts_recent + (r->ts == -1 ? 0 : r->ts));
		offers_parse(text, &next.options);
		if (r->reused && connect_syn(&next, NULL, &d)) {
			/* until it proves, the old life goes on */
			expect_answer(&fin, f, "N N T", WINDOW);
			ack = client_ack(&next, &d);
			expect_verdict(send_packet(&ack, &out), XDP_REDIRECT, "ACK");
			expect_u32("irs", f->irs, next.seq);
			expect_u32("serial", steer_of(f)->serial, 2);
			expect_steered(&ack, PORCH_RECORD_PROOF, f);
			expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), 1);
		} else if (!r->reused) {
			expect_verdict(send_packet(&next, &out), XDP_TX, "SYN");
			packet_decode(&out, &d);
			expect_u32("flags", d.flags, ACK);
			expect_u32("ack", d.ack, steer_of(f)->rcv_nxt);
		}
	}
	row_end(r->reused ? MORE_SYNS "proven" : "syn_received");
}

static void replay(int v6)
{
	struct packet syn, ack, fin;
	struct porch_flow *f;

	row("the final ACK of a connection in TIME-WAIT makes no second one, %s", FAMILY(v6));
	world_afxdp();
	f = over(v6, OFFERS_LINUX, &syn, &ack, &fin);
	if (f) {
		expect_refused(&ack, "ACK");
		ack.payload = 10; /* its first data, again */
		expect_answer(&ack, f, "N N T", WINDOW);
		expect_u32("serial", steer_of(f)->serial, 1);
	}
	row_end("refused_time_wait");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			run_row(&rows[i], v6, 1);
			run_row(&rows[i], v6, 0);
		}
		unscaled(v6);
		duration(v6);
		for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
			next_life(&lives[i], v6);
		replay(v6);
	}
	return harness_end();
}
