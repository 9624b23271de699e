// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Credit, who gets which connection, what is published before what, and what becomes of a worker's flows. */
#include <time.h>

#include "tests/unit/connections.h"
#include "daemon/handover.h"

static struct world *start(uint32_t n_flows, uint32_t backlog)
{
	struct world *x = world_new(n_flows);

	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, backlog);
	return x;
}

/* A worker gets as many as it has granted, never more; the rest waits and is lost to nobody. */
static void credit(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 128, 8);
	int h = app_listen(x, a, NULL, 200);
	uint32_t i;

	for (i = 0; i < 100; i++)
		proof(x, i, 1);
	handover_all(&x->d);
	assert_int_equal(x->queues[1].handed, 0);
	app_grant(a, h, 7);
	handover_all(&x->d);
	handover_all(&x->d);
	assert_int_equal(x->queues[1].handed, 7);
	assert_int_equal(a->session.listener[h].handed, 7);
	assert_int_equal(a->w.flows, 7);
	assert_int_equal(x->queues[1].credit, 0);
	assert_int_equal(x->queues[1].depth, 93);
	app_grant(a, h, 1000);
	handover_all(&x->d);
	assert_int_equal(x->queues[1].handed, 100);
	assert_int_equal(x->queues[1].credit, 907);
	app_dies(x, a);
	world_free(x);
}

/* The accept ring is full though there is credit: they wait, in order. */
static void ring_full(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 16, 8);
	int h = app_listen(x, a, NULL, 200);
	uint32_t i, out = 0;

	for (i = 0; i < 100; i++)
		proof(x, i, 1);
	app_grant(a, h, 100);
	while (out < 100) {
		handover_all(&x->d);
		assert_true(x->queues[1].handed - out <= 16);
		for (i = 0; i < 5 && out < 100; i++)
			assert_int_equal(app_take(a)->flow, out++);
		porch_ring_release(&a->accept);
	}
	assert_null(a->w.condemned);
	app_dies(x, a);
	world_free(x);
}

/* What the entry says is what XDP wrote; the word is stored, one wake-up per batch. */
static void entry(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 5, 4, 128, 8);
	const struct porch_accept_entry *e;
	const struct porch_inject_entry *in;
	int h = app_listen(x, a, NULL, 200), r;
	uint32_t serial, i;

	x->d.now += 5;
	serial = xdp_claim(x, 200, 1);
	x->steer[200].rx_queue = 2;
	x->steer[200].tags[0] = 42;
	segment(x, 200, PORCH_RECORD_PROOF, ACK, 1, 3);
	segment(x, 200, PORCH_RECORD_SEGMENT, ACK | FIN, 4, 2);
	x->d.now += 1234567;
	app_grant(a, h, 1);
	handover_all(&x->d);
	assert_int_equal(seen.woken[5], 1);
	assert_int_equal(x->steer[200].word, PORCH_STEER(serial, PORCH_PHASE_STEERED, 5));
	e = app_take(a);
	assert_non_null(e);
	assert_int_equal(e->flow, 200);
	assert_int_equal(e->serial, serial);
	assert_int_equal(e->listener, h);
	assert_int_equal(e->area, 0);
	assert_memory_equal(e->remote, x->flows[200].remote, 16);
	assert_memory_equal(e->local, x->flows[200].local, 16);
	assert_int_equal(e->remote_port, x->flows[200].remote_port);
	assert_int_equal(e->local_port, PORT);
	assert_int_equal(e->irs, 1200);
	assert_int_equal(e->iss, 5200);
	assert_int_equal(e->ts_recent, 77);
	assert_int_equal(e->ts_ecr, 88);
	assert_int_equal(e->mss, 1460);
	assert_int_equal(e->window, 1000);
	assert_int_equal(e->options, x->flows[200].options);
	assert_int_equal(e->wscale, x->flows[200].wscale);
	assert_memory_equal(e->remote_mac, x->steer[200].remote_mac, 6);
	assert_memory_equal(e->local_mac, x->steer[200].local_mac, 6);
	assert_int_equal(e->tags[0], 42);
	assert_int_equal(e->tags[1], TAG_NONE);
	assert_int_equal(e->proven_ns, x->steer[200].proven_ns);
	assert_int_equal(e->queued_ns, 1234567);
	assert_int_equal(e->early, 2);
	assert_int_equal(x->queues[1].wait_ns_sum, 1234567);
	assert_int_equal(x->queues[1].wait_ns_max, 1234567);
	in = porch_ring_take(&a->inject, &r);
	assert_int_equal(in->flow, 200);
	assert_int_equal(in->serial, serial);
	assert_int_equal(in->length, 57);
	assert_int_equal(in->l3, 14);
	assert_int_equal(in->l4, 34);
	assert_int_equal(in->segment, 23);
	assert_int_equal(in->kind, PORCH_RECORD_PROOF);
	assert_int_equal(in->frame[54], 1);
	in = porch_ring_take(&a->inject, &r);
	assert_int_equal(in->segment, 22);
	assert_int_equal(in->frame[54], 4);
	assert_int_equal(in->kind, PORCH_RECORD_SEGMENT);
	assert_null(porch_ring_take(&a->inject, &r));
	assert_int_equal(x->d.connections->early_memory, 0);
	/* a batch: one wake-up */
	for (i = 0; i < HANDOVER_BATCH; i++)
		proof(x, i, 1);
	app_grant(a, h, 64);
	handover_all(&x->d);
	assert_int_equal(seen.woken[5], 2);
	app_dies(x, a);
	world_free(x);
}

