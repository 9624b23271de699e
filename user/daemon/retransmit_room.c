// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A herd before a small queue: XDP refuses the proofs that find it full, spends nothing, and
 * keeps their half-open entries. Those clients believe to be connected, and send again
 * by clocks that back off, all in the same moment. So when there is room again, as many
 * of them as it holds are asked by a SYN-ACK to prove themselves, at once: a full
 * queue is followed by a full queue, a round trip later.
 */
#include "daemon/retransmit_internal.h"

#define ROOM_AGE_NS  (100 * NS_PER_MS) /* a handshake younger than that is still on its way */
#define TRIP_NS	     (200 * NS_PER_MS) /* so long a place is kept for somebody who was asked */
#define ASK_AGAIN_NS (600 * NS_PER_MS) /* a client answers what it need not answer twice a second at most */

void retransmit_room(struct daemon *d, uint32_t listener)
{
	struct retransmit *r = d->retransmit;

	if (!r)
		return;
	r->room[listener].invited = 0; /* they have come, or others in their place */
	if (r->room[listener].asked)
		return;
	r->room[listener].asked = r->room_asked = true;
	if (!r->walking && r->timer.armed && r->timer.at > d->now + ROOM_NS)
		loop_timer_arm(d->loop, &r->timer, d->now + ROOM_NS, retransmit_tick, NULL);
}

/* Has anybody been refused whose entry may still be there? */
static bool anybody_waits(struct daemon *d)
{
	struct retransmit *r = d->retransmit;
	struct porch_counters counters;

	if (!porch_tables_counters(&d->tables, &counters) && counters.refused_parked != r->parked) {
		r->parked = counters.refused_parked;
		r->parked_at = d->now;
	}
	return r->parked_at && d->now - r->parked_at < d->tables.host->half_open_seconds * NS_PER_SEC;
}

/* Places less those that are kept. */
static uint32_t places(const struct daemon *d, uint32_t listener, struct room *room)
{
	const struct porch_queue *q = &d->tables.queues[listener];
	uint32_t n = q->depth > q->limit ? 0 : q->limit + 1 - q->depth + q->credit;

	if (d->now - room->invited_at >= TRIP_NS)
		room->invited = 0;
	return n > room->invited ? n - room->invited : 0;
}

bool room_begin(struct daemon *d)
{
	struct retransmit *r = d->retransmit;
	uint32_t i, any = 0;

	if (!r->room_asked)
		return false;
	r->room_asked = d->tables.host->half_open && anybody_waits(d);
	for (i = 1; i < PORCH_LISTENERS_MAX; i++) {
		r->room[i].asked = r->room[i].asked && r->room_asked;
		r->room[i].again = false;
		r->room[i].left = r->room[i].asked ? places(d, i, &r->room[i]) : 0;
		any += r->room[i].left;
	}
	return any;
}

bool room_is_open(const struct daemon *d, const struct porch_half_open *e, uint64_t age)
{
	return age >= ROOM_AGE_NS && d->retransmit->room[e->listener].left;
}

bool room_wants(struct daemon *d, const struct porch_half_open *e, uint64_t age,
		const struct retransmit_row *row)
{
	if (!room_is_open(d, e, age))
		return false;
	if (!row->asked || d->now - row->asked >= ASK_AGAIN_NS)
		return true;
	d->retransmit->room[e->listener].again = true;
	return false;
}

void room_taken(struct daemon *d, const struct porch_half_open *e)
{
	struct room *room = &d->retransmit->room[e->listener];

	room->left--;
	room->invited++;
	room->invited_at = d->now;
}

/* Room that is left over was wanted by nobody, unless somebody is to be asked again. */
void room_end(struct daemon *d)
{
	struct retransmit *r = d->retransmit;
	uint32_t i;

	if (!r->room_asked)
		return;
	r->room_asked = false;
	for (i = 1; i < PORCH_LISTENERS_MAX; i++) {
		if (r->room[i].left && !r->room[i].again)
			r->room[i].asked = false;
		r->room[i].left = 0;
		r->room_asked |= r->room[i].asked;
	}
}
