// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porchd dies and comes back; areas come and go. */
#include "tests/unit/lib_client.h"

static struct fake fake;
static struct porch *p;
static struct porch_listener *l;

static void begin(uint32_t flags)
{
	struct porch_open_opts opts = { .flags = flags };

	memset(&fake, 0, sizeof(fake));
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, &opts), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

static void end(void)
{
	porch_close(p);
	fake_end(&fake);
}

static int poll_for(struct porch_event *first, int ms)
{
	struct porch_event events[8] = {};
	int n = porch_poll(p, events, 8, ms);

	*first = events[0];
	return n;
}

/* Polls until the session is in this state, or a second has passed. */
static void until_state(int state)
{
	struct porch_event e;

	for (int i = 0; i < 500 && porch_state(p) != state; i++) {
		poll_for(&e, 5);
		usleep(1000);
	}
	assert_int_equal(porch_state(p), state);
}

static struct porch_conn *take(void)
{
	struct porch_event e;
	struct porch_conn *c;

	for (int i = 0; i < 100; i++) {
		assert_true(poll_for(&e, 5) >= 0);
		if (!porch_accept(l, &c))
			return c;
	}
	fail_msg("nobody to accept");
	return NULL;
}

static void echo_works(struct client *me, struct porch_conn *c)
{
	uint8_t data[64], flags;
	struct porch_event e;

	fake_forget(&fake);
	porch_conn_set(c, PORCH_NODELAY, 1);
	assert_true(client_send(me, SEG_ACK | SEG_PSH, "ping", 4));
	for (int i = 0; i < 10 && porch_recv(c, data, 64) != 4; i++)
		poll_for(&e, 0);
	assert_int_equal(porch_send(c, "pong", 4), 4);
	poll_for(&e, 0);
	assert_int_equal(client_read(me, &flags, data, 64), 4);
	client_send(me, SEG_ACK, "", 0);
	poll_for(&e, 0);
}

static void back_again(void **state)
{
	struct porch_conn *c, *d;
	struct client me, other;
	struct porch_event e;

	begin(0);
	me = client_new(&fake, 1, 0);
	c = take();
	echo_works(&me, c);
	fake_die(&fake);
	until_state(PORCH_DETACHED);
	/* the data path is ours */
	for (int i = 0; i < 10; i++)
		echo_works(&me, c);
	fake_account(&fake);
	assert_int_equal(porch_listen(p, NULL, 0, 0, &(struct porch_listener *){ NULL }), -ENOTCONN);
	fake_up(&fake);
	until_state(PORCH_REATTACHED);
	assert_int_equal(fake.rejoins, 1);
	/* REJOIN, and AREA and SOCKET with their files for each */
	assert_int_equal(fake.rejoin_messages, 1 + 2 * FAKE_AREAS);
	echo_works(&me, c);
	other = client_new(&fake, 2, 0);
	d = take();
	echo_works(&other, d);
	porch_conn_abort(d);
	/* and once more */
	fake_die(&fake);
	until_state(PORCH_DETACHED);
	fake_up(&fake);
	until_state(PORCH_REATTACHED);
	assert_int_equal(fake.rejoins, 2);
	echo_works(&me, c);
	poll_for(&e, 0);
	fake_account(&fake);
	end();
}

static void told(void **state)
{
	struct porch_event e;
	int r = 0;

	begin(PORCH_OPEN_TELL);
	fake_die(&fake);
	for (int i = 0; i < 100 && !r; i++)
		r = poll_for(&e, 5);
	assert_int_equal(r, -EOWNERDEAD);
	assert_int_equal(poll_for(&e, 0), 0);
	end();
}

static void forgotten(void **state)
{
	struct porch_conn *c, *d, *w;
	struct client me;
	struct porch_event events[8] = {};
	struct porch_stats_info s = { .size = sizeof(s) };
	char b;
	int n = 0;

	begin(0);
	me = client_new(&fake, 1, 0);
	c = take();
	client_new(&fake, 2, 0);
	d = take();
	echo_works(&me, c);
	client_new(&fake, 3, 0);	/* never accepted */
	poll_for(events, 0);
	porch_conn_close(d);	/* on its way */
	fake_die(&fake);
	until_state(PORCH_DETACHED);
	/* another porchd, that has no memory of us */
	fake_memory_drop(&fake);
	fake_memory(&fake);
	fake.refuse_rejoin = -ESTALE;
	fake_up(&fake);
	/* until then there is one to be accepted */
	for (int i = 0; i < 500 && !events[0].conn; i++) {
		events[0].conn = NULL;
		n = porch_poll(p, events, 8, 5);
		usleep(1000);
	}
	assert_int_equal(n, 1);
	assert_ptr_equal(events[0].conn, c);
	assert_int_equal(events[0].events, PORCH_IN | PORCH_HUP | PORCH_ERR);
	assert_int_equal(porch_recv(c, &b, 1), -ECONNRESET);
	assert_int_equal(porch_send(c, &b, 1), -ECONNRESET);
	assert_int_equal(porch_accept(l, &w), -EAGAIN);
	porch_conn_close(c);
	porch_stats_get(p, &s);
	assert_int_equal(s.conns, 0);
	assert_int_equal(s.memory, 0);
	/* registered anew, with its listener, by itself */
	until_state(PORCH_ATTACHED);
	for (int i = 0; i < 200 && fake.listens < 2; i++)
		poll_for(events, 5);
	assert_int_equal(fake.hellos, 2);
	assert_int_equal(fake.listens, 2);
	poll_for(events, 5);
	me = client_new(&fake, 7, 0);
	echo_works(&me, take());
	end();
}

