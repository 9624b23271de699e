// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: what a final ACK needs to become a flow, and what porchd is told of it. */
#include "handed.h"

#include <unistd.h>

#include <stdio.h>

static const struct harness_options wide = { .flow_sets = 4096, .half_open_max = 64 };
static const struct harness_options narrow = { .flow_sets = 1, .half_open_max = 64 };

/* ---- whether ---- */

struct proof_row {
	const char *sentence;
	void (*change)(struct packet *ack);
	int verdict;
	const char *counters; /* behind those of the SYN */
	__u8 flows;	      /* HANDED, afterwards */
	__u8 entry;	      /* tracked: the half-open entry is still there */
};

/* clang-format off */
static void as_is(struct packet *ack) { }
static void data(struct packet *ack) { ack->payload = 700; ack->flags |= PSH; }
static void data_fin(struct packet *ack) { data(ack); ack->flags |= FIN; }
static void padded(struct packet *ack) { ack->trailer = 6; }
static void ip_options(struct packet *ack) { if (!ack->v6) ack->ip_options = BYTES(1, 1, 1, 1); data(ack); }
static void sack_too(struct packet *ack) { ack->options.length = 0; offers_parse("N N T7 N N S", &ack->options); }
static void silent(struct packet *ack) { world.host->daemon_tick -= PORCH_HEARTBEAT_TICKS + 1; }
static void fall_back(struct packet *ack) { silent(ack); world.host->fallback = PORCH_FALLBACK_KERNEL; }
static void nobody(struct packet *ack) { queue_of_listener()->workers = 0; }
static void at_limit(struct packet *ack) { queue_of_listener()->depth = QUEUE_LIMIT; }
static void full(struct packet *ack) { queue_of_listener()->depth = QUEUE_LIMIT + 1; }
static void full_reset(struct packet *ack) { full(ack); l()->overflow = PORCH_OVERFLOW_RESET; }
static void no_slot(struct packet *ack) { slots_empty(); }
static void no_queues(struct packet *ack) { slots_of(run_ifindex, XSK_BASE, 0); }
static void other_iface(struct packet *ack) { world.ifaces[run_ifindex].ifindex += PORCH_IFACE_SLOTS; }
static void wrong_ack(struct packet *ack) { ack->ack += 0x1000; }
static void may_ask(struct packet *ack) { wrong_ack(ack); world.host->unknown_rate = 1000; }
static void rst(struct packet *ack) { ack->flags = RST; }
static void rst_off(struct packet *ack) { rst(ack); ack->seq++; }
static void synack(struct packet *ack) { ack->flags = SYN | ACK; }
static void soup(struct packet *ack) { ack->flags = FIN | PSH | URG; }
static void off(struct packet *ack) { l()->protect = PORCH_PROTECT_OFF; }
static void monitor(struct packet *ack) { l()->protect = PORCH_PROTECT_MONITOR; }

static const struct proof_row rows[] = {
	{ "a final ACK makes a flow and goes to porchd", as_is, XDP_REDIRECT, "proven", 1, 0 },
	{ "one with payload", data, XDP_REDIRECT, "proven", 1, 0 },
	{ "one with payload and FIN", data_fin, XDP_REDIRECT, "proven", 1, 0 },
	{ "one that Ethernet pads", padded, XDP_REDIRECT, "proven", 1, 0 },
	{ "one behind IPv4 options", ip_options, XDP_REDIRECT, "proven", 1, 0 },
	{ "without a sign of porchd it is refused", silent, XDP_DROP, "refused_no_daemon", 0, 1 },
	{ "with fallback=kernel it passes then: the guard looks for a socket", fall_back, XDP_PASS, "", 0, 1 },
	{ "without an application it is refused", nobody, XDP_DROP, "refused_no_application", 0, 1 },
	{ "at its limit the accept queue takes one more", at_limit, XDP_REDIRECT, "proven", 1, 0 },
	{ "a full accept queue parks it, and spends nothing", full, XDP_DROP, "refused_parked", 0, 1 },
	{ "with overflow=reset it goes to porchd", full_reset, XDP_REDIRECT, "proven", 1, 0 },
	{ "without porchd's socket it is refused, and spends nothing", no_slot, XDP_DROP, "refused_no_slot", 0, 1 },
	{ "with no sockets for the interface likewise", no_queues, XDP_DROP, "refused_no_slot", 0, 1 },
	{ "another interface's slots are not this one's", other_iface, XDP_DROP, "refused_no_slot", 0, 1 },
	{ "protect=off passes", off, XDP_PASS, "", 0, 1 },
	{ "protect=monitor passes", monitor, XDP_PASS, "", 0, 1 },
};

