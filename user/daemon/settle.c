// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which worker, if any, is to hold an area's lease; and one that holds it and does not go on. */
#include <errno.h>
#include <syslog.h>

#include "daemon/area.h"
#include "daemon/frames.h"
#include "daemon/lease.h"
#include "daemon/log.h"
#include "daemon/slots.h"
#include "daemon/worker.h"

#define STARVED_NS 1000000000ull
#define AGAIN_NS   60000000000ull

static struct worker_area *member(const struct area *a, uint16_t number)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		if (a->holders[i] && a->holders[i]->worker->number == number)
			return a->holders[i];
	}
	return NULL;
}

/* The one worker of the area, if it can; nobody while frames of another are being looked for. */
static struct worker_area *heir(const struct area *a)
{
	uint32_t i;

	if (!a->bound || a->broken || a->workers != 1 || a->departed || !a->fill.map || !a->completion.map)
		return NULL;
	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (wa && wa->bound)
			return wa->can_lease && wa->worker->ready && !wa->stalled ? wa : NULL;
	}
	return NULL;
}

static int take(struct daemon *d, struct area *a)
{
	int r = lease_take(a, false);

	if (r == -EBUSY) {
		if (!a->busy_since)
			a->busy_since = d->now;
		if (d->now - a->busy_since < AREA_STALL_NS)
			return r;
		/* Stopped in the middle of its work. When it goes on it may write an index once more:
		 * lease_check() sees that, and the area is rebuilt then. */
		r = lease_take(a, true);
	}
	a->busy_since = 0;
	if (r) {
		area_break(d, a, "the lease word or the rings' indices are impossible");
		return r;
	}
	d->count.leases_taken++;
	slots_show_lease(d, a);
	return 0;
}

void area_settle(struct daemon *d, struct area *a)
{
	struct worker_area *to = heir(a);
	uint16_t want = to ? to->worker->number : 0;

	a->unsettled = false;
	if (!a->bound || a->broken || !a->fill.map || a->lease_owner == want)
		return;
	if (!lease_ours(a) && take(d, a)) {
		a->unsettled = !a->broken;
		return;
	}
	if (!want)
		return;
	if (lease_give(a, want)) {
		area_break(d, a, "the lease word is impossible");
		return;
	}
	d->count.leases_given++;
	slots_show_lease(d, a);
	worker_wake(d, to->worker);
}

static uint32_t level(const uint32_t *producer, const uint32_t *consumer)
{
	return __atomic_load_n(producer, __ATOMIC_ACQUIRE) - __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
}

static bool dry(const struct area *a)
{
	return level(a->fill.producer, a->fill.consumer) < a->rx_frames / 8 ||
	       level(a->completion.producer, a->completion.consumer) > (a->completion.mask + 1) / 4 * 3;
}

static void watch_holder(struct daemon *d, struct area *a)
{
	struct worker_area *wa = member(a, a->lease_owner);
	uint64_t beat, since;

	if (!wa)
		return;
	if (level(a->fill.producer, a->fill.consumer) > a->fill.mask + 1 ||
	    level(a->completion.producer, a->completion.consumer) > a->completion.mask + 1) {
		area_break(d, a, "its holder has made the indices of FILL or COMPLETION impossible");
		return;
	}
	if (!dry(a)) {
		a->low_since = 0;
		return;
	}
	beat = __atomic_load_n(&wa->worker->session->beat, __ATOMIC_RELAXED);
	if (!a->low_since || beat != a->low_beat) {
		a->low_since = d->now;
		a->low_beat = beat;
		worker_wake(d, wa->worker); /* it may sleep over what lies in its `give` */
		return;
	}
	since = d->now - a->low_since;
	if (since < AREA_STALL_NS)
		return;
	wa->stalled = true;
	wa->stalled_beat = beat;
	a->busy_since = a->low_since;
	if (take(d, a))
		return;
	a->low_since = 0;
	log_line(LOG_WARNING,
		 "%s queue %u: worker %u (pid %u) holds the rings and has not moved for %llu us; they are "
		 "porchd's now",
		 a->group->name, a->queue, wa->worker->number, wa->worker->pid,
		 (unsigned long long)since / 1000);
}

/* Of those that do not move, who has most frames in its RX ring? */
static struct worker_area *hoarder(const struct daemon *d, const struct area *a)
{
	struct worker_area *worst = NULL;
	uint32_t i, most = a->rx_frames / 8, n;

	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (!wa || !wa->bound || !wa->rx.map || wa->worker->condemned ||
		    d->now - wa->worker->beat_seen_ns < STARVED_NS)
			continue;
		n = level(wa->rx.producer, wa->rx.consumer);
		if (n <= wa->rx.mask + 1 && n > most) {
			most = n;
			worst = wa;
		}
	}
	return worst;
}

/*
 * FILL has been low for long. Frames that wait in a ring are only waiting: for a
 * worker that does not move, the others' needs come first. Frames that are
 * nowhere are kept, or were lost to garbage in FILL: the area is made anew, and
 * who does that alone again and again is shown the door.
 */
static void watch_starving(struct daemon *d, struct area *a)
{
	struct worker_area *wa;
	struct umem_account n;

	if (level(a->fill.producer, a->fill.consumer) >= a->rx_frames / 16) {
		a->starved_since = 0;
		return;
	}
	if (!a->starved_since)
		a->starved_since = d->now;
	if (d->now - a->starved_since < STARVED_NS)
		return;
	a->starved_since = d->now;
	wa = a->workers > 1 ? hoarder(d, a) : NULL;
	if (wa) {
		worker_condemn(d, wa->worker, "it does not move and keeps the frames that others need");
		return;
	}
	if (a->zero_copy || umem_account(a, &n) || n.missing < a->rx_frames / 2)
		return;
	wa = a->workers == 1 ? member(a, a->lease_owner) : NULL;
	if (wa && wa->worker->starved_ns && d->now - wa->worker->starved_ns < AGAIN_NS) {
		worker_condemn(d, wa->worker, "it keeps its frames, again");
		return;
	}
	if (wa)
		wa->worker->starved_ns = d->now;
	area_break(d, a, "its frames are in nobody's ring any more");
}

void area_watch(struct daemon *d, struct area *a)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];
		uint64_t beat;

		if (!wa || !wa->bound)
			continue;
		beat = __atomic_load_n(&wa->worker->session->beat, __ATOMIC_RELAXED);
		if (beat != wa->worker->beat) {
			wa->worker->beat = beat;
			wa->worker->beat_seen_ns = d->now;
		}
		if (wa->stalled && beat != wa->stalled_beat) {
			wa->stalled = false;
			a->unsettled = true;
		}
	}
	if (!a->fill.map)
		return;
	if (!a->workers)
		return;
	if (!lease_ours(a))
		watch_holder(d, a);
	if (!a->broken)
		watch_starving(d, a);
}
