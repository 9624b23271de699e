// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is not a SYN, stateless regime: proofs, forgeries, strangers. */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

#define HANDSHAKE "syn_received synack_sent "

/* ---- one segment after SYN and SYN-ACK: offers, what is wrong with it, what becomes of it ---- */

struct ack_row {
	const char *sentence;
	void (*change)(struct packet *ack, const struct decoded *d);
	int verdict;
	__u8 kind; /* of the record in front; 0: none */
	const char *counters;
};

/* clang-format off */
static void payload(struct packet *p, const struct decoded *d) { p->payload = 333; p->flags |= PSH; }
static void fin(struct packet *p, const struct decoded *d) { p->flags |= FIN; }
static void payload_fin(struct packet *p, const struct decoded *d) { payload(p, d); fin(p, d); }
static void urgent(struct packet *p, const struct decoded *d) { p->flags |= URG; p->urgent = 1; p->payload = 1; }
static void ece_cwr(struct packet *p, const struct decoded *d) { p->flags |= ECE | CWR; }
static void ect(struct packet *p, const struct decoded *d) { p->tos = 2; }
static void window_zero(struct packet *p, const struct decoded *d) { p->window = 1; }
static void bad_tcp_sum(struct packet *p, const struct decoded *d) { p->bad_tcp_checksum = 1; }
static void nops(struct packet *p, const struct decoded *d)
{
	struct bytes old = p->options;

	p->options = BYTES(1, 1, 1, 1);
	memcpy(p->options.at + 4, old.at, old.length);
	p->options.length += old.length;
}
static void sack_block(struct packet *p, const struct decoded *d)
{
	static const __u8 block[12] = { 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2 };

	memcpy(p->options.at + p->options.length, block, 12);
	p->options.length += 12;
}
static void next_epoch(struct packet *p, const struct decoded *d) { clock_epoch(EPOCH_START + 1); }
static void after_next_epoch(struct packet *p, const struct decoded *d) { clock_epoch(EPOCH_START + 2); }
static void third_epoch(struct packet *p, const struct decoded *d) { clock_epoch(EPOCH_START + 4); }
static void epoch_back(struct packet *p, const struct decoded *d) { clock_epoch(EPOCH_START - 1); }
static void within_minute(struct packet *p, const struct decoded *d) { world.host->tick += 600; }
static void after_minute(struct packet *p, const struct decoded *d) { world.host->tick += 601; }
static void forms_never(struct packet *p, const struct decoded *d) { l()->issued_ts = l()->issued_plain = 0; }
static void other_form(struct packet *p, const struct decoded *d)
{
	if (d->has_ts)
		l()->issued_ts = 0, l()->issued_plain = world.host->tick;
	else
		l()->issued_plain = 0, l()->issued_ts = world.host->tick;
}
static void tick_wrap(struct packet *p, const struct decoded *d)
{
	l()->issued_ts = l()->issued_plain = 0xffffff00;
	world.host->tick = 0x10;
}
static void unhealthy(struct packet *p, const struct decoded *d) { l()->health[p->v6] = PORCH_HEALTH_NO_SOCKET; }
static void full(struct packet *p, const struct decoded *d) { l()->accept_queue_full = 1; }
static void denied(struct packet *p, const struct decoded *d) { deny_add(p->source, 128); }
static void sysctls_off(struct packet *p, const struct decoded *d)
{
	world.host->tcp_timestamps = world.host->tcp_sack = world.host->tcp_window_scaling = 0;
}
static void key_rotated(struct packet *p, const struct decoded *d)
{
	struct porch_keys k;

	keys_get(&k);
	k.master[1] = k.master[0];
	k.master[0] = (struct porch_master){ .key = { { 3, 4 } }, .from_epoch = EPOCH_START + 1, .id = 2 };
	keys_set(&k);
	clock_epoch(EPOCH_START + 1);
}

