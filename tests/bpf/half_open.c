// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tracked regime: an entry per handshake, exact where cookies round. */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 4 };

#define HANDSHAKE "syn_received synack_sent "
#define BY_ENTRY  "proven proven_by_entry rtt_samples"

static void tracked(void)
{
	l()->protect = PORCH_PROTECT_ALWAYS;
	l()->regime = PORCH_REGIME_TRACKED;
}

static bool entry_of(const struct packet *syn, struct porch_half_open *e)
{
	struct porch_tuple t = tuple_of(syn);

	if (!half_open_get(&t, e))
		return true;
	fail("there is no half-open entry");
	return false;
}

static void entry_fields(int v6)
{
	struct packet syn = client_syn(v6, "M1337 S T N W3");
	struct porch_half_open e;
	struct decoded d;

	row("a SYN leaves an entry that says what was agreed, %s", FAMILY(v6));
	tracked();
	syn.flags |= ECE | CWR;
	connect_syn(&syn, &(struct answer){ .options = "M S T N W7", .ecn = 1, .in_place = 1 }, &d);
	if (entry_of(&syn, &e)) {
		expect_u32("irs", e.irs, syn.seq);
		expect_u32("iss", e.iss, d.seq);
		expect_u32("tsval", e.tsval, d.tsval);
		expect_u32("ts_recent", e.ts_recent, CLIENT_TSVAL);
		expect_u32("expires", e.expires, TICK_START + 600);
		expect_u32("ifindex", e.ifindex, 1);
		expect_u32("mss", e.mss, 1337);
		expect_u32("options", e.options, 0x0f);
		expect_u32("wscale", e.wscale, SCALE << 4 | 3);
		expect_u32("listener", e.listener, LISTENER);
		expect_u32("retransmits", e.retransmits, 0);
		expect_u32("outer tag", e.tags[0], 0xffff);
		expect_u32("inner tag", e.tags[1], 0xffff);
		if (memcmp(e.remote_mac, client_mac, 6))
			fail("remote_mac is not the sender's");
	}
	expect_u32("issued_tracked", l()->issued_tracked, TICK_START);
	row_end(HANDSHAKE);

	row("protect=always tracks although its regime says kernel, %s", FAMILY(v6));
	l()->protect = PORCH_PROTECT_ALWAYS;
	l()->regime = PORCH_REGIME_KERNEL;
	syn.flags = SYN;
	connect_syn(&syn, NULL, &d);
	expect_u32("entries", half_open_count(), 1);
	row_end(HANDSHAKE);

	row("a SYN without timestamps leaves an entry without, %s", FAMILY(v6));
	tracked();
	syn = client_syn(v6, "M1337 N W3 N N S");
	connect_syn(&syn, NULL, &d);
	if (entry_of(&syn, &e)) {
		expect_u32("options", e.options, PORCH_OPT_SACK | PORCH_OPT_WSCALE);
		expect_u32("tsval", e.tsval, 0);
		expect_u32("mss", e.mss, 1337);
	}
	row_end(HANDSHAKE);

	row("the entry remembers tags, %s", FAMILY(v6));
	tracked();
	syn.tag[0] = (struct tag){ 0x88a8, 0x2064 };
	syn.tag[1] = (struct tag){ 0x8100, 0x00c8 };
	connect_syn(&syn, NULL, &d);
	if (entry_of(&syn, &e)) {
		expect_u32("outer tag", e.tags[0], PORCH_VLAN_8021AD | 0x2064);
		expect_u32("inner tag", e.tags[1], 0x00c8);
	}
	row_end(HANDSHAKE);

	row("the stateless regime leaves no entry, %s", FAMILY(v6));
	syn = client_syn(v6, OFFERS_LINUX);
	connect_syn(&syn, NULL, &d);
	expect_u32("entries", half_open_count(), 0);
	row_end(HANDSHAKE);
}

/* ACK after SYN in the tracked regime, with whatever happens in between. */
static void proves(const char *sentence, int v6, const char *offers, void (*between)(struct packet *ack),
		   int mss, int wscale, const char *counters)
{
	struct packet syn = client_syn(v6, offers), ack;
	const struct porch_meta *m;
	struct frame in, out;
	struct decoded d;
	int verdict;

	row("%s, %s", sentence, FAMILY(v6));
	tracked();
	if (connect_syn(&syn, NULL, &d)) {
		ack = client_ack(&syn, &d);
		if (between)
			between(&ack);
		packet_build(&ack, &in);
		verdict = run_xdp(&in, &out);
		expect_verdict(verdict, mss ? XDP_PASS : XDP_DROP, "ACK");
		if (mss && (m = expect_meta(&in, &out, PORCH_META_PROOF))) {
			expect_u32("record's MSS", m->mss, mss);
			expect_u32("record's scale", m->wscale & 15, wscale);
			expect_u32("entries", half_open_count(), 0);
		}
	}
	row_end(counters);
}

