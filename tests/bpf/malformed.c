// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Headers that contradict themselves, and every frame cut off at every octet. */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

#define BAD_HEADER XDP_DROP, "refused_bad_header"
#define UNSEEN	   XDP_PASS, ""

struct bad_row {
	const char *sentence;
	void (*change)(struct packet *p);
	int verdict;
	const char *counters;
	__u8 only;
};

/* clang-format off */
static void offset_0(struct packet *p) { p->data_offset = 0xff; }
static void offset_1(struct packet *p) { p->data_offset = 1; }
static void offset_4(struct packet *p) { p->data_offset = 4; }
static void offset_beyond(struct packet *p) { p->data_offset = 15; }
static void offset_beyond_plain(struct packet *p) { p->options.length = 0; p->data_offset = 6; }
static void length_zero(struct packet *p) { p->length_off = p->v6 ? -40 : -60; }
static void length_20(struct packet *p) { p->length_off = -40; }
static void length_less(struct packet *p) { p->length_off = -1; }
static void length_less_4(struct packet *p) { p->length_off = -4; }
static void length_more(struct packet *p) { p->length_off = 1; }
static void length_most(struct packet *p) { p->length_off = 30000; }
static void length_ports(struct packet *p) { p->length_off = -36; }
static void length_into_padding(struct packet *p) { p->trailer = 4; p->length_off = 4; }
static void length_options(struct packet *p) { p->ip_options = BYTES(1, 1, 1, 1); p->length_off = -8; }
static void ihl_15(struct packet *p) { p->ihl = 15; }
static void ihl_6(struct packet *p) { p->ihl = 6; }
static void ihl_0(struct packet *p) { p->ihl = 16; /* wraps to version 5, 0 */ }
static void tag_offset(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 1 }; offset_4(p); }
static void tag_length(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 1 }; length_more(p); }
static void ext_length(struct packet *p)
{
	p->extension = 60;
	p->extensions = BYTES(6, 0, 1, 4, 0, 0, 0, 0);
	p->length_off = -20;
}
static void ext_offset(struct packet *p)
{
	p->extension = 60;
	p->extensions = BYTES(6, 0, 1, 4, 0, 0, 0, 0);
	offset_1(p);
}
static void both_sums(struct packet *p) { p->bad_ip_checksum = 1; offset_4(p); }
static void elsewhere(struct packet *p) { offset_4(p); p->dport = 81; }
static void elsewhere_address(struct packet *p) { offset_4(p); address_server(p->dest, p->v6, 2); }
static void off(struct packet *p) { offset_4(p); l()->protect = PORCH_PROTECT_OFF; }
static void monitor(struct packet *p) { offset_4(p); l()->protect = PORCH_PROTECT_MONITOR; }

static const struct bad_row rows[] = {
	{ "data offset 0 is refused", offset_0, BAD_HEADER },
	{ "data offset 1 is refused", offset_1, BAD_HEADER },
	{ "data offset 4 is refused", offset_4, BAD_HEADER },
	{ "a data offset beyond the segment is refused", offset_beyond, BAD_HEADER },
	{ "a data offset four octets beyond the segment is refused", offset_beyond_plain, BAD_HEADER },
	{ "length 0 is refused", length_zero, BAD_HEADER },
	{ "a length without TCP header is refused", length_20, BAD_HEADER },
	{ "a length that ends in the ports is refused", length_ports, BAD_HEADER },
	{ "a length that ends in the options is refused", length_less, BAD_HEADER },
	{ "a length that cuts an option off is refused", length_less_4, BAD_HEADER },
	{ "a length beyond the frame is refused", length_more, BAD_HEADER },
	{ "a length far beyond the frame is refused", length_most, BAD_HEADER },
	{ "a length that takes padding in is fine", length_into_padding, XDP_TX, "syn_received synack_sent synack_slow" },
	{ "a length that ends in the options, behind IPv4 options, is refused", length_options, BAD_HEADER, 4 },
	{ "an IPv4 header of 60 octets that are not there is refused", ihl_15, XDP_PASS, NULL, 4 },
	{ "an IPv4 header that takes the ports for options", ihl_6, XDP_PASS, NULL, 4 },
	{ "an IPv4 header length of 0 passes", ihl_0, UNSEEN, 4 },
	{ "a bad data offset behind a tag is refused", tag_offset, BAD_HEADER },
	{ "a length beyond the frame behind a tag is refused", tag_length, BAD_HEADER },
	{ "a length that ends before TCP behind an extension header is refused", ext_length, BAD_HEADER, 6 },
	{ "a bad data offset behind an extension header is refused", ext_offset, BAD_HEADER, 6 },
	{ "of two faults the outer one is named", both_sums, XDP_DROP, "refused_bad_checksum", 4 },
	{ "a malformed segment to another port passes", elsewhere, UNSEEN },
	{ "a malformed segment to another address passes", elsewhere_address, UNSEEN },
	{ "a malformed segment passes with protect=off", off, UNSEEN },
	{ "a malformed segment is counted and passes with protect=monitor", monitor, XDP_PASS, "refused_bad_header" },
};

