// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A connection's whole life in the library: handed over, served, closed, told. */
#include "tests/unit/lib_client.h"

static struct fake fake;
static struct porch *p;
static struct porch_listener *l;

static void begin(bool no_lease, const struct porch_open_opts *opts)
{
	memset(&fake, 0, sizeof(fake));
	fake.no_lease = no_lease;
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, opts), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

static void end(void)
{
	fake_account(&fake);
	porch_close(p);
	fake_end(&fake);
}

/* One poll; how many events, and the first of them. */
static int poll_once(struct porch_event *first)
{
	struct porch_event events[8] = {};
	int n = porch_poll(p, events, 8, 0);

	*first = events[0];
	return n;
}

static struct porch_conn *take(void)
{
	struct porch_event e;
	struct porch_conn *c;

	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(e.events, PORCH_ACCEPT);
	assert_ptr_equal(e.listener, l);
	assert_int_equal(porch_accept(l, &c), 0);
	assert_int_equal(porch_accept(l, &c), -EAGAIN);
	return c;
}

static struct porch_finish_entry finished(void)
{
	struct porch_finish_entry none = {};
	int error;
	const struct porch_finish_entry *e = porch_ring_take(&fake.finish, &error);

	assert_int_equal(error, 0);
	if (!e)
		return none;
	none = *e;
	porch_ring_release(&fake.finish);
	return none;
}

static struct porch_stats_info stats(void)
{
	struct porch_stats_info s = { .size = sizeof(s) };

	assert_int_equal(porch_stats_get(p, &s), 0);
	return s;
}

static void life(void **state)
{
	struct porch_conn_info info = { .size = sizeof(info) };
	struct porch_finish_entry f;
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	uint8_t data[2048], flags;

	begin(false, NULL);
	me = client_new(&fake, 10, 0);
	client_inject(&me, SEG_ACK | SEG_PSH, "early ", 6);
	c = take();
	porch_conn_set_user(c, &me);
	assert_true(client_send(&me, SEG_ACK | SEG_PSH, "late", 4));
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(e.events, PORCH_IN);
	assert_ptr_equal(e.conn, c);
	assert_ptr_equal(e.user, &me);
	assert_int_equal(porch_recv(c, data, sizeof(data)), 10);
	assert_memory_equal(data, "early late", 10);
	assert_int_equal(porch_recv(c, data, sizeof(data)), -EAGAIN);
	assert_int_equal(porch_send(c, "answer", 6), 6);
	assert_int_equal(fake.n_sent, 0);
	/* the answer carries the ACK: one frame for both */
	assert_int_equal(poll_once(&e), 0);
	assert_int_equal(fake.n_sent, 1);
	assert_int_equal(client_read(&me, &flags, data, sizeof(data)), 6);
	assert_memory_equal(data, "answer", 6);
	assert_true(flags & SEG_ACK);
	assert_int_equal(porch_conn_info(c, &info), 0);
	assert_int_equal(info.octets_in, 10);
	assert_int_equal(info.octets_out, 6);
	assert_int_equal(info.queued_ns, 4320);	/* in units of 16 */
	assert_int_equal(((struct sockaddr_in *)&info.remote)->sin_port, htons(me.port));
	fake_forget(&fake);
	/* we close first: TIME-WAIT is ours, and porchd is told the numbers */
	client_send(&me, SEG_ACK, "", 0);
	porch_conn_close(c);
	assert_int_equal(porch_recv(c, data, 1), -EBADF);
	assert_int_equal(poll_once(&e), 0);
	client_read(&me, &flags, data, sizeof(data));
	assert_true(flags & SEG_FIN);
	assert_int_equal(finished().how, 0);
	client_send(&me, SEG_ACK | SEG_FIN, "", 0);
	assert_int_equal(poll_once(&e), 0);
	f = finished();
	assert_int_equal(f.how, PORCH_FINISH_TIME_WAIT);
	assert_int_equal(f.flow, 10);
	assert_int_equal(f.serial, me.serial);
	assert_int_equal(f.snd_nxt, me.ack);
	assert_int_equal(f.rcv_nxt, me.seq);
	assert_int_equal(stats().conns, 0);
	assert_int_equal(stats().memory, 0);
	/* what still comes belongs to nobody here */
	client_send(&me, SEG_ACK, "", 0);
	poll_once(&e);
	assert_int_equal(stats().refused_unknown, 1);
	end();
}

static void peer_closes(void **state)
{
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	uint8_t data[64], flags;

	begin(false, NULL);
	me = client_new(&fake, 11, 0);
	c = take();
	client_send(&me, SEG_ACK | SEG_FIN, "bye", 3);
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(e.events & PORCH_IN, PORCH_IN);
	assert_int_equal(porch_recv(c, data, 64), 3);
	assert_int_equal(porch_recv(c, data, 64), 0);
	porch_conn_close(c);
	poll_once(&e);
	client_read(&me, &flags, data, sizeof(data));
	assert_true(flags & SEG_FIN);
	client_send(&me, SEG_ACK, "", 0);
	poll_once(&e);
	assert_int_equal(finished().how, PORCH_FINISH_CLOSED);
	end();
}

