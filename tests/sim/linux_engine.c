// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The engine at the end of a link, behind a handshake that agrees to what the client asks for. */
#include "tests/sim/linux_link.h"

#include <stdio.h>
#include <stdlib.h>

#define L3 LINK_L3

struct link_end {
	struct tcp_stack stack;
	struct tcp_conn conn;
	struct tcp_start start;
	bool open;
	void *free_block;
	uint8_t frame[2048];
	struct link *link;
	void (*serve)(struct tcp_stack *, struct tcp_conn *, void *);
	void *user;
};

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return ((struct link_end *)stack->user)->frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	link_carry(((struct link_end *)stack->user)->link, 0, frame, length, stack->now);
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
}

static void *block_get(struct tcp_stack *stack)
{
	struct link_end *e = stack->user;
	void *block = e->free_block;

	if (!block)
		return aligned_alloc(64, TCP_BLOCK);
	memcpy(&e->free_block, block, sizeof(void *));
	return block;
}

static void block_put(struct tcp_stack *stack, void *block)
{
	struct link_end *e = stack->user;

	memcpy(block, &e->free_block, sizeof(void *));
	e->free_block = block;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* What the SYN asks for, into what the engine begins with. */
static void take_options(struct tcp_start *start, const uint8_t *tcp, const struct tcp_segment *seg)
{
	const uint8_t *o = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

	start->options = seg->options & TCP_HAS_TIMESTAMPS ? TCP_OPT_TIMESTAMPS : 0;
	if ((seg->flags & (TCP_FLAG_ECE | TCP_FLAG_CWR)) == (TCP_FLAG_ECE | TCP_FLAG_CWR))
		start->options |= TCP_OPT_ECN;
	for (; o < end && *o; o += *o == 1 ? 1 : o[1]) {
		if (*o == 2)
			start->mss = (uint16_t)(o[2] << 8 | o[3]);
		if (*o == 4)
			start->options |= TCP_OPT_SACK;
		if (*o == 3) {
			start->options |= TCP_OPT_WSCALE;
			start->wscale_snd = o[2];
			start->wscale_rcv = 7;
		}
	}
}

static uint32_t give_options(const struct tcp_start *start, const struct tcp_segment *seg, uint8_t *o)
{
	uint32_t n = 4;

	put32(o, 0x020405b4);
	if (start->options & TCP_OPT_SACK) {
		put32(o + n, 0x01010402);
		n += 4;
	}
	if (start->options & TCP_OPT_TIMESTAMPS) {
		put32(o + n, 0x0101080a);
		put32(o + n + 4, 5000);
		put32(o + n + 8, seg->tsval);
		n += 12;
	}
	if (start->options & TCP_OPT_WSCALE) {
		put32(o + n, 0x01030307);
		n += 4;
	}
	return n;
}

static void syn(struct link_end *e, const uint8_t *frame, const struct tcp_segment *seg)
{
	const uint8_t *tcp = frame + L3 + 20;
	uint8_t reply[L3 + 80] = { 0 }, *ip = reply + L3, *out = ip + 20;
	uint32_t n;
	uint16_t sum;

	e->start = (struct tcp_start){
		.remote = { [10] = 0xff, [11] = 0xff, 10, 9, 0, 1 },
		.local = { [10] = 0xff, [11] = 0xff, 10, 9, 0, 2 },
		.remote_port = (uint16_t)(tcp[0] << 8 | tcp[1]),
		.local_port = (uint16_t)(tcp[2] << 8 | tcp[3]),
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = seg->seq,
		.iss = 0xfffff000,
		.mtu = 1500,
		.rcv_wnd = 65535,
	};
	take_options(&e->start, tcp, seg);
	n = 20 + give_options(&e->start, seg, out + 20);
	put32(ip, 0x45000000 | (n + 20));
	put32(ip + 4, 0x00004000);
	put32(ip + 8, 0x40060000);
	memcpy(ip + 12, frame + L3 + 16, 4);
	memcpy(ip + 16, frame + L3 + 12, 4);
	sum = csum_fold(csum_words(ip, 5));
	memcpy(ip + 10, &sum, 2);
	memcpy(out, tcp + 2, 2);
	memcpy(out + 2, tcp, 2);
	put32(out + 4, e->start.iss);
	put32(out + 8, seg->seq + 1);
	put16(out + 12,
	      n << 10 | TCP_FLAG_SYN | TCP_FLAG_ACK | (e->start.options & TCP_OPT_ECN ? TCP_FLAG_ECE : 0));
	put16(out + 14, 65535);
	sum = csum_fold(csum_add(csum_words(ip + 12, 2),
				 csum_add(__builtin_bswap16((uint16_t)(6 + n)), csum_words(out, n / 4))));
	memcpy(out + 16, &sum, 2);
	link_carry(e->link, 0, reply, L3 + 20 + n, e->stack.now);
}

void link_end_arrive(struct link_end *e, const uint8_t *frame, uint32_t length, uint64_t now)
{
	struct tcp_segment seg;

	e->stack.now = now;
	if (frame[L3] != 0x45 || frame[L3 + 9] != 6 ||
	    tcp_parse(frame, length, L3, L3 + 20, length - L3 - 20, &seg))
		return;
	if (seg.flags & TCP_FLAG_SYN) {
		if (!e->open)
			syn(e, frame, &seg);
		return;
	}
	if (!e->open) {
		e->start.proven = now;
		e->start.ts_recent = seg.tsval;
		e->start.ts_ecr = seg.tsecr;
		e->start.window = seg.window;
		tcp_open(&e->stack, &e->conn, &e->start);
		e->open = true;
	}
	tcp_input(&e->stack, &e->conn, &seg);
}

void link_end_turn(struct link_end *e, uint64_t now)
{
	e->stack.now = now;
	tcp_stack_run(&e->stack);
	if (e->open)
		e->serve(&e->stack, &e->conn, e->user);
	tcp_stack_flush(&e->stack);
}

uint64_t link_end_next(const struct link_end *e)
{
	return tcp_stack_next(&e->stack);
}

struct link_end *link_end_new(struct link *link, uint32_t congestion,
			      void (*serve)(struct tcp_stack *, struct tcp_conn *, void *), void *user)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	struct tcp_settings settings = {
		.frame_size = 2048, .recv_buffer = 4 << 20, .send_buffer = 4 << 20, .congestion = congestion
	};
	struct link_end *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->link = link;
	e->serve = serve;
	e->user = user;
	e->stack.user = e;
	tcp_stack_init(&e->stack, &ops, &settings, link_clock());
	return e;
}

void link_end_free(struct link_end *e)
{
	const struct tcp_counters *c = &e->stack.counters;

	if (getenv("VERBOSE") && e->open)
		printf("# %llu retransmitted, %llu recoveries, %llu undone, %llu timeouts, %llu loss probes, "
		       "cwnd %u, "
		       "ssthresh %u, srtt %u us, min %u us, reordering x%u\n",
		       (unsigned long long)c->retransmits, (unsigned long long)c->fast_recoveries,
		       (unsigned long long)c->undone, (unsigned long long)c->timeouts,
		       (unsigned long long)c->loss_probes, e->conn.cwnd, e->conn.ssthresh, e->conn.srtt_us,
		       e->conn.min_rtt_us, e->conn.rack_multiplier);
	if (e->open)
		tcp_release(&e->stack, &e->conn);
	while (e->free_block) {
		void *block = e->free_block;

		memcpy(&e->free_block, block, sizeof(void *));
		free(block);
	}
	free(e);
}
