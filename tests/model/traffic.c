// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packets of a sequence: SYNs, ACKs of handshakes under way, noise. */
#include "generator.h"
#include "offers.h"

#include <stdio.h>

static void soup(struct generator *g, struct bytes *o)
{
	static const char *const pieces[] = { "S",
					      "N",
					      "E",
					      "T",
					      "F",
					      "P",
					      "D",
					      "A",
					      "X00",
					      "X01",
					      "X0200",
					      "X02",
					      "X0204",
					      "X030307",
					      "X0303",
					      "X0402",
					      "X0302",
					      "X080a01020304",
					      "X080a0102030400000000",
					      "X0203aa",
					      "Xfe05aabbcc",
					      "X13",
					      "X1d02" };
	char text[256] = "";
	struct bytes piece;

	o->length = 0;
	for (int n = below(g, 9); n > 0; n--) {
		switch (below(g, 5)) {
		case 0:
			snprintf(text, sizeof(text), "M%u",
				 once_in(g, 3) ? below(g, 65536) : 1200 + below(g, 300));
			break;
		case 1:
			snprintf(text, sizeof(text), "W%u", below(g, 18));
			break;
		case 2:
			snprintf(text, sizeof(text), "T%u:%u", (__u32)generator_next(g),
				 once_in(g, 3) ? (__u32)generator_next(g) : 0);
			break;
		default:
			snprintf(text, sizeof(text), "%s", pieces[below(g, COUNT(pieces))]);
		}
		offers_parse(text, &piece);
		if (o->length + piece.length > 40)
			break;
		memcpy(o->at + o->length, piece.at, piece.length);
		o->length += piece.length;
	}
}