static void entry_lost(struct packet *ack)
{
	struct porch_tuple t = tuple_of(ack);
	struct porch_half_open e = {};

	half_open_get(&t, &e);
	e.expires = world.host->tick; /* over */
	half_open_put(&t, &e);
}
static void entry_lost_mixed(struct packet *ack)
{
	struct porch_tuple t = tuple_of(ack);

	half_open_forget(&t);
	l()->issued_plain = world.host->tick;
}
/* clang-format off */
static void past_epochs(struct packet *ack) { clock_epoch(EPOCH_START + 3); }
static void nearly_expired(struct packet *ack) { world.host->tick += 599; }
static void expired(struct packet *ack) { world.host->tick += 600; clock_epoch(EPOCH_START + 2); }
static void sent_again(struct packet *ack)
{
	struct porch_tuple t = tuple_of(ack);
	struct porch_half_open e;

	half_open_get(&t, &e);
	e.retransmits = 1;
	half_open_put(&t, &e);
}
static void slow(struct packet *ack)
{
	struct porch_tuple t = tuple_of(ack);
	struct porch_half_open e;

	half_open_get(&t, &e);
	e.born_us -= 1100000;
	half_open_put(&t, &e);
}
static void wrong_ack(struct packet *ack) { ack->ack += 1; }
static void wrong_seq(struct packet *ack) { ack->seq += 1; }
static void now_stateless(struct packet *ack) { l()->regime = PORCH_REGIME_STATELESS; }
static void now_kernel(struct packet *ack) { l()->protect = PORCH_PROTECT_ON_ATTACK; l()->regime = PORCH_REGIME_KERNEL; }
static void fin(struct packet *ack) { ack->flags |= FIN; ack->payload = 10; }
/* clang-format on */

static void proofs(int v6)
{
	int low = v6 ? 1220 : 1300; /* the class of 1337 */

	proves("the entry proves, exact where the cookie rounds", v6, "M1337 N W3 N N S", NULL, 1337, 3,
	       HANDSHAKE BY_ENTRY);
	proves("the entry proves with timestamps", v6, "M1337 S T N W3", NULL, 1337, 3, HANDSHAKE BY_ENTRY);
	proves("the entry proves an ACK with payload and FIN", v6, OFFERS_LINUX, fin, 1460, 7,
	       HANDSHAKE BY_ENTRY);
	proves("the entry outlives its cookie", v6, OFFERS_LINUX, past_epochs, 1460, 7, HANDSHAKE BY_ENTRY);
	proves("the entry proves until it expires", v6, OFFERS_WINDOWS, nearly_expired, 1460, 8,
	       HANDSHAKE BY_ENTRY);
	proves("an expired entry whose cookie is dead proves nothing", v6, OFFERS_LINUX, expired, 0, 0,
	       HANDSHAKE "refused_bad_cookie half_open_expired");
	proves("where only entries were made a cookie alone does not prove", v6, "M1337 N W3 N N S",
	       entry_lost, 0, 0, HANDSHAKE "refused_not_issued");
	proves("where cookies were given out, too, a lost entry is made up for by the cookie, rounded", v6,
	       "M1337 N W3 N N S", entry_lost_mixed, low, 2, HANDSHAKE "proven");
	proves("no round trip is measured where the SYN-ACK was sent again", v6, OFFERS_LINUX, sent_again,
	       1460, 7, HANDSHAKE "proven proven_by_entry");
	proves("nor where the answer took a second, when it may have been", v6, OFFERS_LINUX, slow, 1460, 7,
	       HANDSHAKE "proven proven_by_entry");
	proves("an entry made before the flood proves in the stateless regime", v6, "M1337 N W3 N N S",
	       now_stateless, 1337, 3, HANDSHAKE BY_ENTRY);
	proves("an entry proves also when the kernel answers by now", v6, "M1337 N W3 N N S", now_kernel,
	       1337, 3, HANDSHAKE BY_ENTRY);
	proves("a wrong acknowledgment of an entry is refused", v6, OFFERS_LINUX, wrong_ack, 0, 0,
	       HANDSHAKE "refused_bad_ack");
	proves("a wrong sequence number of an entry is refused", v6, OFFERS_LINUX, wrong_seq, 0, 0,
	       HANDSHAKE "refused_bad_ack");
}

