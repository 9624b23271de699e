// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Everything at once for a while; and what a connection costs. */
#include <time.h>

#include "tests/unit/connections.h"

static struct world *start(uint32_t n_flows, uint32_t backlog)
{
	struct world *x = world_new(n_flows);

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, backlog);
	return x;
}

/* Handed to and fro between workers that come, die, finish and lie idle: every connection is somebody's,
 * once. */
static void soak(void **state)
{
	enum { FLOWS = 512, WORKERS = 4 };
	struct world *x = start(FLOWS, 60);
	struct app *apps[WORKERS + 1] = {};
	int handles[WORKERS + 1];
	uint64_t random = 2024;
	uint32_t step, i;

	for (step = 0; step < 100000; step++) {
		uint32_t w = 1 + unit_random(&random) % WORKERS, flow = unit_random(&random) % FLOWS;
		struct app *a = apps[w];

		switch (unit_random(&random) % 16) {
		case 0:
			if (!a) {
				apps[w] = app_new(x, w, unit_random(&random) % 15 + 1, 32, 8);
				handles[w] = app_listen(x, apps[w], NULL, 60);
			} else if (unit_random(&random) % 8 == 0) {
				app_dies(x, a);
				apps[w] = NULL;
			}
			break;
		case 1 ... 6:
			if (x->flows[flow].state != PORCH_FLOW_HANDED ||
			    phase_of(x, flow) >= PORCH_PHASE_TIME_WAIT) {
				x->flows[flow].state = PORCH_FLOW_FREE;
				xdp_claim(x, flow, 1);
				x->steer[flow].rx_queue = unit_random(&random) % QUEUES;
			}
			segment(x, flow, PORCH_RECORD_PROOF, ACK, 1, unit_random(&random) % 3);
			break;
		case 7:
			segment(x, flow, PORCH_RECORD_SEGMENT, unit_random(&random) % 2 ? RST : ACK | FIN, 1,
				0);
			break;
		case 8 ... 10:
			if (a &&
			    a->session.listener[handles[w]].granted - a->session.listener[handles[w]].handed <
				    900)
				app_grant(a, handles[w], unit_random(&random) % 8);
			handover_all(&x->d);
			break;
		case 11 ... 14: {
			const struct porch_accept_entry *e = a ? app_take(a) : NULL;
			int r;

			if (!e)
				break;
			if (x->steer[e->flow].serial == e->serial &&
			    x->flows[e->flow].state == PORCH_FLOW_HANDED)
				assert_int_equal(worker_of(x, e->flow), w);
			if (porch_ring_pending(&a->w.finish) < 60)
				app_finish(a, e->flow, e->serial, 1 + unit_random(&random) % 2);
			porch_ring_release(&a->accept);
			while (porch_ring_take(&a->inject, &r))
				;
			porch_ring_release(&a->inject);
			assert_int_equal(finish_worker(&x->d, &a->w), 0);
			break;
		}
		default:
			pass(x, 0.1);
		}
	}
	for (i = 1; i <= WORKERS; i++) {
		assert_true(!apps[i] || !apps[i]->w.condemned);
		if (apps[i])
			app_dies(x, apps[i]);
	}
	assert_int_equal(x->queues[1].depth, 0);
	assert_int_equal(x->d.connections->early_memory, 0);
	for (i = 0; i < PORCH_WORKERS_MAX; i++)
		assert_int_equal(x->d.connections->steered[i].n, 0);
	pass(x, 61);
	pass(x, 61);
	for (i = 0; i < FLOWS; i++)
		assert_int_equal(x->d.rows[i].state, ROW_NONE);
	assert_true(x->d.count.handed > 5000);
	world_free(x);
}

/* Admission and handover: printed, and far below what a connection may cost. */
static void cost(void **state)
{
	enum { ROUNDS = 40, BATCH = 512 };
	struct world *x = start(16384, 4096);
	struct app *a = app_new(x, 1, 15, 1024, 8);
	int h = app_listen(x, a, NULL, 4096);
	static struct xdp_frame frames[BATCH];
	uint64_t best = UINT64_MAX;
	struct timespec t0, t1;
	uint32_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < BATCH; i++) {
			uint32_t flow = (round * BATCH + i) * 2654435761u % 16384;

			xdp_claim(x, flow, 1);
			xdp_segment(x, &frames[i], flow, PORCH_RECORD_PROOF, ACK, 1, 0);
		}
		app_grant(a, h, BATCH);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
		for (i = 0; i < BATCH; i++) {
			xdp_send(x, &frames[i]);
			if (i % 64 == 63)
				handover_all(&x->d);
		}
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t1);
		i = (t1.tv_sec - t0.tv_sec) * SECOND + t1.tv_nsec - t0.tv_nsec;
		best = i < best ? i : best;
		while (app_take(a))
			;
		porch_ring_release(&a->accept);
	}
	printf("# %llu ns for admission and handover of a connection\n", (unsigned long long)best / BATCH);
	assert_int_equal(x->d.count.handed, ROUNDS * BATCH);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(best / BATCH < 2000);
#endif
	app_dies(x, a);
	world_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(soak),
		cmocka_unit_test(cost),
	};

	return unit_run("handover_soak", tests);
}
