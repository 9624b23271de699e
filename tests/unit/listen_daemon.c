// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who may listen where, and what follows when porch changes its listeners. */
#include "tests/unit/connections.h"
#include "daemon/listen.h"

/* Listeners of porch: `*` and one address, for afxdp and for the kernel; who asks for what gets which. */
static void which_listener(void **state)
{
	static const struct {
		uint8_t any, exact; /* 0: none, 1: kernel, 2: afxdp */
		uint8_t wanted;	    /* 0: every address, 1: that one, 2: another */
		int index;	    /* 1 `*`, 2 the exact one, 0: refused */
	} rows[] = {
		{ 2, 0, 0, 1 }, { 2, 0, 1, 1 }, { 2, 2, 0, 1 }, { 2, 2, 1, 2 },
		{ 2, 2, 2, 1 }, { 2, 1, 1, 0 }, { 2, 1, 0, 1 }, { 2, 1, 2, 1 },
		{ 0, 2, 1, 2 }, { 0, 2, 2, 0 }, { 0, 2, 0, 2 }, { 1, 2, 0, 2 },
		{ 1, 2, 2, 0 }, { 1, 0, 0, 0 }, { 0, 1, 1, 0 }, { 0, 0, 0, 0 },
	};
	uint32_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *x = world_new(16);
		struct app *a = app_new(x, 1, 1, 8, 8);
		int h;

		if (rows[i].any)
			world_listener(x, 1, NULL, PORT, 0, 0);
		if (rows[i].exact)
			world_listener(x, 2, v4(1), PORT, 0, 0);
		x->listeners[1].deliver = rows[i].any == 2;
		x->listeners[2].deliver = rows[i].exact == 2;
		h = app_listen(x, a, rows[i].wanted ? v4(rows[i].wanted) : NULL, 5);
		if (rows[i].index) {
			assert_int_equal(h, 0);
			assert_int_equal(a->w.listens[0].listener->index, rows[i].index);
			assert_int_equal(a->session.listener[0].state, 1);
			assert_int_equal(a->session.listener[0].port, PORT);
		} else {
			assert_int_equal(h, -EADDRNOTAVAIL);
			assert_null(a->w.listens[0].listener);
		}
		app_dies(x, a);
		world_free(x);
	}
}

static void handles(void **state)
{
	struct world *x = world_new(16);
	struct app *a = app_new(x, 1, 1, 8, 8);
	uint32_t i, limit;

	for (i = 0; i <= PORCH_WORKER_LISTENERS; i++)
		world_listener(x, 1 + i, NULL, 1000 + i, 0, 0);
	for (i = 0; i < PORCH_WORKER_LISTENERS; i++)
		assert_int_equal(listen_add(&x->d, &a->w, v4(1), 1000 + i, 7, &limit), i);
	assert_int_equal(listen_add(&x->d, &a->w, v4(1), 1000 + i, 7, &limit), -EMFILE);
	assert_int_equal(listen_add(&x->d, &a->w, v4(1), 1003, 7, &limit), -EADDRINUSE);
	assert_int_equal(listen_del(&x->d, &a->w, PORCH_WORKER_LISTENERS), -EINVAL);
	assert_int_equal(listen_del(&x->d, &a->w, UINT32_MAX), -EINVAL);
	assert_int_equal(listen_del(&x->d, &a->w, 3), 0);
	assert_int_equal(listen_del(&x->d, &a->w, 3), -ENOENT);
	assert_int_equal(x->queues[4].workers, 0);
	a->session.listener[3].granted = a->session.listener[3].accepted = 99;
	assert_int_equal(listen_add(&x->d, &a->w, v4(1), 1000 + i, 7, &limit), 3);
	assert_int_equal(a->session.listener[3].granted, 0);
	assert_int_equal(a->session.listener[3].accepted, 0);
	assert_int_equal(x->d.connections->n_active, PORCH_WORKER_LISTENERS);
	app_dies(x, a);
	assert_int_equal(x->d.connections->n_active, 0);
	for (i = 0; i < PORCH_LISTENERS_MAX; i++)
		assert_null(x->d.listeners[i].queue);
	world_free(x);
}

