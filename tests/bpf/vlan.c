// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What may stand in front of TCP: tags, IPv4 options, IPv6 extension headers, fragments. */
#include "client.h"

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

#define FAST	  2
#define SLOW	  1
#define HANDSHAKE "syn_received synack_sent proven"

/* extension headers: next header, length, content */
#define HOP_BY_HOP(next)    next, 0, 1, 4, 0, 0, 0, 0
#define HOP_BY_HOP_16(next) next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define DESTINATION(next)   next, 0, 1, 4, 0, 0, 0, 0
#define ROUTING(next, left)                                                                                  \
	next, 2, 4, left, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define FRAGMENT(next, word) next, 0, (word) >> 8, (word)&0xff, 0, 0, 0, 1
#define AH(next)	     next, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define NO_NEXT		     59

struct head_row {
	const char *sentence;
	void (*change)(struct packet *p);
	__u8 answered; /* FAST, SLOW; 0: passes */
	__u8 only;
	const char *counters; /* where neither answered nor passed unseen */
};

/* clang-format off */
static void tag1(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 100 }; }
static void tag_priority(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 0xe000 }; }
static void tag_full(struct packet *p) { p->tag[0] = (struct tag){ 0x8100, 0xffff }; }
static void tag_ad(struct packet *p) { p->tag[0] = (struct tag){ 0x88a8, 200 }; }
static void qinq(struct packet *p) { tag_ad(p); p->tag[1] = (struct tag){ 0x8100, 300 }; }
static void qinq_old(struct packet *p) { tag1(p); p->tag[1] = (struct tag){ 0x8100, 300 }; }
static void triple(struct packet *p) { qinq(p); p->tag[2] = (struct tag){ 0x8100, 400 }; }
static void tag_9100(struct packet *p) { p->tag[0] = (struct tag){ 0x9100, 100 }; }
static void tag_odd(struct packet *p) { tag1(p); offers_parse("S T W3", &p->options); }
static void tag_payload(struct packet *p) { qinq(p); p->payload = 1200; }
static void tag_plain(struct packet *p) { tag1(p); offers_parse("", &p->options); }
static void tag_other(struct packet *p) { tag1(p); p->ethertype = 0x0806; }

static void ip_nops(struct packet *p) { p->ip_options = BYTES(1, 1, 1, 1); }
static void ip_router_alert(struct packet *p) { p->ip_options = BYTES(0x94, 4, 0, 0); }
static void ip_options_40(struct packet *p) { p->ip_options.length = 40; memset(p->ip_options.at, 1, 40); }
static void ip_record_route(struct packet *p) { p->ip_options = BYTES(7, 15, 4); p->ip_options.length = 15; }
static void ip_options_tag(struct packet *p) { ip_router_alert(p); qinq(p); }
static void ip_options_bad_sum(struct packet *p) { ip_router_alert(p); p->bad_ip_checksum = 1; }
static void ip_options_empty_syn(struct packet *p) { ip_options_40(p); offers_parse("", &p->options); }
static void ihl_short(struct packet *p) { p->ihl = 4; }

static void more_fragments(struct packet *p) { p->fragment = MORE_FRAGMENTS; }
static void last_fragment(struct packet *p) { p->fragment = 185; }
static void fragment_df(struct packet *p) { p->fragment = DONT_FRAGMENT | 1; }
static void fragment_options(struct packet *p) { ip_nops(p); p->fragment = MORE_FRAGMENTS; }
static void evil_bit(struct packet *p) { p->fragment = 0x8000; }

#define EXTENSIONS(p, type, ...)                                                                             \
	do {                                                                                                 \
		(p)->extension = type;                                                                       \
		(p)->extensions = BYTES(__VA_ARGS__);                                                        \
	} while (0)