static const struct proof_row strays[] = {
	{ "a wrong acknowledgment is refused", wrong_ack, XDP_DROP, "refused_bad_cookie", 0, 0 },
	{ "and no budget lets it reach the kernel", may_ask, XDP_DROP, "refused_bad_cookie", 0, 0 },
	{ "a right one whose timestamps are not the cookie's is refused", sack_too, XDP_DROP, "refused_bad_cookie", 0, 0 },
	{ "a RST of nobody is refused", rst, XDP_DROP, "refused_unknown_rst", 0, 0 },
	{ "a SYN-ACK of nobody is refused", synack, XDP_DROP, "refused_unexpected_synack", 0, 0 },
	{ "flag soup is refused", soup, XDP_DROP, "refused_bad_flags", 0, 0 },
};

static const struct proof_row tracked_strays[] = {
	{ "an exact RST takes the half-open entry back", rst, XDP_DROP, "", 0, 0 },
	{ "another RST does not", rst_off, XDP_DROP, "refused_bad_rst", 0, 1 },
	{ "a wrong acknowledgment does not", wrong_ack, XDP_DROP, "refused_bad_ack", 0, 1 },
};
/* clang-format on */

static void run_row(const struct proof_row *r, int v6, int tracked)
{
	struct packet syn = client_syn(v6, tracked ? OFFERS_WINDOWS : OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct porch_half_open e;
	char counters[128];
	struct decoded d;
	struct frame in, out;
	int verdict;

	row("%s, %s%s", r->sentence, tracked ? "tracked, " : "", FAMILY(v6));
	world_afxdp();
	if (tracked)
		l()->regime = PORCH_REGIME_TRACKED;
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		ack.window = 512;
		r->change(&ack);
		packet_build(&ack, &in);
		verdict = run_xdp(&in, &out);
		expect_verdict(verdict, r->verdict, "ACK");
		if (verdict == XDP_REDIRECT && flow_of(&t))
			expect_record(&ack, &in, &out, PORCH_RECORD_PROOF, flow_of(&t));
		else
			expect_same(&in, &out);
		expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), r->flows);
		if (tracked)
			expect_u32("entry", !half_open_get(&t, &e), r->entry);
	}
	snprintf(counters, sizeof(counters), MORE_SYNS "%s%s", r->counters,
		 tracked && r->flows ? " proven_by_entry rtt_samples" : "");
	row_end(counters);
}

/* ---- what ---- */

/* The round trip of a tracked handshake, and ECN: both are for the engine. */
static void told(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct porch_flow *f;
	struct decoded d;
	struct frame out;

	row("ECN and the round trip of a tracked handshake, %s", FAMILY(v6));
	world_afxdp();
	l()->regime = PORCH_REGIME_TRACKED;
	syn.flags |= ECE | CWR;
	if (connect_syn(&syn, &(struct answer){ .ecn = 1 }, &d)) {
		usleep(3000);
		ack = client_ack(&syn, &d);
		expect_verdict(send_packet(&ack, &out), XDP_REDIRECT, "final ACK");
	}
	f = flow_of(&t);
	if (f) {
		expect_u32("ECN", f->options & PORCH_OPT_ECN, PORCH_OPT_ECN);
		if (steer_of(f)->rtt_us < 3000 || steer_of(f)->rtt_us > 1000000)
			fail("the round trip is %u us", steer_of(f)->rtt_us);
	} else {
		fail("there is no flow");
	}
	row_end(MORE_SYNS "proven proven_by_entry rtt_samples");
}