static void other_source(struct packet *p, const struct decoded *d) { address_client(p->source, p->v6, 8); }
static void other_port(struct packet *p, const struct decoded *d) { p->sport++; }
static void seq_more(struct packet *p, const struct decoded *d) { p->seq++; }
static void seq_less(struct packet *p, const struct decoded *d) { p->seq--; }
static void ack_more(struct packet *p, const struct decoded *d) { p->ack++; }
static void ack_less(struct packet *p, const struct decoded *d) { p->ack--; }
static void ack_zero(struct packet *p, const struct decoded *d) { p->ack = 0; }
static void other_shape(struct packet *p, const struct decoded *d)
{
	if (d->has_ts)
		p->options.length = 0;
	else
		offers_parse("N N T5:6", &p->options);
}
static void no_ack_flag(struct packet *p, const struct decoded *d) { p->flags = PSH; p->payload = 9; }
static void no_flags(struct packet *p, const struct decoded *d) { p->flags = 0; }
static void fin_only(struct packet *p, const struct decoded *d) { p->flags = FIN; }
static void xmas(struct packet *p, const struct decoded *d) { p->flags = FIN | PSH | URG; }
static void rst_fin(struct packet *p, const struct decoded *d) { p->flags = RST | FIN | ACK; }
static void syn_fin_ack(struct packet *p, const struct decoded *d) { p->flags = SYN | FIN | ACK; }
static void syn_rst_ack(struct packet *p, const struct decoded *d) { p->flags = SYN | RST | ACK; }
static void everything(struct packet *p, const struct decoded *d) { p->flags = 0x1ff; }
static void rst(struct packet *p, const struct decoded *d) { p->flags = RST; }
static void rst_ack(struct packet *p, const struct decoded *d) { p->flags = RST | ACK; }
static void synack(struct packet *p, const struct decoded *d) { p->flags = SYN | ACK; }

static void elsewhere_port(struct packet *p, const struct decoded *d) { p->dport = 81; }
static void elsewhere_address(struct packet *p, const struct decoded *d) { address_server(p->dest, p->v6, 2); }
static void off(struct packet *p, const struct decoded *d) { l()->protect = PORCH_PROTECT_OFF; }
static void monitor(struct packet *p, const struct decoded *d) { l()->protect = PORCH_PROTECT_MONITOR; }
static void monitor_forged(struct packet *p, const struct decoded *d) { monitor(p, d); p->ack++; }
static void kernel_quiet(struct packet *p, const struct decoded *d)
{
	l()->regime = PORCH_REGIME_KERNEL;
	forms_never(p, d);
	p->ack++;
}
static void kernel_quiet_rst(struct packet *p, const struct decoded *d) { kernel_quiet(p, d); p->flags = RST; }
static void kernel_quiet_xmas(struct packet *p, const struct decoded *d) { kernel_quiet(p, d); xmas(p, d); }
static void kernel_again(struct packet *p, const struct decoded *d) { l()->regime = PORCH_REGIME_KERNEL; }
static void kernel_again_own(struct packet *p, const struct decoded *d) { kernel_again(p, d); p->ack++; }
static void grace(struct packet *p, const struct decoded *d) { l()->left_kernel = world.host->tick - 19; p->ack++; }
static void grace_over(struct packet *p, const struct decoded *d) { l()->left_kernel = world.host->tick - 20; p->ack++; }
static void grace_rst(struct packet *p, const struct decoded *d) { grace(p, d); rst(p, d); }
static void grace_synack(struct packet *p, const struct decoded *d) { grace(p, d); synack(p, d); }

#define PROVES XDP_PASS, PORCH_META_PROOF, HANDSHAKE "proven"
#define FORGED XDP_DROP, 0, HANDSHAKE "refused_bad_cookie"

