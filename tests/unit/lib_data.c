// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A connection's whole life in the library: handed over, served, closed, told. */
#include "tests/unit/lib_worker.h"

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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
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
	fake_account(&fake);
	end();
}

/* porchd has taken back what a stopped worker did not read: it is another's by now. */
static void taken_back(void **state)
{
	struct porch_conn *c;
	struct client me = { .fake = &fake, .flow = 30, .serial = 5, .port = 1234, .seq = 1, .ack = 1, .window = 100 };
	struct porch_accept_entry e;
	struct porch_event event;

	begin(false, NULL);
	e = client_entry(&me, 0);
	e.claim = PORCH_CLAIM_RETURNED;
	assert_true(fake_hand(&fake, &e));
	fake.session->listener[0].handed--;
	client_new(&fake, 31, 0);
	c = take();
	assert_int_equal(c->flow, 31);
	poll_once(&event);
	assert_int_equal(stats().conns, 1);
	assert_int_equal(fake.session->listener[0].accepted, 1);
	assert_int_equal(fake.n_sent, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life),
		cmocka_unit_test(peer_closes),
		cmocka_unit_test(reset_by_peer),
		cmocka_unit_test(reset_before_accept),
		cmocka_unit_test(want),
		cmocka_unit_test(without_a_copy),
		cmocka_unit_test(queue_moves),
		cmocka_unit_test(closed_listener),
		cmocka_unit_test(taken_back),
	};

	return unit_run("lib_data", tests);
}
