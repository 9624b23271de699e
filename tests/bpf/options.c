// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP options: every layout, what is granted, and that exactly this comes back
 * out of the final ACK (with timestamps exact, without them rounded down).
 */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

struct option_row {
	const char *sentence;
	const char *offers;
	const char *reply; /* 0: passes to the kernel */
	__u16 mss;	   /* that the record says; 0: the family's default */
	int wscale;	   /* -1: none */
	__u8 in_place;
	__u16 mss6; /* where IPv6 differs */
};

#define FAST	 1
#define NO_SCALE (-1)

static const struct option_row rows[] = {
	{ "Linux", OFFERS_LINUX, "M S T N W7", 1460, 7, FAST },
	{ "Linux without timestamps", OFFERS_LINUX_PLAIN, "M N N S N W7", 1460, 7, FAST, 1440 },
	{ "Windows", OFFERS_WINDOWS, "M N W7 N N S", 1460, 8, FAST, 1440 },
	{ "Windows with timestamps", OFFERS_WINDOWS_TS, "M N W7 S T", 1460, 8, FAST },
	{ "Apple", OFFERS_APPLE, "M N W7 N N T S E E", 1460, 6, FAST },
	{ "FreeBSD", OFFERS_FREEBSD, "M N W7 S T", 1460, 6, FAST },
	{ "no option at all", "", "M", 0, NO_SCALE },
	{ "MSS alone", "M1460", "M", 1460, NO_SCALE, 0, 1440 },
	{ "SACK alone", "S", "M N N S", 0, NO_SCALE },
	{ "window scale alone", "W7", "M N W7", 0, 7 },
	{ "timestamps alone", "T", "M N N T", 0, NO_SCALE },
	{ "MSS and SACK", "M1460 S", "M N N S", 1460, NO_SCALE, 0, 1440 },
	{ "MSS and window scale", "M1460 W7", "M N W7", 1460, 7, 0, 1440 },
	{ "MSS and timestamps", "M1460 T", "M N N T", 1460, NO_SCALE },
	{ "SACK and window scale", "S W7", "M N N S N W7", 0, 7 },
	{ "SACK and timestamps", "S T", "M S T", 0, NO_SCALE },
	{ "window scale and timestamps", "W7 T", "M N N T N W7", 0, 7 },
	{ "MSS, SACK and window scale", "M1460 S W7", "M N N S N W7", 1460, 7, 0, 1440 },
	{ "MSS, SACK and timestamps", "M1460 S T", "M S T", 1460, NO_SCALE },
	{ "MSS, window scale and timestamps", "M1460 W7 T", "M N N T N W7", 1460, 7 },
	{ "SACK, window scale and timestamps", "S W7 T", "M S T N W7", 0, 7 },
	{ "all four, in no usual order", "T W7 S M1460", "M S T N W7", 1460, 7 },
	{ "all four with a NOP between each", "N M1460 N S N T N W7", "M S T N W7", 1460, 7 },
	{ "options after an end of list do not count", "M1460 E W7 S", "M", 1460, NO_SCALE, 0, 1440 },
	{ "an end of list first ends it all", "E M1460 S T", "M", 0, NO_SCALE },
	{ "forty NOPs", "N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N",
	  "M", 0, NO_SCALE },
	{ "thirty-three NOPs and then SACK",
	  "N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N S", "M N N S", 0, NO_SCALE },
	{ "twenty unknown options of two octets",
	  "X6402640264026402640264026402640264026402640264026402640264026402640264026402", "M", 0, NO_SCALE },
	{ "an unknown option in front", "Xfd04abcd M1460 S T W7", "M S T N W7", 1460, 7 },
	{ "an unknown option of 38 octets",
	  "Xfd26 N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N N", "M", 0, NO_SCALE },
	{ "the last of two MSS counts", "M1200 M1300", "M", 1300, NO_SCALE, 0, 1220 },
	{ "the last of two window scales counts", "M1460 W2 W7 T", "M N N T N W7", 1460, 7 },
	{ "the last of two timestamps is echoed", "T1 T2 S", "M S T", 0, NO_SCALE },
	{ "SACK twice is SACK", "M1460 S S", "M N N S", 1460, NO_SCALE, 0, 1440 },
	{ "an option of length 0 ends the list", "M1460 Xfd00 S", "M", 1460, NO_SCALE, 0, 1440 },
	{ "an option of length 1 ends the list", "M1460 Xfd01 S", "M", 1460, NO_SCALE, 0, 1440 },
	{ "MSS of length 0 ends the list", "X0200 S T", "M", 0, NO_SCALE },
	{ "an option beyond the header ends the list", "M1460 S Xfd28", "M N N S", 1460, NO_SCALE, 0, 1440 },
	{ "timestamps cut off by the header end the list", "M1460 X080a0000", "M", 1460, NO_SCALE, 0, 1440 },
	{ "a kind without length at the very end", "M1460 N N N Xfd", "M", 1460, NO_SCALE, 0, 1440 },
	{ "MSS of length 3 is ignored", "X020311 S", "M N N S", 0, NO_SCALE },
	{ "MSS of length 5 is ignored", "X0205055500 S", "M N N S", 0, NO_SCALE },
	{ "window scale of length 4 is ignored", "M1460 X03040700 S", "M N N S", 1460, NO_SCALE, 0, 1440 },
	{ "window scale of length 2 is ignored", "M1460 X0302 S", "M N N S", 1460, NO_SCALE, 0, 1440 },
	{ "SACK-permitted of length 3 is ignored", "M1460 X040300 W7", "M N W7", 1460, 7, 0, 1440 },
	{ "timestamps of length 8 are ignored", "M1460 X0808010203040506 S", "M N N S", 1460, NO_SCALE, 0,
	  1440 },
	{ "timestamps of length 12 are ignored", "M1460 X080c01020304050607080000 S", "M N N S", 1460,
	  NO_SCALE, 0, 1440 },
	{ "a SYN that echoes counts as without timestamps", "M1460 S T5:6 N W7", "M N N S N W7", 1460, 7, 0,
	  1440 },
	{ "the same in the layout of FreeBSD", "M1460 N W6 S T5:6", "M N N S N W7", 1460, 6, 0, 1440 },
	{ "the same in the layout of Apple", "M1460 N W6 N N T5:1 S E E", "M N N S N W7", 1460, 6, 0, 1440 },
	{ "TSval 0 is a time", "M1460 S T0 N W7", "M S T N W7", 1460, 7, FAST },
	{ "TSval 2^32-1 is a time", "M1460 S T4294967295 N W7", "M S T N W7", 1460, 7, FAST },
	{ "a Fast Open request is declined", "M1460 S T N W7 F N N", "M S T N W7", 1460, 7 },
	{ "a Fast Open cookie is declined", "M1460 S T N W7 X220a0102030405060708", "M S T N W7", 1460, 7 },
	{ "MPTCP is declined", "M1460 S T N W7 P", "M S T N W7", 1460, 7 },
	{ "MD5 passes to the kernel", "M1460 N N D", NULL, 0, 0 },
	{ "MD5 beside all else passes to the kernel", "M1460 D S T", NULL, 0, 0 },
	{ "AO passes to the kernel", "M1460 A S N W7", NULL, 0, 0 },
	{ "AO behind timestamps passes to the kernel", "T A", NULL, 0, 0 },
	{ "MD5 behind an end of list is nothing", "M1460 E D", "M", 1460, NO_SCALE, 0, 1440 },
	{ "a usual layout with another NOP is no usual layout", "M1460 N N W7 S T", "M S T N W7", 1460, 7 },
	{ "Linux with a NOP turned to end of list", "M1460 S T E W7", "M S T", 1460, NO_SCALE },
	{ "Windows with SACK cut off", "M1460 N W8 N N Xfd02", "M N W7", 1460, 8, 0, 1440 },
	{ "MSS 0 counts as none", "M0 S T N W7", "M S T N W7", 0, 7, FAST },
	{ "MSS 0 alone counts as none", "M0", "M", 0, NO_SCALE },
	{ "MSS 1", "M1 S T N W7", NULL, 0, 0 },
	{ "MSS 1 alone", "M1", NULL, 0, 0 },
	{ "MSS 535 is the kernel's business", "M535 S T N W7", NULL, 0, 0 },
	{ "MSS 9000", "M9000 S T N W7", "M S T N W7", 9000, 7, FAST },
	{ "MSS 9000 without timestamps", "M9000", "M", 1460, NO_SCALE, 0, 1440 },
	{ "MSS 16383 is carried exactly", "M16383 S T N W7", "M S T N W7", 16383, 7, FAST },
	{ "MSS 16384 counts as 16383", "M16384 S T N W7", "M S T N W7", 16383, 7, FAST },
	{ "MSS 65535 counts as 16383", "M65535 S T N W7", "M S T N W7", 16383, 7, FAST },
	{ "MSS 65535 without timestamps", "M65535 N W8 N N S", "M N W7 N N S", 1460, 8, FAST, 1440 },
};