static void remembered(int v6, const char *offers, __u8 agreed, __u8 wscale, __u16 mss)
{
	struct packet syn, ack;
	struct porch_steer *s;
	struct porch_flow *f;

	row("the flow and where it came from, of \"%s\", %s", offers, FAMILY(v6));
	world_afxdp();
	f = handed(v6, offers, &syn, &ack);
	if (f) {
		s = steer_of(f);
		expect_u32("state", f->state, PORCH_FLOW_HANDED);
		expect_u32("listener", f->listener, LISTENER);
		expect_u32("irs", f->irs, syn.seq);
		expect_u32("iss", f->iss, ack.ack - 1);
		expect_u32("mss", f->mss, mss);
		expect_u32("options", f->options, agreed);
		expect_u32("wscale", f->wscale, PORCH_AFXDP_WSCALE << 4 | wscale);
		expect_u32("by_cookie", f->by_cookie, 1);
		if (agreed & PORCH_OPT_TIMESTAMPS)
			expect_u32("ts_recent", f->ts_recent, CLIENT_TSVAL + 20);
		expect_u32("expires", f->expires, world.host->tick + 600);
		expect_u32("serial", s->serial, 1);
		expect_u32("ifindex", s->ifindex, run_ifindex);
		expect_u32("rx_queue", s->rx_queue, 0);
		expect_u32("window", s->window, 501);
		expect_u32("tags", s->tags[0] << 16 | s->tags[1], 0xffffffff);
		if (memcmp(s->remote_mac, client_mac, 6) || memcmp(s->local_mac, porch_mac, 6))
			fail("the MAC addresses are others");
		if (!s->proven_ns)
			fail("it has no time");
		if (s->word)
			fail("XDP has written porchd's word");
	}
	row_end(mss == 1300 || mss == 1220 ? MORE_SYNS "proven synack_slow" : MORE_SYNS "proven");
}

static void tags(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct decoded d;

	row("tags are remembered, outer first, %s", FAMILY(v6));
	world_afxdp();
	syn.tag[0] = (struct tag){ 0x88a8, 0x2123 };
	syn.tag[1] = (struct tag){ 0x8100, 45 };
	if (connect_syn(&syn, NULL, &d)) {
		struct frame in, out;

		ack = client_ack(&syn, &d);
		packet_build(&ack, &in);
		expect_verdict(run_xdp(&in, &out), XDP_REDIRECT, "ACK");
		if (flow_of(&t)) {
			expect_record(&ack, &in, &out, PORCH_RECORD_PROOF, flow_of(&t));
			expect_u32("outer", steer_of(flow_of(&t))->tags[0], PORCH_VLAN_8021AD | 0x2123);
			expect_u32("inner", steer_of(flow_of(&t))->tags[1], 45);
		}
	}
	row_end(MORE_SYNS "proven");
}

/* The record lies directly below the frame, whatever was there before. */
static void in_front(int v6, __u32 octets)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct frame in = {}, out, whole;
	struct decoded d;

	row("the record takes the place of %u octets that somebody put in front, %s", octets, FAMILY(v6));
	world_afxdp();
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		packet_build(&ack, &whole);
		memset(in.bytes, 0xee, octets);
		memcpy(in.bytes + octets, whole.bytes, whole.length);
		in.meta = octets;
		in.length = octets + whole.length;
		expect_verdict(run_xdp(&in, &out), XDP_REDIRECT, "ACK");
		if (flow_of(&t))
			expect_record(&ack, &whole, &out, PORCH_RECORD_PROOF, flow_of(&t));
	}
	row_end(MORE_SYNS "proven");
}

/* ---- again ---- */

