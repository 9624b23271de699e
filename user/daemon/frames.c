// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/frames.h"
#include "daemon/lease.h"
#include "daemon/reap.h"
#include "daemon/umem.h"
#include "daemon/xsk.h"

struct departed {
	struct departed *next;
	struct xsk_ring rx;
	int xsk;
};

static void see(struct area *a, uint64_t address, uint32_t *count)
{
	uint32_t frame = umem_rx_frame(a, address);

	if (frame == UMEM_NONE)
		return;
	(*count)++;
	if (a->seen[frame] < 255)
		a->seen[frame]++;
}

static int see_addresses(struct area *a, const struct xsk_ring *r, uint32_t *count)
{
	uint32_t p = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE),
		 c = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);

	if (p - c > r->mask + 1)
		return -EPROTO;
	for (; c != p; c++)
		see(a, *xsk_address(r, c), count);
	return 0;
}

static int see_descriptors(struct area *a, const struct xsk_ring *r, uint32_t *count)
{
	uint32_t c, p;

	if (!r->map)
		return 0;
	c = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	p = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	if (p - c > r->mask + 1)
		return -EPROTO;
	for (; c != p; c++)
		see(a, xsk_desc(r, c).addr, count);
	return 0;
}

static int see_entries(struct area *a, const struct porch_ring_end *e, bool producer, uint32_t *count)
{
	uint32_t c = producer ? __atomic_load_n(&e->ring->consumed, __ATOMIC_ACQUIRE) : e->own;
	uint32_t p = producer ? e->own : __atomic_load_n(&e->ring->produced, __ATOMIC_ACQUIRE);

	if (p - c > e->mask + 1)
		return -EPROTO;
	for (; c != p; c++)
		see(a, *(volatile uint64_t *)porch_ring_at(e, c), count);
	return 0;
}

int umem_account(struct area *a, struct umem_account *ret)
{
	struct umem_account n = {};
	const struct departed *gone;
	uint32_t i;
	int r = 0;

	if (!a->seen)
		a->seen = malloc(a->rx_frames);
	if (!a->seen)
		return -ENOMEM;
	memset(a->seen, 0, a->rx_frames);
	if (a->fill.map)
		r = see_addresses(a, &a->fill, &n.fill);
	if (!r && a->rx.map)
		r = see_descriptors(a, &a->rx, &n.daemon_rx);
	for (gone = a->departed; !r && gone; gone = gone->next)
		r = see_descriptors(a, &gone->rx, &n.departed_rx);
	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (!wa || !wa->bound)
			continue;
		/* A worker that writes nonsense here hides its frames, nobody else's. */
		if (see_descriptors(a, &wa->rx, &n.worker_rx) || see_entries(a, &wa->back, false, &n.back) ||
		    see_entries(a, &wa->give, true, &n.give))
			continue;
	}
	if (r)
		return r;
	for (i = 0; i < a->rx_frames; i++) {
		n.missing += !a->seen[i];
		n.twice += a->seen[i] > 1;
	}
	*ret = n;
	return 0;
}

static void put_back(struct daemon *d, struct area *a, uint32_t frame)
{
	UMEM_OWN(a, frame, UMEM_UNKNOWN, UMEM_PORCHD);
	area_return(d, a, frame);
}

/* Of a worker that reads no more: its RX ring is ours. */
static uint32_t empty_rx(struct daemon *d, struct area *a, struct xsk_ring *rx)
{
	uint32_t n = 0, frame;
	int ready;

	if (!rx->map || xsk_consumer_join(rx))
		return 0;
	ready = xsk_consumer_ready(rx);
	while (ready-- > 0) {
		frame = umem_rx_frame(a, xsk_desc(rx, rx->own++).addr);
		if (frame != UMEM_NONE) {
			put_back(d, a, frame);
			n++;
		}
	}
	xsk_consumer_release(rx);
	return n;
}

static uint32_t empty_ring(struct daemon *d, struct area *a, struct porch_ring_end *e, bool producer)
{
	uint32_t c = producer ? __atomic_load_n(&e->ring->consumed, __ATOMIC_ACQUIRE) : e->own, n = 0, frame;
	uint32_t p = producer ? e->own : __atomic_load_n(&e->ring->produced, __ATOMIC_ACQUIRE);

	if (p - c > e->mask + 1)
		return 0;
	for (; c != p; c++) {
		frame = umem_rx_frame(a, *(volatile uint64_t *)porch_ring_at(e, c));
		if (frame == UMEM_NONE)
			continue;
		put_back(d, a, frame);
		n++;
	}
	return n;
}

/* Frames that all sockets together have received, and how often they had no room: both only grow. */
static void progress(const struct area *a, uint32_t *received, uint64_t *full)
{
	const struct departed *gone;
	struct xdp_statistics s;
	uint32_t i;

	*received = *a->rx.producer;
	*full = xsk_statistics(a->xsk, &s) ? 0 : s.rx_ring_full;
	for (gone = a->departed; gone; gone = gone->next) {
		*received += gone->rx.map ? *gone->rx.producer : 0;
		*full += xsk_statistics(gone->xsk, &s) ? 0 : s.rx_ring_full;
	}
	for (i = 0; i < a->slices; i++) {
		if (!a->holders[i] || !a->holders[i]->bound)
			continue;
		*received += a->holders[i]->rx.map ? *a->holders[i]->rx.producer : 0;
		*full += xsk_statistics(a->holders[i]->xsk, &s) ? 0 : s.rx_ring_full;
	}
}