static void hbh(struct packet *p) { EXTENSIONS(p, 0, HOP_BY_HOP(6)); }
static void hbh_16(struct packet *p) { EXTENSIONS(p, 0, HOP_BY_HOP_16(6)); }
static void dst(struct packet *p) { EXTENSIONS(p, 60, DESTINATION(6)); }
static void hbh_dst(struct packet *p) { EXTENSIONS(p, 0, HOP_BY_HOP(60), DESTINATION(6)); }
static void routing_done(struct packet *p) { EXTENSIONS(p, 43, ROUTING(6, 0)); }
static void routing_left(struct packet *p) { EXTENSIONS(p, 43, ROUTING(6, 1)); }
static void ah(struct packet *p) { EXTENSIONS(p, 51, AH(6)); }
static void hbh_routing_left(struct packet *p) { EXTENSIONS(p, 0, HOP_BY_HOP(43), ROUTING(6, 2)); }
static void many(struct packet *p)
{
	EXTENSIONS(p, 0, HOP_BY_HOP(60), DESTINATION(43), ROUTING(60, 0), DESTINATION(51), AH(6));
}
static void seven(struct packet *p)
{
	EXTENSIONS(p, 0, HOP_BY_HOP(60), DESTINATION(60), DESTINATION(60), DESTINATION(60), DESTINATION(60),
		   DESTINATION(60), DESTINATION(6));
}
static void eleven(struct packet *p)
{
	EXTENSIONS(p, 0, HOP_BY_HOP(60), DESTINATION(60), DESTINATION(60), DESTINATION(60), DESTINATION(60),
		   DESTINATION(60), DESTINATION(60), DESTINATION(60), DESTINATION(60), DESTINATION(60),
		   DESTINATION(6));
}
static void frag_first(struct packet *p) { EXTENSIONS(p, 44, FRAGMENT(6, 1)); }
static void frag_last(struct packet *p) { EXTENSIONS(p, 44, FRAGMENT(6, 0x0100)); }
static void frag_behind(struct packet *p) { EXTENSIONS(p, 0, HOP_BY_HOP(44), FRAGMENT(6, 1)); }
static void no_next(struct packet *p) { EXTENSIONS(p, 60, DESTINATION(NO_NEXT)); }
static void unknown_next(struct packet *p) { EXTENSIONS(p, 60, DESTINATION(253)); }
static void endless(struct packet *p) { EXTENSIONS(p, 0, 6, 255, 1, 4, 0, 0, 0, 0); }
static void ext_tag(struct packet *p) { hbh_dst(p); qinq(p); }
static void ext_empty_syn(struct packet *p) { many(p); offers_parse("", &p->options); }
static void udp(struct packet *p) { p->protocol = 17; }
static void icmp(struct packet *p) { p->protocol = p->v6 ? 58 : 1; }
static void ipip(struct packet *p) { p->protocol = 4; }
static void sctp(struct packet *p) { p->protocol = 132; }
static void version_wrong(struct packet *p) { p->version = p->v6 ? 4 : 6; }
static void version_zero(struct packet *p) { p->version = 15; }
static void arp(struct packet *p) { p->ethertype = 0x0806; }
static void mpls(struct packet *p) { p->ethertype = 0x8847; }
static void type_length(struct packet *p) { p->ethertype = 1500; }

