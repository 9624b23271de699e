// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accept queue: how many it takes, in which order, what becomes of the rest and of the unaccepted. */
#include "tests/unit/connections.h"
#include "daemon/accept_queue.h"

/* A backlog of n takes n + 1, and the shared depth says so at each step. */
static void backlog_plus_one(void **state)
{
	static const uint32_t backlogs[] = { 0, 1, 5, 100 };
	uint32_t b, i;

	for (b = 0; b < 4; b++) {
		struct world *x = world_new(1024);
		struct app *a;

		world_listener(x, 3, NULL, PORT, PORCH_OVERFLOW_DROP, 0);
		a = app_new(x, 1, 15, 64, 8);
		assert_int_equal(app_listen(x, a, NULL, backlogs[b]), 0);
		assert_int_equal(x->queues[3].limit, backlogs[b]);
		assert_int_equal(x->queues[3].workers, 1);
		for (i = 0; i < backlogs[b] + 1; i++) {
			assert_true(x->queues[3].depth <= x->queues[3].limit); /* XDP lets it through */
			proof(x, i, 3);
			assert_int_equal(x->queues[3].depth, i + 1);
		}
		assert_true(x->queues[3].depth > x->queues[3].limit);
		assert_int_equal(seen.parked_added, 0);
		proof(x, i, 3);
		assert_int_equal(x->queues[3].depth, i);
		assert_int_equal(x->queues[3].peak, i);
		assert_int_equal(x->queues[3].overflowed, 1);
		assert_int_equal(seen.parked_added, 1);
		assert_int_equal(seen.sent, 0);
		assert_int_equal(x->queues[3].admitted, i);
		app_dies(x, a);
		world_free(x);
	}
}

static void first_in_first_out(void **state)
{
	struct world *x = world_new(4096);
	struct app *a;
	uint64_t random = 42;
	uint32_t next_in = 0, next_out = 0, i;
	uint32_t order[4096];
	int h;

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 0);
	a = app_new(x, 1, 15, 4096, 8);
	h = app_listen(x, a, NULL, 4095);
	for (i = 0; i < 4096; i++)
		order[i] = i;
	for (i = 4095; i; i--) {
		uint32_t k = unit_random(&random) % (i + 1), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
	while (next_out < 4096) {
		const struct porch_accept_entry *e;

		for (i = unit_random(&random) % 200; i && next_in < 4096; i--)
			proof(x, order[next_in++], 1);
		app_grant(a, h, unit_random(&random) % 150);
		handover_all(&x->d);
		while ((e = app_take(a)))
			assert_int_equal(e->flow, order[next_out++]);
		assert_int_equal(x->queues[1].depth, next_in - next_out);
		porch_ring_release(&a->accept);
		/* what was granted and not used is asked back, so that credit stays possible */
		a->session.listener[h].granted = a->session.listener[h].handed;
		a->w.listens[h].granted = a->session.listener[h].handed;
	}
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->queues[1].handed, 4096);
	app_dies(x, a);
	world_free(x);
}

static void limit_is_the_smaller(void **state)
{
	struct world *x = world_new(64);
	struct app *a, *b;

	x->d.config.backlog = 50;
	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 0);
	a = app_new(x, 1, 1, 64, 8);
	b = app_new(x, 2, 1, 64, 8);
	app_listen(x, a, NULL, 10);
	assert_int_equal(x->queues[1].limit, 10);
	app_listen(x, b, NULL, 4000000000u);
	assert_int_equal(x->queues[1].limit, 50);
	assert_int_equal(x->queues[1].workers, 2);
	x->listeners[1].backlog = 60; /* porch caps what applications ask */
	listen_refresh(&x->d);
	assert_int_equal(x->queues[1].limit, 50);
	x->listeners[1].backlog = 20;
	listen_refresh(&x->d);
	assert_int_equal(x->queues[1].limit, 20);
	app_dies(x, b);
	assert_int_equal(x->queues[1].limit, 10);
	assert_int_equal(x->queues[1].workers, 1);
	app_dies(x, a);
	assert_int_equal(x->queues[1].workers, 0);
	world_free(x);
}

/* Reset after accept-timeout, not before, oldest first; a segment that still comes gets RST too. */
static void unaccepted_for_too_long(void **state)
{
	struct world *x = world_new(64);
	struct app *a;
	uint32_t i;

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 0);
	a = app_new(x, 1, 1, 64, 8);
	app_listen(x, a, NULL, 100);
	for (i = 0; i < 10; i++) {
		proof(x, i, 1);
		pass(x, 1);
	}
	assert_int_equal(x->queues[1].depth, 10);
	pass(x, 19.9);
	assert_int_equal(seen.sent, 0);
	pass(x, 0.2);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(seen.ifindex, IFINDEX);
	assert_int_equal(sent_flags(), RST | ACK);
	assert_int_equal(sent_at(4), x->flows[0].iss + 1);
	assert_int_equal(sent_at(8), x->flows[0].irs + 1);
	assert_int_equal(x->queues[1].depth, 9);
	assert_int_equal(x->queues[1].reset, 1);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_CLOSING);
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	assert_int_equal(seen.sent, 2);
	assert_int_equal(sent_flags() & RST, RST);
	pass(x, 5);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_TOMBSTONE);
	assert_int_equal(x->steer[0].until, x->host.tick + 600);
	pass(x, 10);
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->queues[1].reset, 10);
	app_dies(x, a);
	world_free(x);
}

/* Changed while full, it takes no more until it has drained; entries stay. */
static void limit_lowered(void **state)
{
	struct world *x = world_new(64);
	struct app *a;
	uint32_t i;
	int h;

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 8);
	a = app_new(x, 1, 1, 64, 8);
	h = app_listen(x, a, NULL, 100);
	for (i = 0; i < 9; i++)
		proof(x, i, 1);
	x->listeners[1].backlog = 2;
	listen_refresh(&x->d);
	assert_int_equal(x->queues[1].depth, 9);
	proof(x, 20, 1);
	assert_int_equal(seen.parked_added, 1);
	app_grant(a, h, 7);
	handover_all(&x->d);
	assert_int_equal(x->queues[1].depth, 3); /* two are left, and the one outside comes in */
	assert_int_equal(seen.room, 1);
	assert_int_equal(seen.parked_removed, 1);
	app_dies(x, a);
	world_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backlog_plus_one),	cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(limit_is_the_smaller), cmocka_unit_test(unaccepted_for_too_long),
		cmocka_unit_test(limit_lowered),
	};

	return unit_run("accept_queue", tests);
}
