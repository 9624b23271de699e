/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames to be sent: taken from this worker's slice, filled by the engine,
 * queued, and told to the kernel by one call per batch. Having none is an
 * ordinary thing: the engine remembers what it owes, and asks again.
 */
#include <linux/if_xdp.h>

#include "lib/lib.h"

static bool ring_has_room(struct xsk_ring *r)
{
	if (r->own - r->peer <= r->mask)
		return true;
	r->peer = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	return r->own - r->peer <= r->mask;
}

void *tx_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct porch *p = porch_of(stack);
	struct area *a = area_of(p, conn_of(conn));

	/* Without an area the engine's timers go on asking until there is one. */
	if (!a)
		return NULL;
	if (!a->n_tx_free)
		frames_move(p, a, true);
	if (!a->n_tx_free || !ring_has_room(&a->tx)) {
		p->count.tx_full++;
		p->starved = LIB_STARVED_NS;
		return NULL;
	}
	stack->leave_sum = a->tx_metadata;
	return a->umem + (uint64_t)a->tx_free[a->n_tx_free - 1] * a->frame_size + a->tx_metadata;
}

/* The engine has left the sum of the pseudo-header where the TCP header wants one. */
static void ask_for_sum(const struct tcp_conn *conn, void *frame)
{
	*(struct porch_tx_metadata *)((uint8_t *)frame - PORCH_TX_METADATA) = (struct porch_tx_metadata){
		.flags = PORCH_TXMD_CHECKSUM,
		.csum_start = tcp_frame_l4(conn),
		.csum_offset = 16,
	};
}

void tx_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	struct porch *p = porch_of(stack);
	struct area *a = area_of(p, conn_of(conn));
	struct xsk_ring *r = &a->tx;
	uint32_t n = a->tx_free[--a->n_tx_free];

	if (__builtin_expect(p->capture.fd >= 0, 0))
		capture_frame(p, a->ifindex, frame, length);
	if (a->tx_metadata)
		ask_for_sum(conn, frame);
	a->tx_out[n - a->tx_first] = 1;
	((struct xdp_desc *)r->entries)[r->own & r->mask] = (struct xdp_desc){
		.addr = (uint64_t)n * a->frame_size + a->tx_metadata,
		.len = length,
		.options = a->tx_metadata ? PORCH_TXMD_OPTION : 0,
	};
	r->own++;
	a->kick = true;
	p->count.frames_out++;
}

/*
 * Publishes what tx_send() has queued and has the kernel send it. A kernel that
 * sends a part of it (budget, queue full, out of memory) is asked again as long
 * as it gets on, then at the next turn.
 */
static void kick(struct porch *p, struct area *a)
{
	struct xsk_ring *r = &a->tx;
	int error;

	__atomic_store_n(r->producer, r->own, __ATOMIC_RELEASE);
	for (;;) {
		uint32_t before = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);

		error = xsk_kick_tx(a->xsk);
		r->peer = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
		if (r->own - r->peer > r->mask + 1) {
			p->count.refused_ring++;
			p->lost_pending = true;
			return;
		}
		if (r->peer == r->own) {
			a->kick = false;
			return;
		}
		/* In zero-copy mode the driver takes them in its own time. */
		if (!error) {
			a->kick = a->zero_copy ? false : r->peer != r->own;
			if (!a->kick || r->peer == before)
				break;
			continue;
		}
		if (r->peer != before)
			continue;
		/* Completions that nobody has read are the usual reason. */
		if (!frames_move(p, a, true))
			break;
	}
	if (!a->kick)
		return;
	p->count.tx_full++;
	if (error == -ENETDOWN || error == -ENXIO)
		p->starved = p->starved ? p->starved : LIB_DOWN_NS;
	else
		p->starved = LIB_STARVED_NS;
}

void tx_kick(struct porch *p)
{
	for (uint32_t i = 0; i < p->n_areas; i++)
		if (p->areas[i] && p->areas[i]->kick)
			kick(p, p->areas[i]);
}
