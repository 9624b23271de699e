// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/util.h"
#include "daemon/accept_queue.h"
#include "daemon/early.h"
#include "daemon/finishing.h"
#include "daemon/flowtab.h"

void flow_list_init(struct flow_list *list)
{
	*list = (struct flow_list){ .first = FLOW_NONE, .last = FLOW_NONE };
}

void flow_list_append(struct daemon *d, struct flow_list *list, uint32_t flow)
{
	struct flow_row *row = &d->rows[flow];

	row->next = FLOW_NONE;
	row->previous = list->last;
	if (list->last == FLOW_NONE)
		list->first = flow;
	else
		d->rows[list->last].next = flow;
	list->last = flow;
	list->n++;
}

void flow_list_prepend(struct daemon *d, struct flow_list *list, uint32_t flow)
{
	struct flow_row *row = &d->rows[flow];

	row->previous = FLOW_NONE;
	row->next = list->first;
	if (list->first == FLOW_NONE)
		list->last = flow;
	else
		d->rows[list->first].previous = flow;
	list->first = flow;
	list->n++;
}

void flow_list_remove(struct daemon *d, struct flow_list *list, uint32_t flow)
{
	struct flow_row *row = &d->rows[flow];

	if (row->previous == FLOW_NONE)
		list->first = row->next;
	else
		d->rows[row->previous].next = row->next;
	if (row->next == FLOW_NONE)
		list->last = row->previous;
	else
		d->rows[row->next].previous = row->previous;
	list->n--;
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#define ROWS_AT_ONCE (32u << 20) /* octets */

static size_t rows_size(const struct daemon *d)
{
	return (size_t)d->tables.n_flows * sizeof(struct flow_row);
}

static void tick(struct daemon *d, void *arg)
{
	connections_tick(d);
	loop_timer_arm(d->loop, &d->connections->timer, d->now + CONNECTIONS_TICK_NS, tick, NULL);
}

static int turn(struct daemon *d)
{
	loop_timer_arm(d->loop, &d->connections->timer, d->now + CONNECTIONS_TICK_NS, tick, NULL);
	return loop_add_poller(d->loop, connections_poll);
}

/*
 * The first connections of each page would pay for three page faults, a microsecond
 * each. The tables are there already, only their mapping is not; rows beyond
 * 32 MiB come when they are used.
 */
static void fault_in(struct daemon *d, void *rows)
{
	size_t size = rows_size(d);

	/* best effort: Linux 5.14 */
	(void)madvise(rows, size < ROWS_AT_ONCE ? size : ROWS_AT_ONCE, MADV_POPULATE_WRITE);
	(void)madvise(d->tables.flows, d->tables.n_flows * sizeof(*d->tables.flows), MADV_POPULATE_READ);
	(void)madvise(d->tables.steer, d->tables.n_flows * sizeof(*d->tables.steer), MADV_POPULATE_WRITE);
}

int flowtab_open(struct daemon *d)
{
	_cleanup_free_ struct connections *c = calloc(1, sizeof(*c));
	void *rows;
	uint32_t i;
	int r;

	if (!c)
		return -ENOMEM;
	rows = mmap(NULL, rows_size(d), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (rows == MAP_FAILED)
		return -ENOMEM;
	fault_in(d, rows);
	for (i = 0; i < PORCH_LISTENERS_MAX; i++) {
		flow_list_init(&c->queues[i].queued);
		flow_list_init(&c->queues[i].parked);
	}
	for (i = 0; i < PORCH_WORKERS_MAX; i++)
		flow_list_init(&c->steered[i]);
	flow_list_init(&c->waiting);
	for (i = 0; i < CLOSING_LISTS; i++)
		flow_list_init(&c->closing[i]);
	d->rows = rows;
	d->connections = TAKE_PTR(c);
	r = finishing_open(d);
	return r ? r : d->loop ? turn(d) : 0;
}

void flowtab_close(struct daemon *d)
{
	uint32_t i;

	if (!d->rows)
		return;
	finishing_close(d);
	for (i = 0; i < d->tables.n_flows; i++)
		if (d->rows[i].state == ROW_QUEUED)
			early_free(d, &d->rows[i]);
	for (i = 0; i < PORCH_LISTENERS_MAX; i++)
		d->listeners[i] = (struct daemon_listener){};
	if (d->loop)
		loop_timer_stop(d->loop, &d->connections->timer);
	munmap(d->rows, rows_size(d));
	d->rows = NULL;
	free(TAKE_PTR(d->connections));
}

void flow_detach(struct daemon *d, uint32_t flow)
{
	struct connections *c = d->connections;
	struct flow_row *row = &d->rows[flow];

	switch (row->state) {
	case ROW_QUEUED:
		queue_remove(d, flow);
		early_free(d, row);
		break;
	case ROW_WAITING:
		flow_list_remove(d, &c->waiting, flow);
		break;
	case ROW_PARKED:
		flow_list_remove(d, &c->queues[row->listener].parked, flow);
		c->parked--;
		break;
	case ROW_STEERED:
		flow_list_remove(d, &c->steered[row->worker], flow);
		if (!row->worker)
			finishing_forget(d, row->turn);
		else if (d->workers[row->worker])
			d->workers[row->worker]->flows--;
		break;
	case ROW_CLOSING:
		flow_list_remove(d, &c->closing[row->turn], flow);
		break;
	}
	row->state = ROW_NONE;
}

struct flow_row *flow_row_of(struct daemon *d, uint32_t flow, uint32_t serial)
{
	struct flow_row *row = &d->rows[flow];

	if (row->state != ROW_NONE && row->serial != serial) {
		d->connections->vanished++;
		flow_detach(d, flow);
	}
	return row;
}

void flow_over(struct daemon *d, uint32_t flow, uint32_t serial, uint8_t phase)
{
	flow_detach(d, flow);
	if (!flow_is(d, flow, serial))
		return;
	d->tables.steer[flow].until = d->tables.host->tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
	steer_store(d, flow, serial, phase, 0);
}
