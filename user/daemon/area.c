// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/area.h"
#include "daemon/control.h"
#include "daemon/frames.h"
#include "daemon/group.h"
#include "daemon/lease.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/reap.h"
#include "daemon/slots.h"
#include "daemon/tx_checksum.h"
#include "daemon/umem.h"
#include "daemon/worker.h"
#include "daemon/xsk.h"

#define BATCH 64

/* With room for requests in front of frames if they are wanted and the kernel knows them. */
static int register_umem(struct daemon *d, struct area *a)
{
	int r;

	a->tx_metadata = tx_checksum_wanted(d, a);
	r = xsk_umem(a->xsk, a->umem, a->umem_size, a->frame_size, a->tx_metadata);
	if (r != -EINVAL || !a->tx_metadata)
		return r;
	a->tx_metadata = 0;
	if (d->config.tx_checksum == PORCH_TX_CHECKSUM_YES)
		log_limited(d->now, LOG_WARNING,
			    "%s: tx-checksum = yes wants Linux 6.11: workers make the sums", a->group->name);
	return xsk_umem(a->xsk, a->umem, a->umem_size, a->frame_size, 0);
}

static int make_socket(struct daemon *d, struct area *a, const struct umem_geometry *g)
{
	const struct xsk_sizes sizes = {
		.rx = umem_round_up(g->rx_frames),
		.fill = umem_fill_entries(g),
		.completion = umem_completion_entries(g),
	};
	int r;

	a->xsk = xsk_open(d, &sizes);
	if (a->xsk < 0)
		return a->xsk;
	r = register_umem(d, a);
	if (!r)
		r = xsk_ring_map(a->xsk, XSK_RX, sizes.rx, &a->rx);
	if (!r)
		r = xsk_ring_map(a->xsk, XSK_FILL, sizes.fill, &a->fill);
	if (!r)
		r = xsk_ring_map(a->xsk, XSK_COMPLETION, sizes.completion, &a->completion);
	return r;
}

int area_prepare(struct daemon *d, struct area *a)
{
	struct umem_geometry g;
	uint32_t i;
	int r;

	if (a->xsk >= 0)
		return 0;
	r = umem_geometry(&d->config, a->group->mtu, a->group->queues, &g);
	if (!r && !a->group->memory)
		r = umem_create(a->group, &g);
	if (r)
		return r;
	umem_place(a, &g);
	r = make_socket(d, a, &g);
	if (r) {
		area_unbind(d, a);
		return r;
	}
	lease_start(a, (uint32_t)d->generation);
	frames_forget(a);
	a->lost = 0;
	a->full = 0;
	a->dirty = false;
	/* Also before it is bound: drivers take frames while they bind. */
	for (i = 0; i < a->rx_frames; i++) {
		UMEM_OWN(a, i, UMEM_UNKNOWN, UMEM_FILL);
		*xsk_address(&a->fill, a->fill.own++) = umem_address(a, i);
	}
	xsk_producer_publish(&a->fill);
	return 0;
}

void area_unbind(struct daemon *d, struct area *a)
{
	if (a->bound) {
		slot_remove(d, slot_of(a, 0));
		loop_remove(d->loop, a->xsk);
	}
	frames_forget(a);
	xsk_ring_unmap(&a->rx);
	xsk_ring_unmap(&a->fill);
	xsk_ring_unmap(&a->completion);
	if (a->xsk >= 0)
		reap_fd(a->xsk);
	a->xsk = -1;
	a->bound = false;
	a->unsettled = false;
	a->busy_since = a->low_since = a->starved_since = 0;
	a->lease_owner = 0;
#ifdef PORCH_DEBUG_FRAMES
	free(a->owners);
	a->owners = NULL;
#endif
}

void area_break(struct daemon *d, struct area *a, const char *why)
{
	if (a->broken)
		return;
	a->broken = why;
	d->work_left = true;
	control_wake(d);
}

static struct worker_area *holder(const struct area *a)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		if (a->holders[i] && a->holders[i]->worker->number == a->lease_owner)
			return a->holders[i];
	}
	return NULL;
}

static void give(struct daemon *d, struct worker_area *wa, uint64_t address)
{
	uint64_t *entry;
	int error;

	entry = porch_ring_fill(&wa->give, &error);
	if (entry) {
		*entry = address;
		wa->given++;
	} else if (error) {
		worker_condemn(d, wa->worker, "nonsense in a give ring");
	} else {
		/* There is room for each frame once: somebody has multiplied them. */
		area_break(d, wa->area, "more frames than there are");
	}
}

void area_return(struct daemon *d, struct area *a, uint32_t frame)
{
	struct worker_area *to;

	a->given_back++;
	if (lease_ours(a)) {
		if (!a->fill.map)
			return;
		if (a->fill.own - a->fill.peer > a->fill.mask && xsk_producer_room(&a->fill) <= 0) {
			area_break(d, a, "FILL is full, or its indices are impossible");
			return;
		}
		UMEM_OWN(a, frame, UMEM_PORCHD, UMEM_FILL);
		*xsk_address(&a->fill, a->fill.own++) = umem_address(a, frame);
		return;
	}
	to = holder(a);
	if (to) {
		UMEM_OWN(a, frame, UMEM_PORCHD, UMEM_UNKNOWN);
		give(d, to, umem_address(a, frame));
	}
}

