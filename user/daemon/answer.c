// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <string.h>

#include "daemon/answer.h"
#include "daemon/flowtab.h"
#include "tcp/csum.h"
#include "tcp/tcp.h"

#define NO_TAG	 0xffff
#define FLAG_RST 0x04
#define FLAG_ACK 0x10

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	*p++ = v >> 8;
	*p++ = v;
	return p;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

static uint8_t *put(uint8_t *p, const void *from, uint32_t n)
{
	memcpy(p, from, n);
	return p + n;
}

/* Pseudo-header and segment. */
static uint32_t sum(const uint8_t *addresses, uint32_t n, const uint8_t *tcp, uint32_t octets)
{
	uint32_t s = csum_add(tcp_csum(addresses, n), tcp_csum(tcp, octets));

	return csum_add(s, csum_add(htons(IPPROTO_TCP), htons(octets)));
}

static uint8_t *put_ethernet(uint8_t *p, const struct porch_steer *s, bool v6)
{
	bool two = s->tags[0] != NO_TAG && s->tags[1] != NO_TAG;

	p = put(put(p, s->remote_mac, 6), s->local_mac, 6);
	if (s->tags[0] != NO_TAG)
		p = put16(put16(p, two ? 0x88a8 : 0x8100), s->tags[0]); /* IEEE 802.1ad outside 802.1Q */
	if (two)
		p = put16(put16(p, 0x8100), s->tags[1]);
	return put16(p, v6 ? 0x86dd : 0x0800);
}

static void put_ip(const struct daemon *d, uint8_t *p, const struct porch_flow *f, bool v6, uint32_t octets)
{
	const struct porch_host *h = d->tables.host;

	if (v6) {
		p = put16(put32(p, 0x60000000), octets);
		*p++ = IPPROTO_TCP;
		*p++ = h->hop_limit;
		put(put(p, f->local, 16), f->remote, 16);
	} else {
		uint8_t *start = p;
		uint16_t s;

		p = put32(put16(put16(p, 0x4500), 20 + octets), 0x00004000); /* DF */
		*p++ = h->ttl;
		*p++ = IPPROTO_TCP;
		put(put(put16(p, 0), f->local + 12, 4), f->remote + 12, 4);
		s = csum_fold(csum_words(start, 5));
		memcpy(start + 10, &s, 2);
	}
}

/* Our clock goes on from the SYN-ACK's time stamp, in milliseconds. */
static uint8_t *put_timestamps(const struct daemon *d, uint8_t *p, uint32_t flow)
{
	const struct porch_flow *f = &d->tables.flows[flow];
	uint64_t proven = d->tables.steer[flow].proven_ns;
	uint32_t passed = d->now > proven ? (d->now - proven) / NS_PER_MS : 0;

	return put32(put32(put32(p, 0x0101080a), f->ts_ecr + passed), f->ts_recent);
}

uint32_t answer_build(const struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt,
		      uint8_t frame[ANSWER_FRAME_MAX])
{
	const struct porch_flow *f = &d->tables.flows[flow];
	bool v6 = memcmp(f->remote, mapped, 12), reset = kind == ANSWER_RESET;
	uint8_t *ip = put_ethernet(frame, &d->tables.steer[flow], v6), *tcp = ip + (v6 ? 40 : 20),
		*end = tcp + 20, *p;
	uint32_t octets, window = PORCH_AFXDP_WINDOW;
	uint16_t s;

	if (!reset && (f->options & PORCH_OPT_TIMESTAMPS))
		end = put_timestamps(d, end, flow);
	if (f->options & PORCH_OPT_WSCALE)
		window >>= f->wscale >> 4;
	octets = end - tcp;
	p = put16(put16(tcp, f->local_port), f->remote_port);
	p = put32(put32(p, kind == ANSWER_PROBE ? f->iss : f->iss + 1), rcv_nxt);
	p = put16(p, octets / 4 << 12 | FLAG_ACK | (reset ? FLAG_RST : 0));
	memset(put16(p, reset ? 0 : window), 0, 4);
	put_ip(d, ip, f, v6, octets);
	s = csum_fold(v6 ? sum(ip + 8, 32, tcp, octets) : sum(ip + 12, 8, tcp, octets));
	memcpy(tcp + 16, &s, 2);
	return end - frame;
}

/* One more of `*spent` in this second? */
static bool rate_allows(struct daemon *d, uint32_t *spent, uint32_t most)
{
	struct connections *c = d->connections;
	uint64_t second = d->now / 1000000000ull;

	if (second != c->second) {
		c->second = second;
		c->resets = c->challenges = 0;
	}
	return (*spent)++ < most;
}

void answer_send(struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt)
{
	struct connections *c = d->connections;
	uint8_t frame[ANSWER_FRAME_MAX];
	bool allowed = kind == ANSWER_CHALLENGE ? rate_allows(d, &c->challenges, CHALLENGES_PER_SECOND)
						: rate_allows(d, &c->resets, RESETS_PER_SECOND);

	if (!allowed)
		return;
	if (!raw_send(d, d->tables.steer[flow].ifindex, frame, answer_build(d, flow, kind, rcv_nxt, frame)) &&
	    kind == ANSWER_RESET)
		d->count.resets++;
}

bool answer_to(struct daemon *d, uint32_t ifindex, const struct porch_record *record, const uint8_t *frame,
	       uint32_t length)
{
	uint8_t reply[ANSWER_FRAME_MAX];
	uint32_t n =
		tcp_reset_for(frame, length, record->l3, record->l4, record->length, reply, sizeof(reply));

	if (!n || !rate_allows(d, &d->connections->resets, RESETS_PER_SECOND))
		return false;
	if (raw_send(d, ifindex, reply, n))
		return false;
	d->count.resets++;
	return true;
}

bool answer_sum_right(const uint8_t *frame, uint32_t l3, uint32_t l4, uint32_t octets)
{
	bool v6 = frame[l3] >> 4 == 6;

	return !csum_fold(v6 ? sum(frame + l3 + 8, 32, frame + l4, octets)
			     : sum(frame + l3 + 12, 8, frame + l4, octets));
}
