// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flows outside the queue: parked before a full one, closing after their worker, taken away, unheard of. */
#include "tests/unit/connections.h"
#include "daemon/closing.h"
#include "daemon/early.h"

#define LISTENER 2

static struct world *x;
static struct app *a;
static int handle;

static void start(uint8_t overflow, uint32_t backlog)
{
	x = world_new(1024);
	world_listener(x, LISTENER, NULL, PORT, overflow, 0);
	a = app_new(x, 1, 15, 64, 16);
	handle = app_listen(x, a, NULL, backlog);
}

static void end(void)
{
	if (a)
		app_dies(x, a);
	world_free(x);
}

/* Answered with RST from its own numbers, a lost one again, then a tombstone. */
static void closing(void **state)
{
	start(PORCH_OVERFLOW_DROP, 10);
	proof(x, 0, LISTENER);
	proof(x, 1, LISTENER);
	proof(x, 2, LISTENER);
	proof(x, 3, LISTENER);
	app_grant(a, handle, 4);
	handover_all(&x->d);
	while (app_take(a))
		;
	porch_ring_release(&a->accept);
	app_dies(x, a);
	a = NULL;
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_CLOSING);
	assert_int_equal(worker_of(x, 0), 0);
	segment(x, 3, PORCH_RECORD_SEGMENT, SYN, 100000, 0); /* the client begins anew */
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_TOMBSTONE);
	assert_int_equal(seen.sent, 0);
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1000, 10);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_flags() & (RST | SYN), RST);
	assert_int_equal(sent_at(4), x->flows[0].iss + 1); /* SEG.ACK */
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1000, 10);
	assert_int_equal(seen.sent, 2);
	pass(x, 0.1);
	/* the two that are silent were asked where they stand: an old ACK */
	assert_int_equal(seen.sent, 4);
	assert_int_equal(sent_flags(), ACK);
	assert_int_equal(sent_at(4), x->flows[2].iss);
	segment(x, 1, PORCH_RECORD_SEGMENT, RST, 5, 0);
	assert_int_equal(phase_of(x, 1), PORCH_PHASE_TOMBSTONE);
	assert_int_equal(seen.sent, 4);
	pass(x, 3);
	assert_int_equal(seen.sent, 5); /* once more */
	pass(x, 1);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_TOMBSTONE);
	pass(x, 50);
	assert_int_equal(phase_of(x, 2), PORCH_PHASE_CLOSING);
	pass(x, 10);
	assert_int_equal(phase_of(x, 2), PORCH_PHASE_TOMBSTONE);
	assert_int_equal(seen.sent, 5);
	end();
}

/* The entry was taken away (porch listen del, eviction) and given to another flow. */
static void entry_with_a_new_owner(void **state)
{
	uint32_t serial;

	start(PORCH_OVERFLOW_DROP, 10);
	proof(x, 0, LISTENER);
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	serial = proof(x, 0, LISTENER);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	assert_int_equal(x->d.rows[0].serial, serial);
	assert_int_equal(early_count(&x->d.rows[0]), 0);
	/* gone for good while queued: not handed over, and swept */
	proof(x, 1, LISTENER);
	x->flows[1].state = PORCH_FLOW_FREE;
	pass(x, 0.1);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	proof(x, 2, LISTENER);
	x->flows[2].state = PORCH_FLOW_FREE;
	app_grant(a, handle, 5);
	handover_all(&x->d);
	assert_int_equal(app_take(a)->flow, 0);
	assert_null(app_take(a));
	assert_int_equal(x->queues[LISTENER].depth, 0);
	assert_int_equal(x->d.connections->vanished, 3);
	end();
}

/* Nobody listens any more: RST at once, as a closed port has it. */
static void nobody_listens(void **state)
{
	start(PORCH_OVERFLOW_DROP, 10);
	x->d.connections->started_ns = x->d.now - 60 * SECOND;
	app_dies(x, a);
	a = NULL;
	proof(x, 0, LISTENER);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_flags(), RST | ACK);
	assert_int_equal(x->queues[LISTENER].reset, 1);
	/* the listener's index is another's by now */
	xdp_claim(x, 1, LISTENER);
	x->flows[1].local_port = 99;
	segment(x, 1, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(seen.sent, 2);
	assert_int_equal(phase_of(x, 1), PORCH_PHASE_CLOSING);
	end();
}

