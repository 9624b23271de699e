/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the connection half of porchd calls of the other parts, noted down instead of done. */
#ifndef PORCH_TESTS_CONNECTIONS_CALLS_H
#define PORCH_TESTS_CONNECTIONS_CALLS_H

#include "daemon/area.h"
#include "daemon/daemon.h"
#include "daemon/retransmit.h"
#include "daemon/worker.h"
#include "tests/unit/unit.h"

/* What went out, and who was called. */
static struct {
	uint8_t frame[256];
	uint32_t length, ifindex, sent;
	uint32_t parked_added, parked_removed, parked_flow;
	uint32_t woken[PORCH_WORKERS_MAX];
	uint32_t room;
} seen;

int raw_send(struct daemon *d, uint32_t ifindex, const void *frame, uint32_t length)
{
	assert_true(length <= sizeof(seen.frame));
	memcpy(seen.frame, frame, length);
	seen.length = length;
	seen.ifindex = ifindex;
	seen.sent++;
	return 0;
}

void parked_add(struct daemon *d, uint32_t flow, uint32_t serial)
{
	assert_int_equal(d->tables.steer[flow].word, PORCH_STEER(serial, PORCH_PHASE_PENDING, 0));
	seen.parked_added++;
	seen.parked_flow = flow;
}

void parked_del(struct daemon *d, uint32_t flow, uint32_t serial)
{
	seen.parked_removed++;
}

void retransmit_room(struct daemon *d, uint32_t listener)
{
	seen.room++;
}

void worker_wake(struct daemon *d, struct worker *w)
{
	seen.woken[w->number]++;
}

int area_prepare(struct daemon *d, struct area *a)
{
	return 0;
}

int area_bind(struct daemon *d, struct area *a)
{
	a->bound = true;
	return 0;
}

void worker_condemn(struct daemon *d, struct worker *w, const char *why)
{
	w->condemned = why;
}

#endif /* PORCH_TESTS_CONNECTIONS_CALLS_H */
