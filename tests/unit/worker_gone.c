// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Connections that come back from a worker: it is no more, or stands still. */
#include "tests/unit/connections.h"

static struct world *start(uint32_t n_flows, uint32_t backlog)
{
	struct world *x = world_new(n_flows);

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, backlog);
	return x;
}

/* Unread entries go back to the head, in order; read ones are closing. */
static void worker_gone(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 64, 8), *b;
	int ha = app_listen(x, a, NULL, 200), hb, i;

	for (i = 0; i < 20; i++) {
		proof(x, i, 1);
		segment(x, i, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	}
	app_grant(a, ha, 12);
	handover_all(&x->d);
	for (i = 0; i < 5; i++)
		assert_int_equal(app_take(a)->flow, i);
	porch_ring_release(&a->accept);
	app_finish(a, 1, x->steer[1].serial, PORCH_FINISH_CLOSED);
	assert_int_equal(finish_worker(&x->d, &a->w), 0);
	b = app_new(x, 2, 15, 64, 64);
	hb = app_listen(x, b, NULL, 200);
	app_dies(x, a);
	assert_int_equal(x->queues[1].depth, 15);
	assert_int_equal(x->queues[1].workers, 1);
	for (i = 0; i < 20; i++)
		assert_int_equal(phase_of(x, i), i == 1	 ? PORCH_PHASE_TOMBSTONE
						 : i < 5 ? PORCH_PHASE_CLOSING
							 : PORCH_PHASE_PENDING);
	app_grant(b, hb, 100);
	handover_all(&x->d);
	for (i = 5; i < 20; i++) {
		const struct porch_accept_entry *e = app_take(b);

		assert_int_equal(e->flow, i);
		assert_int_equal(e->early, i >= 12); /* the others' went with the first worker */
	}
	assert_null(app_take(b));
	app_dies(x, b);
	world_free(x);
}

/* Its consumer index is a lie: then nothing counts as unread, nothing is delivered twice. */
static void worker_gone_lying(void **state)
{
	static const uint32_t lies[] = { 0, 2, 9, 13, 100, 0x80000000, UINT32_MAX };
	uint32_t i, n;

	for (i = 0; i < 7; i++) {
		struct world *x = start(256, 200);
		struct app *a = app_new(x, 1, 15, 8, 8), *b;
		int ha = app_listen(x, a, NULL, 200);

		app_grant(a, ha, 12);
		for (n = 0; n < 5; n++)
			proof(x, n, 1);
		handover_all(&x->d);
		while (app_take(a))
			;
		porch_ring_release(&a->accept);
		for (; n < 12; n++) /* so far that our side has read its index: 5 */
			proof(x, n, 1);
		handover_all(&x->d);
		assert_int_equal(x->queues[1].handed, 12);
		a->w.accept.ring->consumed = lies[i];
		b = app_new(x, 2, 15, 64, 64);
		app_listen(x, b, NULL, 200);
		app_dies(x, a);
		assert_int_equal(x->queues[1].depth, lies[i] == 9 ? 3 : 0);
		app_dies(x, b);
		world_free(x);
	}
}

/* One worker is stopped with credit left: after 50 ms the other gets all; alone, it would get them. */
static void stopped_worker(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 64, 8), *b = app_new(x, 2, 15, 64, 8);
	int ha = app_listen(x, a, NULL, 200), hb = app_listen(x, b, NULL, 200);
	uint32_t i;

	app_grant(a, ha, 60);
	app_grant(b, hb, 60);
	for (i = 0; i < 40; i++) {
		proof(x, i, 1);
		handover_all(&x->d);
		while (app_take(b))
			;
		porch_ring_release(&b->accept);
		x->d.now += SECOND / 50;
	}
	assert_true(a->w.flows <= 4);
	assert_int_equal(a->w.flows + b->w.flows, 40);
	/* it goes on: both again */
	while (app_take(a))
		;
	porch_ring_release(&a->accept);
	for (; i < 60; i++)
		proof(x, i, 1);
	handover_all(&x->d);
	assert_true(a->w.flows >= 10);
	x->d.now += SECOND;
	app_dies(x, b);
	assert_int_equal(x->queues[1].depth, 0); /* nobody else: it may wake up */
	app_dies(x, a);
	world_free(x);
}

/* What a stopped worker has not read goes to another after a second, except what it had just taken. */
static void taken_back(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 64, 8), *b;
	const struct porch_accept_entry *e;
	int ha = app_listen(x, a, NULL, 200), hb, r;
	uint32_t i;

	app_grant(a, ha, 10);
	for (i = 0; i < 10; i++)
		proof(x, i, 1);
	handover_all(&x->d);
	assert_int_equal(app_take(a)->flow, 0); /* stopped with its first one in hands */
	for (i = 0; i < 30; i++)
		pass(x, 0.1);
	assert_int_equal(a->w.flows, 10); /* there is nobody else */
	b = app_new(x, 2, 15, 64, 8);
	hb = app_listen(x, b, NULL, 200);
	app_grant(b, hb, 6);
	pass(x, 0.1);
	assert_int_equal(a->w.flows, 1);
	assert_int_equal(b->w.flows, 6);
	assert_int_equal(x->queues[1].depth, 3);
	assert_int_equal(a->session.listener[ha].handed, 1);
	assert_int_equal(worker_of(x, 0), 1);
	for (i = 1; i < 7; i++)
		assert_int_equal(app_take(b)->flow, i);
	porch_ring_release(&b->accept);
	/* it goes on: what is no longer its own it sees by the claim */
	for (i = 1; i < 10; i++) {
		e = porch_ring_take(&a->accept, &r);
		assert_int_equal(e->claim, PORCH_CLAIM_RETURNED);
	}
	porch_ring_release(&a->accept);
	handover_all(&x->d); /* its credit is as if they had never been handed */
	assert_int_equal(a->w.flows, 4);
	assert_int_equal(app_take(a)->flow, 7);
	assert_null(a->w.condemned);
	app_dies(x, a);
	app_dies(x, b);
	world_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_gone),
		cmocka_unit_test(worker_gone_lying),
		cmocka_unit_test(stopped_worker),
		cmocka_unit_test(taken_back),
	};

	return unit_run("worker_gone", tests);
}
