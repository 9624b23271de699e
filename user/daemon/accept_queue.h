/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The accept queue of a listener: FIFO, linked through the rows of its flows.
 * porch_queues[listener] says its depth at every moment, for XDP reads it
 * before it spends a cookie.
 */
#ifndef PORCH_DAEMON_ACCEPT_QUEUE_H
#define PORCH_DAEMON_ACCEPT_QUEUE_H

#include "daemon/flowtab.h"

/* The kernel's rule (sk_acceptq_is_full()): a backlog of n takes n + 1. */
static inline bool queue_full(const struct daemon_listener *l)
{
	return l->queue->queued.n > l->limit;
}

/* At the tail, admitted now. The row is the flow's and free. */
void queue_add(struct daemon *d, uint32_t listener, uint32_t flow, uint32_t serial);
/* At the head: it had been handed to a worker that never saw it. */
void queue_return(struct daemon *d, uint32_t flow);
/* Out of it, wherever it stands; by flow_detach() and handover. */
void queue_remove(struct daemon *d, uint32_t flow);
/* Outside of it: full, and overflow=drop. */
void queue_park(struct daemon *d, uint32_t listener, uint32_t flow, uint32_t serial);
/* Those that wait outside, the oldest first, as far as there is room. Returns how many came in. */
uint32_t queue_unpark(struct daemon *d, uint32_t listener);
/* Resets all that are in it or wait outside. Returns how many. */
uint32_t queue_reset(struct daemon *d, uint32_t listener);
/* Resets what was not accepted in time, `most` of it. Returns how many. */
uint32_t queue_expire(struct daemon *d, uint32_t listener, uint32_t most);

#endif /* PORCH_DAEMON_ACCEPT_QUEUE_H */
