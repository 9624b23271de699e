// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: to whom the segments of a HANDED flow go, phase by phase, queue by queue. */
#include "handed.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 64 };

#define PENDING	  PORCH_PHASE_PENDING
#define STEERED	  PORCH_PHASE_STEERED
#define CLOSING	  PORCH_PHASE_CLOSING
#define TIME_WAIT PORCH_PHASE_TIME_WAIT
#define TOMBSTONE PORCH_PHASE_TOMBSTONE
#define FORGOTTEN PORCH_PHASE_FORGOTTEN
#define PROOF	  PORCH_RECORD_PROOF
#define SEGMENT	  PORCH_RECORD_SEGMENT

/* ---- a segment of a flow in some phase ---- */

struct phase_row {
	const char *sentence;
	__u8 phase;
	void (*change)(struct packet *p);
	int verdict;
	__u8 kind;
	const char *counters;
	__u32 serial; /* afterwards; 0: as it was */
};

/* clang-format off */
static void as_is(struct packet *p) { }
static void data(struct packet *p) { p->payload = 50; p->flags |= PSH; }
static void beyond(struct packet *p) { p->seq += 50; p->payload = 50; }
static void keepalive(struct packet *p) { p->seq -= 1; }
static void acked_more(struct packet *p) { p->ack += 1; }
static void fin(struct packet *p) { p->flags |= FIN; }
static void late_fin(struct packet *p) { beyond(p); p->flags |= FIN; }
static void rst(struct packet *p) { p->flags = RST; }
static void rst_far(struct packet *p) { p->flags = RST; p->seq += 0x40000000; }
static void synack(struct packet *p) { p->flags = SYN | ACK; }
static void xmas(struct packet *p) { p->flags = FIN | PSH | URG; }
static void nothing(struct packet *p) { p->flags = 0; }
static void sacked(struct packet *p) { p->options.length = 0; offers_parse("N N T7:8 X0102 N N", &p->options); }
static void ip_options(struct packet *p) { beyond(p); if (!p->v6) p->ip_options = BYTES(1, 1, 1, 1); }
static void no_daemon(struct packet *p) { beyond(p); world.host->daemon_tick = 0; }
static void no_worker(struct packet *p) { beyond(p); queue_of_listener()->workers = 0; }
static void full(struct packet *p) { beyond(p); queue_of_listener()->depth = 1000; }
static void off(struct packet *p) { beyond(p); l()->protect = PORCH_PROTECT_OFF; }
static void monitor(struct packet *p) { beyond(p); l()->protect = PORCH_PROTECT_MONITOR; }
static void to_kernel(struct packet *p) { beyond(p); l()->deliver = PORCH_DELIVER_KERNEL; }
static void as_syn(struct packet *p, __u32 seq)
{
	p->flags = SYN;
	p->seq = seq;
	p->ack = 0;
	p->options.length = 0;
	offers_parse(OFFERS_LINUX_PLAIN, &p->options);
}
static void same_syn(struct packet *p) { as_syn(p, p->seq - 1); }
static void other_syn(struct packet *p) { as_syn(p, p->seq + 5000); }
static void off_syn(struct packet *p) { other_syn(p); l()->protect = PORCH_PROTECT_OFF; }
static void kernel_syn(struct packet *p) { other_syn(p); l()->deliver = PORCH_DELIVER_KERNEL; }

#define SYN_SEEN "syn_received "