static const struct ack_row rows[] = {
	{ "the final ACK proves", NULL, PROVES },
	{ "a final ACK with payload proves", payload, PROVES },
	{ "a final ACK with FIN proves", fin, PROVES },
	{ "a final ACK with payload and FIN proves", payload_fin, PROVES },
	{ "a final ACK with urgent data proves", urgent, PROVES },
	{ "a final ACK with ECE and CWR proves", ece_cwr, PROVES },
	{ "a final ACK in an ECT packet proves", ect, PROVES },
	{ "a final ACK with a tiny window proves", window_zero, PROVES },
	{ "a partial TCP checksum (offload) does not matter", bad_tcp_sum, PROVES },
	{ "a final ACK with more NOPs proves", nops, PROVES },
	{ "a final ACK with a SACK block proves", sack_block, PROVES },
	{ "a cookie is good in the next epoch", next_epoch, PROVES },
	{ "a cookie is dead two epochs later", after_next_epoch, FORGED },
	{ "a cookie is dead four epochs later, when its key's place is taken", third_epoch, FORGED },
	{ "a cookie of the future is not accepted", epoch_back, FORGED },
	{ "a cookie of before the rotation is good after it", key_rotated, PROVES },
	{ "a form is good for a minute after its last use", within_minute, PROVES },
	{ "a form unused for a minute proves nothing", after_minute, XDP_DROP, 0, HANDSHAKE "refused_not_issued" },
	{ "a form never issued proves nothing", forms_never, XDP_DROP, 0, HANDSHAKE "refused_not_issued" },
	{ "the other form's use does not help", other_form, XDP_DROP, 0, HANDSHAKE "refused_not_issued" },
	{ "ticks wrap", tick_wrap, PROVES },
	{ "a proof counts also when the listener is unhealthy by now", unhealthy, PROVES },
	{ "a proof counts also when the accept queue is full by now", full, PROVES },
	{ "a proof counts also when its source is denied by now", denied, PROVES },
	{ "a proof counts also when the sysctls changed since", sysctls_off, PROVES },
	{ "the source is in the cookie", other_source, FORGED },
	{ "the source port is in the cookie", other_port, FORGED },
	{ "the client's ISN is in the cookie (one more)", seq_more, FORGED },
	{ "the client's ISN is in the cookie (one less)", seq_less, FORGED },
	{ "an acknowledgment of one more is refused", ack_more, FORGED },
	{ "an acknowledgment of one less is refused", ack_less, FORGED },
	{ "an acknowledgment of 0 is refused", ack_zero, FORGED },
	{ "a cookie of one form does not prove the other", other_shape, FORGED },
	{ "payload without ACK is refused", no_ack_flag, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "no flags at all are refused", no_flags, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "FIN without ACK is refused", fin_only, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "FIN, PSH and URG are refused", xmas, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "RST, FIN and ACK are refused", rst_fin, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "SYN, FIN and ACK are refused", syn_fin_ack, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "SYN, RST and ACK are refused", syn_rst_ack, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "all nine flags are refused", everything, XDP_DROP, 0, HANDSHAKE "refused_bad_flags" },
	{ "a RST of nobody is refused", rst, XDP_DROP, 0, HANDSHAKE "refused_unknown_rst" },
	{ "a RST with ACK of nobody is refused", rst_ack, XDP_DROP, 0, HANDSHAKE "refused_unknown_rst" },
	{ "a SYN-ACK is refused", synack, XDP_DROP, 0, HANDSHAKE "refused_unexpected_synack" },
	{ "an ACK to a port without listener passes", elsewhere_port, XDP_PASS, 0, HANDSHAKE },
	{ "an ACK to somebody else's address passes", elsewhere_address, XDP_PASS, 0, HANDSHAKE },
	{ "protect=off passes an ACK", off, XDP_PASS, 0, HANDSHAKE },
	{ "protect=monitor passes an ACK", monitor, XDP_PASS, 0, HANDSHAKE },
	{ "protect=monitor passes a forged ACK", monitor_forged, XDP_PASS, 0, HANDSHAKE },
	{ "in a quiet kernel regime an ACK passes unlooked", kernel_quiet, XDP_PASS, 0, HANDSHAKE },
	{ "in a quiet kernel regime a RST passes unlooked", kernel_quiet_rst, XDP_PASS, 0, HANDSHAKE },
	{ "in a quiet kernel regime flag soup passes unlooked", kernel_quiet_xmas, XDP_PASS, 0, HANDSHAKE },
	{ "a proof counts also when the kernel answers again", kernel_again, PROVES },
	{ "when the kernel answers again its own ACKs pass", kernel_again_own, XDP_PASS, 0, HANDSHAKE "unknown_passed" },
	{ "for two seconds after the kernel's regime its ACKs pass", grace, XDP_PASS, 0, HANDSHAKE "unknown_passed" },
	{ "after two seconds they do not", grace_over, FORGED },
	{ "for two seconds its RSTs pass", grace_rst, XDP_PASS, 0, HANDSHAKE "unknown_passed" },
	{ "for two seconds its SYN-ACKs pass", grace_synack, XDP_PASS, 0, HANDSHAKE "unknown_passed" },
};
/* clang-format on */

/* The flow that a proof leaves behind. */
static void check_flow(const struct packet *ack, const struct decoded *d, const struct porch_meta *m)
{
	struct porch_tuple t = tuple_of(ack);
	struct porch_flow *f = flow_of(&t);

	if (!f || !m) {
		fail("the proof left no flow");
		return;
	}
	expect_u32("flow.state", f->state, PORCH_FLOW_PROVEN);
	expect_u32("flow.by_cookie", f->by_cookie, 1);
	expect_u32("flow.assigned", f->assigned, 0);
	expect_u32("flow.listener", f->listener, LISTENER);
	expect_u32("flow.irs", f->irs, ack->seq - 1);
	expect_u32("flow.iss", f->iss, ack->ack - 1);
	expect_u32("flow.mss", f->mss, m->mss);
	expect_u32("flow.options", f->options, m->options);
	expect_u32("flow.wscale", f->wscale, m->wscale);
	expect_u32("flow.ts_recent", f->ts_recent, d->has_ts ? CLIENT_TSVAL + 20 : 0);
	expect_u32("flow.ts_ecr", f->ts_ecr, d->tsval);
	expect_u32("flow.expires", f->expires, world.host->tick + 600);
	expect_u32("record's flow", m->flow, f - world.flows);
	expect_u32("record's listener", m->listener, LISTENER);
	expect_u32("record's deferred", m->deferred, 0);
	expect_u32("record's tcp_offset", m->tcp_offset, ack->v6 ? 40 : 20);
}