static void icmp(void **state)
{
	start(PORCH_OVERFLOW_DROP, 10);
	proof(x, 0, LISTENER);
	segment(x, 0, PORCH_RECORD_ICMP, 0, 0, 40);
	assert_int_equal(early_count(&x->d.rows[0]), 0);
	app_grant(a, handle, 1);
	handover_all(&x->d);
	segment(x, 0, PORCH_RECORD_ICMP, 0, 0, 40);
	assert_int_equal(x->d.count.forwarded, 1);
	end();
}

static void parked(void **state)
{
	uint32_t i;

	start(PORCH_OVERFLOW_DROP, 0);
	proof(x, 1, LISTENER);
	proof(x, 2, LISTENER);
	assert_int_equal(seen.parked_added, 1);
	assert_int_equal(seen.parked_flow, 2);
	/* data of a parked flow is dropped, it is no proof */
	segment(x, 2, PORCH_RECORD_SEGMENT, ACK, 50, 10);
	assert_int_equal(x->queues[LISTENER].overflowed, 1);
	segment(x, 2, PORCH_RECORD_PROOF, ACK, 1, 10);
	assert_int_equal(seen.parked_added, 2);
	assert_int_equal(x->queues[LISTENER].overflowed, 2);
	assert_int_equal(x->d.rows[2].state, ROW_PARKED);
	/* room: it comes in by itself */
	app_grant(a, handle, 1);
	handover_all(&x->d);
	assert_int_equal(seen.parked_removed, 1);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	segment(x, 2, PORCH_RECORD_PROOF, ACK, 1, 10);
	assert_int_equal(early_count(&x->d.rows[2]), 1);
	/* by its own proof, which makes room at the same time */
	proof(x, 3, LISTENER);
	app_grant(a, handle, 1);
	segment(x, 3, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->d.rows[3].state, ROW_QUEUED);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	assert_int_equal(x->d.count.admitted, 3);
	/* a reset of one that is parked ends it, one of the queue lets the next in */
	for (i = 4; i < 8; i++)
		proof(x, i, LISTENER);
	assert_int_equal(x->d.connections->parked, 4);
	segment(x, 5, PORCH_RECORD_SEGMENT, RST, 1, 0);
	assert_int_equal(phase_of(x, 5), PORCH_PHASE_TOMBSTONE);
	segment(x, 3, PORCH_RECORD_SEGMENT, RST, 1, 0);
	assert_int_equal(x->d.rows[4].state, ROW_QUEUED);
	/* given up after the last SYN-ACK: it does not come in */
	x->steer[6].word = PORCH_STEER(x->steer[6].serial, PORCH_PHASE_FORGOTTEN, 0);
	app_grant(a, handle, 1);
	handover_all(&x->d);
	assert_int_equal(x->d.rows[6].state, ROW_NONE);
	assert_int_equal(x->d.rows[7].state, ROW_QUEUED);
	assert_int_equal(x->d.connections->parked, 0);
	/* no more of them than a quarter of the flow table */
	for (i = 10; i < 10 + 300; i++)
		proof(x, i, LISTENER);
	assert_int_equal(x->d.connections->parked, 1024 / 4);
	assert_int_equal(phase_of(x, 10), PORCH_PHASE_PENDING);
	assert_int_equal(phase_of(x, 309), PORCH_PHASE_FORGOTTEN);
	/* nobody listens any more: they are told */
	seen.sent = 0;
	app_dies(x, a);
	a = NULL;
	assert_int_equal(seen.sent, 1 + 256 + 3); /* three were handed and not read */
	assert_int_equal(x->d.connections->parked, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing),	  cmocka_unit_test(entry_with_a_new_owner),
		cmocka_unit_test(nobody_listens), cmocka_unit_test(icmp),
		cmocka_unit_test(parked),
	};

	return unit_run("closing", tests);
}
