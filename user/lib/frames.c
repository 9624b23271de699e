/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who has which frame. RX frames go round between FILL, the kernel, our RX ring
 * and back: with the lease we put them into FILL ourselves, without it into the
 * ring `back`. TX frames are ours; the kernel returns them by COMPLETION, which
 * is ours to read with the lease, else porchd reads it and tells by `give`.
 */
#include <linux/if_xdp.h>

#include "lib/lib.h"

#define BACK_KICK_SHARE 32 /* porchd is woken when this part of the RX frames is in `back` */

/* An RX frame that has been read. More than there are: somebody reuses descriptors; the surplus is theirs. */
void frames_spent(struct porch *p, struct area *a, uint64_t address)
{
	if (a->n_spent < a->rx_frames)
		a->spent[a->n_spent++] = address;
	else
		p->count.refused_ring++;
}

/* A TX frame that the kernel is done with. */
static void tx_returned(struct porch *p, struct area *a, uint64_t address)
{
	uint64_t n = address / a->frame_size - a->tx_first;

	if (n >= a->tx_frames || !a->tx_out[n]) {
		p->count.refused_ring++;
		return;
	}
	a->tx_out[n] = 0;
	a->tx_free[a->n_tx_free++] = a->tx_first + n;
}

/* porchd is woken for what it alone can return: TX frames, and FILL when it runs low. */
static void back_kick(struct porch *p, struct area *a)
{
	if (a->back_since > a->rx_frames / BACK_KICK_SHARE || a->n_tx_free < a->tx_frames / 2) {
		a->back_since = 0;
		poll_wake_daemon(p);
	} else if (p->kick_at == LIB_NEVER) {
		p->kick_at = p->stack.now + LIB_KICK_NS;
	}
}

/* An index of porchd's that cannot be. */
static void impossible(struct porch *p, int error)
{
	if (!error)
		return;
	p->count.refused_ring++;
	p->lost_pending = true;
}

static bool back_put(struct porch *p, struct area *a)
{
	uint32_t n = 0;
	int error = 0;

	while (a->n_spent) {
		uint64_t *e = porch_ring_fill(&a->back, &error);

		if (!e)
			break;
		*e = a->spent[--a->n_spent];
		n++;
	}
	impossible(p, error);
	if (!n)
		return false;
	porch_ring_publish(&a->back);
	a->back_since += n;
	return true;
}

static bool give_take(struct porch *p, struct area *a)
{
	uint32_t n = 0;
	int error = 0;

	for (; n <= a->give.mask; n++) {
		const uint64_t *e = porch_ring_take(&a->give, &error);
		uint64_t address;

		if (!e)
			break;
		address = __atomic_load_n(e, __ATOMIC_RELAXED);
		if (address >= a->place.umem_size)
			p->count.refused_ring++;
		else if (address / a->frame_size < a->rx_frames)
			frames_spent(p, a, address);
		else
			tx_returned(p, a, address);
	}
	impossible(p, error);
	if (n)
		porch_ring_release(&a->give);
	return n;
}

/* The rings of somebody else until now: where they stand is in them. */
static bool lease_take(struct porch *p, struct area *a, uint64_t *word)
{
	uint64_t now = __atomic_load_n(&a->head->lease, __ATOMIC_ACQUIRE);
	bool ours = false;

	if (PORCH_LEASE_OWNER(now) == p->worker && !PORCH_LEASE_BUSY(now)) {
		*word = PORCH_LEASE(p->worker, 1, PORCH_LEASE_GENERATION(now));
		ours = __atomic_compare_exchange_n(&a->head->lease, &now, *word, false, __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE);
	}
	if (ours != a->leased) {
		a->leased = ours;
		if (ours)
			p->count.leases_taken++;
		else
			p->count.leases_lost++;
	}
	return ours;
}

/* Stopped in mid-work for so long that porchd took it: what we wrote meanwhile is its to find out. */
static void lease_return(struct porch *p, struct area *a, uint64_t word)
{
	uint64_t idle = PORCH_LEASE(p->worker, 0, PORCH_LEASE_GENERATION(word));

	if (!__atomic_compare_exchange_n(&a->head->lease, &word, idle, false, __ATOMIC_RELEASE,
					 __ATOMIC_RELAXED)) {
		a->leased = false;
		p->count.leases_lost++;
	}
}

static bool completion_take(struct porch *p, struct area *a)
{
	struct xsk_ring *r = &a->completion;
	uint32_t own = *r->consumer, n = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - own;

	/* Only who held the lease before can have written this. */
	if (n > r->mask + 1) {
		p->count.refused_ring++;
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		tx_returned(p, a, ((uint64_t *)r->entries)[(own + i) & r->mask]);
	if (n)
		__atomic_store_n(r->consumer, own + n, __ATOMIC_RELEASE);
	return n;
}

static bool fill_put(struct porch *p, struct area *a)
{
	struct xsk_ring *r = &a->fill;
	uint32_t own = *r->producer, used = own - __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	uint32_t n = a->n_spent;

	if (used > r->mask + 1) {
		p->count.refused_ring++;
		return false;
	}
	if (n > r->mask + 1 - used)
		n = r->mask + 1 - used;
	for (uint32_t i = 0; i < n; i++)
		((uint64_t *)r->entries)[(own + i) & r->mask] = a->spent[--a->n_spent];
	if (n)
		__atomic_store_n(r->producer, own + n, __ATOMIC_RELEASE);
	return n;
}

bool frames_move(struct porch *p, struct area *a, bool completions)
{
	bool wanted = a->n_tx_free + LIB_TX_OUT <= a->tx_frames || a->n_tx_free < a->tx_frames / 2 ||
		      (completions && a->n_tx_free < a->tx_frames);
	bool moved = false;
	uint64_t word;

	if (porch_ring_pending(&a->give))
		moved = give_take(p, a);
	if (!wanted && !a->n_spent)
		return moved;
	if (a->can_lease && lease_take(p, a, &word)) {
		if (wanted)
			moved |= completion_take(p, a);
		if (a->n_spent)
			moved |= fill_put(p, a);
		lease_return(p, a, word);
		if (*a->fill.flags & XDP_RING_NEED_WAKEUP)
			xsk_kick_rx(a->owner);
		return moved;
	}
	if (a->n_spent && back_put(p, a))
		moved = true;
	if (a->back_since || a->n_tx_free < a->tx_frames / 2)
		back_kick(p, a);
	return moved;
}
