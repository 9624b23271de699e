// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the link does to packets: a queue, a rate, a delay, loss and marks by seed; and its loop. */
#include "tests/sim/linux_link.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 4096
#define L3	LINK_L3

struct packet {
	uint64_t at;
	int to; /* 0: tun, 1: other or engine */
	uint32_t length;
	uint8_t frame[2048]; /* from the IP header on, behind room for Ethernet */
};

static struct packet packets[PACKETS];
static uint32_t heap[PACKETS], used, spare[PACKETS], spares;

uint64_t link_clock(void)
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

static bool chance(uint64_t *random, uint32_t of_100000)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (*random * 2685821657736338717ull >> 20) % 100000 < of_100000;
}

/* RFC 3168 5, RFC 1624. */
static void mark(uint8_t *ip)
{
	uint32_t sum;

	if (ip[0] >> 4 != 4 || !(ip[1] & 3) || (ip[1] & 3) == 3)
		return;
	sum = (uint32_t)(uint16_t) ~(ip[10] << 8 | ip[11]) + 3 - (ip[1] & 3);
	ip[1] |= 3;
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

void link_carry(struct link *l, int to, const uint8_t *frame, uint32_t length, uint64_t now)
{
	uint64_t *random = &l->random[to];
	bool lost = chance(random, l->loss), late = chance(random, l->reorder),
	     marked = chance(random, l->mark);
	struct packet *p;
	uint32_t index;

	if (lost || l->waiting[to] >= l->queue || !spares || length > sizeof(p->frame))
		return;
	index = spare[--spares];
	p = &packets[index];
	l->free_at[to] = max_u64(l->free_at[to], now) + (length - L3) * TCP_SECOND / l->rate;
	p->at = l->free_at[to] + l->delay + (late ? 3 * TCP_MS : 0);
	p->to = to;
	p->length = length;
	memcpy(p->frame, frame, length);
	if (marked)
		mark(p->frame + L3);
	l->waiting[to]++;
	push(index);
}

void link_run(struct link *l, int tun, int other, int done, struct link_end *end)
{
	struct pollfd fds[3] = { { done, POLLIN, 0 }, { tun, POLLIN, 0 }, { other, POLLIN, 0 } };
	uint8_t frame[2048] = { 0 };
	uint64_t now, next;
	ssize_t n;

	for (used = spares = 0; spares < PACKETS; spares++)
		spare[spares] = spares;
	for (;;) {
		struct timespec wait;

		now = link_clock();
		while (used && packets[heap[0]].at <= now) {
			uint32_t index = pop();
			struct packet *p = &packets[index];

			l->waiting[p->to]--;
			if (p->to == 0 || other >= 0)
				n = write(p->to ? other : tun, p->frame + L3, p->length - L3);
			else
				link_end_arrive(end, p->frame, p->length, now);
			spare[spares++] = index;
		}
		if (end)
			link_end_turn(end, now);
		next = min_u64(used ? packets[heap[0]].at : TCP_NEVER, end ? link_end_next(end) : TCP_NEVER);
		next = next > now ? min_u64(next - now, 100 * TCP_MS) : 0;
		wait = (struct timespec){ 0, (long)next };
		ppoll(fds, other < 0 ? 2 : 3, &wait, NULL);
		if (fds[0].revents)
			break;
		now = link_clock();
		for (int i = 0; i < 64 && (n = read(tun, frame + L3, sizeof(frame) - L3)) > 0; i++)
			link_carry(l, 1, frame, (uint32_t)n + L3, now);
		for (int i = 0; other >= 0 && i < 64 && (n = read(other, frame + L3, sizeof(frame) - L3)) > 0;
		     i++)
			link_carry(l, 0, frame, (uint32_t)n + L3, now);
	}
}
