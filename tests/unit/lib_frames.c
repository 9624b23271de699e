// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What there is only so much of: frames, ring entries, connections. */
#include "tests/unit/lib_worker.h"

/* Many connections through few frames: no frame is lost or in two places, with the lease and without. */
static void frames_go_round(void **state)
{
	bool no_lease = *state;
	struct porch_conn *conns[20];
	struct client clients[20];
	struct porch_event e;
	uint8_t data[1460], flags;
	uint64_t seed = 99;

	begin(no_lease, NULL);
	for (uint32_t i = 0; i < 20; i++) {
		clients[i] = client_new(&fake, 100 + i, 0);
		conns[i] = take();
	}
	for (int turn = 0; turn < 400; turn++) {
		uint32_t sent = 0;

		for (int k = 0; k < 40; k++) {
			struct client *me = &clients[unit_random(&seed) % 20];
			uint32_t seq = me->seq;

			if (client_send(me, SEG_ACK | SEG_PSH, data, 100))
				sent++;
			else
				me->seq = seq;
		}
		assert_true(sent > 0);
		poll_once(&e);
		for (int i = 0; i < 20; i++) {
			ssize_t n = porch_recv(conns[i], data, sizeof(data));

			if (n > 0)
				assert_int_equal(porch_send(conns[i], data, n), n);
		}
		poll_once(&e);
		for (int i = 0; i < 20; i++)
			client_read(&clients[i], &flags, (uint8_t[65536]){}, 65536);
		fake_forget(&fake);
		fake_account(&fake);
		if (!no_lease)
			continue;
		/* porchd: `back` into FILL, COMPLETION into `give` */
		for (int i = 0; i < FAKE_AREAS; i++) {
			struct fake_area *a = &fake.area[i];
			struct fake_ring *fill = &a->ring[XSK_FILL], *done = &a->ring[XSK_COMPLETION];
			const uint64_t *b;
			int error;

			while ((b = porch_ring_take(&a->back, &error)))
				fill->address[fill->producer++ % FAKE_ENTRIES] = *b;
			porch_ring_release(&a->back);
			while (done->consumer != done->producer) {
				uint64_t *g = porch_ring_fill(&a->give, &error);

				assert_non_null(g);
				*g = done->address[done->consumer++ % FAKE_ENTRIES];
			}
			porch_ring_publish(&a->give);
		}
	}
	assert_int_equal(stats().refused_ring, 0);
	assert_int_equal(stats().refused_frame, 0);
	assert_int_equal(stats().leased, no_lease ? 0 : FAKE_AREAS);
	fake_account(&fake);
	end();
}

/* TX frames run out: nothing is lost, it goes on when they come back. */
static void tx_runs_out(void **state)
{
	static uint8_t data[200000], got[sizeof(data)];
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	size_t queued = 0, have = 0;
	uint8_t flags;
	uint64_t seed = 5;

	begin(false, NULL);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = unit_random(&seed);
	me = client_new(&fake, 14, 0);
	c = take();
	fake.kick_error = -ENOBUFS;
	for (int turn = 0; turn < 3000 && have < sizeof(data); turn++) {
		ssize_t n = porch_send(c, data + queued, sizeof(data) - queued);

		if (n > 0)
			queued += n;
		if (turn == 5)
			fake.kick_error = 0;
		fake.budget = turn % 3 ? 4 : 0;
		poll_once(&e);
		have += client_read(&me, &flags, got + have, sizeof(got) - have);
		fake_forget(&fake);
		client_send(&me, SEG_ACK, "", 0);
	}
	assert_int_equal(have, sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	assert_true(stats().tx_full > 0);
	porch_conn_abort(c);
	poll_once(&e);
	client_read(&me, &flags, got, sizeof(got));
	assert_true(flags & SEG_RST);
	assert_int_equal(finished().how, PORCH_FINISH_CLOSED);
	fake_account(&fake);
	end();
}

/* porchd does not read: finished connections wait, none is forgotten. */
static void finish_ring_full(void **state)
{
	struct porch_event e;
	uint32_t told = 0;

	begin(false, NULL);
	for (uint32_t i = 0; i < 3 * FAKE_FINISH; i++) {
		client_new(&fake, 200 + i, 0);
		porch_conn_abort(take());
		poll_once(&e);
	}
	assert_int_equal(stats().conns, 2 * FAKE_FINISH);
	for (int turn = 0; turn < 10; turn++) {
		struct porch_finish_entry f;

		while ((f = finished()).how)
			assert_int_equal(f.flow, 200 + told++);
		poll_once(&e);
	}
	assert_int_equal(told, 3 * FAKE_FINISH);
	assert_int_equal(stats().conns, 0);
	fake_account(&fake);
	end();
}

static void more_than_max_conns(void **state)
{
	struct porch_open_opts opts = { .max_conns = 4, .credit = 64 };
	struct porch_conn *c[4];
	struct porch_event e;
	struct client last;
	uint8_t flags, data[64];

	begin(false, &opts);
	assert_int_equal(fake.session->listener[0].granted, 4);
	for (uint32_t i = 0; i < 4; i++) {
		client_new(&fake, 300 + i, 0);
		c[i] = take();
	}
	/* none is granted that could not be kept; porchd hands one all the same */
	poll_once(&e);
	assert_int_equal(fake.session->listener[0].granted, 4);
	last = client_new(&fake, 310, 0);
	assert_int_equal(poll_once(&e), 0);
	client_read(&last, &flags, data, sizeof(data));
	assert_true(flags & SEG_RST);
	assert_int_equal(finished().flow, 310);
	assert_int_equal(stats().conns, 4);
	porch_conn_abort(c[0]);
	poll_once(&e);
	poll_once(&e);
	assert_int_equal(fake.session->listener[0].granted, 6);
	fake_account(&fake);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(frames_go_round, NULL),
		{ "frames_go_round, without the lease", frames_go_round, NULL, NULL, (void *)1 },
		cmocka_unit_test(tx_runs_out),
		cmocka_unit_test(finish_ring_full),
		cmocka_unit_test(more_than_max_conns),
	};

	return unit_run("lib_frames", tests);
}