/* `*` at porch, one address each at the workers: a connection goes only where it was asked for. */
static void narrow(void **state)
{
	struct world *x = world_new(64);
	struct app *a = app_new(x, 1, 15, 32, 8), *b = app_new(x, 2, 15, 32, 8);
	int ha, hb;
	uint32_t i;

	world_listener(x, 1, NULL, PORT, 0, 100);
	ha = app_listen(x, a, v4(1), 100);
	hb = app_listen(x, b, v4(9), 100);
	app_grant(b, hb, 10);
	for (i = 0; i < 12; i++) {
		xdp_claim(x, i, 1);
		memcpy(x->flows[i].local, v4(i % 3 == 0 ? 1 : i % 3 == 1 ? 9 : 5), 16);
		segment(x, i, PORCH_RECORD_PROOF, ACK, 1, 0);
	}
	assert_int_equal(x->queues[1].depth, 8);
	assert_int_equal(x->queues[1].reset, 4); /* address 5 is nobody's: a closed port */
	handover_all(&x->d);
	assert_int_equal(b->w.flows, 4); /* those behind the first worker's are not held up */
	assert_int_equal(x->queues[1].depth, 4);
	app_grant(a, ha, 10);
	handover_all(&x->d);
	assert_int_equal(a->w.flows, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(app_take(a)->flow, i * 3);
	app_dies(x, a);
	app_dies(x, b);
	world_free(x);
}

/* porch deletes it: queue reset, SYNs refused; adds it again elsewhere: whoever listened does again. */
static void deleted_and_added(void **state)
{
	struct world *x = world_new(64);
	struct app *a = app_new(x, 1, 15, 32, 8);
	uint32_t i;
	int h;

	world_listener(x, 1, NULL, PORT, 0, 100);
	h = app_listen(x, a, NULL, 100);
	for (i = 0; i < 5; i++)
		proof(x, i, 1);
	app_grant(a, h, 2);
	handover_all(&x->d);
	a->session.listener[h].accepted = 1;
	x->listeners[1].used = 0;
	x->ports.listener[PORT] = 0;
	listen_refresh(&x->d);
	assert_int_equal(x->queues[1].workers, 0);
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->queues[1].reset, 3);
	assert_int_equal(seen.sent, 3);
	assert_int_equal(a->session.listener[h].state, 0);
	assert_null(a->w.listens[h].listener);
	assert_int_equal(a->w.flows, 2); /* established ones go on */
	listen_refresh(&x->d);
	world_listener(x, 6, NULL, PORT, 0, 100);
	world_listener(x, 1, NULL, PORT + 1, 0, 100); /* its index is another's */
	listen_refresh(&x->d);
	assert_int_equal(x->queues[6].workers, 1);
	assert_int_equal(x->queues[1].workers, 0);
	assert_int_equal(a->session.listener[h].state, 1);
	proof(x, 20, 6);
	app_grant(a, h, 1);
	handover_all(&x->d);
	assert_int_equal(a->w.flows, 3);
	a->session.listener[h].accepted = 3;
	listen_count(&x->d);
	assert_int_equal(x->queues[6].accepted, 2); /* the first was the other listener's */
	/* overflow, and deliver=kernel */
	x->listeners[6].overflow = PORCH_OVERFLOW_RESET;
	listen_refresh(&x->d);
	assert_int_equal(x->d.listeners[6].overflow, PORCH_OVERFLOW_RESET);
	x->listeners[6].deliver = PORCH_DELIVER_KERNEL;
	listen_refresh(&x->d);
	assert_int_equal(x->queues[6].workers, 0);
	assert_null(x->d.listeners[6].queue);
	assert_int_equal(listen_del(&x->d, &a->w, h), 0);
	app_dies(x, a);
	world_free(x);
}

/* Two share a queue; one leaves; the other gets everything. The last leaves: reset at once, each counted. */
static void leaving(void **state)
{
	struct world *x = world_new(64);
	struct app *a = app_new(x, 1, 15, 32, 8), *b = app_new(x, 2, 15, 32, 8);
	int ha, hb;
	uint32_t i;

	world_listener(x, 1, NULL, PORT, 0, 100);
	ha = app_listen(x, a, NULL, 100);
	hb = app_listen(x, b, NULL, 100);
	for (i = 0; i < 10; i++)
		proof(x, i, 1);
	assert_int_equal(listen_del(&x->d, &a->w, ha), 0);
	assert_int_equal(x->queues[1].workers, 1);
	assert_int_equal(x->queues[1].depth, 10);
	app_grant(b, hb, 4);
	handover_all(&x->d);
	assert_int_equal(b->w.flows, 4);
	assert_int_equal(listen_del(&x->d, &b->w, hb), 0);
	assert_int_equal(x->queues[1].workers, 0);
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->queues[1].reset, 6);
	assert_int_equal(seen.sent, 6);
	assert_int_equal(b->w.flows, 4);
	app_dies(x, a);
	app_dies(x, b);
	world_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_listener),    cmocka_unit_test(handles), cmocka_unit_test(narrow),
		cmocka_unit_test(deleted_and_added), cmocka_unit_test(leaving),
	};

	return unit_run("listen_daemon", tests);
}