static void afterwards(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_WINDOWS), ack;
	struct porch_tuple t = tuple_of(&syn);
	struct decoded d;
	struct frame out;

	row("what was parked proves when there is room, %s", FAMILY(v6));
	world_afxdp();
	l()->regime = PORCH_REGIME_TRACKED;
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		full(NULL);
		expect_refused(&ack, "first");
		expect_refused(&ack, "second");
		at_limit(NULL);
		expect_verdict(send_packet(&ack, &out), XDP_REDIRECT, "third");
		if (!flow_of(&t))
			fail("there is no flow");
	}
	row_end(MORE_SYNS "refused_parked=2 proven proven_by_entry rtt_samples");

	row("the same ACK ten times is one flow, and ten records, %s", FAMILY(v6));
	world_afxdp();
	if (handed(v6, OFFERS_LINUX, &syn, &ack)) {
		struct porch_flow *f = flow_of(&t);

		for (int i = 0; i < 9; i++)
			expect_steered(&ack, PORCH_RECORD_PROOF, f);
		expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), 1);
		expect_u32("serial", steer_of(f)->serial, 1);
	}
	row_end(MORE_SYNS "proven");
}

/* ---- a table of one set ---- */

static void full_table(int v6)
{
	struct packet syn, ack;
	struct porch_tuple t;
	struct porch_half_open e;
	struct decoded d;

	row("with a table full of connections a proof is refused, and its entry kept, %s", FAMILY(v6));
	world_afxdp();
	for (int i = 0; i < 4; i++) {
		syn = client_syn(v6, OFFERS_WINDOWS);
		syn.sport += 1 + i;
		if (connect_syn(&syn, NULL, &d)) {
			struct frame out;

			ack = client_ack(&syn, &d);
			send_packet(&ack, &out);
		}
	}
	expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), 4);
	phase_set(&world.flows[1], PORCH_PHASE_STEERED, 1);
	phase_set(&world.flows[2], PORCH_PHASE_CLOSING, 0);
	world_forget();
	l()->regime = PORCH_REGIME_TRACKED;
	syn = client_syn(v6, OFFERS_WINDOWS);
	t = tuple_of(&syn);
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		expect_refused(&ack, "ACK");
		if (half_open_get(&t, &e))
			fail("the entry is gone");
	}
	expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), 4);
	/* both that are over give way, the one that is over first before the other */
	phase_set(&world.flows[3], PORCH_PHASE_TOMBSTONE, 0);
	world.steer[3].until = world.host->tick + 500;
	phase_set(&world.flows[0], PORCH_PHASE_TIME_WAIT, 0);
	world.steer[0].until = world.host->tick + 600;
	for (int i = 0; i < 2; i++) {
		struct frame out;

		expect_verdict(send_packet(&ack, &out), XDP_REDIRECT, "ACK, once a flow is over");
		if (flow_of(&t) != &world.flows[i ? 0 : 3])
			fail("it is not where the flow that is over first was");
		expect_u32("serial", world.steer[i ? 0 : 3].serial, 2);
		syn.sport += 100;
		t = tuple_of(&syn);
		if (!i && connect_syn(&syn, NULL, &d))
			ack = client_ack(&syn, &d);
	}
	row_end("syn_received=2 synack_sent=2 proven=2 proven_by_entry=2 rtt_samples=2 flow_table_full "
		"flows_reused=2");
}

int main(void)
{
	harness_load(&wide);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			run_row(&rows[i], v6, 0);
			run_row(&rows[i], v6, 1);
		}
		for (size_t i = 0; i < sizeof(strays) / sizeof(strays[0]); i++)
			run_row(&strays[i], v6, 0);
		for (size_t i = 0; i < sizeof(tracked_strays) / sizeof(tracked_strays[0]); i++)
			run_row(&tracked_strays[i], v6, 1);
		told(v6);
		remembered(v6, OFFERS_LINUX, PORCH_OPT_TIMESTAMPS | PORCH_OPT_SACK | PORCH_OPT_WSCALE, 7,
			   1460);
		remembered(v6, OFFERS_WINDOWS, PORCH_OPT_SACK | PORCH_OPT_WSCALE, 8, v6 ? 1440 : 1460);
		remembered(v6, "M1300", 0, 0, v6 ? 1220 : 1300);
		tags(v6);
		in_front(v6, 4);
		in_front(v6, 32);
		afterwards(v6);
	}
	harness_load(&narrow);
	for (int v6 = 0; v6 < 2; v6++)
		full_table(v6);
	return harness_end();
}
