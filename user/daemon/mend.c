// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An area that cannot be trusted any more is given up by everybody and made anew. */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/frames.h"
#include "daemon/group.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/mend.h"
#include "daemon/peer.h"
#include "daemon/reap.h"
#include "daemon/slots.h"
#include "daemon/worker.h"
#include "daemon/xsk.h"

#define REST_NS 30000000ull /* a queue is not free sooner than that after its sockets are closed */
#define SAY_NS	10000000000ull
#define LONG_NS 2000000000ull /* longer than this means that somebody does not let go */

/* The worker's socket and slice go; its number for the area stays, to be told in AREA_NEW. */
static void let_go(struct daemon *d, struct worker_area *wa)
{
	struct area *a = wa->area;

	if (wa->bound)
		slot_remove(d, wa->slot);
	a->holders[wa->slice] = NULL;
	a->slices_used &= ~(1ull << wa->slice);
	a->slice_freed[wa->slice] = d->now;
	xsk_ring_unmap(&wa->rx);
	if (wa->xsk >= 0)
		reap_fd(TAKE_FD(wa->xsk));
	wa->bound = wa->mapped = wa->told = wa->can_lease = wa->stalled = false;
	wa->given = 0;
	wa->down = true;
}

void area_tear(struct daemon *d, struct area *a)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (!wa)
			continue;
		let_go(d, wa);
		peer_area_down(d, wa);
	}
	a->workers = 0;
	a->bind_since = 0;
	a->broken = NULL;
	area_unbind(d, a);
}

void areas_mend(struct daemon *d)
{
	for_each_area(d, a, g, q)
	{
		const char *why = a->broken;

		if (!why)
			continue;
		area_tear(d, a);
		a->down_ns = d->now;
		d->count.areas_rebuilt++;
		log_line(LOG_WARNING, "%s queue %u: %s; torn down, to be made anew", a->group->name, a->queue,
			 why);
	}
}

int area_offer(struct daemon *d, struct area *a, struct worker *w, uint32_t number)
{
	int r = member_prepare(d, a, w, number);

	return r ? r : peer_area_new(d, &w->areas[number]);
}

static void restore(struct daemon *d, struct area *a)
{
	uint32_t i, j;
	int r = area_prepare(d, a);

	if (r) {
		log_limited(d->now, LOG_ERR, "%s queue %u: cannot be made anew: %s", a->group->name, a->queue,
			    strerror(-r));
		return;
	}
	a->bind_since = d->now;
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		struct worker *w = d->workers[i];

		for (j = 0; w && w->ready && j < PORCH_AREAS_MAX; j++) {
			if (w->areas[j].area != a || !w->areas[j].down)
				continue;
			r = area_offer(d, a, w, j);
			if (r)
				worker_condemn(d, w, "a queue cannot be offered to it anew");
		}
	}
}

void area_try_bind(struct daemon *d, struct area *a)
{
	int r = members_bind(d, a);

	if (!r) {
		bool was_down = a->down_ns;

		if (was_down)
			log_line(LOG_NOTICE, "%s queue %u: is back after %llu us", a->group->name, a->queue,
				 (unsigned long long)(d->now - a->down_ns) / 1000);
		a->down_ns = a->bind_since = 0;
		if (was_down)
			group_offer(d, a->group);
		return;
	}
	if (!a->down_ns) {
		/* Nobody is there yet: whoever registers is told, and the next one tries again. */
		if (r != -EAGAIN || d->now - a->bind_since > XSK_BIND_RETRY_NS) {
			members_refuse(d, a, r == -EAGAIN ? -EBUSY : r);
			a->bind_since = 0;
		}
		return;
	}
	if (d->now - a->down_ns < LONG_NS || d->now - a->said_ns < SAY_NS)
		return;
	a->said_ns = d->now;
	log_line(LOG_ERR, "%s queue %u: still not free (%s): a process keeps its old sockets", a->group->name,
		 a->queue, strerror(r == -EAGAIN ? EBUSY : -r));
}

/* Who was offered an area and has not mapped it. While it registers, its peer's own timer does this. */
static void watch_told(struct daemon *d, struct area *a)
{
	uint32_t i;

	for (i = 0; i < a->slices; i++) {
		struct worker_area *wa = a->holders[i];

		if (wa && wa->told && wa->worker->ready && d->now - wa->told_ns > PORCH_STEP_MS * NS_PER_MS)
			worker_condemn(d, wa->worker, "it does not map what it was offered");
	}
}

void areas_tick(struct daemon *d)
{
	for_each_area(d, a, g, q)
	{
		if (a->broken || !a->group->up)
			continue;
		if (a->down_ns && !a->bind_since && d->now - a->down_ns >= REST_NS)
			restore(d, a);
		if (a->bind_since)
			area_try_bind(d, a);
		watch_told(d, a);
		if (!a->bound)
			continue;
		frames_look(d, a);
		area_watch(d, a);
		if (a->unsettled)
			area_settle(d, a);
	}
}

void areas_answer(struct daemon *d)
{
	for_each_area(d, a, g, q)
	{
		if (a->bound || a->down_ns || a->bind_since || !a->group->up)
			continue;
		if (area_prepare(d, a))
			continue;
		a->bind_since = d->now;
		area_try_bind(d, a);
	}
}
