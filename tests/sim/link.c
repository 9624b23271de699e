// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The link: a queue, a rate, a delay, and what happens to frames on the way. */
#include "tests/sim/sim.h"

#include <stdlib.h>

struct event {
	uint64_t at, order;
	int to;
	bool corrupt, queued, icmp;
	uint32_t length;
	uint8_t frame[];
};

static bool earlier(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void push(struct world *w, struct event *e)
{
	uint32_t i = w->events++;

	e->order = w->frames++;
	while (i && earlier(e, w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = e;
}

static struct event *pop(struct world *w)
{
	struct event *top = w->heap[0], *last = w->heap[--w->events];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < w->events) {
		if (child + 1 < w->events && earlier(w->heap[child + 1], w->heap[child]))
			child++;
		if (!earlier(w->heap[child], last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

static bool chance(struct world *w, uint32_t of_65536)
{
	return of_65536 && (sim_random(&w->random) >> 16) % 65536 < of_65536;
}

/* Octets in front of the IP header. */
static uint32_t link_header(const uint8_t *f)
{
	return f[12] == 0x81 ? 18 : f[12] == 0x88 && f[13] == 0xa8 ? 22 : 14;
}

/* Congestion Experienced, in what can say so (RFC 3168 5). */
static void mark(struct world *w, uint8_t *frame)
{
	uint8_t *ip = frame + link_header(frame);
	uint32_t sum;

	if (!(ip[1] & (w->plan.six ? 0x30 : 3)))
		return;
	w->marks++;
	if (w->plan.six) {
		ip[1] |= 0x30;
		return;
	}
	/* RFC 1624: the header's sum follows */
	sum = (uint32_t)(uint16_t) ~(ip[10] << 8 | ip[11]) + 3 - (ip[1] & 3);
	ip[1] |= 3;
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void put(struct world *w, int to, const void *frame, uint32_t length, uint64_t at, bool queued,
		bool icmp)
{
	struct event *e;

	if (w->events == sizeof(w->heap) / sizeof(w->heap[0]))
		return;
	e = malloc(sizeof(*e) + length);
	if (!e)
		abort();
	e->at = at;
	e->to = to;
	e->corrupt = false;
	e->queued = queued;
	e->icmp = icmp;
	e->length = length;
	memcpy(e->frame, frame, length);
	if (!icmp && chance(w, w->plan.way[!to].corrupt)) {
		uint32_t l4 = link_header(e->frame) + (w->plan.six ? 40 : 20);
		uint32_t bit = (uint32_t)(sim_random(&w->random) >> 16) % ((length - l4) * 8);

		e->frame[l4 + bit / 8] ^= 1 << bit % 8;
		e->corrupt = true;
		w->corrupted++;
	} else if (!icmp && chance(w, w->plan.way[!to].mark))
		mark(w, e->frame);
	push(w, e);
}

/* Too big for the way: an ICMP error goes back, as a router's would. */
static void too_big(struct world *w, int from, const uint8_t *f, uint32_t length)
{
	uint32_t l3 = link_header(f), mtu = w->plan.way[from].mtu, n = l3;
	struct end *e = &w->end[from];
	uint8_t frame[256] = { 0 };

	if (!w->plan.way[from].icmp || !e->open)
		return;
	n += w->plan.six ? 40 : 20;
	frame[n] = w->plan.six ? 2 : 3;
	frame[n + 1] = w->plan.six ? 0 : 4;
	frame[n + 6] = mtu >> 8;
	frame[n + 7] = (uint8_t)mtu;
	memcpy(frame + n + 8, f + l3, 64);
	put(w, from, frame, n + 72, w->now + w->plan.way[from].delay, false, true);
}

void link_send(struct world *w, int from, const void *frame, uint32_t length)
{
	struct link_way *way = &w->plan.way[from];
	uint64_t at;

	if (w->now >= way->change_at) {
		way->rate = way->next_rate;
		way->delay = way->next_delay;
		way->mtu = way->next_mtu;
		way->change_at = TCP_NEVER;
	}
	if (length - link_header(frame) > way->mtu) {
		too_big(w, from, frame, length);
		way->lost++;
		return;
	}
	if (way->waiting >= way->queue || chance(w, way->loss) ||
	    (w->now >= way->dead_from && w->now < way->dead_to)) {
		way->lost++;
		return;
	}
	if (way->free_at < w->now)
		way->free_at = w->now;
	way->free_at += (uint64_t)length * TCP_SECOND / way->rate;
	at = way->free_at + way->delay;
	if (chance(w, way->reorder))
		at += sim_random(&w->random) % way->jitter;
	way->waiting++;
	way->passed++;
	put(w, !from, frame, length, at, true, false);
	if (chance(w, way->duplicate))
		put(w, !from, frame, length, at + 1000, false, false);
}

uint64_t link_next(const struct world *w)
{
	return w->events ? w->heap[0]->at : TCP_NEVER;
}

void link_deliver(struct world *w)
{
	while (w->events && w->heap[0]->at <= w->now && !w->failure) {
		struct event *e = pop(w);

		if (e->queued)
			w->plan.way[!e->to].waiting--;
		if (e->icmp)
			end_icmp(&w->end[e->to], e->frame, e->length);
		else
			end_frame(&w->end[e->to], e->frame, e->length, e->corrupt);
		free(e);
	}
}

void link_free(struct world *w)
{
	while (w->events)
		free(w->heap[--w->events]);
}
