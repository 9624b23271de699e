/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From descriptors to connections. The frames lie in memory that others can
 * write to, so a record is copied once, checked, and not believed beyond its
 * bounds; the engine copies what it keeps, and the frame goes back at once.
 */
#include <linux/if_xdp.h>
#include <string.h>

#include "lib/lib.h"

/* A connection follows its client to another queue, if what it sends still fits there. */
static void follow(struct porch_conn *c, const struct area *a)
{
	if (c->tcp.area == a->number && c->ifindex == a->ifindex)
		return;
	if (c->tcp.mtu_link > a->mtu)
		return;
	c->tcp.area = a->number;
	c->ifindex = a->ifindex;
	c->rx_queue = a->queue;
}

void input_frame(struct porch *p, const struct porch_record *r, const uint8_t *frame, uint32_t length,
		 struct area *a)
{
	struct tcp_segment seg;
	struct porch_conn *c;

	/* A record for ICMP gives no segment: the engine measures what is quoted. */
	if (r->l3 < 14 || r->l4 <= r->l3 || r->l4 > length ||
	    (r->kind != PORCH_RECORD_ICMP && r->length > length - r->l4)) {
		p->count.refused_frame++;
		return;
	}
	c = flow_find(p, r->flow);
	if (!c || c->serial != r->serial) {
		/* Handed over since this turn has looked? */
		c = porch_ring_pending(&p->accept) && accept_take(p) ? flow_find(p, r->flow) : NULL;
		if (!c || c->serial != r->serial) {
			p->count.refused_unknown++;
			return;
		}
	}
	if (r->kind == PORCH_RECORD_ICMP) {
		tcp_icmp(&p->stack, &c->tcp, frame, length, r->l3, r->l4);
		return;
	}
	if (tcp_parse(frame, length, r->l3, r->l4, r->length, &seg)) {
		p->count.refused_frame++;
		return;
	}
	if (a)
		follow(c, a);
	if (tcp_input(&p->stack, &c->tcp, &seg) == -EBADMSG)
		p->count.refused_checksum++;
}

static void input_descriptor(struct porch *p, struct area *a, const struct xdp_desc *d)
{
	uint64_t address = d->addr, within = address & (a->frame_size - 1);
	struct porch_record r;
	const uint8_t *frame;

	if (address / a->frame_size >= a->rx_frames) {
		p->count.refused_ring++;
		return;
	}
	frames_spent(p, a, address - within);
	if (within < sizeof(r) || d->len > a->frame_size - within || d->options) {
		p->count.refused_frame++;
		return;
	}
	frame = a->umem + address;
	memcpy(&r, frame - sizeof(r), sizeof(r));
	if (r.magic != PORCH_RECORD_MAGIC) {
		p->count.refused_frame++;
		return;
	}
	p->count.frames_in++;
	if (__builtin_expect(p->capture.fd >= 0, 0))
		capture_frame(p, a->ifindex, frame, d->len);
	input_frame(p, &r, frame, d->len, a);
}

/* What one descriptor will touch, asked for while others are worked on. */
static void prefetch(const struct area *a, const struct xdp_desc *d)
{
	if (d->addr / a->frame_size < a->rx_frames) {
		__builtin_prefetch(a->umem + d->addr - sizeof(struct porch_record));
		__builtin_prefetch(a->umem + d->addr + 32);
	}
}

uint32_t rx_area(struct porch *p, struct area *a)
{
	struct xsk_ring *ring = &a->rx;
	const struct xdp_desc *entries = ring->entries;
	uint32_t n = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->own;

	if (!n)
		return 0;
	if (n > ring->mask + 1) {
		p->count.refused_ring++;
		p->lost_pending = true;
		return 0;
	}
	if (n > LIB_BATCH)
		n = LIB_BATCH;
	for (uint32_t i = 0; i < n && i < 4; i++)
		prefetch(a, &entries[(ring->own + i) & ring->mask]);
	for (uint32_t i = 0; i < n; i++) {
		struct xdp_desc d = entries[(ring->own + i) & ring->mask];

		if (i + 4 < n)
			prefetch(a, &entries[(ring->own + i + 4) & ring->mask]);
		input_descriptor(p, a, &d);
	}
	ring->own += n;
	__atomic_store_n(ring->consumer, ring->own, __ATOMIC_RELEASE);
	return n;
}
