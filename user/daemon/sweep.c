// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * connections_tick() of flowtab.h: what time brings, a bounded part of it at each call.
 *
 * A slow walk over the flow table puts right what no frame will: a proof whose
 * record never arrived (porchd's RX ring was full, it was stopped), behind which
 * a client may wait for a server that speaks first; and rows whose flow was
 * taken away.
 */
#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/closing.h"
#include "daemon/handover.h"
#include "daemon/listen.h"

#define EXPIRE_PER_TICK 1024
#define SWEEP_MIN	1024
#define SWEEP_MAX	16384
#define LOST_AFTER_NS	(NS_PER_SEC / 5) /* by then a record has come, if it comes */

/* HANDED, and porchd has never heard of it. */
static void found(struct daemon *d, uint32_t flow, uint32_t serial)
{
	uint64_t proven = d->tables.steer[flow].proven_ns;

	if (!serial || proven + LOST_AFTER_NS > d->now)
		return;
	d->connections->found_again++;
	if (d->now - proven < d->config.accept_timeout * NS_PER_SEC)
		admit_flow(d, flow, serial);
	else
		steer_store(d, flow, serial, PORCH_PHASE_FORGOTTEN, 0);
}

static void look_at(struct daemon *d, uint32_t flow)
{
	const struct flow_row *row = &d->rows[flow];
	uint32_t serial;

	if (row->state != ROW_NONE && !flow_is(d, flow, row->serial)) {
		d->connections->vanished++;
		flow_detach(d, flow);
	}
	if (__atomic_load_n(&d->tables.flows[flow].state, __ATOMIC_ACQUIRE) != PORCH_FLOW_HANDED)
		return;
	serial = d->tables.steer[flow].serial;
	if (!flow_noted(d, flow, serial) && row->state == ROW_NONE)
		found(d, flow, serial);
}

static void sweep(struct daemon *d)
{
	struct connections *c = d->connections;
	uint32_t n = d->tables.n_flows / 64;

	n = n < SWEEP_MIN ? SWEEP_MIN : n > SWEEP_MAX ? SWEEP_MAX : n;
	for (; n && d->tables.n_flows; n--) {
		if (c->sweep >= d->tables.n_flows)
			c->sweep = 0;
		look_at(d, c->sweep++);
	}
}

void connections_tick(struct daemon *d)
{
	struct connections *c = d->connections;
	uint32_t i;

	for (i = 0; i < c->n_active; i++)
		queue_expire(d, c->active[i], EXPIRE_PER_TICK);
	closing_tick(d);
	sweep(d);
	listen_count(d);
	handover_take_back(d);
	handover_all(d);
}