static void run_row(const struct bad_row *r, int v6, __u16 flags, const char *what)
{
	struct packet p = client_syn(v6, OFFERS_LINUX);
	struct frame in, out;
	int verdict;

	if (r->only && r->only != (v6 ? 6 : 4))
		return;
	if (r->verdict == XDP_TX && flags != SYN)
		return;
	row("%s, %s, %s", r->sentence, what, FAMILY(v6));
	p.flags = flags;
	r->change(&p);
	packet_build(&p, &in);
	verdict = run_xdp(&in, &out);
	if (r->counters)
		expect_verdict(verdict, r->verdict, what);
	else if (verdict != XDP_PASS && verdict != XDP_DROP)
		fail("%s: %s", what, verdict_name(verdict));
	if (verdict != XDP_TX)
		expect_same(&in, &out);
	if (r->counters)
		row_end(r->counters);
	else
		row_end_any();
}

/* ---- cut off at every octet ---- */

struct cut {
	const char *what;
	void (*change)(struct packet *p);
	__u8 only;
};

static void plain(struct packet *p) { }
static void qinq(struct packet *p) { p->tag[0] = (struct tag){ 0x88a8, 1 }; p->tag[1] = (struct tag){ 0x8100, 2 }; }
static void ip_options(struct packet *p) { p->ip_options.length = 40; memset(p->ip_options.at, 1, 40); }
static void extensions(struct packet *p)
{
	p->extension = 0;
	p->extensions = BYTES(60, 0, 1, 4, 0, 0, 0, 0, 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
static void data(struct packet *p) { p->payload = 16; }

static const struct cut cuts[] = {
	{ "untagged", plain },	       { "QinQ", qinq },	    { "IPv4 options", ip_options, 4 },
	{ "extensions", extensions, 6 }, { "with payload", data },
};
/* clang-format on */

/* As the wire might: the lengths in the headers stay as they were, the frame ends. */
static void cut_everywhere(const struct cut *c, int v6, __u16 flags, const char *what, const char *offers)
{
	struct packet p = client_syn(v6, offers);
	struct frame in, cut, out;
	__u64 refused = 0, passed = 0;

	if (c->only && c->only != (v6 ? 6 : 4))
		return;
	row("a %s cut off at every octet is passed or refused, %s, %s", what, c->what, FAMILY(v6));
	p.flags = flags;
	if (flags & ACK)
		p.ack = 12345;
	c->change(&p);
	packet_build(&p, &in);
	for (__u32 n = 14; n < in.length; n++) {
		int verdict;

		cut = in;
		cut.length = n;
		memset(cut.bytes + n, 0, sizeof(cut.bytes) - n);
		verdict = run_xdp(&cut, &out);
		passed += verdict == XDP_PASS;
		refused += verdict == XDP_DROP;
		if (verdict != XDP_PASS && verdict != XDP_DROP)
			fail("%u of %u octets: %s", n, in.length, verdict_name(verdict));
		/* from the ports on it is known whose it is */
		if (n >= packet_l4(&p) + 4 && verdict != XDP_DROP)
			fail("%u of %u octets: %s, though the ports were there", n, in.length,
			     verdict_name(verdict));
		expect_same(&cut, &out);
	}
	if (counter("refused_bad_header") != refused)
		fail("%llu were dropped, %llu counted", refused, counter("refused_bad_header"));
	if (!passed || !refused)
		fail("%llu passed, %llu refused", passed, refused);
	row_end_any();
}

/* As an attacker might: the lengths in the headers follow the cut. */
static void shrunk(int v6, __u16 flags, const char *what)
{
	struct frame in, out;

	row("a %s whose lengths shrink with it is never answered with garbage, %s", what, FAMILY(v6));
	for (int less = 1; less <= 40; less++) {
		struct packet p = client_syn(v6, OFFERS_LINUX);
		int verdict;

		p.flags = flags;
		p.length_off = -less;
		packet_build(&p, &in);
		in.length -= less;
		verdict = run_xdp(&in, &out);
		/* the last four leave no ports to know it by */
		expect_verdict(verdict, less <= 36 ? XDP_DROP : XDP_PASS, what);
		expect_same(&in, &out);
	}
	row_end("refused_bad_header=36");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			run_row(&rows[i], v6, SYN, "SYN");
			run_row(&rows[i], v6, ACK, "ACK");
		}
		for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
			cut_everywhere(&cuts[i], v6, SYN, "SYN", OFFERS_LINUX);
			cut_everywhere(&cuts[i], v6, ACK, "ACK", "N N T5:6");
		}
		shrunk(v6, SYN, "SYN");
		shrunk(v6, ACK, "ACK");
	}
	return harness_end();
}