static int first_look(struct daemon *d, struct area *a)
{
	struct umem_account n;
	uint32_t i;
	int r = umem_account(a, &n);

	if (r)
		return r;
	if (!a->absent)
		a->absent = malloc(a->rx_frames);
	if (!a->absent)
		return -ENOMEM;
	for (i = 0; i < a->rx_frames; i++)
		a->absent[i] = !a->seen[i];
	progress(a, &a->look_received, &a->full);
	a->look_ns = d->now + FRAMES_LOOK_NS;
	return 0;
}

void frames_depart(struct daemon *d, struct worker_area *wa)
{
	struct area *a = wa->area;
	struct departed *gone = calloc(1, sizeof(*gone));
	uint32_t n;

	n = empty_rx(d, a, &wa->rx);
	n += empty_ring(d, a, &wa->back, false);
	n += empty_ring(d, a, &wa->give, true);
	area_flush(d, a);
	log_line(LOG_DEBUG, "%s queue %u: %u frames out of the rings of worker %u", a->group->name, a->queue,
		 n, wa->worker->number);
	if (!gone) {
		/* Without memory there is no second look: what it had in its hands stays lost. */
		xsk_ring_unmap(&wa->rx);
		reap_fd(TAKE_FD(wa->xsk));
		return;
	}
	gone->rx = wa->rx;
	gone->xsk = TAKE_FD(wa->xsk);
	memset(&wa->rx, 0, sizeof(wa->rx));
	gone->next = a->departed;
	a->departed = gone;
	if (a->zero_copy) {
		a->dirty = true;
		frames_forget(a);
	} else if (first_look(d, a)) {
		area_break(d, a, "frames cannot be counted");
	}
}

void frames_forget(struct area *a)
{
	struct departed *gone;

	while ((gone = a->departed)) {
		a->departed = gone->next;
		xsk_ring_unmap(&gone->rx);
		reap_fd(gone->xsk);
		free(gone);
	}
	free(a->absent);
	free(a->seen);
	a->absent = a->seen = NULL;
	a->look_ns = 0;
}

/* Marks in `shown` what the last lap of an RX ring held. */
static void last_lap(const struct area *a, const struct xsk_ring *rx, uint8_t mark, uint8_t *shown)
{
	uint32_t p, n, i, frame;

	if (!rx->map)
		return;
	p = __atomic_load_n(rx->producer, __ATOMIC_ACQUIRE);
	n = p <= rx->mask ? p : rx->mask + 1; /* entries that were never written name frame 0 */
	for (i = 0; i < n; i++) {
		frame = umem_rx_frame(a, xsk_desc(rx, p - 1 - i).addr);
		if (frame != UMEM_NONE)
			shown[frame] |= mark;
	}
}

#define SHOWN_GONE  1
#define SHOWN_ALIVE 2

static uint8_t *shown_by(const struct area *a)
{
	uint8_t *shown = calloc(a->rx_frames, 1);
	const struct departed *gone;
	uint32_t i;

	if (!shown)
		return NULL;
	for (gone = a->departed; gone; gone = gone->next)
		last_lap(a, &gone->rx, SHOWN_GONE, shown);
	for (i = 0; i < a->slices; i++) {
		if (a->holders[i] && a->holders[i]->bound)
			last_lap(a, &a->holders[i]->rx, SHOWN_ALIVE, shown);
	}
	return shown;
}

void frames_look(struct daemon *d, struct area *a)
{
	_cleanup_free_ uint8_t *shown = NULL;
	uint32_t i, found = 0, lost = 0, astray = 0, received;
	struct departed *gone;
	struct umem_account n;
	uint64_t full;

	if (!a->look_ns || d->now < a->look_ns || a->broken)
		return;
	progress(a, &received, &full);
	if (full && received == a->look_received) {
		a->look_ns = d->now + FRAMES_WAIT_NS;
		return;
	}
	for (gone = a->departed; gone; gone = gone->next)
		empty_rx(d, a, &gone->rx);
	shown = shown_by(a);
	if (!shown || umem_account(a, &n)) {
		area_break(d, a, "frames cannot be counted");
		return;
	}
	for (i = 0; i < a->rx_frames; i++) {
		if (a->seen[i])
			continue;
		if (!a->absent[i]) {
			astray++;
		} else if (!a->workers || shown[i] == SHOWN_GONE) {
			put_back(d, a, i);
			found++;
		} else {
			lost++;
		}
	}
	area_flush(d, a);
	a->lost = lost;
	if (found || lost)
		log_line(LOG_INFO, "%s queue %u: %u frames were in nobody's hands and receive again%s",
			 a->group->name, a->queue, found, lost ? ", others may be" : "");
	frames_forget(a);
	/* With nobody left to hold one, each is in one place, or there was garbage: nobody minds a fresh
	 * start. */
	if (!a->workers && (astray || n.twice))
		area_break(d, a, "a frame is in two places, or in none");
	else if (lost > a->rx_frames / 4)
		area_break(d, a, "too many frames are missing");
	else
		area_settle(d, a);
}
