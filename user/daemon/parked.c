// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/util.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/parked.h"
#include "daemon/raw.h"
#include "daemon/retransmit.h"
#include "daemon/synack.h"

#define ROWS_MIN 256

struct parked_row {
	uint32_t flow, serial;
	uint64_t since; /* CLOCK_MONOTONIC ns */
	uint8_t sent;
	uint8_t listener;
	uint8_t remote_mac[6];
};

struct parked {
	struct parked_row *rows;
	uint32_t n, room;
	uint32_t *place; /* by flow: row + 1; pages nobody touches cost nothing */
};

int parked_start(struct daemon *d)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->place = calloc(d->tables.n_flows, sizeof(*p->place));
	if (!p->place) {
		free(p);
		return -ENOMEM;
	}
	d->parked = p;
	return 0;
}

void parked_stop(struct daemon *d)
{
	if (!d->parked)
		return;
	free(d->parked->rows);
	free(d->parked->place);
	free(TAKE_PTR(d->parked));
}

uint32_t parked_count(const struct daemon *d)
{
	return d->parked ? d->parked->n : 0;
}

static void count(struct daemon *d, uint8_t listener, int32_t by)
{
	d->tables.queues[listener].parked += by;
}

static void take_out(struct daemon *d, uint32_t at)
{
	struct parked *p = d->parked;

	count(d, p->rows[at].listener, -1);
	p->place[p->rows[at].flow] = 0;
	p->rows[at] = p->rows[--p->n];
	if (at < p->n)
		p->place[p->rows[at].flow] = at + 1;
}

static bool make_room(struct parked *p)
{
	uint32_t room = p->room ? 2 * p->room : ROWS_MIN;
	struct parked_row *rows;

	if (p->n < p->room)
		return true;
	if (p->n >= RETRANSMIT_PARKED_MAX)
		return false;
	rows = reallocarray(p->rows, room, sizeof(*rows));
	if (!rows)
		return false;
	p->rows = rows;
	p->room = room;
	return true;
}

void parked_add(struct daemon *d, uint32_t flow, uint32_t serial)
{
	struct parked *p = d->parked;
	const struct porch_steer *steer;
	struct parked_row *row;

	if (flow >= d->tables.n_flows)
		return;
	if (p->place[flow]) {
		if (p->rows[p->place[flow] - 1].serial == serial)
			return; /* it has proven again, and there is still no room */
		take_out(d, p->place[flow] - 1);
	}
	if (!make_room(p)) {
		/* its next segment, while its cookie lives, is a new proof */
		steer_store(d, flow, serial, PORCH_PHASE_FORGOTTEN, 0);
		log_limited(
			d->now, LOG_WARNING,
			"more than %u connections wait for room in an accept queue: the next is forgotten",
			RETRANSMIT_PARKED_MAX);
		return;
	}
	steer = &d->tables.steer[flow];
	row = &p->rows[p->n++];
	*row = (struct parked_row){
		.flow = flow, .serial = serial, .since = d->now, .listener = d->tables.flows[flow].listener
	};
	memcpy(row->remote_mac, steer->remote_mac, 6);
	p->place[flow] = p->n;
	count(d, row->listener, 1);
}

void parked_del(struct daemon *d, uint32_t flow, uint32_t serial)
{
	struct parked *p = d->parked;

	if (flow < d->tables.n_flows && p->place[flow] && p->rows[p->place[flow] - 1].serial == serial)
		take_out(d, p->place[flow] - 1);
}

/* The entry may have another owner by now; XDP says so with the serial. */
static bool still_parked(const struct daemon *d, const struct parked_row *row)
{
	const struct porch_steer *steer = &d->tables.steer[row->flow];
	uint64_t word = steer->word;

	return d->tables.flows[row->flow].state == PORCH_FLOW_HANDED && steer->serial == row->serial &&
	       (PORCH_STEER_SERIAL(word) != row->serial || PORCH_STEER_PHASE(word) == PORCH_PHASE_PENDING);
}

static void repeat(struct daemon *d, const struct parked_row *row)
{
	const struct porch_flow *f = &d->tables.flows[row->flow];
	const struct porch_steer *steer = &d->tables.steer[row->flow];
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = {
		.remote_port = f->remote_port,
		.local_port = f->local_port,
		.irs = f->irs,
		.iss = f->iss,
		.tsval = f->ts_ecr, /* as the proof quoted it */
		.ts_recent = f->ts_recent,
		.options = f->options,
		.wscale = f->wscale >> 4,
		.tags = { steer->tags[0], steer->tags[1] },
	};
	int r;

	memcpy(s.remote, f->remote, 16);
	memcpy(s.local, f->local, 16);
	memcpy(s.remote_mac, row->remote_mac, 6);
	memcpy(s.local_mac, steer->local_mac, 6);
	synack_settings(d, &d->tables.listeners[f->listener], steer->ifindex, f->mss, &s);
	r = raw_send(d, steer->ifindex, frame, synack_build(&s, frame));
	if (r)
		log_limited(d->now, LOG_WARNING, "interface %u: a SYN-ACK could not be sent again: %s",
			    steer->ifindex, strerror(-r));
	else
		d->count.synacks_again++;
}

bool parked_tick(struct daemon *d)
{
	struct parked *p = d->parked;
	uint32_t i = 0, retries = d->config.synack_retries, passed;

	while (i < p->n) {
		struct parked_row *row = &p->rows[i];

		if (!still_parked(d, row)) {
			take_out(d, i);
			continue;
		}
		passed = retransmit_passed(d->now - row->since);
		if (d->now - row->since >= retransmit_after(retries + 1)) {
			steer_store(d, row->flow, row->serial, PORCH_PHASE_FORGOTTEN, 0);
			take_out(d, i);
			continue;
		}
		if (row->sent < passed && row->sent < retries && retransmit_may_send(d)) {
			row->sent = passed;
			repeat(d, row);
		}
		i++;
	}
	return p->n;
}

void parked_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	struct parked *p = d->parked;
	uint32_t i;

	for (i = 0; i < p->n; i++) {
		if (d->tables.steer[p->rows[i].flow].ifindex == ifindex &&
		    !memcmp(p->rows[i].remote_mac, was, 6))
			memcpy(p->rows[i].remote_mac, is, 6);
	}
}
