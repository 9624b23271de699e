// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a worker says it is done with: believed only of flows that are its own. */
#include "tests/unit/connections.h"
#include "daemon/finish.h"

static struct world *x;
static struct app *a, *b;

static void start(void)
{
	int h, i;

	x = world_new(64);
	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 100);
	a = app_new(x, 1, 15, 64, 8);
	h = app_listen(x, a, NULL, 100);
	app_grant(a, h, 10);
	for (i = 0; i < 10; i++)
		proof(x, i, 1);
	handover_all(&x->d);
	b = app_new(x, 2, 15, 64, 8);
}

static void end(void)
{
	app_dies(x, a);
	app_dies(x, b);
	world_free(x);
}

static void numbers_and_phase(void **state)
{
	start();
	app_finish(a, 3, x->steer[3].serial, PORCH_FINISH_TIME_WAIT);
	app_finish(a, 4, x->steer[4].serial, PORCH_FINISH_CLOSED);
	assert_int_equal(finish_worker(&x->d, &a->w), 0);
	assert_int_equal(x->steer[3].word, PORCH_STEER(x->steer[3].serial, PORCH_PHASE_TIME_WAIT, 0));
	assert_int_equal(x->steer[3].snd_nxt, 11);
	assert_int_equal(x->steer[3].rcv_nxt, 22);
	assert_int_equal(x->steer[3].ts_offset, 33);
	assert_int_equal(x->steer[3].until, x->host.tick + 600);
	assert_int_equal(x->steer[4].word, PORCH_STEER(x->steer[4].serial, PORCH_PHASE_TOMBSTONE, 0));
	assert_int_equal(x->steer[4].until, x->host.tick + 600);
	assert_int_equal(a->w.flows, 8);
	assert_int_equal(x->d.rows[3].state, ROW_NONE);
	/* a segment that was on its way does nothing */
	segment(x, 3, PORCH_RECORD_SEGMENT, ACK | FIN, 9, 0);
	segment(x, 4, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(seen.sent, 0);
	assert_int_equal(x->queues[1].depth, 0);
	/* twice is stale */
	app_finish(a, 3, x->steer[3].serial, PORCH_FINISH_CLOSED);
	finish_worker(&x->d, &a->w);
	assert_int_equal(x->d.count.stale_finish, 1);
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_TIME_WAIT);
	end();
}

static void not_its_own(void **state)
{
	start();
	app_finish(b, 0, x->steer[0].serial, PORCH_FINISH_CLOSED);
	app_finish(b, 20, 1, PORCH_FINISH_CLOSED);
	app_finish(a, 0, x->steer[0].serial - 1, PORCH_FINISH_CLOSED);
	app_finish(a, 64, 1, PORCH_FINISH_CLOSED);
	app_finish(a, UINT32_MAX, 1, PORCH_FINISH_TIME_WAIT);
	app_finish(a, 0, x->steer[0].serial, 0);
	app_finish(a, 0, x->steer[0].serial, 3);
	assert_int_equal(finish_worker(&x->d, &a->w), 0);
	assert_int_equal(finish_worker(&x->d, &b->w), 0);
	assert_int_equal(x->d.count.stale_finish, 3);
	assert_int_equal(x->d.count.bad_finish, 4);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_STEERED);
	assert_int_equal(a->w.flows, 10);
	/* queued and not yet anybody's */
	proof(x, 30, 1);
	app_finish(a, 30, x->steer[30].serial, PORCH_FINISH_CLOSED);
	finish_worker(&x->d, &a->w);
	assert_int_equal(phase_of(x, 30), PORCH_PHASE_PENDING);
	assert_int_equal(x->queues[1].depth, 1);
	end();
}

/* The entry is another flow's by now: its row goes, its word is left alone. */
static void entry_taken_away(void **state)
{
	start();
	uint32_t serial = x->steer[5].serial;

	xdp_claim(x, 5, 1);
	x->steer[5].word = 12345;
	app_finish(a, 5, serial, PORCH_FINISH_TIME_WAIT);
	finish_worker(&x->d, &a->w);
	assert_int_equal(x->steer[5].word, 12345);
	assert_int_equal(x->d.rows[5].state, ROW_NONE);
	assert_int_equal(a->w.flows, 9);
	end();
}

static void bounded_and_checked(void **state)
{
	uint32_t i;
	int r, rounds;

	start();
	for (i = 0; i < 64; i++)
		app_finish(a, i, x->steer[i].serial, PORCH_FINISH_CLOSED);
	assert_int_equal(finish_worker(&x->d, &a->w), 0);
	assert_int_equal(a->w.flows, 0);
	/* room again for the worker */
	assert_non_null(porch_ring_fill(&a->finish, &r));
	/* an index no ring of 64 can have */
	a->w.finish.ring->produced += 1000;
	assert_int_equal(finish_worker(&x->d, &a->w), -EPROTO);
	/* a worker that moves its index for ever does not hold porchd */
	a->w.finish.ring->produced = a->w.finish.own;
	for (rounds = 0; rounds < 100; rounds++) {
		a->w.finish.ring->produced += 64;
		assert_int_equal(finish_worker(&x->d, &a->w), 0);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_phase),
		cmocka_unit_test(not_its_own),
		cmocka_unit_test(entry_taken_away),
		cmocka_unit_test(bounded_and_checked),
	};

	return unit_run("finish", tests);
}