static const struct head_row rows[] = {
	{ "a VLAN tag stays on the answer", tag1, FAST },
	{ "a priority tag stays on the answer", tag_priority, FAST },
	{ "all sixteen bits of a tag stay", tag_full, FAST },
	{ "a service tag stays on the answer", tag_ad, FAST },
	{ "both tags of QinQ stay on the answer", qinq, FAST },
	{ "two customer tags stay on the answer", qinq_old, FAST },
	{ "three tags pass", triple, 0 },
	{ "a tag of another type passes", tag_9100, 0 },
	{ "a tagged SYN with odd options is answered", tag_odd, SLOW },
	{ "a tagged SYN without options is answered", tag_plain, SLOW },
	{ "a tagged SYN with payload is answered without", tag_payload, SLOW },
	{ "a tag and something else than IP passes", tag_other, 0 },
	{ "NOPs in the IPv4 header are left out of the answer", ip_nops, SLOW, 4 },
	{ "a router alert is left out of the answer", ip_router_alert, SLOW, 4 },
	{ "forty octets of IPv4 options are left out", ip_options_40, SLOW, 4 },
	{ "a record route is not recorded", ip_record_route, SLOW, 4 },
	{ "IPv4 options behind QinQ", ip_options_tag, SLOW, 4 },
	{ "IPv4 options and no TCP options", ip_options_empty_syn, SLOW, 4 },
	{ "a wrong checksum over IPv4 options is refused", ip_options_bad_sum, 0, 4, "refused_bad_checksum" },
	{ "an IPv4 header length of 16 passes", ihl_short, 0, 4 },
	{ "a first fragment passes", more_fragments, 0, 4 },
	{ "a last fragment passes", last_fragment, 0, 4 },
	{ "a fragment with DF passes", fragment_df, 0, 4 },
	{ "a fragment with IPv4 options passes", fragment_options, 0, 4 },
	{ "the reserved bit of the fragment word is no fragment", evil_bit, FAST, 4 },
	{ "hop-by-hop options are left out of the answer", hbh, SLOW, 6 },
	{ "hop-by-hop options of 16 octets", hbh_16, SLOW, 6 },
	{ "destination options", dst, SLOW, 6 },
	{ "hop-by-hop and destination options", hbh_dst, SLOW, 6 },
	{ "a routing header with no segments left", routing_done, SLOW, 6 },
	{ "a routing header with segments left passes", routing_left, 0, 6 },
	{ "the same behind hop-by-hop options passes", hbh_routing_left, 0, 6 },
	{ "an authentication header", ah, SLOW, 6 },
	{ "five extension headers", many, SLOW, 6 },
	{ "seven extension headers", seven, SLOW, 6 },
	{ "five extension headers and no TCP options", ext_empty_syn, SLOW, 6 },
	{ "eleven extension headers are more than is looked at; passes", eleven, 0, 6 },
	{ "extension headers behind QinQ", ext_tag, SLOW, 6 },
	{ "a first IPv6 fragment passes", frag_first, 0, 6 },
	{ "a last IPv6 fragment passes", frag_last, 0, 6 },
	{ "a fragment header behind hop-by-hop options passes", frag_behind, 0, 6 },
	{ "no next header passes", no_next, 0, 6 },
	{ "an unknown next header passes", unknown_next, 0, 6 },
	{ "an extension header longer than the packet passes", endless, 0, 6 },
	{ "UDP passes", udp, 0 },
	{ "ICMP passes", icmp, 0 },
	{ "IP in IP passes", ipip, 0 },
	{ "SCTP passes", sctp, 0 },
	{ "a version that does not fit the Ethernet type passes", version_wrong, 0 },
	{ "version 15 passes", version_zero, 0 },
	{ "ARP passes", arp, 0 },
	{ "MPLS passes", mpls, 0 },
	{ "an 802.3 length passes", type_length, 0 },
};
/* clang-format on */

static void run_row(const struct head_row *r, int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	const struct porch_meta *m;
	struct frame in, out;
	struct decoded d;
	int verdict;

	if (r->only && r->only != (v6 ? 6 : 4))
		return;
	row("%s, %s", r->sentence, FAMILY(v6));
	r->change(&syn);
	packet_build(&syn, &in);
	verdict = run_xdp(&in, &out);
	if (!r->answered) {
		expect_verdict(verdict, r->counters ? XDP_DROP : XDP_PASS, "SYN");
		expect_same(&in, &out);
	} else {
		expect_verdict(verdict, XDP_TX, "SYN");
		if (verdict == XDP_TX && expect_synack(&syn, &out, &(struct answer){}, &d)) {
			/* the ACK comes by the same way, and what it says must be the same */
			ack = client_ack(&syn, &d);
			packet_build(&ack, &in);
			expect_verdict(run_xdp(&in, &out), XDP_PASS, "ACK");
			m = expect_meta(&in, &out, PORCH_META_PROOF);
			if (m)
				expect_u32("record's tcp_offset", m->tcp_offset,
					   packet_l4(&ack) - packet_l3(&ack));
		}
	}
	row_end(r->counters	      ? r->counters
		: r->answered == SLOW ? HANDSHAKE " synack_slow"
		: r->answered	      ? HANDSHAKE
				      : "");
}

int main(void)
{
	harness_load(&options);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int v6 = 0; v6 < 2; v6++)
			run_row(&rows[i], v6);
	return harness_end();
}
