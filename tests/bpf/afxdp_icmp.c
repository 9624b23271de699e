// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: ICMP errors about a flow's segments go to its holder, all other ICMP passes. */
#include "handed.h"

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 64 };

/* An ICMP message as a router of the client's network would send it. */
struct message {
	int v6;
	__u8 type, code;
	struct packet quoted; /* as we have sent it */
	__u32 quote;	      /* octets of the quoted datagram */
	__u8 tag;	      /* the frame has one */
	__u8 first;	      /* first octet of the outer header, 0: the usual */
	__u16 fragment;	      /* outer, IPv4 */
	__u8 bad_sum;	      /* outer, IPv4 */
	__s16 length_off;     /* outer */
};

static __u16 sum_of(const __u8 *at, __u32 n)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < n; i += 2)
		sum += get16(at + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void message_build(const struct message *m, struct frame *f)
{
	__u32 l3 = m->tag ? 18 : 14, header = m->v6 ? 40 : 20, length = 8 + m->quote;
	__u8 *ip = f->bytes + l3, *icmp = ip + header;
	static struct frame inner;
	__u8 router[16];

	memset(f, 0, sizeof(*f));
	packet_build(&m->quoted, &inner);
	address_client(router, m->v6, 254);
	memcpy(f->bytes, porch_mac, 6);
	memcpy(f->bytes + 6, client_mac, 6);
	if (m->tag) {
		put16(f->bytes + 12, 0x8100);
		put16(f->bytes + 14, 12);
	}
	put16(f->bytes + l3 - 2, m->v6 ? 0x86dd : 0x0800);
	if (m->v6) {
		ip[0] = m->first ? m->first : 0x60;
		put16(ip + 4, length + m->length_off);
		ip[6] = 58;
		ip[7] = 60;
		memcpy(ip + 8, router, 16);
		memcpy(ip + 24, m->quoted.source, 16);
	} else {
		ip[0] = m->first ? m->first : 0x45;
		put16(ip + 2, 20 + length + m->length_off);
		put16(ip + 6, m->fragment);
		ip[8] = 60;
		ip[9] = 1;
		memcpy(ip + 12, router + 12, 4);
		memcpy(ip + 16, m->quoted.source + 12, 4);
		put16(ip + 10, sum_of(ip, 20) + m->bad_sum);
	}
	icmp[0] = m->type;
	icmp[1] = m->code;
	put16(icmp + 6, 1400);
	memcpy(icmp + 8, inner.bytes + 14, m->quote);
	f->length = l3 + header + length;
}

/* What the row's flow has sent. */
static struct packet sent_by(const struct porch_flow *f, int v6)
{
	struct packet p = { .v6 = v6,
			    .sport = f->local_port,
			    .dport = f->remote_port,
			    .seq = f->iss + 1,
			    .ack = f->irs + 1,
			    .flags = ACK,
			    .payload = 600 };

	memcpy(p.source, f->local, 16);
	memcpy(p.dest, f->remote, 16);
	return p;
}

struct icmp_row {
	const char *sentence;
	void (*change)(struct message *m, struct porch_flow *f);
	__u8 steered;
};

/* clang-format off */
static void as_is(struct message *m, struct porch_flow *f) { }
static void pending(struct message *m, struct porch_flow *f) { phase_set(f, PORCH_PHASE_PENDING, 0); }
static void closing(struct message *m, struct porch_flow *f) { phase_set(f, PORCH_PHASE_CLOSING, 0); }
static void waiting(struct message *m, struct porch_flow *f) { phase_set(f, PORCH_PHASE_TIME_WAIT, 0); }
static void dead(struct message *m, struct porch_flow *f) { phase_set(f, PORCH_PHASE_TOMBSTONE, 0); }
static void kernels(struct message *m, struct porch_flow *f) { f->state = PORCH_FLOW_DELIVERED; }
static void unreachable(struct message *m, struct porch_flow *f) { m->type = m->v6 ? 1 : 3; m->code = 1; }
static void exceeded(struct message *m, struct porch_flow *f) { m->type = m->v6 ? 3 : 11; }
static void parameter(struct message *m, struct porch_flow *f) { m->type = m->v6 ? 4 : 12; }
static void echo(struct message *m, struct porch_flow *f) { m->type = m->v6 ? 128 : 8; }
static void redirect(struct message *m, struct porch_flow *f) { m->type = m->v6 ? 137 : 5; }
static void tagged(struct message *m, struct porch_flow *f) { m->tag = 1; }
static void shortest(struct message *m, struct porch_flow *f) { m->quote = m->v6 ? 48 : 28; }
static void too_short(struct message *m, struct porch_flow *f) { m->quote = m->v6 ? 47 : 27; }
static void long_quote(struct message *m, struct porch_flow *f) { m->quote = 500; }
static void with_options(struct message *m, struct porch_flow *f) { if (!m->v6) m->quoted.ip_options = BYTES(1, 1, 1, 1); m->quote = 60; }
static void other_tuple(struct message *m, struct porch_flow *f) { m->quoted.dport++; }
static void other_port(struct message *m, struct porch_flow *f) { m->quoted.sport++; }
static void clients_own(struct message *m, struct porch_flow *f)
{
	struct packet p = m->quoted;

	memcpy(m->quoted.source, p.dest, 16);
	memcpy(m->quoted.dest, p.source, 16);
	m->quoted.sport = p.dport;
	m->quoted.dport = p.sport;
}
static void udp(struct message *m, struct porch_flow *f) { m->quoted.protocol = 17; }
static void quoted_fragment(struct message *m, struct porch_flow *f) { if (m->v6) m->quoted.version = 5; else m->quoted.fragment = 100; }
static void fragment(struct message *m, struct porch_flow *f) { m->fragment = MORE_FRAGMENTS; m->first = m->v6 ? 0x50 : 0; }
static void outer_options(struct message *m, struct porch_flow *f) { m->first = m->v6 ? 0x50 : 0x46; }
static void outer_sum(struct message *m, struct porch_flow *f) { m->bad_sum = 1; m->length_off = m->v6 ? 1 : 0; }
static void length_beyond(struct message *m, struct porch_flow *f) { m->length_off = 1; }
static void length_within(struct message *m, struct porch_flow *f) { m->length_off = m->v6 ? -460 : -480; m->quote = 500; }
static void no_slot(struct message *m, struct porch_flow *f) { slots_empty(); }
static void off(struct message *m, struct porch_flow *f) { l()->protect = PORCH_PROTECT_OFF; }

static const struct icmp_row rows[] = {
	{ "too big, of a steered flow", as_is, 1 },
	{ "of a pending one", pending, 1 },
	{ "of a closing one", closing, 1 },
	{ "of one in TIME-WAIT", waiting, 0 },
	{ "of a tombstone", dead, 0 },
	{ "of one that the kernel holds", kernels, 0 },
	{ "unreachable", unreachable, 1 },
	{ "time exceeded", exceeded, 1 },
	{ "parameter problem", parameter, 1 },
	{ "an echo request", echo, 0 },
	{ "a redirect", redirect, 0 },
	{ "behind a tag", tagged, 1 },
	{ "that quotes ports and sequence number and no more", shortest, 1 },
	{ "that quotes one octet less", too_short, 0 },
	{ "that quotes much", long_quote, 1 },
	{ "that quotes IPv4 options", with_options, 1 },
	{ "about another tuple", other_tuple, 0 },
	{ "about another port", other_port, 0 },
	{ "about a segment of the client's", clients_own, 0 },
	{ "about UDP", udp, 0 },
	{ "that quotes a later fragment, or no IP", quoted_fragment, 0 },
	{ "in fragments, or no IP itself", fragment, 0 },
	{ "with another outer header", outer_options, 0 },
	{ "with a wrong header checksum, or length", outer_sum, 0 },
	{ "longer than its frame", length_beyond, 0 },
	{ "shorter than what it should quote", length_within, 0 },
	{ "without a socket for it", no_slot, 0 },
	{ "with protect=off", off, 1 },
};
/* clang-format on */

static void run_row(const struct icmp_row *r, int v6)
{
	struct packet syn, ack;
	struct porch_flow *f;
	static struct frame in, out;
	const struct porch_record *record;
	int verdict;

	row("ICMP %s %s, %s", r->sentence, r->steered ? "goes to the holder" : "passes", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		struct message m = { .v6 = v6, .type = v6 ? 2 : 3, .code = v6 ? 0 : 4, .quote = 60 };

		m.quoted = sent_by(f, v6);
		phase_set(f, PORCH_PHASE_STEERED, 1);
		r->change(&m, f);
		world_forget();
		message_build(&m, &in);
		verdict = run_xdp(&in, &out);
		expect_verdict(verdict, r->steered ? XDP_REDIRECT : XDP_PASS, "ICMP");
		if (verdict == XDP_REDIRECT) {
			struct packet outer = { .v6 = v6 };

			if (m.tag)
				outer.tag[0] = (struct tag){ 0x8100, 12 };
			record = expect_record(&outer, &in, &out, PORCH_RECORD_ICMP, f);
			if (record) {
				expect_u32("record.l4", record->l4, packet_l4(&outer));
				expect_u32("record.length", record->length, 8 + m.quote);
			}
		} else {
			expect_same(&in, &out);
		}
	}
	row_end("");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
	return harness_end();
}
