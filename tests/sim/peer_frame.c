// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The model's frames: written and read octet by octet, sums by the book. */
#include "tests/sim/peer.h"

static uint32_t sum16(const uint8_t *p, uint32_t n, uint32_t sum)
{
	uint64_t all = sum;
	uint32_t i;

	for (i = 0; i + 1 < n; i += 2)
		all += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		all += (uint32_t)p[n - 1] << 8;
	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return (uint32_t)all;
}

static uint32_t get(const uint8_t *p, uint32_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void put(uint8_t *p, uint32_t n, uint32_t v)
{
	for (; n--; v >>= 8)
		p[n] = (uint8_t)v;
}

/* Of the TCP segment of n octets behind the IP header at `ip`; 0xffff if it is right. */
static uint32_t tcp_sum(const struct world *w, const uint8_t *ip, uint32_t n)
{
	uint32_t sum = 6 + n;

	sum = w->plan.six ? sum16(ip + 8, 32, sum) : sum16(ip + 12, 8, sum);
	return sum16(ip + (w->plan.six ? 40 : 20), n, sum);
}

static void read_options(const uint8_t *o, const uint8_t *end, struct heard *h)
{
	uint32_t i;

	while (o < end && *o) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (*o == 8) {
			h->timestamps = true;
			h->tsval = get(o + 2, 4);
			h->tsecr = get(o + 6, 4);
		} else if (*o == 5) {
			h->sack_blocks = (uint8_t)((o[1] - 2) / 8);
			for (i = 0; i < h->sack_blocks; i++) {
				h->sack[i][0] = get(o + 2 + 8 * i, 4);
				h->sack[i][1] = get(o + 6 + 8 * i, 4);
			}
		}
		o += o[1];
	}
}

int peer_parse(const struct world *w, const uint8_t *frame, uint32_t length, struct heard *h)
{
	const uint8_t *ip = frame + (w->plan.tagged ? 18 : 14), *tcp = ip + (w->plan.six ? 40 : 20);
	uint32_t n, header;

	memset(h, 0, sizeof(*h));
	if (w->plan.six) {
		n = get(ip + 4, 2);
		h->ecn = ip[1] >> 4 & 3;
	} else {
		n = get(ip + 2, 2) - 20;
		h->ecn = ip[1] & 3;
		if (sum16(ip, 20, 0) != 0xffff)
			return -1;
	}
	if (tcp + n != frame + length || tcp_sum(w, ip, n) != 0xffff)
		return -1;
	header = tcp[12] >> 4 << 2;
	h->seq = get(tcp + 4, 4);
	h->ack = get(tcp + 8, 4);
	h->flags = tcp[13];
	h->window = get(tcp + 14, 2);
	h->payload = tcp + header;
	h->length = n - header;
	read_options(tcp + 20, tcp + header, h);
	return 0;
}

static uint32_t write_options(struct end *e, uint8_t *o, bool sack, bool guessed)
{
	struct peer *m = e->peer;
	uint8_t options = e->world->plan.options;
	uint32_t n = 0, blocks = 0, i, length;
	uint8_t *count;

	if (options & TCP_OPT_TIMESTAMPS) {
		put(o, 4, 0x0101080a);
		/* who guesses may guess a time far ahead: believed, it would make ours old */
		put(o + 4, 4,
		    5100 + (uint32_t)((e->world->now - SIM_START) / TCP_MS) + (guessed ? 1 << 24 : 0));
		put(o + 8, 4, m->ts_recent);
		n = 12;
	}
	if (!sack || !(options & TCP_OPT_SACK) || (!m->ranges && m->again[0] == m->again[1]))
		return n;
	put(o + n, 4, 0x01010500);
	count = o + n + 3;
	length = n + 4;
	if (m->again[0] != m->again[1]) {
		put(o + length, 4, m->again[0]);
		put(o + length + 4, 4, m->again[1]);
		m->again[0] = m->again[1];
		blocks = 1;
		length += 8;
	}
	/* the one that changed last, then the others from there on */
	for (i = 0; i < m->ranges && length + 8 <= 40; i++) {
		const uint32_t *r = m->range[(m->recent + i) % m->ranges];

		put(o + length, 4, r[0]);
		put(o + length + 4, 4, r[1]);
		blocks++;
		length += 8;
	}
	*count = (uint8_t)(2 + 8 * blocks);
	return length;
}

void peer_say(struct end *e, const struct said *s)
{
	struct world *w = e->world;
	uint8_t frame[SIM_FRAME] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	uint8_t *ip = frame + 12, *tcp;
	uint32_t header, n;

	if (w->plan.tagged) {
		put(ip, 4, 0x81000007);
		ip += 4;
	}
	put(ip, 2, w->plan.six ? 0x86dd : 0x0800);
	ip += 2;
	tcp = ip + (w->plan.six ? 40 : 20);
	header = 20 + write_options(e, tcp + 20, s->sack && !s->length, s->now);
	n = header + s->length;
	if (w->plan.six) {
		put(ip, 4, 0x60000000 | (uint32_t)s->ecn << 20);
		put(ip + 4, 4, n << 16 | 6 << 8 | 64);
		memset(ip + 8, 0xfd, 32);
		ip[23] = 2;
		ip[39] = 1;
	} else {
		put(ip, 4, 0x45000000 | (uint32_t)s->ecn << 16 | (n + 20));
		put(ip + 4, 4, 0x4000);
		put(ip + 8, 4, 0x40060000);
		put(ip + 12, 4, 0x0a000002);
		put(ip + 16, 4, 0x0a000001);
		put(ip + 10, 2, ~sum16(ip, 20, 0) & 0xffff);
	}
	put(tcp, 4, 1001u << 16 | 1000);
	put(tcp + 4, 4, s->seq);
	put(tcp + 8, 4, s->ack);
	put(tcp + 12, 2, header << 10 | s->flags);
	put(tcp + 14, 2, s->window);
	put(tcp + 18, 2, s->flags & PEER_URG ? 1 : 0);
	memcpy(tcp + header, sim_stream(1, s->seq - w->plan.iss[1] - 1), s->length);
	put(tcp + 16, 2, ~tcp_sum(w, ip, n) & 0xffff);
	n += (uint32_t)(tcp - frame);
	if (w->talk)
		printf("%12.6f model> flags %x seq %u+%u ack %u win %u\n", (double)(w->now - SIM_START) / 1e9,
		       s->flags, s->seq - w->plan.iss[1], s->length, s->ack - w->plan.iss[0], s->window);
	if (s->now)
		end_frame(&w->end[0], frame, n, false);
	else
		link_send(w, 1, frame, n);
}