static const struct option_row rows4[] = {
	{ "MSS 536 is the least that is answered", "M536 S T N W7", "M S T N W7", 536, 7, FAST },
	{ "MSS 536 without timestamps", "M536", "M", 536, NO_SCALE },
	{ "MSS 1299 is rounded down without timestamps", "M1299", "M", 536, NO_SCALE },
	{ "MSS 1300 is carried without timestamps", "M1300", "M", 1300, NO_SCALE },
	{ "MSS 1439 is rounded down without timestamps", "M1439", "M", 1300, NO_SCALE },
	{ "MSS 1440 is carried without timestamps", "M1440", "M", 1440, NO_SCALE },
	{ "MSS 1459 is rounded down without timestamps", "M1459", "M", 1440, NO_SCALE },
	{ "MSS 1219 is fine for IPv4", "M1219 S T N W7", "M S T N W7", 1219, 7, FAST },
};

static const struct option_row rows6[] = {
	{ "MSS 1219 is the kernel's business", "M1219 S T N W7", NULL, 0, 0 },
	{ "MSS 1219 without timestamps is the kernel's business", "M1219", NULL, 0, 0 },
	{ "MSS 1220 is the least that is answered", "M1220 S T N W7", "M S T N W7", 1220, 7, FAST },
	{ "MSS 1220 without timestamps", "M1220", "M", 1220, NO_SCALE },
	{ "MSS 1359 is rounded down without timestamps", "M1359", "M", 1220, NO_SCALE },
	{ "MSS 1360 is carried without timestamps", "M1360", "M", 1360, NO_SCALE },
	{ "MSS 1419 is rounded down without timestamps", "M1419", "M", 1360, NO_SCALE },
	{ "MSS 1420 is carried without timestamps", "M1420", "M", 1420, NO_SCALE },
};

