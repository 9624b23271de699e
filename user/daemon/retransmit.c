// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "core/siphash.h"
#include "core/util.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/parked.h"
#include "daemon/raw.h"
#include "daemon/retransmit_internal.h"
#include "daemon/synack.h"

/* No smaller than the longest chain of a hash bucket, or the kernel says -ENOSPC. */
#define BATCH	 4096
#define BATCH_NS (5 * NS_PER_MS)   /* between batches of one walk */
#define WALK_NS	 (250 * NS_PER_MS) /* from one walk to the next: so late a SYN-ACK may be */
#define IDLE_NS	 (500 * NS_PER_MS) /* as long as there is nothing to walk */
#define SHARE	 20		   /* one part in so many of the thread's time is for walks */

bool retransmit_may_send(struct daemon *d)
{
	struct retransmit *r = d->retransmit;

	if (d->now / NS_PER_SEC != r->second) {
		r->second = d->now / NS_PER_SEC;
		r->spent = 0;
	}
	return r->spent++ < RETRANSMIT_PER_SECOND;
}

/* The same client's next attempt is another handshake. */
static uint64_t name_of(const struct retransmit *r, const struct porch_tuple *t,
			const struct porch_half_open *e)
{
	struct {
		struct porch_tuple tuple;
		uint32_t irs, born;
	} all = { *t, e->irs, e->born_us };

	return porch_siphash24(r->secret, &all, sizeof(all));
}

/* May this handshake still be finished here? */
static const struct porch_listener_entry *listener_of(struct daemon *d, const struct porch_tuple *t,
						const struct porch_half_open *e)
{
	const struct porch_listener_entry *l = &d->tables.listeners[e->listener];

	if (!e->listener || !l->used || l->port != t->local_port || l->protect == PORCH_PROTECT_OFF ||
	    l->protect == PORCH_PROTECT_MONITOR || (int32_t)(d->tables.host->tick - e->expires) >= 0)
		return NULL;
	if (l->deliver == PORCH_DELIVER_AFXDP && !d->tables.queues[e->listener].workers)
		return NULL;
	return l;
}

static bool over(struct daemon *d, const struct porch_tuple *t, const struct porch_half_open *e)
{
	uint32_t flow = known_find(&d->tables, &d->retransmit->hash, t);

	return flow != PORCH_NO_FLOW &&
	       retransmit_proven(&d->tables.flows[flow], &d->tables.steer[flow], e->irs);
}

static void repeat(struct daemon *d, const struct porch_listener_entry *l, const struct porch_tuple *t,
		   const struct porch_half_open *e)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = {
		.remote_port = t->remote_port,
		.local_port = t->local_port,
		.irs = e->irs,
		.iss = e->iss,
		.tsval = e->tsval,
		.ts_recent = e->ts_recent,
		.options = e->options,
		.wscale = e->wscale >> 4,
		.tags = { e->tags[0], e->tags[1] },
	};
	int r;

	memcpy(s.remote, t->remote, 16);
	memcpy(s.local, t->local, 16);
	memcpy(s.remote_mac, e->remote_mac, 6);
	r = raw_mac(d, e->ifindex, s.local_mac);
	if (!r) {
		synack_settings(d, l, e->ifindex, e->mss, &s);
		r = raw_send(d, e->ifindex, frame, synack_build(&s, frame));
	}
	if (r)
		log_limited(d->now, LOG_WARNING, "interface %u: a SYN-ACK could not be sent again: %s",
			    e->ifindex, strerror(-r));
	else
		d->count.synacks_again++;
}

static void look(struct daemon *d, const struct porch_tuple *t, const struct porch_half_open *e)
{
	struct retransmit *r = d->retransmit;
	const struct porch_listener_entry *l = listener_of(d, t, e);
	struct retransmit_row *row;
	bool due, room;
	uint64_t age;
	uint32_t passed;

	if (!l)
		return;
	r->entries++;
	/* both are the low 32 bits of the same clock; a negative age is of a moment ago */
	age = (uint32_t)(d->now / 1000) - e->born_us;
	age = (int32_t)age < 0 ? 0 : age * 1000;
	passed = retransmit_passed(age);
	if (!passed && !room_is_open(d, e, age)) {
		r->young++;
		return;
	}
	row = retransmit_row(&r->rows, name_of(r, t, e), r->pass);
	if (!row) {
		log_limited(d->now, LOG_WARNING,
			    "more than %u handshakes are without an answer: not all SYN-ACKs are sent again",
			    RETRANSMIT_ROWS_MAX);
		return;
	}
	r->young += !row->sent;
	due = row->sent < passed && row->sent < r->limit;
	room = room_wants(d, e, age, row);
	if ((!due && !room) || over(d, t, e))
		return;
	if (!retransmit_may_send(d)) {
		log_limited(d->now, LOG_WARNING,
			    "more than %u SYN-ACKs a second are to be sent again: the rest waits",
			    RETRANSMIT_PER_SECOND);
		return;
	}
	if (due)
		row->sent = passed; /* one, however many it has missed */
	if (room)
		room_taken(d, e);
	row->asked = d->now;
	repeat(d, l, t, e);
}