/* No room for early frames: the connection goes all the same, the client sends them again. */
static void inject_full(void **state)
{
	struct world *x = start(256, 200);
	struct app *a = app_new(x, 1, 15, 128, 4);
	int h = app_listen(x, a, NULL, 200), i;

	for (i = 0; i < 6; i++) {
		proof(x, i, 1);
		segment(x, i, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	}
	app_grant(a, h, 6);
	handover_all(&x->d);
	for (i = 0; i < 6; i++)
		assert_int_equal(app_take(a)->early, i < 4);
	assert_int_equal(x->d.count.early_dropped, 2);
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 11, 10);
	assert_int_equal(x->d.count.forward_full, 1);
	assert_null(a->w.condemned);
	app_dies(x, a);
	world_free(x);
}

/* Two workers with sockets of their own, one with all: each its own queue's; equals in turn. */
static void who_gets_it(void **state)
{
	struct world *x = start(1024, 1000);
	struct app *a = app_new(x, 1, 1 << 0, 512, 8), *b = app_new(x, 2, 1 << 1, 512, 8);
	struct app *c = app_new(x, 3, 1 << 1, 512, 8);
	int ha = app_listen(x, a, NULL, 1000), hb = app_listen(x, b, NULL, 1000), hc = app_listen(x, c, NULL, 1000);
	uint32_t i;

	app_grant(a, ha, 200);
	app_grant(b, hb, 200);
	app_grant(c, hc, 200);
	for (i = 0; i < 200; i++) {
		xdp_claim(x, i, 1);
		x->steer[i].rx_queue = i & 1;
		segment(x, i, PORCH_RECORD_PROOF, ACK, 1, 0);
	}
	handover_all(&x->d);
	for (i = 0; i < 200; i++)
		assert_true(i & 1 ? worker_of(x, i) != 1 : worker_of(x, i) == 1);
	assert_int_equal(a->w.flows, 100);
	assert_int_equal(b->w.flows, 50);
	assert_int_equal(c->w.flows, 50);
	/* the right one is busy: the other takes it, and sends from the area it has */
	app_grant(a, ha, -100);
	a->w.listens[ha].granted = a->session.listener[ha].granted;
	xdp_claim(x, 300, 1);
	segment(x, 300, PORCH_RECORD_PROOF, ACK, 1, 0);
	handover_all(&x->d);
	assert_true(worker_of(x, 300) > 1);
	/* of an interface where nobody can send: it waits */
	xdp_claim(x, 301, 1);
	x->steer[301].ifindex = 99;
	segment(x, 301, PORCH_RECORD_PROOF, ACK, 1, 0);
	handover_all(&x->d);
	assert_int_equal(x->queues[1].depth, 1);
	app_dies(x, a);
	app_dies(x, b);
	app_dies(x, c);
	world_free(x);
}

