// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Credit, who gets which connection, and what is published before what. */
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
	/* credit is there already: the turn that admits hands over */
	proof(x, 200, 1);
	assert_int_equal(connections_poll(&x->d), 1);
	assert_int_equal(x->queues[1].handed, 101);
	assert_int_equal(connections_poll(&x->d), 0);
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
	assert_int_equal(e->rtt_us, 2345);
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
	int ha = app_listen(x, a, NULL, 1000), hb = app_listen(x, b, NULL, 1000),
	    hc = app_listen(x, c, NULL, 1000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit),      cmocka_unit_test(ring_full),   cmocka_unit_test(entry),
		cmocka_unit_test(inject_full), cmocka_unit_test(who_gets_it), cmocka_unit_test(garbage),
	};

	return unit_run("handover", tests);
}
