// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A packet as a script writes it, and as it is said again in a message. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

static const char flag_letters[] = "FSRP.UEW"; /* in the order of the bits */
static const char *const ecn_names[] = { "noecn", "ect1", "ect0", "ce", "ect01" };

static void ip_info(struct lexer *l, struct packet *p)
{
	char end = is_char(l, '(') ? ')' : ']';

	if (!take_char(l, '(') && !take_char(l, '['))
		return;
	while (!take_char(l, end)) {
		bool known = false;

		for (int i = 0; i < 5 && !known; i++) {
			if (take_word(l, ecn_names[i])) {
				p->ecn = i;
				known = true;
			}
		}
		if (known)
			;
		else if (take_word(l, "tos"))
			p->tos = (int)want_int(l, 0, 255, "tos");
		else if (take_word(l, "ttl"))
			p->ttl = (int)want_int(l, 0, 255, "ttl");
		else if (take_word(l, "flowlabel"))
			want_int(l, 0, 0xfffff, "flowlabel"); /* the stack's own choice */
		else
			fail(l->token_line,
			     "unknown before \"%.20s\": ect0, ect1, ect01, ce, noecn, tos or ttl is", l->at);
		take_char(l, ',');
	}
}

static void flags(struct lexer *l, struct packet *p)
{
	const char *c, *bit;

	if (l->type == T_FLOAT)
		fail(l->token_line, "an ACE field (AccECN) is beyond this player");
	if (take_char(l, '-'))
		return;
	if (l->type == T_WORD) {
		for (c = l->text; *c; c++) {
			bit = strchr(flag_letters, *c == 'C' ? 'W' : *c);
			if (*c == 'A')
				fail(l->token_line, "the AE flag (AccECN) is beyond this player");
			if (!bit)
				fail(l->token_line, "unknown flags %s", l->text);
			p->flags |= (uint8_t)(1 << (bit - flag_letters));
		}
		lexer_next(l);
		if (l->type == T_FLOAT)
			fail(l->token_line, "an ACE field (AccECN) is beyond this player");
		if (take_char(l, '.'))
			p->flags |= ACK;
		return;
	}
	want_char(l, '.');
	p->flags |= ACK;
}

static void seq(struct lexer *l, struct packet *p)
{
	uint32_t end;

	p->seq = (uint32_t)want_int(l, 0, UINT32_MAX, "sequence number");
	want_char(l, ':');
	end = (uint32_t)want_int(l, 0, UINT32_MAX, "sequence number");
	want_char(l, '(');
	p->length = (uint32_t)want_int(l, 0, 65535, "length");
	want_char(l, ')');
	if (end != (uint32_t)(p->seq + p->length))
		fail(l->token_line, "%u to %u are not %u octets", p->seq, end, p->length);
}

static void put(struct lexer *l, struct packet *p, uint32_t value, int octets)
{
	if (p->option_octets + octets > (int)sizeof(p->options))
		fail(l->token_line, "more than 40 octets of options");
	while (octets--)
		p->options[p->option_octets++] = (uint8_t)(value >> octets * 8);
}

static void hex(struct lexer *l, struct packet *p, uint32_t kind, uint32_t before, int before_octets)
{
	const char *digits = l->type == T_WORD || l->type == T_INT ? l->text : "";
	size_t n = strlen(digits) / 2;

	if (*digits && (strlen(digits) % 2 || strspn(digits, "0123456789abcdefABCDEF") != strlen(digits)))
		fail(l->token_line, "%s are no octets in hexadecimal", digits);
	put(l, p, kind, 1);
	put(l, p, (uint32_t)(2 + (uint32_t)before_octets + n), 1);
	put(l, p, before, before_octets);
	for (size_t i = 0; i < n; i++) {
		char octet[3] = { digits[2 * i], digits[2 * i + 1] };

		put(l, p, (uint32_t)strtoul(octet, NULL, 16), 1);
	}
	if (*digits)
		lexer_next(l);
}