static void offers(struct generator *g, struct bytes *o)
{
	static const char *const usual[] = {
		"M%u S T%u N W%u",   "M%u N N S N W%3$u",	    "M%u N W%3$u S T%2$u",
		"M%u N W%3$u N N S", "M%u N W%3$u N N T%2$u S E E", "M%u"
	};
	char text[128];

	if (once_in(g, 3)) {
		soup(g, o);
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat"
	snprintf(text, sizeof(text), usual[below(g, COUNT(usual))],
		 once_in(g, 6) ? below(g, 65536) : 1180 + below(g, 300), (__u32)generator_next(g),
		 below(g, 16));
#pragma GCC diagnostic pop
	offers_parse(text, o);
	if (once_in(g, 12))
		o->at[below(g, o->length)] ^= 1 << below(g, 8);
}

static void dress(struct generator *g, struct packet *p)
{
	static const struct bytes chains[] = {
		{ 8, { 6, 0, 1, 4 } },
		{ 16, { 60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4 } },
		{ 24, { 6, 2, 4, 0 } },
		{ 24, { 6, 2, 4, 1 } },
		{ 16, { 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1 } },
		{ 8, { 6, 200, 1, 4 } },
	};
	static const __u8 types[] = { 0, 0, 43, 43, 60, 60 };
	int chain = below(g, COUNT(chains));

	if (once_in(g, 6)) {
		int n = 1 + below(g, 3);

		for (int i = 0; i < n; i++)
			p->tag[i] = (struct tag){ once_in(g, 2) ? 0x8100 : 0x88a8, generator_next(g) };
	}
	if (once_in(g, 10)) {
		if (p->v6) {
			p->extension = types[chain];
			p->extensions = chains[chain];
		} else {
			p->ip_options.length = below(g, 41);
			memset(p->ip_options.at, 1, sizeof(p->ip_options.at));
		}
	}
	if (once_in(g, 8))
		p->payload = below(g, 200);
	if (once_in(g, 10))
		p->trailer = below(g, 20);
	p->tos = once_in(g, 8) ? generator_next(g) : 0;
	p->ttl = 1 + below(g, 255);
	p->id = generator_next(g);
	p->fragment = once_in(g, 3) ? DONT_FRAGMENT : once_in(g, 40) ? (__u16)generator_next(g) : 0;
	p->flow_label = p->v6 ? below(g, 1 << 20) : 0;
	p->window = generator_next(g);
	p->bad_tcp_checksum = once_in(g, 10);
	p->bad_ip_checksum = once_in(g, 50);
	if (once_in(g, 60))
		p->data_offset = once_in(g, 4) ? 0xff : below(g, 16);
	if (once_in(g, 60))
		p->length_off = (int)below(g, 100) - 50;
}

static void stranger(struct generator *g, struct packet *p)
{
	static const __u16 ports[] = { 80, 80, 80, 443, 81 };
	static const __u32 bad[] = { 0x00000001, 0x7f000001, 0xe0000001, 0xffffffff };

	memset(p, 0, sizeof(*p));
	p->v6 = below(g, 2);
	address_client(p->source, p->v6, below(g, 6));
	address_server(p->dest, p->v6, once_in(g, 20) ? 3 : 1 + once_in(g, 4));
	if (once_in(g, 50)) {
		if (!p->v6)
			put32(p->source + 12, bad[below(g, COUNT(bad))]);
		else if (once_in(g, 2))
			memset(p->source, once_in(g, 2) ? 0 : 0xff, 15);
		else
			memcpy(p->source, p->dest, 16);
	}
	p->sport = once_in(g, 100) ? 0 : 40000 + below(g, 4);
	p->dport = ports[below(g, COUNT(ports))];
	p->seq = generator_next(g);
	p->ack = generator_next(g);
}

static void make_syn(struct generator *g, struct packet *p)
{
	stranger(g, p);
	if (g->attempts && once_in(g, 4)) /* the same again, or another try of the same tuple */
		*p = g->attempt[below(g, g->attempts)].syn;
	else
		offers(g, &p->options);
	if (once_in(g, 8))
		p->seq = generator_next(g);
	p->flags = SYN;
	if (once_in(g, 5))
		p->flags |= ECE | CWR;
	if (once_in(g, 25))
		p->flags |= generator_next(g) & (0x1ff & ~ACK);
	dress(g, p);
}

/* The ACK of somebody's handshake, mostly right. */
static void make_ack(struct generator *g, struct packet *p)
{
	const struct attempt *a;
	char text[64];

	if (!g->attempts) {
		stranger(g, p);
		p->flags = ACK;
		return;
	}
	a = &g->attempt[below(g, g->attempts)];
	*p = a->syn;
	memset(p->tag, 0, sizeof(p->tag));
	p->ip_options.length = p->extensions.length = 0;
	p->length_off = p->data_offset = p->bad_ip_checksum = p->trailer = p->payload = 0;
	p->flags = ACK;
	p->seq = a->syn.seq + 1;
	p->ack = a->iss + 1;
	p->options.length = 0;
	if (a->ts) {
		snprintf(text, sizeof(text), "N N T%u:%u", (__u32)generator_next(g), a->tsval);
		offers_parse(text, &p->options);
	}
	switch (below(g, 24)) {
	case 0:
		p->ack ^= 1u << below(g, 32);
		break;
	case 1:
		p->seq ^= 1u << below(g, 32);
		break;
	case 2:
		p->seq += (int)below(g, 5) - 2;
		break;
	case 3:
		if (a->ts)
			p->options.at[8 + below(g, 4)] ^= 1 << below(g, 8);
		break;
	case 4:
		p->options.length = 0;
		break;
	case 5:
		offers_parse("N N T5:6", &p->options);
		break;
	case 6:
		p->sport = 40000 + below(g, 4);
		break;
	case 7:
		p->flags = RST | (once_in(g, 2) ? ACK : 0);
		break;
	case 8:
		p->flags = SYN | ACK;
		break;
	case 9:
		p->flags = generator_next(g) & 0x1ff;
		break;
	case 10:
		p->seq += 1 + below(g, 3000);
		p->payload = below(g, 100);
		break;
	case 11: /* behind other options */
		if (a->ts)
			snprintf(text, sizeof(text), "N T%u:%u N", (__u32)generator_next(g), a->tsval);
		offers_parse(a->ts ? text : "N N N N", &p->options);
		break;
	case 12:
		soup(g, &p->options);
		break;
	case 13:
	case 14:
		p->flags |= FIN;
		break;
	case 15:
		p->flags |= PSH | URG | ECE | CWR;
		break;
	}
	if (once_in(g, 3))
		dress(g, p);
}

/* The wire, or an attacker, at the octets themselves. */
void generator_mutate(struct generator *g, struct frame *f)
{
	__u32 l3 = 14;

	for (int n = 1 + below(g, 3); n > 0; n--)
		f->bytes[12 + below(g, f->length - 12)] ^= 1 << below(g, 8);
	if (once_in(g, 3))
		f->length = 14 + below(g, f->length - 13);
	while (l3 < 22 && l3 + 4 < f->length &&
	       (get16(f->bytes + l3 - 2) == 0x8100 || get16(f->bytes + l3 - 2) == 0x88a8))
		l3 += 4;
	if (!once_in(g, 4) && get16(f->bytes + l3 - 2) == 0x0800 && f->length >= l3 + 20) {
		__u32 header = (f->bytes[l3] & 15) * 4, sum = 0;

		if (header < 20 || l3 + header > f->length)
			return;
		put16(f->bytes + l3 + 10, 0);
		for (__u32 i = 0; i < header; i += 2)
			sum += get16(f->bytes + l3 + i);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		put16(f->bytes + l3 + 10, ~sum);
	}
}

void generator_packet(struct generator *g, struct packet *p)
{
	__u32 roll = below(g, 82);

	if (roll < 3 && g->has_last) {
		*p = g->last;
	} else if (roll < 38) {
		make_syn(g, p);
	} else if (roll < 77) {
		make_ack(g, p);
	} else {
		stranger(g, p);
		p->flags = generator_next(g) & 0x1ff;
		soup(g, &p->options);
		dress(g, p);
	}
	g->last = *p;
	g->has_last = true;
}