/* The ACK that follows must prove, and say what was agreed. */
static void check_proof(const struct packet *syn, const struct decoded *d, const struct option_row *r)
{
	struct packet ack = client_ack(syn, d);
	struct frame in, out;
	const struct porch_meta *m;
	__u16 mss = syn->v6 && r->mss6 ? r->mss6 : r->mss ? r->mss : syn->v6 ? 1220 : 536;

	packet_build(&ack, &in);
	expect_verdict(run_xdp(&in, &out), XDP_PASS, "final ACK");
	m = expect_meta(&in, &out, PORCH_META_PROOF);
	if (!m)
		return;
	expect_u32("record's MSS", m->mss, mss);
	expect_u32("record's options", m->options,
		   (d->has_ts ? PORCH_OPT_TIMESTAMPS : 0) | (d->has_sack ? PORCH_OPT_SACK : 0) |
			   (d->has_wscale ? PORCH_OPT_WSCALE : 0));
	expect_u32("client's scale", m->wscale & 15, r->wscale < 0 ? 0 : r->wscale);
	if (d->has_wscale)
		expect_u32("our scale", m->wscale >> 4, d->wscale);
	expect_u32("record's TSval", m->ts_val, d->has_ts ? CLIENT_TSVAL + 20 : 0);
	expect_u32("record's TSecr", m->ts_ecr, d->tsval);
}

static void run_row(const struct option_row *r, int v6)
{
	struct packet syn = client_syn(v6, r->offers);
	struct answer a = { .options = r->reply, .in_place = r->in_place };
	struct frame in, out;
	struct decoded d;
	int verdict;

	row("%s, %s", r->sentence, FAMILY(v6));
	packet_build(&syn, &in);
	verdict = run_xdp(&in, &out);
	expect_verdict(verdict, r->reply ? XDP_TX : XDP_PASS, "SYN");
	if (!r->reply) {
		expect_same(&in, &out);
	} else if (verdict == XDP_TX && expect_synack(&syn, &out, &a, &d)) {
		check_proof(&syn, &d, r);
	}
	row_end(!r->reply     ? "syn_received syn_passed"
		: r->in_place ? "syn_received synack_sent proven"
			      : "syn_received synack_sent synack_slow proven");
}

/* Scales without timestamps have classes: 0 2 4 6 7 8 10. */
static void scales(int v6)
{
	static const int rounded[16] = { 0, 0, 2, 2, 4, 4, 6, 7, 8, 8, 10, 10, 10, 10, 10, 10 };
	char sentence[128], offers[64];

	for (int w = 0; w <= 15; w++) {
		struct option_row r = { sentence, offers, "M S T N W7", 1460, w > 14 ? 14 : w, FAST };

		snprintf(sentence, sizeof(sentence), "window scale %d with timestamps", w);
		snprintf(offers, sizeof(offers), "M1460 S T N W%d", w);
		run_row(&r, v6);
		r = (struct option_row){ sentence, offers, "M N N S N W7", 1460, rounded[w], FAST, 1440 };
		snprintf(sentence, sizeof(sentence), "window scale %d without timestamps", w);
		snprintf(offers, sizeof(offers), "M1460 N N S N W%d", w);
		run_row(&r, v6);
	}
	run_row(&(struct option_row){ "window scale 255 counts as 14", "W255 T", "M N N T N W7", 0, 14 }, v6);
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
		scales(v6);
	}
	for (size_t i = 0; i < sizeof(rows4) / sizeof(rows4[0]); i++)
		run_row(&rows4[i], 0);
	for (size_t i = 0; i < sizeof(rows6) / sizeof(rows6[0]); i++)
		run_row(&rows6[i], 1);
	return harness_end();
}