static const struct phase_row rows[] = {
	{ "pending: the proof again is a proof again", PENDING, as_is, XDP_REDIRECT, PROOF, "" , 0},
	{ "pending: with payload it is one, too", PENDING, data, XDP_REDIRECT, PROOF, "" , 0},
	{ "pending: with FIN", PENDING, fin, XDP_REDIRECT, PROOF, "" , 0},
	{ "pending: data beyond it goes to porchd", PENDING, beyond, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: a keepalive", PENDING, keepalive, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: another acknowledgment", PENDING, acked_more, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: a FIN behind data", PENDING, late_fin, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: a RST ends nothing here", PENDING, rst, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: a RST out of window", PENDING, rst_far, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: a SYN-ACK", PENDING, synack, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: flag soup", PENDING, xmas, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "pending: the same SYN is refused", PENDING, same_syn, XDP_DROP, 0, SYN_SEEN "refused_duplicate_syn" , 0},
	{ "pending: another SYN goes to porchd", PENDING, other_syn, XDP_REDIRECT, SEGMENT, SYN_SEEN , 0},
	{ "pending: without a sign of porchd its socket is still asked", PENDING, no_daemon, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: data goes to the worker", STEERED, beyond, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: the proof again is a segment like others", STEERED, as_is, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: options need not be understood", STEERED, sacked, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: IPv4 options in front", STEERED, ip_options, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: FIN", STEERED, late_fin, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: RST", STEERED, rst, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: no flags at all", STEERED, nothing, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: the same SYN goes to the worker", STEERED, same_syn, XDP_REDIRECT, SEGMENT, SYN_SEEN , 0},
	{ "steered: another SYN", STEERED, other_syn, XDP_REDIRECT, SEGMENT, SYN_SEEN , 0},
	{ "steered: it lives on without porchd", STEERED, no_daemon, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: it lives on when nobody listens any more", STEERED, no_worker, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: it lives on beside a full accept queue", STEERED, full, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: it lives on with protect=off", STEERED, off, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: it lives on with protect=monitor", STEERED, monitor, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: it lives on with deliver=kernel", STEERED, to_kernel, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "steered: its SYN then, too", STEERED, kernel_syn, XDP_REDIRECT, SEGMENT, SYN_SEEN , 0},
	{ "steered: a SYN passes with protect=off: the guard is there", STEERED, off_syn, XDP_PASS, 0, "" , 0},
	{ "closing: data goes to porchd", CLOSING, beyond, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "closing: the proof again is no proof", CLOSING, as_is, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "closing: a RST", CLOSING, rst, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "closing: with protect=off", CLOSING, off, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "closing: while nobody listens", CLOSING, no_worker, XDP_REDIRECT, SEGMENT, "" , 0},
	{ "closing: the same SYN is answered: there is no connection", CLOSING, same_syn, XDP_TX, 0, SYN_SEEN "synack_sent" , 0},
	{ "closing: another SYN is answered", CLOSING, other_syn, XDP_TX, 0, SYN_SEEN "synack_sent" , 0},
	{ "tombstone: the final ACK is a replay", TOMBSTONE, as_is, XDP_DROP, 0, "refused_replayed" , 0},
	{ "tombstone: with payload and FIN as well", TOMBSTONE, fin, XDP_DROP, 0, "refused_replayed" , 0},
	{ "tombstone: other segments are nobody's", TOMBSTONE, beyond, XDP_DROP, 0, "refused_bad_cookie" , 0},
	{ "tombstone: a RST is nobody's", TOMBSTONE, rst, XDP_DROP, 0, "refused_unknown_rst" , 0},
	{ "tombstone: the same SYN is answered", TOMBSTONE, same_syn, XDP_TX, 0, SYN_SEEN "synack_sent" , 0},
	{ "tombstone: another SYN is answered", TOMBSTONE, other_syn, XDP_TX, 0, SYN_SEEN "synack_sent" , 0},
	{ "forgotten: the same ACK proves anew", FORGOTTEN, as_is, XDP_REDIRECT, PROOF, "proven", 2 },
	{ "forgotten: other segments are nobody's", FORGOTTEN, beyond, XDP_DROP, 0, "refused_bad_cookie" , 0},
	{ "forgotten: the same SYN is answered", FORGOTTEN, same_syn, XDP_TX, 0, SYN_SEEN "synack_sent" , 0},
};
/* clang-format on */

static void run_row(const struct phase_row *r, int v6)
{
	struct packet syn, ack, p;
	struct porch_flow *f;
	struct frame in, out;
	int verdict;

	row("%s, %s", r->sentence, FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		slot_fill(XSK_BASE + 5 * XSK_QUEUE);
		phase_set(f, r->phase, r->phase == STEERED ? 5 : 0);
		p = ack;
		world_forget();
		r->change(&p);
		packet_build(&p, &in);
		verdict = run_xdp(&in, &out);
		expect_verdict(verdict, r->verdict, "segment");
		if (verdict == XDP_REDIRECT)
			expect_record(&p, &in, &out, r->kind, f);
		else if (verdict != XDP_TX)
			expect_same(&in, &out);
		expect_u32("state", f->state, PORCH_FLOW_HANDED);
		expect_u32("serial", steer_of(f)->serial, r->serial ? r->serial : 1);
	}
	row_end(r->counters);
}

/* ---- which slot: emptied, so that nothing but the expected one is left ---- */

static struct porch_flow *alone(int v6, __u8 phase, __u16 worker, struct packet *data_out)
{
	struct packet syn;
	struct porch_flow *f = handed(v6, OFFERS_LINUX, &syn, data_out);

	if (f)
		phase_set(f, phase, worker);
	beyond(data_out);
	slots_empty();
	world_forget();
	return f;
}

static void slots(int v6)
{
	struct porch_flow *f;
	struct packet p;

	row("a steered flow's segment goes to the worker's slot, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, STEERED, 3, &p);
	slot_fill(XSK_BASE + 3);
	if (f)
		expect_steered(&p, SEGMENT, f);
	row_end("");

	row("to porchd's where the worker has none, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, STEERED, 3, &p);
	slot_fill(XSK_BASE);
	slot_fill(XSK_BASE + 2);
	if (f)
		expect_steered(&p, SEGMENT, f);
	row_end("");

	row("and nowhere where there is neither, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, STEERED, 3, &p);
	slot_fill(XSK_BASE + 2);
	if (f)
		expect_refused(&p, "segment");
	row_end("refused_no_slot");

	row("a pending flow's segment goes to no worker, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, PENDING, 3, &p);
	slot_fill(XSK_BASE + 3);
	if (f)
		expect_refused(&p, "segment");
	row_end("refused_no_slot");

	row("a closing flow's segment goes to no worker, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, CLOSING, 3, &p);
	slot_fill(XSK_BASE + 3);
	if (f)
		expect_refused(&p, "segment");
	row_end("refused_no_slot");

	row("a worker that cannot be is porchd, %s", FAMILY(v6));
	world_afxdp();
	f = alone(v6, STEERED, PORCH_WORKERS_MAX, &p);
	slot_fill(XSK_BASE);
	if (f)
		expect_steered(&p, SEGMENT, f);
	row_end("");
}

static void queues(int v6)
{
	__u32 ifindex = four_queues();
	struct porch_flow *f;
	struct packet p;

	row("the slot follows the RX queue by which a segment comes, %s", FAMILY(v6));
	if (!ifindex) {
		row_skip("no veth pair with four queues here");
		row_end("");
		return;
	}
	world_afxdp();
	f = alone(v6, STEERED, 2, &p);
	run_ifindex = ifindex;
	slots_of(ifindex, 16, 4);
	slot_fill(16 + 2 * 4 + 3);
	for (run_queue = 0; f && run_queue < 3; run_queue++)
		expect_refused(&p, "another queue's");
	if (f)
		expect_steered(&p, SEGMENT, f);
	slot_fill(16 + 1);
	run_queue = 1; /* porchd's of this queue */
	if (f)
		expect_steered(&p, SEGMENT, f);
	slots_of(ifindex, 16, 1);
	if (f)
		expect_refused(&p, "a queue beyond those that have sockets");
	row_end("refused_no_slot=4");

	row("a proof goes to porchd's socket of its queue, and the flow says which, %s", FAMILY(v6));
	world_afxdp();
	slots_empty();
	run_ifindex = ifindex;
	run_queue = 2;
	slots_of(ifindex, 16, 4);
	slot_fill(16 + 2);
	f = handed(v6, OFFERS_LINUX, &p, &p);
	if (f) {
		expect_u32("ifindex", steer_of(f)->ifindex, ifindex);
		expect_u32("rx_queue", steer_of(f)->rx_queue, 2);
	}
	row_end(MORE_SYNS "proven");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
		slots(v6);
		queues(v6);
	}
	return harness_end();
}