/* One batch. 0: more to come; 1: that was the last. */
static int walk(struct daemon *d)
{
	struct retransmit *r = d->retransmit;
	uint32_t n = BATCH, i;
	int done = 0;

	if (bpf_map_lookup_batch(d->tables.half_open_fd, r->walking ? &r->position : NULL, &r->position,
				 r->keys, r->values, &n, NULL)) {
		if (errno != ENOENT) {
			log_limited(d->now, LOG_ERR, "porch_half_open cannot be read: %s", strerror(errno));
			return 1;
		}
		done = 1;
	}
	for (i = 0; i < n; i++)
		look(d, &r->keys[i], &r->values[i]);
	return done;
}

/* A whole one, or as much as this turn may do. Returns the pause until the next. */
static uint64_t walk_on(struct daemon *d)
{
	struct retransmit *r = d->retransmit;
	uint64_t began = loop_clock(), least;

	r->walking = !walk(d);
	r->took += loop_clock() - began;
	if (r->walking)
		return BATCH_NS;
	r->limit = retransmit_limit(d->config.synack_retries, r->entries, r->young, d->tables.n_half_open);
	retransmit_rows_purge(&r->rows, r->pass);
	room_end(d);
	r->next = d->now + WALK_NS;
	least = r->room_asked ? ROOM_NS : WALK_NS;
	return r->took * SHARE > least ? r->took * SHARE : least;
}

/* Is it time? */
static bool walk_begins(struct daemon *d)
{
	struct retransmit *r = d->retransmit;

	if (!room_begin(d) && d->now < r->next)
		return false;
	r->pass++;
	r->entries = r->young = 0;
	r->took = 0;
	return true;
}

void retransmit_tick(struct daemon *d, void *arg)
{
	struct retransmit *r = d->retransmit;
	uint64_t pause = parked_tick(d) ? WALK_NS : IDLE_NS;

	/* half_open is set by each new entry, cleared by the sweep that finds none */
	if (r->walking || d->tables.host->half_open) {
		if (r->walking || walk_begins(d))
			pause = walk_on(d);
		else
			pause = r->room_asked ? ROOM_NS : WALK_NS;
	} else if (r->rows.used) {
		retransmit_rows_free(&r->rows);
	}
	loop_timer_arm(d->loop, &r->timer, d->now + pause, retransmit_tick, NULL);
}

/* A reload: at once, not after the walk that is on. */
void retransmit_reload(struct daemon *d)
{
	d->retransmit->limit = d->config.synack_retries;
}

int retransmit_start(struct daemon *d, const struct known_hash *hash)
{
	struct retransmit *r = calloc(1, sizeof(*r));
	int error = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->hash = *hash;
	r->keys = calloc(BATCH, sizeof(*r->keys));
	r->values = calloc(BATCH, sizeof(*r->values));
	if (r->keys && r->values)
		error = getrandom(r->secret, sizeof(r->secret), 0) == sizeof(r->secret) ? 0 : -EIO;
	d->retransmit = r;
	if (!error)
		error = parked_start(d);
	if (error) {
		retransmit_stop(d);
		return error;
	}
	retransmit_reload(d);
	loop_timer_arm(d->loop, &r->timer, d->now + WALK_NS, retransmit_tick, NULL);
	return 0;
}

void retransmit_stop(struct daemon *d)
{
	struct retransmit *r = d->retransmit;

	parked_stop(d);
	if (!r)
		return;
	if (d->loop)
		loop_timer_stop(d->loop, &r->timer);
	retransmit_rows_free(&r->rows);
	free(r->keys);
	free(r->values);
	free(r);
	d->retransmit = NULL;
}