static void tcp_option(struct lexer *l, struct packet *p)
{
	uint8_t at = p->option_octets;

	if (take_word(l, "nop")) {
		put(l, p, 1, 1);
	} else if (take_word(l, "eol")) {
		put(l, p, 0, 1);
	} else if (take_word(l, "mss")) {
		put(l, p, 0x0204, 2);
		put(l, p, (uint32_t)want_int(l, 0, 65535, "mss"), 2);
	} else if (take_word(l, "wscale")) {
		put(l, p, 0x0303, 2);
		put(l, p, (uint32_t)want_int(l, 0, 255, "wscale"), 1);
	} else if (take_word(l, "sackOK")) {
		put(l, p, 0x0402, 2);
	} else if (take_word(l, "sack")) {
		put(l, p, 0x0500, 2);
		while (l->type == T_INT) {
			put(l, p, (uint32_t)want_int(l, 0, UINT32_MAX, "sack"), 4);
			want_char(l, ':');
			put(l, p, (uint32_t)want_int(l, 0, UINT32_MAX, "sack"), 4);
		}
		p->options[at + 1] = (uint8_t)(p->option_octets - at);
	} else if (take_word(l, "TS")) {
		put(l, p, 0x080a, 2);
		if (!take_word(l, "val"))
			fail(l->token_line, "TS val N ecr N");
		put(l, p, (uint32_t)want_int(l, 0, UINT32_MAX, "TS val"), 4);
		if (!take_word(l, "ecr"))
			fail(l->token_line, "TS val N ecr N");
		put(l, p, (uint32_t)want_int(l, 0, UINT32_MAX, "TS ecr"), 4);
	} else if (take_word(l, "md5")) {
		hex(l, p, 19, 0, 0);
	} else if (take_word(l, "FO")) {
		hex(l, p, 34, 0, 0);
	} else if (take_word(l, "FOEXP")) {
		hex(l, p, 254, 0xf989, 2);
	} else {
		fail(l->token_line, "an unknown option before \"%.20s\"", l->at);
	}
}

static void options(struct lexer *l, struct packet *p)
{
	if (!take_char(l, '<'))
		return;
	if (l->type == T_ELLIPSIS) {
		lexer_next(l);
		want_char(l, '>');
		if (p->inbound)
			fail(l->token_line, "<...> is for outbound packets");
		p->options_any = true;
		return;
	}
	do
		tcp_option(l, p);
	while (take_char(l, ','));
	want_char(l, '>');
	if (p->option_octets % 4)
		fail(l->token_line, "%d octets of options are no multiple of four", p->option_octets);
}

static const struct {
	const char *type, *code;
	uint8_t type4, code4, type6, code6;
} icmp_names[] = {
	{ "unreachable", "net_unreachable", 3, 0, 1, 0 },
	{ "unreachable", "host_unreachable", 3, 1, 1, 3 },
	{ "unreachable", "protocol_unreachable", 3, 2, 4, 1 },
	{ "unreachable", "port_unreachable", 3, 3, 1, 4 },
	{ "unreachable", "frag_needed", 3, 4, 2, 0 },
	{ "unreachable", "source_route_failed", 3, 5, 1, 5 },
	{ "unreachable", "net_unreachable_tos", 3, 11, 1, 0 },
	{ "unreachable", "host_unreachable_tos", 3, 12, 1, 3 },
	{ "unreachable", "packet_filtered", 3, 13, 1, 1 },
	{ "unreachable", "no_route", 3, 0, 1, 0 },
	{ "unreachable", "admin_prohibited", 3, 13, 1, 1 },
	{ "unreachable", "not_neighbour", 3, 1, 1, 2 },
	{ "unreachable", "address_unreachable", 3, 1, 1, 3 },
	{ "packet_too_big", NULL, 3, 4, 2, 0 },
	{ "time_exceeded", "ttl_exceeded_in_transit", 11, 0, 3, 0 },
	{ "time_exceeded", NULL, 11, 0, 3, 0 },
	{ "parameter_problem", NULL, 12, 0, 4, 0 },
	{ "source_quench", NULL, 4, 0, 4, 0 },
};

