// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many connections on one stack, most of them idle at any time, for long: 10^6
 * connection-seconds. Each asks now and then, and is answered; keepalive runs. The
 * clock goes from one event to the next: what costs is events, not time and not
 * connections, or timers are not O(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tcp/internal.h"

#define CONNECTIONS 1000
#define SECONDS	    1000
#define EVERY	    (10 * TCP_SECOND) /* a request of each */
#define DELAY	    (20 * TCP_MS)     /* one way */
#define REQUEST	    100
#define ANSWER	    3000
#define FRAME	    2048
#define WAITING	    65536
#define MOST_CPU    10.0 /* seconds; a tenth is usual */

struct end {
	struct tcp_stack stack;
	struct tcp_conn conn[CONNECTIONS];
	uint64_t received[CONNECTIONS];
	uint32_t blocks;
	uint8_t frame[FRAME];
	int index;
};

/* In flight: the delay is the same for all, so they arrive in the order they left. */
struct packet {
	uint64_t at;
	uint32_t to, connection, length;
	uint8_t *frame;
};

static struct end ends[2];
static struct packet waiting[WAITING];
static uint32_t head, tail;

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return ((struct end *)stack->user)->frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	struct end *e = stack->user;
	struct packet *p = &waiting[tail++ % WAITING];

	if (tail - head > WAITING)
		abort();
	p->at = stack->now + DELAY;
	p->to = (uint32_t)!e->index;
	p->connection = (uint32_t)(conn - e->conn);
	p->length = length;
	p->frame = malloc(length);
	if (!p->frame)
		abort();
	memcpy(p->frame, frame, length);
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
}

static void *block_get(struct tcp_stack *stack)
{
	((struct end *)stack->user)->blocks++;
	return aligned_alloc(64, TCP_BLOCK);
}

static void block_put(struct tcp_stack *stack, void *block)
{
	((struct end *)stack->user)->blocks--;
	free(block);
}

static void open_all(struct end *e, int index, uint64_t now)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	struct tcp_settings settings = { .frame_size = FRAME,
					 .recv_buffer = 1 << 16,
					 .send_buffer = 1 << 16 };
	uint32_t i;

	e->index = index;
	e->stack.user = e;
	tcp_stack_init(&e->stack, &ops, &settings, now);
	for (i = 0; i < CONNECTIONS; i++) {
		struct tcp_start start = {
			.remote = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(2 - index) },
			.local = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(1 + index) },
			.remote_port = (uint16_t)(1000 + i),
			.local_port = (uint16_t)(1000 + i),
			.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
			.irs = 7u * i + (uint32_t)!index,
			.iss = 7u * i + (uint32_t)index,
			.ts_recent = 5000,
			.ts_ecr = 5000,
			.proven = now,
			.mss = 1460,
			.window = 512,
			.mtu = 1500,
			.options = TCP_OPT_TIMESTAMPS | TCP_OPT_SACK | TCP_OPT_WSCALE,
			.wscale_snd = 7,
			.wscale_rcv = 7,
			.rcv_wnd = 65535,
		};

		tcp_open(&e->stack, &e->conn[i], &start);
		tcp_set(&e->stack, &e->conn[i], TCP_OPTION_KEEPALIVE, 3);
	}
}

/* What a frame brings; the server answers each whole request. */
static void arrive(const struct packet *p, uint64_t now)
{
	static uint8_t buf[65536];
	struct end *e = &ends[p->to];
	struct tcp_conn *c = &e->conn[p->connection];
	uint64_t *received = &e->received[p->connection];
	struct tcp_segment s;
	ssize_t n;

	e->stack.now = now;
	if (tcp_parse(p->frame, p->length, 14, 34, p->length - 34, &s) || tcp_input(&e->stack, c, &s))
		abort();
	c->notified = false;
	n = tcp_recv(&e->stack, c, buf, sizeof(buf));
	if (n <= 0)
		return;
	if (e->index == 1 && (*received + (uint64_t)n) / REQUEST != *received / REQUEST)
		if (tcp_send(&e->stack, c, buf, ANSWER) != ANSWER)
			abort();
	*received += (uint64_t)n;
}

int main(void)
{
	uint64_t start = 1000 * TCP_SECOND, now = start, ask = start, asked = 0, events = 0, next, wrong = 0;
	uint8_t request[REQUEST] = { 0 };
	double cpu;
	uint32_t i;

	for (i = 0; i < 2; i++)
		open_all(&ends[i], (int)i, now);
	while (now < start + SECONDS * TCP_SECOND) {
		next = min_u64(ask, min_u64(tcp_stack_next(&ends[0].stack), tcp_stack_next(&ends[1].stack)));
		if (head != tail)
			next = min_u64(next, waiting[head % WAITING].at);
		now = max_u64(now, next);
		events++;
		for (i = 0; i < 2; i++) {
			ends[i].stack.now = now;
			tcp_stack_run(&ends[i].stack);
		}
		for (; head != tail && waiting[head % WAITING].at <= now; head++) {
			arrive(&waiting[head % WAITING], now);
			free(waiting[head % WAITING].frame);
		}
		if (ask <= now) {
			struct tcp_conn *c = &ends[0].conn[asked % CONNECTIONS];

			if (tcp_send(&ends[0].stack, c, request, REQUEST) != REQUEST)
				abort();
			asked++;
			ask += EVERY / CONNECTIONS;
		}
		for (i = 0; i < 2; i++)
			tcp_stack_flush(&ends[i].stack);
	}
	for (i = 0; i < CONNECTIONS; i++) /* all but what is on its way */
		wrong += ends[0].received[i] + ANSWER < asked / CONNECTIONS * ANSWER;
	for (; head != tail; head++)
		free(waiting[head % WAITING].frame);
	for (i = 0; i < 2 * CONNECTIONS; i++)
		tcp_release(&ends[i & 1].stack, &ends[i & 1].conn[i / 2]);
	cpu = (double)clock() / CLOCKS_PER_SEC;
	printf("# %u connections, %u s: %llu requests, %llu segments, %llu events in %.1f s of CPU time\n",
	       CONNECTIONS, SECONDS, (unsigned long long)asked,
	       (unsigned long long)(ends[0].stack.counters.segments_in + ends[1].stack.counters.segments_in),
	       (unsigned long long)events, cpu);
	printf("%s - every request is answered\n", wrong ? "not ok" : "ok");
	printf("%s - nothing is sent twice\n",
	       ends[0].stack.counters.retransmits + ends[1].stack.counters.retransmits ? "not ok" : "ok");
	printf("%s - every block is given back\n", ends[0].blocks + ends[1].blocks ? "not ok" : "ok");
	printf("%s - 10^6 connection-seconds take %.1f s, at most %.0f\n", cpu > MOST_CPU ? "not ok" : "ok",
	       cpu, MOST_CPU);
	return wrong || ends[0].blocks + ends[1].blocks || cpu > MOST_CPU ||
	       ends[0].stack.counters.retransmits + ends[1].stack.counters.retransmits;
}
