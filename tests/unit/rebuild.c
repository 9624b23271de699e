// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porchd is killed and starts again: what the flow table says becomes queues and workers once more. */
#include "tests/unit/connections.h"
#include "daemon/listen.h"
#include "daemon/rebuild.h"

/* Everything porchd had in its own memory is gone; maps, sessions and rings stay. */
static void restart(struct world *x)
{
	flowtab_close(&x->d);
	memset(x->d.workers, 0, sizeof(x->d.workers));
	memset(&x->d.count, 0, sizeof(x->d.count));
	memset(&seen, 0, sizeof(seen));
	x->d.now += SECOND / 10;
	assert_int_equal(flowtab_open(&x->d), 0);
	rebuild(&x->d);
}

/* The worker's end of REJOIN. */
static void rejoin(struct world *x, struct app *a)
{
	uint16_t number = a->w.number;
	uint32_t i, limit;

	memset(a->w.listens, 0, sizeof(a->w.listens));
	porch_ring_join(&a->w.accept, a->memory[0], a->w.accept.mask + 1, sizeof(struct porch_accept_entry),
			1);
	porch_ring_join(&a->w.inject, a->memory[1], a->w.inject.mask + 1,
			sizeof(struct porch_inject_entry) + INJECT_FRAME, 1);
	porch_ring_join(&a->w.finish, a->memory[2], 64, sizeof(struct porch_finish_entry), 0);
	a->w.flows = 0;
	x->d.workers[number] = &a->w;
	assert_true(rebuild_may_rejoin(&x->d, number));
	rebuild_rejoined(&x->d, &a->w);
	for (i = 0; i < PORCH_WORKER_LISTENERS; i++) {
		if (a->session.listener[i].state)
			assert_int_equal(listen_rejoin(&x->d, &a->w, i, &limit), 0);
	}
}

static struct world *start(struct app **a, int *h)
{
	struct world *x = world_new(256);
	uint32_t i;

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 100);
	*a = app_new(x, 3, 15, 64, 8);
	*h = app_listen(x, *a, NULL, 100);
	app_grant(*a, *h, 4);
	for (i = 0; i < 10; i++) {
		x->d.now += 1000;
		proof(x, 9 - i, 1); /* table order is not the order of arrival */
	}
	handover_all(&x->d); /* 9, 8, 7, 6 */
	return x;
}

/* Queued ones come back in their order as soon as somebody listens, steered ones go on. */
static void queues_and_workers(void **state)
{
	struct app *a;
	int h;
	struct world *x = start(&a, &h);
	uint32_t i, out = 9;

	(*a).session.listener[h].accepted = 2;
	listen_count(&x->d);
	assert_int_equal(x->queues[1].accepted, 2);
	restart(x);
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->queues[1].workers, 0);
	assert_true(rebuild_expects(&x->d, 3));
	assert_false(rebuild_expects(&x->d, 1));
	assert_int_equal(x->d.connections->waiting.n, 6);
	/* meanwhile: a segment of a steered flow waits for its worker, a queued client proves again */
	segment(x, 9, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	segment(x, 2, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->d.connections->waiting.n, 6);
	assert_int_equal(seen.sent, 0);
	rejoin(x, a);
	assert_false(rebuild_expects(&x->d, 3));
	assert_int_equal(a->w.flows, 4);
	assert_int_equal(x->queues[1].depth, 6);
	assert_int_equal(x->queues[1].workers, 1);
	assert_int_equal(x->queues[1].limit, 100);
	assert_int_equal(x->queues[1].handed, 4); /* counters go on */
	segment(x, 9, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	assert_int_equal(x->d.count.forwarded, 1);
	app_grant(a, h, 50);
	handover_all(&x->d);
	for (i = 0; i < 10; i++)
		assert_int_equal(app_take(a)->flow, out--);
	assert_null(app_take(a));
	porch_ring_release(&a->accept);
	a->session.listener[h].accepted = 10;
	listen_count(&x->d);
	assert_int_equal(x->queues[1].accepted, 10);
	app_finish(a, 9, x->steer[9].serial, PORCH_FINISH_TIME_WAIT);
	assert_int_equal(finish_worker(&x->d, &a->w), 0);
	assert_int_equal(phase_of(x, 9), PORCH_PHASE_TIME_WAIT);
	app_dies(x, a);
	world_free(x);
}

/* 3 s, then its flows are nobody's; whoever comes with that number now is refused. */
static void worker_stays_away(void **state)
{
	struct app *a;
	int h;
	struct world *x = start(&a, &h);

	x->group.up = true;
	x->d.groups[0] = x->group;
	x->d.n_groups = 1;
	restart(x);
	pass(x, 2.5);
	rebuild_expire(&x->d);
	assert_int_equal(phase_of(x, 9), PORCH_PHASE_STEERED);
	assert_true(rebuild_may_rejoin(&x->d, 3));
	pass(x, 1);
	rebuild_expire(&x->d);
	assert_false(rebuild_may_rejoin(&x->d, 3));
	assert_false(rebuild_expects(&x->d, 3));
	assert_true(x->d.groups[0].areas[2].bound); /* or nobody would hear what their clients say */
	assert_int_equal(phase_of(x, 9), PORCH_PHASE_CLOSING);
	pass(x, 0.1);
	assert_int_equal(seen.sent, 4); /* the silent clients are asked */
	segment(x, 9, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	assert_int_equal(seen.sent, 5);
	/* nobody listens again: the queued are reset after 30 s */
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_PENDING);
	pass(x, 20);
	rebuild_expire(&x->d);
	assert_int_equal(x->d.connections->waiting.n, 6);
	pass(x, 7);
	rebuild_expire(&x->d);
	assert_int_equal(x->d.connections->waiting.n, 0);
	assert_int_equal(x->queues[1].reset, 6);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_CLOSING);
	x->d.workers[3] = NULL;
	app_free(x, a);
	world_free(x);
}

