/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tests of frames look at. */
#ifndef PORCH_TESTS_CONTROL_FRAMES_H
#define PORCH_TESTS_CONTROL_FRAMES_H

#include "tests/unit/control_world.h"

/* A worker's rings, as wire.h has them. */
static inline struct porch_ring_end end_of(struct client *c, const struct porch_ring_place *p, int producer)
{
	struct porch_ring_end e = {};

	assert_int_equal(porch_ring_join(&e, (struct porch_ring *)((uint8_t *)c->session + p->offset), p->entries,
					 p->entry_size, producer),
			 0);
	return e;
}

static inline struct xsk_ring rx_of(struct client *c, uint32_t queue)
{
	struct xsk_ring rx;

	assert_int_equal(xsk_ring_map(c->xsk[queue], XSK_RX, c->socket[queue].socket.rx_entries, &rx), 0);
	return rx;
}

/* Takes up to n frames out of the RX ring and keeps them. */
static inline uint32_t read_frames(struct client *c, uint32_t queue, uint32_t n, uint64_t *frames)
{
	struct xsk_ring rx = rx_of(c, queue);
	uint32_t i = 0;

	for (; i < n && *rx.consumer != *rx.producer; i++)
		frames[i] = xsk_desc(&rx, (*rx.consumer)++).addr;
	return i;
}

static inline bool all_there(struct world *x, uint32_t queue)
{
	struct umem_account n;

	assert_int_equal(umem_account(area_of(x, queue), &n), 0);
	return !n.missing && !n.twice;
}

static inline bool settled(struct world *x)
{
	return !area_of(x, 0)->departed && !area_of(x, 1)->departed;
}

static inline uint16_t holder(struct world *x, uint32_t queue)
{
	return area_of(x, queue)->lease_owner;
}

#endif /* PORCH_TESTS_CONTROL_FRAMES_H */