void area_sent(struct daemon *d, struct area *a, uint64_t address)
{
	uint32_t slice = umem_slice(a, address);

	/* A slice without a worker: it is gone, and was so when the frame went out. */
	if (slice != UMEM_NONE && a->holders[slice])
		give(d, a->holders[slice], address);
}

void area_flush(struct daemon *d, struct area *a)
{
	uint32_t i, enough = a->rx_frames / 8 < a->tx_frames / 4 ? a->rx_frames / 8 : a->tx_frames / 4;

	if (lease_ours(a) && a->fill.map && a->fill.own != *a->fill.producer) {
		xsk_producer_publish(&a->fill);
		xsk_wake_fill(a->xsk, &a->fill);
	}
	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (!wa || !wa->given || wa->worker->condemned)
			continue;
		porch_ring_publish(&wa->give);
		if (wa->given <= enough)
			continue;
		wa->given = 0;
		worker_wake(d, wa->worker);
	}
}

/* What the record says must fit the frame it lies in: members of the group can write both. */
static bool sound(const struct daemon *d, const struct porch_record *r, uint32_t length)
{
	return r->magic == PORCH_RECORD_MAGIC && r->kind >= PORCH_RECORD_PROOF &&
	       r->kind <= PORCH_RECORD_ICMP && r->flow < d->tables.n_flows && r->l3 >= 14 &&
	       r->l4 >= r->l3 + 20u && (uint32_t)r->l4 + r->length <= length && r->length >= 8;
}

static int receive(struct daemon *d, struct area *a)
{
	int n = xsk_consumer_ready(&a->rx), i;

	if (n < 0) {
		area_break(d, a, "indices of porchd's RX ring are impossible");
		return 0;
	}
	if (n > BATCH)
		n = BATCH;
	for (i = 0; i < n && !a->broken; i++) {
		struct xdp_desc desc = xsk_desc(&a->rx, a->rx.own++);
		uint32_t frame = umem_rx_frame(a, desc.addr), offset = desc.addr % a->frame_size;
		struct porch_record record;

		if (frame == UMEM_NONE || offset < sizeof(record) || desc.len > a->frame_size - offset) {
			area_break(d, a, "an address in porchd's RX ring is impossible");
			break;
		}
		UMEM_OWN(a, frame, UMEM_FILL, UMEM_PORCHD);
		memcpy(&record, a->umem + desc.addr - sizeof(record), sizeof(record));
		if (sound(d, &record, desc.len))
			admit_frame(d, a, &record, a->umem + desc.addr, desc.len);
		else
			d->count.unknown_record++;
		area_return(d, a, frame);
	}
	if (n) {
		a->frames_in += n;
		xsk_consumer_release(&a->rx);
	}
	return n;
}

/* Frames that workers without the lease have read. */
static int take_back(struct daemon *d, struct area *a)
{
	const uint64_t *entry;
	uint32_t i, frame;
	int n = 0, error;

	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];
		uint32_t limit = BATCH;

		if (!wa || !wa->bound || wa->worker->condemned || !porch_ring_pending(&wa->back))
			continue;
		while (limit-- && (entry = porch_ring_take(&wa->back, &error))) {
			frame = umem_rx_frame(a, __atomic_load_n(entry, __ATOMIC_RELAXED));
			n++;
			if (frame == UMEM_NONE) {
				error = -EPROTO;
				break;
			}
			UMEM_OWN(a, frame, UMEM_UNKNOWN, UMEM_PORCHD);
			area_return(d, a, frame);
		}
		if (error)
			worker_condemn(d, wa->worker, "nonsense in a back ring");
		else
			porch_ring_release(&wa->back);
	}
	return n;
}

static int complete(struct daemon *d, struct area *a)
{
	int n = xsk_consumer_ready(&a->completion), i;

	if (n < 0) {
		area_break(d, a, "indices of COMPLETION are impossible");
		return 0;
	}
	for (i = 0; i < n && !a->broken; i++)
		area_sent(d, a, *(volatile uint64_t *)xsk_address(&a->completion, a->completion.own++));
	if (n)
		xsk_consumer_release(&a->completion);
	return n;
}

int areas_poll(struct daemon *d)
{
	int done = 0, n;

	for_each_area(d, a, g, q)
	{
		if (!a->bound || a->broken)
			continue;
		if (lease_check(a)) {
			area_break(d, a, "somebody else has written the lease word, FILL or COMPLETION");
			continue;
		}
		n = receive(d, a);
		if (a->workers)
			n += take_back(d, a);
		if (lease_ours(a) && a->completion.map && !a->broken)
			n += complete(d, a);
		if (n)
			area_flush(d, a);
		done += n;
	}
	return done;
}

bool areas_pending(const struct daemon *d)
{
	for_each_area(d, a, g, q)
	{
		uint32_t i;

		if (!a->bound || a->broken)
			continue;
		if (__atomic_load_n(a->rx.producer, __ATOMIC_ACQUIRE) != a->rx.own)
			return true;
		if (lease_ours(a) && a->completion.map && a->workers &&
		    __atomic_load_n(a->completion.producer, __ATOMIC_ACQUIRE) != a->completion.own)
			return true;
		for (i = 0; a->workers && i < a->slices; i++) {
			if (a->holders[i] && a->holders[i]->bound && !a->holders[i]->worker->condemned &&
			    porch_ring_pending(&a->holders[i]->back))
				return true;
		}
	}
	return false;
}