static void run_row(const struct ack_row *r, int v6, const char *offers, const char *form)
{
	struct packet syn = client_syn(v6, offers), ack;
	const struct porch_meta *m = NULL;
	struct frame in, out;
	struct decoded d;

	row("%s, %s, %s", r->sentence, form, FAMILY(v6));
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		if (r->change)
			r->change(&ack, &d);
		packet_build(&ack, &in);
		expect_verdict(run_xdp(&in, &out), r->verdict, "segment");
		if (r->kind)
			m = expect_meta(&in, &out, r->kind);
		else
			expect_same(&in, &out);
		if (r->kind == PORCH_META_PROOF)
			check_flow(&ack, &d, m);
		else
			expect_u32("flows", flows_in_state(PORCH_FLOW_FREE), world.sets * PORCH_SET_WAYS);
	}
	row_end(r->counters);
}

/* Each bit of the cookie, of both places it is carried in, matters. */
static void flipped_bits(int v6, const char *offers, const char *form)
{
	struct packet syn = client_syn(v6, offers), ack;
	struct frame out;
	struct decoded d;
	int flips = 0;
	char counters[128];

	row("any flipped bit of the cookie is refused, %s, %s", form, FAMILY(v6));
	if (connect_syn(&syn, NULL, &d)) {
		for (int bit = 0; bit < 32; bit++, flips++) {
			ack = client_ack(&syn, &d);
			ack.ack = (d.seq ^ 1u << bit) + 1;
			expect_verdict(send_packet(&ack, &out), XDP_DROP, "ACK with a flipped bit");
		}
		for (int bit = 0; bit < 32; bit++, flips++) {
			ack = client_ack(&syn, &d);
			ack.seq = (syn.seq ^ 1u << bit) + 1;
			expect_verdict(send_packet(&ack, &out), XDP_DROP, "ACK with a flipped bit of seq");
		}
		for (int bit = 0; d.has_ts && bit < 32; bit++, flips++) {
			ack = client_ack(&syn, &d);
			put32(ack.options.at + 8, d.tsval ^ 1u << bit);
			expect_verdict(send_packet(&ack, &out), XDP_DROP, "ACK with a flipped bit of TSecr");
		}
	}
	snprintf(counters, sizeof(counters), HANDSHAKE "refused_bad_cookie=%d", flips);
	row_end(counters);
}

static void budget(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct frame out;
	struct decoded d;

	row("an eighth of the budget of unknown segments passes, per tick, %s", FAMILY(v6));
	world.host->unknown_rate = 16;
	connect_syn(&syn, NULL, &d);
	for (int tick = 0; tick < 2; tick++) {
		for (int i = 0; i < 20; i++) {
			ack = client_ack(&syn, &d);
			ack.ack++;
			if (i % 3)
				ack.flags = i % 3 == 1 ? RST : SYN | ACK;
			expect_verdict(send_packet(&ack, &out), i < 2 ? XDP_PASS : XDP_DROP, "stranger");
		}
		world.host->tick++;
	}
	row_end(HANDSHAKE
		"unknown_passed=4 refused_bad_cookie=12 refused_unknown_rst=12 refused_unexpected_synack=12");

	row("a forgery does not spend what proofs need, %s", FAMILY(v6));
	world.host->unknown_rate = 0;
	connect_syn(&syn, NULL, &d);
	for (int i = 0; i < 100; i++) {
		ack = client_ack(&syn, &d);
		ack.ack += 1 + i;
		send_packet(&ack, &out);
	}
	ack = client_ack(&syn, &d);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "the right one");
	row_end(HANDSHAKE "refused_bad_cookie=100 proven");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			run_row(&rows[i], v6, OFFERS_LINUX, "timestamps");
			run_row(&rows[i], v6, OFFERS_WINDOWS, "plain");
		}
		flipped_bits(v6, OFFERS_LINUX, "timestamps");
		flipped_bits(v6, OFFERS_WINDOWS, "plain");
		budget(v6);
	}
	return harness_end();
}
