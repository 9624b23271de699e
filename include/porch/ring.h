/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Single-producer, single-consumer ring in memory that two processes share.
 *
 * The shared part is two indices, each alone on its cache line and written by
 * one side only, and the entries. Everything else (geometry, the own index, the
 * peer's index as last seen) is private to each side, in a porch_ring_end: a
 * peer can write what it likes into the shared part, and the worst that comes
 * of it is -EPROTO. Indices run freely modulo 2^32; entry i lies at i & mask.
 *
 * No wake-ups here: wire.h says who sleeps how.
 */
#ifndef PORCH_RING_H
#define PORCH_RING_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct porch_ring {
	_Alignas(64) uint32_t produced;	/* writer: producer */
	_Alignas(64) uint32_t consumed;	/* writer: consumer */
	_Alignas(64) unsigned char entries[];
};

/* One side's private view. */
struct porch_ring_end {
	struct porch_ring *ring;
	uint32_t mask;		/* entries - 1; entries: a power of two */
	uint32_t entry_size;	/* octets */
	uint32_t own;		/* this side's index, ahead of the shared one until published */
	uint32_t peer;		/* the other side's, as last read and found possible */
};

/* Octets of a ring with so many entries. */
static inline size_t porch_ring_size(uint32_t entries, uint32_t entry_size)
{
	return sizeof(struct porch_ring) + (size_t)entries * entry_size;
}

/* Both sides begin at what the shared indices say, so that a side can be taken
 * over by another process. 0; -EPROTO: they contradict each other. */
static inline int porch_ring_join(struct porch_ring_end *e, struct porch_ring *ring, uint32_t entries,
				  uint32_t entry_size, int producer)
{
	uint32_t p = __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE);
	uint32_t c = __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);

	if (!entries || (entries & (entries - 1)) || p - c > entries)
		return -EPROTO;
	e->ring = ring;
	e->mask = entries - 1;
	e->entry_size = entry_size;
	e->own = producer ? p : c;
	e->peer = producer ? c : p;
	return 0;
}

static inline void *porch_ring_at(const struct porch_ring_end *e, uint32_t index)
{
	return e->ring->entries + (size_t)(index & e->mask) * e->entry_size;
}

/*
 * Producer: the next free entry to be filled, or NULL when the ring is full
 * (*error 0) or the consumer's index is impossible (*error -EPROTO).
 * Entries filled are not seen before porch_ring_publish().
 */
static inline void *porch_ring_fill(struct porch_ring_end *e, int *error)
{
	*error = 0;
	if (e->own - e->peer > e->mask) {
		uint32_t c = __atomic_load_n(&e->ring->consumed, __ATOMIC_ACQUIRE);

		if (e->own - c > e->mask + 1 || c - e->peer > e->own - e->peer) {
			*error = -EPROTO;
			return NULL;
		}
		e->peer = c;
		if (e->own - c > e->mask)
			return NULL;
	}
	return porch_ring_at(e, e->own++);
}

static inline void porch_ring_publish(struct porch_ring_end *e)
{
	__atomic_store_n(&e->ring->produced, e->own, __ATOMIC_RELEASE);
}

/* Consumer: the next entry, or NULL: empty (*error 0), or -EPROTO as above. The
 * entry stays valid until porch_ring_release(); copy it once, then check it. */
static inline const void *porch_ring_take(struct porch_ring_end *e, int *error)
{
	*error = 0;
	if (e->own == e->peer) {
		uint32_t p = __atomic_load_n(&e->ring->produced, __ATOMIC_ACQUIRE);

		if (p - e->own > e->mask + 1) {
			*error = -EPROTO;
			return NULL;
		}
		e->peer = p;
		if (e->own == p)
			return NULL;
	}
	return porch_ring_at(e, e->own++);
}

/* Consumer: everything taken may be overwritten. */
static inline void porch_ring_release(struct porch_ring_end *e)
{
	__atomic_store_n(&e->ring->consumed, e->own, __ATOMIC_RELEASE);
}

/* Is there something to take? Looks at the shared index; changes nothing. */
static inline int porch_ring_pending(const struct porch_ring_end *e)
{
	return __atomic_load_n(&e->ring->produced, __ATOMIC_ACQUIRE) != e->own;
}

#endif /* PORCH_RING_H */