static void icmp(struct lexer *l, struct packet *p)
{
	const char *type = l->text;
	bool known = false;

	if (!p->inbound)
		fail(l->token_line, "outbound ICMP is beyond this player");
	p->icmp = true;
	lexer_next(l);
	for (size_t i = 0; i < sizeof(icmp_names) / sizeof(icmp_names[0]) && !known; i++) {
		if (strcmp(icmp_names[i].type, type))
			continue;
		if (icmp_names[i].code && !take_word(l, icmp_names[i].code))
			continue;
		p->type4 = icmp_names[i].type4;
		p->code4 = icmp_names[i].code4;
		p->type6 = icmp_names[i].type6;
		p->code6 = icmp_names[i].code6;
		known = true;
	}
	if (!known)
		fail(l->token_line, "unknown ICMP: %s", type);
	if (take_word(l, "mtu"))
		p->mtu = (uint32_t)want_int(l, 0, 65535, "mtu");
	if (take_char(l, '[')) {
		seq(l, p);
		want_char(l, ']');
	}
}

void packet_parse(struct lexer *l, struct packet *p)
{
	*p = (struct packet){ .window = -1, .ecn = ECN_ANY, .tos = -1, .ttl = -1 };
	p->inbound = is_char(l, '<');
	lexer_next(l);
	ip_info(l, p);
	if (take_word(l, "icmp")) {
		icmp(l, p);
		return;
	}
	if (is_word(l, "udp") || is_word(l, "ipv4") || is_word(l, "ipv6") || is_word(l, "gre") ||
	    is_word(l, "mpls"))
		fail(l->token_line, "%s is beyond this player", l->text);
	if (l->type == T_INT) {
		p->source = (uint16_t)want_int(l, 1, 65535, "port");
		want_char(l, '>');
		p->dest = (uint16_t)want_int(l, 1, 65535, "port");
	}
	flags(l, p);
	seq(l, p);
	if (take_word(l, "ack"))
		p->ack = (uint32_t)want_int(l, 0, UINT32_MAX, "ack");
	if (take_word(l, "win"))
		p->window = (int)want_int(l, 0, 65535, "win");
	else if (p->inbound)
		fail(l->token_line, "an inbound packet needs its window");
	if (take_word(l, "urg"))
		p->urgent = (uint16_t)want_int(l, 0, 65535, "urg");
	options(l, p);
}

static char *options_text(const struct packet *p)
{
	char *s = strdup("");
	const uint8_t *o = p->options, *end = o + p->option_octets;

	while (o < end) {
		uint32_t n = *o < 2 ? 1 : o + 1 < end && o[1] >= 2 ? o[1] : 255;
		uint32_t v[10] = {};

		if (n > (uint32_t)(end - o))
			return text("%s broken", s);
		for (uint32_t i = 2; i < n; i++)
			v[(i - 2) / 4] = v[(i - 2) / 4] << 8 | o[i];
		s = text("%s%s", s, *s ? "," : "");
		if (*o < 2)
			s = text("%s%s", s, *o ? "nop" : "eol");
		else if (*o == 2 && n == 4)
			s = text("%smss %u", s, v[0]);
		else if (*o == 3 && n == 3)
			s = text("%swscale %u", s, v[0]);
		else if (*o == 4 && n == 2)
			s = text("%ssackOK", s);
		else if (*o == 8 && n == 10)
			s = text("%sTS val %u ecr %u", s, v[0], v[1]);
		else
			s = text(*o == 5 ? "%ssack" : "%skind %d", s, *o);
		for (uint32_t i = 0; *o == 5 && i + 10 <= n; i += 8)
			s = text("%s %u:%u", s, v[i / 4], v[i / 4 + 1]);
		o += n;
	}
	return s;
}

char *packet_text(const struct packet *p)
{
	char letters[9];
	int n = 0;
	char *s;

	for (int i = 0; i < 8; i++) {
		if (p->flags & 1 << i && 1 << i != ACK)
			letters[n++] = flag_letters[i];
	}
	if (p->flags & ACK)
		letters[n++] = '.';
	letters[n] = 0;
	s = text("%s%s%s%s %u:%u(%u)", p->ecn == ECN_ANY ? "" : "[",
		 p->ecn == ECN_ANY ? "" : ecn_names[p->ecn], p->ecn == ECN_ANY ? "" : "] ", n ? letters : "-",
		 p->seq, p->seq + p->length, p->length);
	if (p->flags & ACK)
		s = text("%s ack %u", s, p->ack);
	if (p->window >= 0)
		s = text("%s win %d", s, p->window);
	if (p->urgent)
		s = text("%s urg %u", s, p->urgent);
	return text("%s <%s>", s, p->options_any ? "..." : options_text(p));
}