static void reset_by_peer(void **state)
{
	struct porch_conn_info info = { .size = sizeof(info) };
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	char b;

	begin(false, NULL);
	me = client_new(&fake, 12, 0);
	c = take();
	client_send(&me, SEG_RST | SEG_ACK, "", 0);
	assert_int_equal(poll_once(&e), 1);
	assert_true(e.events & PORCH_ERR && e.events & PORCH_HUP);
	/* porchd knows at once, though the handle is still held */
	poll_once(&e);
	assert_int_equal(finished().how, PORCH_FINISH_CLOSED);
	assert_int_equal(porch_recv(c, &b, 1), -ECONNRESET);
	assert_int_equal(porch_conn_info(c, &info), 0);
	assert_int_equal(info.error, -ECONNRESET);
	assert_int_equal(stats().conns, 1);
	porch_conn_close(c);
	assert_int_equal(stats().conns, 0);
	assert_int_equal(finished().how, 0);
	assert_int_equal(poll_once(&e), 0);
	end();
}

static void reset_before_accept(void **state)
{
	struct porch_conn *c;
	struct porch_event e;
	struct client me;

	begin(false, NULL);
	me = client_new(&fake, 13, 0);
	client_send(&me, SEG_RST | SEG_ACK, "", 0);
	poll_once(&e);
	assert_int_equal(porch_accept(l, &c), -EAGAIN);
	assert_int_equal(poll_once(&e), 0);
	assert_int_equal(finished().how, PORCH_FINISH_CLOSED);
	assert_int_equal(fake.session->listener[0].accepted, 1);
	assert_int_equal(stats().conns, 0);
	end();
}

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
	end();
}

static void want(void **state)
{
	struct porch_conn *c;
	struct porch_event e;
	struct client me;

	begin(false, NULL);
	me = client_new(&fake, 15, 0);
	c = take();
	assert_int_equal(porch_conn_want(c, PORCH_OUT), 0);
	client_send(&me, SEG_ACK | SEG_PSH, "x", 1);
	assert_int_equal(poll_once(&e), 0);
	assert_int_equal(porch_conn_want(c, PORCH_IN | PORCH_OUT), 0);
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(e.events, PORCH_IN);
	assert_int_equal(porch_conn_want(c, PORCH_ERR), -EINVAL);
	end();
}

static void without_a_copy(void **state)
{
	struct porch_piece pieces[4], out;
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	uint8_t data[64], flags;
	ssize_t n;

	begin(false, NULL);
	me = client_new(&fake, 16, 0);
	c = take();
	assert_int_equal(porch_recv_zc(c, pieces, 4), -EAGAIN);
	client_send(&me, SEG_ACK | SEG_PSH, "hello", 5);
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(porch_recv_zc(c, pieces, 4), 1);
	assert_int_equal(pieces[0].length, 5);
	assert_memory_equal(pieces[0].data, "hello", 5);
	assert_int_equal(porch_recv_done(c, 6), -EINVAL);
	assert_int_equal(porch_recv_done(c, 5), 5);
	n = porch_send_zc_get(c, 5, &out);
	assert_true(n >= 0 && out.length >= 5);
	memcpy(out.data, "world", 5);
	assert_int_equal(porch_send_zc_commit(c, 5), 5);
	poll_once(&e);
	assert_int_equal(client_read(&me, &flags, data, 64), 5);
	assert_memory_equal(data, "world", 5);
	end();
}

/* Frames of a connection come by another queue from now on; answers follow. */
static void queue_moves(void **state)
{
	struct porch_conn_info info = { .size = sizeof(info) };
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	char b;

	begin(false, NULL);
	me = client_new(&fake, 20, 0);
	c = take();
	porch_conn_set(c, PORCH_NODELAY, 1);
	for (uint32_t area = 0; area < 2; area++) {
		me.area = area;
		client_send(&me, SEG_ACK | SEG_PSH, "x", 1);
		assert_int_equal(poll_once(&e), 1);
		assert_int_equal(porch_recv(c, &b, 1), 1);
		fake_forget(&fake);
		porch_send(c, "y", 1);
		poll_once(&e);
		assert_int_equal(fake.n_sent, 1);
		assert_int_equal(fake.sent[0].area, area);
		assert_int_equal(porch_conn_info(c, &info), 0);
		assert_int_equal(info.rx_queue, area);
	}
	end();
}

static void closed_listener(void **state)
{
	struct porch_event e;
	struct client me;
	uint8_t flags, data[64];

	begin(false, NULL);
	me = client_new(&fake, 17, 0);
	poll_once(&e);
	porch_listener_close(l);
	assert_int_equal(poll_once(&e), 0);
	client_read(&me, &flags, data, 64);
	assert_true(flags & SEG_RST);
	assert_int_equal(finished().flow, 17);
	/* one that was on its way */
	me = client_new(&fake, 18, 0);
	fake_forget(&fake);
	poll_once(&e);
	client_read(&me, &flags, data, 64);
	assert_true(flags & SEG_RST);
	for (int i = 0; i < 1000 && !fake.unlistens; i++)
		usleep(1000);
	assert_int_equal(fake.unlistens, 1);
	for (int i = 0; i < 20 && p->n_listeners; i++)
		porch_poll(p, &e, 1, 5);
	assert_int_equal(p->n_listeners, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life),
		cmocka_unit_test(peer_closes),
		cmocka_unit_test(reset_by_peer),
		cmocka_unit_test(reset_before_accept),
		cmocka_unit_test_prestate(frames_go_round, NULL),
		{ "frames_go_round, without the lease", frames_go_round, NULL, NULL, (void *)1 },
		cmocka_unit_test(tx_runs_out),
		cmocka_unit_test(finish_ring_full),
		cmocka_unit_test(more_than_max_conns),
		cmocka_unit_test(want),
		cmocka_unit_test(without_a_copy),
		cmocka_unit_test(queue_moves),
		cmocka_unit_test(closed_listener),
	};

	return unit_run("lib_data", tests);
}
