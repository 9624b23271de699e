// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Workers' sockets on an area: offered, bound, taken back. */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/frames.h"
#include "daemon/lease.h"
#include "daemon/loop.h"
#include "daemon/peer.h"
#include "daemon/reap.h"
#include "daemon/session.h"
#include "daemon/slots.h"
#include "daemon/umem.h"
#include "daemon/xsk.h"

/* The slice that has been free for longest: frames of its last owner may still be under way. */
static uint32_t free_slice(const struct area *a)
{
	uint32_t i, best = UMEM_NONE;

	for (i = 0; i < a->slices; i++) {
		if (!a->holders[i] && (best == UMEM_NONE || a->slice_freed[i] < a->slice_freed[best]))
			best = i;
	}
	return best;
}

static bool nobody_on(const struct area *a)
{
	return !a->slices_used && !a->departed;
}

int member_prepare(struct daemon *d, struct area *a, struct worker *w, uint32_t number)
{
	struct worker_area *wa = &w->areas[number];
	struct umem_geometry g;
	struct xsk_sizes sizes = {};
	uint32_t slice;
	int r;

	/* The first worker of an area shall be able to map its rings, and find all frames there. */
	if (a->bound && nobody_on(a) && (a->dirty || !a->late_map))
		area_unbind(d, a);
	r = area_prepare(d, a);
	if (!r)
		r = umem_geometry(&d->config, a->group->mtu, a->group->queues, &g);
	if (r)
		return r;
	slice = free_slice(a);
	if (slice == UMEM_NONE)
		return -EUSERS;
	sizes.rx = umem_rx_entries(&g);
	sizes.tx = umem_tx_entries(&g);
	r = xsk_open(d, &sizes);
	if (r < 0)
		return r;
	wa->xsk = r;
	r = xsk_ring_map(wa->xsk, XSK_RX, sizes.rx, &wa->rx);
	if (r) {
		reap_fd(TAKE_FD(wa->xsk));
		return r;
	}
	wa->area = a;
	wa->slice = slice;
	wa->slot = slot_of(a, w->number);
	wa->told = true;
	wa->told_ns = d->now;
	wa->mapped = wa->bound = wa->down = wa->stalled = wa->can_lease = false;
	wa->given = 0;
	a->holders[slice] = wa;
	a->slices_used |= 1ull << slice;
	return 0;
}

int area_bind(struct daemon *d, struct area *a)
{
	struct trust_group *g = a->group;
	struct xsk_ring probe;
	bool zero_copy;
	int r;

	if (a->bound)
		return 0;
	r = xsk_bind(a->xsk, g->ifindex, a->queue, d->config.zero_copy);
	if (!r)
		r = xsk_mode(a->xsk, &zero_copy);
	if (!r && d->config.zero_copy && !zero_copy)
		r = -EOPNOTSUPP; /* asked for, and not obtained: never silently worse */
	if (r)
		return r;
	a->zero_copy = zero_copy;
	r = loop_add(d->loop, a->xsk, EPOLLIN, NULL, NULL);
	if (r)
		return r;
	a->bound = true;
	r = slot_install(d, a, NULL, a->xsk);
	if (r) {
		area_unbind(d, a);
		return r;
	}
	if (!xsk_ring_map(a->xsk, XSK_FILL, a->fill.mask + 1, &probe)) {
		a->late_map = true;
		xsk_ring_unmap(&probe);
	}
	log_line(LOG_INFO, "%s queue %u: bound, %s, TCP sums made by %s", g->name, a->queue,
		 zero_copy ? "zero-copy" : "copy mode",
		 !a->tx_metadata ? "workers"
		 : zero_copy	 ? "the device"
				 : "the kernel or the device");
	return 0;
}

static int bind_member(struct daemon *d, struct area *a, struct worker_area *wa)
{
	int r = xsk_bind_shared(wa->xsk, a->group->ifindex, a->queue, a->xsk);

	if (!r)
		r = session_area_join(wa->worker, wa);
	if (r)
		return r;
	/* What an earlier incarnation of this area left in the ring is nobody's any more. */
	wa->back.own = wa->back.peer = __atomic_load_n(&wa->back.ring->produced, __ATOMIC_ACQUIRE);
	porch_ring_release(&wa->back);
	wa->bound = true;
	a->workers++;
	r = slot_install(d, a, wa->worker, wa->xsk);
	if (r)
		return r;
	a->unsettled = true;
	return 0;
}

int members_bind(struct daemon *d, struct area *a)
{
	uint32_t i;
	int r;

	r = area_bind(d, a);
	if (r)
		return r == -EBUSY || r == -ENETDOWN ? -EAGAIN : r;
	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];
		int e;

		if (!wa || wa->bound || !wa->mapped || wa->worker->condemned)
			continue;
		e = bind_member(d, a, wa);
		if (e)
			peer_bind_failed(d, wa, e);
		else
			peer_bound(d, wa);
	}
	return 0;
}

void members_refuse(struct daemon *d, struct area *a, int error)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		if (a->holders[i] && !a->holders[i]->bound && a->holders[i]->mapped &&
		    !a->holders[i]->worker->condemned)
			peer_bind_failed(d, a->holders[i], error);
	}
}

void member_leave(struct daemon *d, struct worker_area *wa)
{
	struct area *a = wa->area;
	bool was_bound = wa->bound;

	if (was_bound) {
		slot_remove(d, wa->slot);
		a->workers--;
	}
	wa->bound = wa->mapped = wa->told = false;
	if (!wa->down) {
		a->holders[wa->slice] = NULL;
		a->slices_used &= ~(1ull << wa->slice);
		a->slice_freed[wa->slice] = d->now;
	}
	wa->down = false;
	if (was_bound && a->bound && !a->broken) {
		if (a->lease_owner == wa->worker->number) {
			/* by force: it is gone, or what it wrote cannot be trusted */
			if (!a->fill.map || lease_take(a, true)) {
				area_break(d, a, "the lease of a worker that is gone cannot be taken back");
			} else {
				d->count.leases_taken++;
				slots_show_lease(d, a);
			}
		}
		if (!a->broken)
			frames_depart(d, wa);
	}
	xsk_ring_unmap(&wa->rx);
	if (wa->xsk >= 0)
		reap_fd(TAKE_FD(wa->xsk));
	wa->area = NULL;
	a->unsettled = true;
}