/* Something that is not porchd's language, in the middle of a session. */
static void nonsense(void **state)
{
	struct porch_event e;
	struct porch_msg msg = { .type = 777, .version = PORCH_WIRE_VERSION };

	begin(0);
	control_send(fake.control, &msg, NULL, 0);
	for (int i = 0; i < 500 && fake.hellos < 2; i++)
		poll_for(&e, 5);
	assert_int_equal(fake.hellos, 2);
	until_state(PORCH_ATTACHED);
	end();
}

static void area_away(void **state)
{
	struct porch_msg msg = { .type = PORCH_MSG_AREA_DOWN, .version = PORCH_WIRE_VERSION };
	struct porch_stats_info s = { .size = sizeof(s) };
	struct porch_conn *c;
	struct client me;
	struct porch_event e;

	begin(0);
	me = client_new(&fake, 2, 0);
	c = take();
	echo_works(&me, c);
	for (uint32_t i = 0; i < FAKE_AREAS; i++) {
		msg.down.area = i;
		control_send(fake.control, &msg, NULL, 0);
	}
	for (int i = 0; i < 100 && p->n_areas; i++)
		poll_for(&e, 5);
	porch_stats_get(p, &s);
	assert_int_equal(s.areas, 0);
	assert_int_equal(s.conns, 1);
	/* nowhere to go, but no error */
	assert_int_equal(porch_send(c, "x", 1), 1);
	poll_for(&e, 20);
	/* a smaller ring of its own, and the same again */
	for (uint32_t i = 0; i < FAKE_AREAS; i++) {
		struct fake_area *a = &fake.area[i];

		memset(a->ring, 0, sizeof(a->ring));
		for (uint32_t n = 0; n < FAKE_RX_FRAMES; n++)
			a->ring[XSK_FILL].address[n] = n * FAKE_FRAME;
		a->ring[XSK_FILL].producer = FAKE_RX_FRAMES;
	}
	fake_forget(&fake);
	msg.type = PORCH_MSG_AREA_NEW;
	control_send(fake.control, &msg, NULL, 0);
	fake_send_areas(&fake);
	for (int i = 0; i < 200 && !(p->n_areas == FAKE_AREAS && p->areas[1] && p->areas[1]->bound); i++)
		poll_for(&e, 5);
	porch_stats_get(p, &s);
	assert_int_equal(s.areas, FAKE_AREAS);
	for (int i = 0; i < 100 && !fake.n_sent; i++)
		poll_for(&e, 10);
	/* the octet that waited */
	assert_int_equal(client_read(&me, (uint8_t[1]){}, &e, sizeof(e)), 1);
	client_send(&me, SEG_ACK, "", 0);
	echo_works(&me, c);
	fake_account(&fake);
	end();
}

static void next_hop(void **state)
{
	struct porch_msg msg = { .type = PORCH_MSG_NEIGHBOUR, .version = PORCH_WIRE_VERSION };
	struct porch_conn *c, *waiting;
	struct porch_event e;

	begin(0);
	client_new(&fake, 2, 0);
	c = take();
	/* handed over with the old one, and not looked at before the change is known */
	client_new(&fake, 3, 0);
	msg.neighbour.ifindex = FAKE_IFINDEX;
	memcpy(msg.neighbour.was, "\2\0\0\0\0\2", 6);
	memcpy(msg.neighbour.is, "\2\0\0\0\0\11", 6);
	control_send(fake.control, &msg, NULL, 0);
	/* with somebody to be accepted no poll waits */
	for (int i = 0; i < 500 && c->tcp.remote_mac[5] != 9; i++) {
		poll_for(&e, 0);
		usleep(1000);
	}
	porch_send(c, "x", 1);
	poll_for(&e, 0);
	assert_int_equal(fake.n_sent, 1);
	assert_memory_equal(fake.sent[0].frame, "\2\0\0\0\0\11\2\0\0\0\0\1", 12);
	waiting = take();
	assert_memory_equal(waiting->tcp.remote_mac, "\2\0\0\0\0\11", 6);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_again), cmocka_unit_test(told),	   cmocka_unit_test(forgotten),
		cmocka_unit_test(nonsense),   cmocka_unit_test(area_away), cmocka_unit_test(next_hop),
	};

	return unit_run("lib_detach", tests);
}
