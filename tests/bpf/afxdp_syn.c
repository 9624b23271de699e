// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The SYN edge of deliver=afxdp: who is answered while porchd, an application and room are there or not. */
#include "handed.h"

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 64 };

struct syn_row {
	const char *sentence;
	void (*change)(struct packet *syn);
	int verdict;
	const char *counters;
};

/* clang-format off */
static void as_is(struct packet *syn) { }
static void never(struct packet *syn) { world.host->daemon_tick = 0; }
static void silent(struct packet *syn) { world.host->daemon_tick -= PORCH_HEARTBEAT_TICKS + 1; }
static void late(struct packet *syn) { world.host->daemon_tick -= PORCH_HEARTBEAT_TICKS; }
static void ahead(struct packet *syn) { world.host->daemon_tick += 2; }
static void wrapped(struct packet *syn) { world.host->tick = 5; world.host->daemon_tick = -10u; }
static void fall_back(struct packet *syn) { never(syn); world.host->fallback = PORCH_FALLBACK_KERNEL; }
static void fall_back_unused(struct packet *syn) { world.host->fallback = PORCH_FALLBACK_KERNEL; }
static void nobody(struct packet *syn) { queue_of_listener()->workers = 0; }
static void at_limit(struct packet *syn) { queue_of_listener()->depth = QUEUE_LIMIT; }
static void beyond_limit(struct packet *syn) { queue_of_listener()->depth = QUEUE_LIMIT + 1; }
static void resets(struct packet *syn) { beyond_limit(syn); l()->overflow = PORCH_OVERFLOW_RESET; }
static void no_slot(struct packet *syn) { slots_empty(); }
static void denied(struct packet *syn) { deny_add(syn->source, 128); }
static void over_budget(struct packet *syn) { struct frame out; world.host->reply_rate = 1; send_packet(syn, &out); }
static void fin(struct packet *syn) { syn->flags |= FIN; }
static void own_address(struct packet *syn) { memcpy(syn->source, syn->dest, 16); }
static void off(struct packet *syn) { l()->protect = PORCH_PROTECT_OFF; }
static void monitor(struct packet *syn) { l()->protect = PORCH_PROTECT_MONITOR; }
static void monitor_full(struct packet *syn) { monitor(syn); beyond_limit(syn); }
static void tiny_mss(struct packet *syn) { offers_parse("M100 S T N W8", &syn->options); }
static void keyed(struct packet *syn) { offers_parse("M1460 D", &syn->options); }
static void payload(struct packet *syn) { syn->payload = 100; }
static void health_is_bad(struct packet *syn) { l()->health[0] = l()->health[1] = PORCH_HEALTH_NO_SOCKET; }

static const struct syn_row rows[] = {
	{ "a SYN is answered in place, and no socket is looked at", as_is, XDP_TX, MORE_SYNS },
	{ "what is known of kernel sockets does not matter", health_is_bad, XDP_TX, MORE_SYNS },
	{ "a SYN with payload is answered", payload, XDP_TX, MORE_SYNS "synack_slow" },
	{ "without porchd nobody is answered", never, XDP_DROP, "syn_received refused_no_daemon" },
	{ "three seconds without a sign of porchd are one tick too many", silent, XDP_DROP, "syn_received refused_no_daemon" },
	{ "three seconds are not", late, XDP_TX, MORE_SYNS },
	{ "porchd's clock may be ahead of the timer's", ahead, XDP_TX, MORE_SYNS },
	{ "ticks wrap around", wrapped, XDP_TX, MORE_SYNS },
	{ "with fallback=kernel a SYN passes instead", fall_back, XDP_PASS, "syn_received syn_passed" },
	{ "but not while porchd lives", fall_back_unused, XDP_TX, MORE_SYNS },
	{ "without an application nobody is answered", nobody, XDP_DROP, "syn_received refused_no_application" },
	{ "at its limit the accept queue takes one more", at_limit, XDP_TX, MORE_SYNS },
	{ "a full accept queue refuses SYNs", beyond_limit, XDP_DROP, "syn_received refused_accept_queue_full" },
	{ "also where it resets", resets, XDP_DROP, "syn_received refused_accept_queue_full" },
	{ "the answer needs no AF_XDP socket", no_slot, XDP_TX, MORE_SYNS },
	{ "the deny list holds", denied, XDP_DROP, "syn_received refused_denied" },
	{ "the reply budget holds", over_budget, XDP_DROP, "syn_received=2 synack_sent refused_reply_budget" },
	{ "SYN+FIN is refused", fin, XDP_DROP, "syn_received refused_bad_flags" },
	{ "our own address as source is refused", own_address, XDP_DROP, "syn_received refused_bad_source" },
	{ "protect=off passes", off, XDP_PASS, "" },
	{ "protect=monitor passes and says what it would do", monitor, XDP_PASS, "would_answer syn_received" },
	{ "protect=monitor counts a refusal and passes", monitor_full, XDP_PASS, "syn_received refused_accept_queue_full" },
	{ "an MSS below the kernel's least is answered", tiny_mss, XDP_TX, MORE_SYNS },
	{ "a keyed SYN is answered without the key", keyed, XDP_TX, MORE_SYNS "synack_slow" },
};
/* clang-format on */