static void duplicates(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), other, ack;
	struct porch_half_open e;
	struct decoded d, again;
	struct frame first, second, out;

	row("duplicate SYNs share an entry and an answer, %s", FAMILY(v6));
	tracked();
	send_packet(&syn, &first);
	expect_verdict(send_packet(&syn, &second), XDP_TX, "duplicate");
	expect_same(&first, &second);
	expect_u32("entries", half_open_count(), 1);
	row_end("syn_received=2 synack_sent=2");

	row("the answer to a duplicate is the entry's, also in another epoch, %s", FAMILY(v6));
	tracked();
	send_packet(&syn, &first);
	clock_epoch(EPOCH_START + 3);
	expect_verdict(send_packet(&syn, &second), XDP_TX, "duplicate");
	expect_same(&first, &second);
	row_end("syn_received=2 synack_sent=2");

	row("a SYN with another ISN takes the entry over, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	other = syn;
	other.seq += 1000;
	connect_syn(&other, NULL, &again);
	if (entry_of(&syn, &e)) {
		expect_u32("irs", e.irs, other.seq);
		expect_u32("iss", e.iss, again.seq);
	}
	ack = client_ack(&other, &again);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK");
	row_end("syn_received=2 synack_sent=2 " BY_ENTRY);

	row("the attempt that lost its entry is proven by its cookie, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	connect_syn(&other, NULL, &again);
	ack = client_ack(&syn, &d);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK of the first attempt");
	row_end("syn_received=2 synack_sent=2 proven");

	row("a SYN sent again without ECN takes the entry over, %s", FAMILY(v6));
	tracked();
	other = syn;
	other.flags |= ECE | CWR;
	connect_syn(&other, &(struct answer){ .options = "M S T N W7", .ecn = 1, .in_place = 1 }, &d);
	connect_syn(&syn, &(struct answer){ .options = "M S T N W7", .in_place = 1 }, &again);
	if (entry_of(&syn, &e)) {
		expect_u32("options", e.options, PORCH_OPT_TIMESTAMPS | PORCH_OPT_SACK | PORCH_OPT_WSCALE);
		expect_u32("iss", e.iss, again.seq);
	}
	row_end("syn_received=2 synack_sent=2");

	row("a SYN sent again without options takes the entry over, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	other = client_syn(v6, "");
	connect_syn(&other, &(struct answer){ .options = "M" }, &again);
	if (entry_of(&syn, &e)) {
		expect_u32("options", e.options, 0);
		expect_u32("iss", e.iss, again.seq);
	}
	row_end("syn_received=2 synack_sent=2 synack_slow");
}

static void resets(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), rst;
	struct frame out;
	struct decoded d;

	row("a RST with the exact number removes the entry, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	rst = client_ack(&syn, &d);
	rst.flags = RST;
	expect_verdict(send_packet(&rst, &out), XDP_DROP, "RST");
	expect_u32("entries", half_open_count(), 0);
	row_end(HANDSHAKE);

	for (int off = -1; off <= 1; off += 2) {
		row("a RST %s the exact number is refused, %s", off < 0 ? "before" : "behind", FAMILY(v6));
		tracked();
		connect_syn(&syn, NULL, &d);
		rst = client_ack(&syn, &d);
		rst.flags = off < 0 ? RST : RST | ACK;
		rst.seq += off;
		expect_verdict(send_packet(&rst, &out), XDP_DROP, "RST");
		expect_u32("entries", half_open_count(), 1);
		row_end(HANDSHAKE "refused_bad_rst");
	}

	row("a RST of a tuple without entry is nobody's, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	rst = client_ack(&syn, &d);
	rst.flags = RST;
	rst.sport++;
	expect_verdict(send_packet(&rst, &out), XDP_DROP, "RST");
	expect_u32("entries", half_open_count(), 1);
	row_end(HANDSHAKE "refused_unknown_rst");

	row("a RST at an expired entry is nobody's, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	rst = client_ack(&syn, &d);
	rst.flags = RST;
	world.host->tick += 600;
	expect_verdict(send_packet(&rst, &out), XDP_DROP, "RST");
	row_end(HANDSHAKE "refused_unknown_rst");

	row("a SYN-ACK at an entry is refused and changes nothing, %s", FAMILY(v6));
	tracked();
	connect_syn(&syn, NULL, &d);
	rst = client_ack(&syn, &d);
	rst.flags = SYN | ACK;
	expect_verdict(send_packet(&rst, &out), XDP_DROP, "SYN-ACK");
	expect_u32("entries", half_open_count(), 1);
	row_end(HANDSHAKE "refused_unexpected_synack");
}

/* Four entries are all this table holds. */
static void table_full(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_WINDOWS), ack;
	struct porch_half_open e;
	struct decoded d[6];
	struct frame out;

	row("a full table arms the stateless regime and displaces nobody, %s", FAMILY(v6));
	tracked();
	for (int i = 0; i < 6; i++) {
		syn.sport = CLIENT_PORT + i;
		connect_syn(&syn, NULL, &d[i]);
	}
	expect_u32("regime", l()->regime, PORCH_REGIME_STATELESS);
	expect_u32("entries", half_open_count(), 4);
	syn.sport = CLIENT_PORT;
	entry_of(&syn, &e);
	/* the first has its entry, the fifth its cookie */
	ack = client_ack(&syn, &d[0]);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK of the first");
	syn.sport = CLIENT_PORT + 4;
	ack = client_ack(&syn, &d[4]);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK of the fifth");
	row_end("syn_received=6 synack_sent=6 half_open_full regime_up proven=2 proven_by_entry rtt_samples");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		entry_fields(v6);
		proofs(v6);
		duplicates(v6);
		resets(v6);
		table_full(v6);
	}
	return harness_end();
}