/* Whatever a worker writes into its session and ring indices: condemned, nothing handed, others served. */
static void garbage(void **state)
{
	static const uint64_t grants[] = { 1025, 1 << 20, UINT64_MAX, 1ull << 63 };
	uint32_t i;

	for (i = 0; i < 7; i++) {
		struct world *x = start(256, 200);
		struct app *a = app_new(x, 1, 15, 16, 8), *b = app_new(x, 2, 15, 64, 8);
		int ha = app_listen(x, a, NULL, 200), hb = app_listen(x, b, NULL, 200), n;

		if (i < 4) {
			a->session.listener[ha].granted = grants[i];
		} else if (i == 4) { /* goes back */
			app_grant(a, ha, 10);
			handover_all(&x->d);
			a->session.listener[ha].granted = 9;
		} else {
			app_grant(a, ha, 100);
			a->w.accept.ring->consumed = i == 5 ? 1000 : 0x80000000;
		}
		app_grant(b, hb, 30);
		for (n = 0; n < 30; n++)
			proof(x, n, 1);
		handover_all(&x->d);
		if (i >= 5) { /* found out when the ring seems full */
			for (; n < 200; n++)
				proof(x, n, 1);
			handover_all(&x->d);
		}
		assert_non_null(a->w.condemned);
		assert_null(b->w.condemned);
		app_dies(x, a);
		assert_int_equal(b->w.flows, 30);
		app_dies(x, b);
		world_free(x);
	}
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
		assert_int_equal(phase_of(x, i), i == 1 ? PORCH_PHASE_TOMBSTONE :
						 i < 5	? PORCH_PHASE_CLOSING :
							  PORCH_PHASE_PENDING);
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

/* Handed to and fro between workers that come, die, finish and lie idle: every connection is somebody's, once. */
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
			if (x->flows[flow].state != PORCH_FLOW_HANDED || phase_of(x, flow) >= PORCH_PHASE_TIME_WAIT) {
				x->flows[flow].state = PORCH_FLOW_FREE;
				xdp_claim(x, flow, 1);
				x->steer[flow].rx_queue = unit_random(&random) % QUEUES;
			}
			segment(x, flow, PORCH_RECORD_PROOF, ACK, 1, unit_random(&random) % 3);
			break;
		case 7:
			segment(x, flow, PORCH_RECORD_SEGMENT, unit_random(&random) % 2 ? RST : ACK | FIN, 1, 0);
			break;
		case 8 ... 10:
			if (a && a->session.listener[handles[w]].granted - a->session.listener[handles[w]].handed < 900)
				app_grant(a, handles[w], unit_random(&random) % 8);
			handover_all(&x->d);
			break;
		case 11 ... 14: {
			const struct porch_accept_entry *e = a ? app_take(a) : NULL;
			int r;

			if (!e)
				break;
			if (x->steer[e->flow].serial == e->serial && x->flows[e->flow].state == PORCH_FLOW_HANDED)
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
		cmocka_unit_test(credit),	    cmocka_unit_test(ring_full),
		cmocka_unit_test(entry),	    cmocka_unit_test(inject_full),
		cmocka_unit_test(who_gets_it),	    cmocka_unit_test(garbage),
		cmocka_unit_test(worker_gone),	    cmocka_unit_test(worker_gone_lying),
		cmocka_unit_test(stopped_worker), cmocka_unit_test(taken_back),
		cmocka_unit_test(soak),		    cmocka_unit_test(cost),
	};

	return unit_run("handover", tests);
}