static void run_row(const struct syn_row *r, int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	struct frame in, out;
	struct decoded d;
	int verdict;

	row("%s, %s", r->sentence, FAMILY(v6));
	world_afxdp();
	r->change(&syn);
	packet_build(&syn, &in);
	verdict = run_xdp(&in, &out);
	expect_verdict(verdict, r->verdict, "SYN");
	if (verdict == XDP_TX)
		expect_synack(&syn, &out, &(struct answer){ .window = PORCH_AFXDP_WINDOW }, &d);
	else
		expect_same(&in, &out);
	row_end(r->counters);
}

/* ---- what the answer says ---- */

static void answers(int v6, const char *offers, __u16 flags, const char *says, const char *counters)
{
	struct packet syn = client_syn(v6, offers);
	struct decoded d;

	row("to \"%s\"%s the answer says \"%s\", %s", offers, flags ? " with ECN" : "", says, FAMILY(v6));
	world_afxdp();
	l()->rcv_space = 1 << 20; /* of a kernel socket that once listened */
	l()->rcv_wscale = 11;
	l()->user_mss = 0;
	syn.flags |= flags;
	connect_syn(&syn,
		    &(struct answer){ .options = says,
				      .window = PORCH_AFXDP_WINDOW,
				      .ecn = flags && strchr(says, 'T'),
				      .in_place = 1 },
		    &d);
	row_end(counters);
}

static void tracked(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_WINDOWS);
	struct porch_tuple t = tuple_of(&syn);
	struct porch_half_open e;
	struct decoded d;

	row("protect=always begins tracked: an entry that porchd can answer from, %s", FAMILY(v6));
	world_afxdp();
	l()->regime = PORCH_REGIME_KERNEL; /* as porch leaves it */
	syn.tag[0] = (struct tag){ 0x8100, 77 };
	if (connect_syn(&syn, &(struct answer){ .window = PORCH_AFXDP_WINDOW }, &d) &&
	    !half_open_get(&t, &e)) {
		expect_u32("irs", e.irs, syn.seq);
		expect_u32("iss", e.iss, d.seq);
		expect_u32("wscale", e.wscale, PORCH_AFXDP_WSCALE << 4 | 8);
		expect_u32("ifindex", e.ifindex, run_ifindex);
		expect_u32("tag", e.tags[0], 77);
		expect_u32("second tag", e.tags[1], 0xffff);
		if (memcmp(e.remote_mac, client_mac, 6))
			fail("the entry has another MAC address");
	} else {
		fail("there is no entry");
	}
	row_end(MORE_SYNS);
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
		answers(v6, OFFERS_LINUX, 0, "M S T N W8", MORE_SYNS);
		answers(v6, OFFERS_LINUX, ECE | CWR, "M S T N W8", MORE_SYNS);
		answers(v6, OFFERS_WINDOWS, ECE | CWR, "M N W8 N N S", MORE_SYNS);
		answers(v6, OFFERS_WINDOWS, 0, "M N W8 N N S", MORE_SYNS);
		answers(v6, OFFERS_APPLE, 0, "M N W8 N N T S E E", MORE_SYNS);
		answers(v6, OFFERS_FREEBSD, 0, "M N W8 S T", MORE_SYNS);
		answers(v6, "M1460", 0, "M", MORE_SYNS "synack_slow");
		answers(v6, "M1460 N W3", 0, "M N W8", MORE_SYNS "synack_slow");
		tracked(v6);
	}
	return harness_end();
}
