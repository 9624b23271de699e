// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/sim/linux_link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 4096
#define L3	14

struct packet {
	uint64_t at;
	int to; /* 0: tun, 1: other or engine */
	uint32_t length;
	uint8_t frame[2048]; /* from the IP header on, behind room for Ethernet */
};

static struct packet packets[PACKETS];
static uint32_t heap[PACKETS], used, spare[PACKETS], spares;

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * TCP_SECOND + (uint64_t)t.tv_nsec;
}

static bool earlier(uint32_t a, uint32_t b)
{
	return packets[a].at < packets[b].at;
}

static void push(uint32_t index)
{
	uint32_t i = used++;

	for (; i && earlier(index, heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = index;
}

static uint32_t pop(void)
{
	uint32_t top = heap[0], last = heap[--used], i = 0, c;

	while ((c = 2 * i + 1) < used) {
		if (c + 1 < used && earlier(heap[c + 1], heap[c]))
			c++;
		if (!earlier(heap[c], last))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = last;
	return top;
}

static bool chance(struct link *l, uint32_t of_100000)
{
	l->random ^= l->random >> 12;
	l->random ^= l->random << 25;
	l->random ^= l->random >> 27;
	return (l->random * 2685821657736338717ull >> 20) % 100000 < of_100000;
}

/* `frame` has its IP header at L3. */
static void carry(struct link *l, int to, const uint8_t *frame, uint32_t length, uint64_t now)
{
	struct packet *p;
	uint32_t index;

	if (chance(l, l->loss) || l->waiting[to] >= l->queue || !spares || length > sizeof(p->frame))
		return;
	index = spare[--spares];
	p = &packets[index];
	l->free_at[to] = max_u64(l->free_at[to], now) + (length - L3) * TCP_SECOND / l->rate;
	p->at = l->free_at[to] + l->delay + (chance(l, l->reorder) ? 3 * TCP_MS : 0);
	p->to = to;
	p->length = length;
	memcpy(p->frame, frame, length);
	l->waiting[to]++;
	push(index);
}

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return ((struct link_end *)stack->user)->frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	carry(((struct link_end *)stack->user)->link, 0, frame, length, stack->now);
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

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

/* The SYN's options into what the engine begins with; and the SYN-ACK. */
static void syn(struct link_end *e, struct tcp_start *start, const uint8_t *frame,
		const struct tcp_segment *seg)
{
	static const uint8_t options[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 };
	const uint8_t *tcp = frame + L3 + 20, *o = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;
	uint8_t reply[L3 + 60] = { 0 }, *ip = reply + L3, *out = ip + 20;
	uint16_t sum;

	*start = (struct tcp_start){
		.remote = { [10] = 0xff, [11] = 0xff, 10, 9, 0, 1 },
		.local = { [10] = 0xff, [11] = 0xff, 10, 9, 0, 2 },
		.remote_port = (uint16_t)(tcp[0] << 8 | tcp[1]),
		.local_port = (uint16_t)(tcp[2] << 8 | tcp[3]),
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = seg->seq,
		.iss = 0xfffff000,
		.mtu = 1500,
		.options = TCP_OPT_TIMESTAMPS | TCP_OPT_SACK | TCP_OPT_WSCALE,
		.wscale_rcv = 7,
		.rcv_wnd = 65535,
	};
	for (; o < end && *o; o += *o == 1 ? 1 : o[1]) {
		if (*o == 2)
			start->mss = (uint16_t)(o[2] << 8 | o[3]);
		if (*o == 3)
			start->wscale_snd = o[2];
	}
	put32(ip, 0x4500003c);
	put32(ip + 4, 0x00004000);
	put32(ip + 8, 0x40060000);
	memcpy(ip + 12, frame + L3 + 16, 4);
	memcpy(ip + 16, frame + L3 + 12, 4);
	sum = csum_fold(csum_words(ip, 5));
	memcpy(ip + 10, &sum, 2);
	memcpy(out, tcp + 2, 2);
	memcpy(out + 2, tcp, 2);
	put32(out + 4, start->iss);
	put32(out + 8, seg->seq + 1);
	put32(out + 12, 0xa012ffff);
	memcpy(out + 20, options, 20);
	put32(out + 28, 5000);
	put32(out + 32, seg->tsval);
	sum = csum_fold(
		csum_add(csum_words(ip + 12, 2), csum_add(__builtin_bswap16(46), csum_words(out, 10))));
	memcpy(out + 16, &sum, 2);
	carry(e->link, 0, reply, sizeof(reply), e->stack.now);
}

static void arrive(struct link_end *e, struct tcp_start *start, const uint8_t *frame, uint32_t length)
{
	struct tcp_segment seg;

	if (frame[L3] != 0x45 || frame[L3 + 9] != 6 ||
	    tcp_parse(frame, length, L3, L3 + 20, length - L3 - 20, &seg))
		return;
	if (seg.flags & TCP_FLAG_SYN) {
		if (!e->open)
			syn(e, start, frame, &seg);
		return;
	}
	if (!e->open) {
		start->proven = e->stack.now;
		start->ts_recent = seg.tsval;
		start->ts_ecr = seg.tsecr;
		start->window = seg.window;
		tcp_open(&e->stack, &e->conn, start);
		e->open = true;
	}
	tcp_input(&e->stack, &e->conn, &seg);
}

void link_run(struct link *l, int tun, int other, int done, void (*serve)(struct link_end *, void *),
	      void *user)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	struct tcp_settings settings = { .frame_size = 2048, .recv_buffer = 4 << 20, .send_buffer = 4 << 20 };
	static struct link_end e;
	struct pollfd fds[3] = { { done, POLLIN, 0 }, { tun, POLLIN, 0 }, { other, POLLIN, 0 } };
	uint8_t frame[2048] = { 0 };
	struct tcp_start start;
	uint64_t now, next;
	ssize_t n;

	memset(&e, 0, sizeof(e));
	e.link = l;
	e.stack.user = &e;
	tcp_stack_init(&e.stack, &ops, &settings, clock_now());
	for (used = spares = 0; spares < PACKETS; spares++)
		spare[spares] = spares;
	for (;;) {
		struct timespec wait;

		now = e.stack.now = clock_now();
		while (used && packets[heap[0]].at <= now) {
			uint32_t index = pop();
			struct packet *p = &packets[index];

			l->waiting[p->to]--;
			if (p->to == 0 || other >= 0)
				n = write(p->to ? other : tun, p->frame + L3, p->length - L3);
			else
				arrive(&e, &start, p->frame, p->length);
			spare[spares++] = index;
		}
		if (other < 0) {
			tcp_stack_run(&e.stack);
			serve(&e, user);
			tcp_stack_flush(&e.stack);
		}
		next = min_u64(used ? packets[heap[0]].at : TCP_NEVER,
			       other < 0 ? tcp_stack_next(&e.stack) : TCP_NEVER);
		next = next > now ? min_u64(next - now, 100 * TCP_MS) : 0;
		wait = (struct timespec){ 0, (long)next };
		ppoll(fds, other < 0 ? 2 : 3, &wait, NULL);
		if (fds[0].revents)
			break;
		now = e.stack.now = clock_now();
		for (int i = 0; i < 64 && (n = read(tun, frame + L3, sizeof(frame) - L3)) > 0; i++)
			carry(l, 1, frame, (uint32_t)n + L3, now);
		for (int i = 0; other >= 0 && i < 64 && (n = read(other, frame + L3, sizeof(frame) - L3)) > 0;
		     i++)
			carry(l, 0, frame, (uint32_t)n + L3, now);
	}
	if (getenv("VERBOSE") && e.open)
		printf("# %llu retransmitted, %llu recoveries, %llu undone, %llu timeouts, %llu loss probes, "
		       "cwnd %u, ssthresh %u, srtt %u us, min %u us, reordering x%u\n",
		       (unsigned long long)e.stack.counters.retransmits,
		       (unsigned long long)e.stack.counters.fast_recoveries,
		       (unsigned long long)e.stack.counters.undone,
		       (unsigned long long)e.stack.counters.timeouts,
		       (unsigned long long)e.stack.counters.loss_probes, e.conn.cwnd, e.conn.ssthresh,
		       e.conn.srtt_us, e.conn.min_rtt_us, e.conn.rack_multiplier);
	if (e.open)
		tcp_release(&e.stack, &e.conn);
	while (e.free_block) {
		void *block = e.free_block;

		memcpy(&e.free_block, block, sizeof(void *));
		free(block);
	}
}
