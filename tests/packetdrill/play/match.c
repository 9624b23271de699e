// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the stack sends, beside what the script expects of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

struct seen {
	struct packet packet;
	long long at; /* microseconds since the script began */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Its header in the script's numbers, but for the options'. False: of another connection. */
static bool parse(int line, const uint8_t *ip, size_t n, const struct packet *expected, struct packet *ret)
{
	struct connection *c = &play.connection;
	bool six = n && ip[0] >> 4 == 6;
	uint32_t l4 = six ? 40 : 20, header, total, addresses = six ? 16 : 4;
	const uint8_t *tcp = ip + l4;
	uint16_t source, dest;

	if (n < l4 + 20)
		fail(line, "the stack sent %zu octets, which are no packet", n);
	total = six ? 40u + get16(ip + 4) : get16(ip + 2);
	if (ip[six ? 6 : 9] != 6)
		return false;
	if (total != n)
		fail(line, "the IP header says %u octets, the packet has %zu", total, n);
	if (!six && (ip[0] != 0x45 || checksum(false, ip, 0, 20, 0)))
		fail(line, "a bad IP header, or its checksum");
	if (checksum(six, ip, l4, total - l4, 6))
		fail(line, "a bad TCP checksum");
	source = get16(tcp);
	dest = get16(tcp + 2);
	if (six != play.settings.ipv6 || memcmp(ip + (six ? 8 : 12), c->local, addresses) ||
	    memcmp(ip + (six ? 24 : 16), c->remote, addresses) ||
	    source != (expected->source ? expected->source : c->local_port) ||
	    dest != (expected->dest ? expected->dest : c->remote_port))
		return false;
	header = (tcp[12] >> 4) * 4u;
	if (header < 20 || header > total - l4)
		fail(line, "a TCP header of %u octets", header);
	if ((expected->flags & (SYN | ACK)) == (SYN | ACK) && tcp[13] & SYN && !c->answered) {
		c->answered = true;
		c->local_shift = get32(tcp + 4) - expected->seq;
	}
	*ret = (struct packet){
		.flags = tcp[13],
		.seq = get32(tcp + 4) - c->local_shift,
		.ack = tcp[13] & ACK ? get32(tcp + 8) - c->remote_shift : 0,
		.length = total - l4 - header,
		.window = get16(tcp + 14),
		.urgent = get16(tcp + 18),
		.option_octets = (uint8_t)(header - 20),
		.tos = six ? (get16(ip) >> 4 & 0xff) : ip[1],
		.ttl = six ? ip[7] : ip[8],
	};
	ret->ecn = ret->tos & 3;
	if (tcp[12] & 15)
		fail(line, "reserved bits of the TCP header are set");
	memcpy(ret->options, tcp + 20, ret->option_octets);
	for (uint32_t i = 0; i < ret->length; i++) {
		if (tcp[header + i])
			fail(line, "payload that nobody wrote, at octet %u", i);
	}
	return true;
}

static void receive(int line, const struct packet *expected, struct seen *ret)
{
	uint8_t octets[65536];
	long long at = 0;
	size_t n;
	int tries = 0;

	do {
		if (tries++ == 100000)
			fail(line, "nothing comes; expected: %s", packet_text(expected));
		n = sizeof(octets);
		if (play.so.netdev_receive(play.so.userdata, octets, &n, &at) < 0)
			continue;
		if (!n)
			fail(line, "nothing will ever come; expected: %s", packet_text(expected));
	} while (!parse(line, octets, n, expected, &ret->packet));
	ret->at = at - play.start;
	if (play.settings.verbose)
		fprintf(stderr, "%10.6f > %s\n", (double)ret->at / 1e6, packet_text(&ret->packet));
}

static void ts_remember(uint32_t script, uint32_t live)
{
	struct connection *c = &play.connection;

	if (!c->ts_known) {
		c->ts_known = true;
		c->ts_script = script;
		c->ts_live = live;
	}
	c->ts[c->ts_count % TS_PAIRS].script = script;
	c->ts[c->ts_count % TS_PAIRS].live = live;
	if (c->ts_count < TS_PAIRS - 1)
		c->ts_count++;
}

static uint8_t *find(struct packet *p, int kind)
{
	uint8_t *o = p->options, *end = o + p->option_octets;

	while (o < end && *o) {
		if (*o == kind)
			return o;
		if (*o == 1)
			o++;
		else if (o + 1 < end && o[1] >= 2)
			o += o[1];
		else
			break;
	}
	return NULL;
}

/* Numbers in its options become the script's. */
static void map_options(struct packet *p, struct packet *expected)
{
	const struct connection *c = &play.connection;
	uint8_t *mine = find(p, 8), *theirs = find(expected, 8), *sack = find(p, 5);

	if (mine && theirs)
		ts_remember(get32(theirs + 2), get32(mine + 2));
	if (mine && c->ts_known)
		put32(mine + 2, get32(mine + 2) - c->ts_live + c->ts_script);
	for (int i = 2; sack && i + 4 <= sack[1]; i += 4)
		put32(sack + i, get32(sack + i) - c->remote_shift);
}

/* What it differs in, or NULL. */
static const char *options_differ(struct packet *p, struct packet *expected)
{
	uint8_t want[40], got[40];
	uint8_t *mine = find(p, 8), *theirs = find(expected, 8);
	long long away;

	if (expected->options_any)
		return NULL;
	if (p->option_octets != expected->option_octets)
		return "options";
	memcpy(got, p->options, sizeof(got));
	memcpy(want, expected->options, sizeof(want));
	if (mine && theirs && mine - p->options == theirs - expected->options) {
		away = (int32_t)(get32(mine + 2) - get32(theirs + 2));
		if (llabs(away) * play.settings.ts_tick > play.settings.tolerance)
			return "TS val";
		memset(got + (mine - p->options) + 2, 0, play.settings.check_ecr ? 4 : 8);
		memset(want + (mine - p->options) + 2, 0, play.settings.check_ecr ? 4 : 8);
	}
	return memcmp(got, want, p->option_octets) ? "options" : NULL;
}

static const char *differs(struct packet *p, struct packet *e)
{
	if (p->flags != e->flags)
		return "flags";
	if (p->seq != e->seq)
		return "sequence number";
	if (p->length != e->length)
		return "length";
	if (p->ack != e->ack)
		return "acknowledgement";
	if (e->window >= 0 && p->window != e->window)
		return "window";
	if (p->urgent != e->urgent)
		return "urgent pointer";
	if (e->ecn == ECN_ECT01 ? p->ecn != 1 && p->ecn != 2 : e->ecn != ECN_ANY && p->ecn != e->ecn)
		return "ECN bits";
	if (e->tos >= 0 && p->tos != e->tos)
		return "TOS";
	if (e->ttl >= 0 && p->ttl != e->ttl)
		return "TTL";
	return options_differ(p, e);
}

/* A script may write several segments as one packet, as segmentation offload shows them. */
static bool joins(struct packet *all, const struct packet *more)
{
	if (more->seq != all->seq + all->length || more->ack != all->ack || more->window != all->window ||
	    more->option_octets != all->option_octets || all->flags & (FIN | SYN | RST))
		return false;
	all->length += more->length;
	all->flags |= more->flags & (FIN | PSH);
	return true;
}

void packet_expect(const struct event *e)
{
	struct packet expected = e->packet;
	struct seen seen, next;
	const char *what;

	receive(e->line, &expected, &seen);
	map_options(&seen.packet, &expected);
	while (!play.settings.strict_segments && seen.packet.length && seen.packet.length < expected.length &&
	       seen.packet.seq == expected.seq) {
		receive(e->line, &expected, &next);
		if (!joins(&seen.packet, &next.packet)) {
			map_options(&next.packet, &expected);
			fail(e->line,
			     "after part of it came another packet\n  expected: %s\n  part:     %s\n  then:  "
			     "   %s",
			     packet_text(&expected), packet_text(&seen.packet), packet_text(&next.packet));
		}
	}
	if (expected.ecn == ECN_ANY)
		seen.packet.ecn = ECN_ANY; /* not to be said either */
	what = differs(&seen.packet, &expected);
	if (what)
		fail(e->line, "%s\n  expected: %s\n  seen:     %s at %.6f", what, packet_text(&expected),
		     packet_text(&seen.packet), (double)seen.at / 1e6);
	time_check(e->line, "packet", e, seen.at, e->at);
}