/* Another application listens instead: it gets the queued ones; what does not fit is parked as any other. */
static void another_application(void **state)
{
	struct app *a, *b;
	int h;
	struct world *x = start(&a, &h);

	restart(x);
	x->listeners[1].backlog = 50;
	b = app_new(x, 1, 15, 64, 8);
	h = app_listen(x, b, NULL, 2);
	assert_int_equal(x->queues[1].depth, 3);
	assert_int_equal(seen.parked_added, 3);
	assert_int_equal(x->d.connections->waiting.n, 0);
	app_grant(b, h, 10);
	handover_all(&x->d);
	assert_int_equal(app_take(b)->flow, 5);
	app_dies(x, b);
	app_free(x, a);
	world_free(x);
}

/* Whatever phase it had: nothing ends up twice, nothing ends up in two places. */
static void every_phase(void **state)
{
	struct world *x = world_new(64);
	uint32_t i;

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 100);
	for (i = 0; i < 40; i++) {
		xdp_claim(x, i, 1);
		x->steer[i].word = PORCH_STEER(x->steer[i].serial + (i >= 32), i % 8, i % 4 == 1 ? i : 0);
	}
	x->steer[9].word = PORCH_STEER(x->steer[9].serial, PORCH_PHASE_STEERED, 64); /* no such number */
	x->steer[17].word = PORCH_STEER(x->steer[17].serial, PORCH_PHASE_STEERED, 0);
	restart(x);
	for (i = 0; i < 40; i++) {
		uint8_t was = i >= 32 ? PORCH_PHASE_PENDING : i % 8;
		uint8_t row = was == PORCH_PHASE_PENDING			? ROW_WAITING
			      : i == 9 || i == 17 || was == PORCH_PHASE_CLOSING ? ROW_CLOSING
			      : was == PORCH_PHASE_STEERED			? ROW_STEERED
										: ROW_NONE;

		assert_int_equal(x->d.rows[i].state, row);
	}
	assert_int_equal(x->d.connections->expected, 1ull << 1 | 1ull << 25);
	world_free(x);
}

/* A worker that comes back and then dies: what it may or may not have read is reset, not given twice. */
static void rejoined_and_gone(void **state)
{
	struct app *a;
	int h;
	struct world *x = start(&a, &h);

	restart(x);
	rejoin(x, a);
	assert_int_equal(x->queues[1].depth, 6);
	app_dies(x, a);
	assert_int_equal(phase_of(x, 9), PORCH_PHASE_CLOSING);
	assert_int_equal(x->queues[1].depth, 0); /* nobody listens */
	assert_int_equal(x->queues[1].reset, 6);
	world_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_and_workers),  cmocka_unit_test(worker_stays_away),
		cmocka_unit_test(another_application), cmocka_unit_test(every_phase),
		cmocka_unit_test(rejoined_and_gone),
	};

	return unit_run("rebuild", tests);
}
