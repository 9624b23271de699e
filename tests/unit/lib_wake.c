// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who sleeps is woken, in porch_poll() and in the application's own loop. */
#include <poll.h>

#include "tests/unit/lib_worker.h"

static int readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms);
}

/* porch_fd() in the application's own loop: quiet when there is nothing, never quiet when there is something. */
static void own_loop(void **state)
{
	struct porch_event e;
	struct porch_conn *c;
	struct client me;
	char b;
	int fd;

	begin(false, NULL);
	fd = porch_fd(p);
	assert_int_equal(readable(fd, 0), 1);
	while (poll_once(&e))
		;
	assert_int_equal(readable(fd, 0), 0);
	assert_int_equal(fake.session->worker_sleeps, 1);
	/* porchd hands one over, sees the flag, and writes */
	me = client_new(&fake, 4, 0);
	assert_int_equal(readable(fd, 0), 0);
	assert_int_equal(__atomic_exchange_n(&fake.session->worker_sleeps, 0, __ATOMIC_SEQ_CST), 1);
	assert_int_equal(write(fake.wake_worker, &(uint64_t){ 1 }, 8), 8);
	assert_int_equal(readable(fd, 0), 1);
	assert_int_equal(poll_once(&e), 1);
	/* said, not taken: still readable */
	assert_int_equal(readable(fd, 0), 1);
	assert_int_equal(porch_accept(l, &c), 0);
	while (poll_once(&e))
		;
	assert_int_equal(readable(fd, 0), 0);
	/* something to send is something to do */
	porch_send(c, "x", 1);
	assert_int_equal(readable(fd, 0), 1);
	while (poll_once(&e))
		;
	assert_int_equal(fake.n_sent, 1);
	assert_int_equal(readable(fd, 0), 0);
	/* not acknowledged: the retransmission timer is a reason to wake up */
	for (int i = 0; i < 20 && fake.n_sent < 2; i++) {
		assert_int_equal(readable(fd, 1500), 1);
		poll_once(&e);
	}
	assert_int_equal(fake.n_sent, 2);
	/* the XSK's own readiness */
	client_send(&me, SEG_ACK | SEG_PSH, "y", 1);
	me.ack++;
	assert_int_equal(write(fake.area[0].pipe[1], "", 1), 1);
	assert_int_equal(readable(fd, 0), 1);
	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(read(fake.area[0].pipe[0], &b, 1), 1);
	porch_recv(c, &b, 1);
	/* and porchd's death */
	while (poll_once(&e))
		;
	fake_die(&fake);
	assert_int_equal(readable(fd, 0), 1);
	poll_once(&e);
	assert_int_equal(porch_state(p), PORCH_DETACHED);
	end();
}

/* Asleep in porch_poll(): woken by what porchd publishes, and not a moment before. */
static void *waker(void *unused)
{
	while (!__atomic_load_n(&fake.session->worker_sleeps, __ATOMIC_SEQ_CST))
		usleep(100);
	client_new(&fake, 9, 0);
	if (__atomic_exchange_n(&fake.session->worker_sleeps, 0, __ATOMIC_SEQ_CST))
		assert_int_equal(write(fake.wake_worker, &(uint64_t){ 1 }, 8), 8);
	return NULL;
}

static void woken(void **state)
{
	struct porch_event e;
	pthread_t thread;

	begin(false, NULL);
	assert_int_equal(pthread_create(&thread, NULL, waker, NULL), 0);
	assert_int_equal(porch_poll(p, &e, 1, 5000), 1);
	assert_int_equal(e.events, PORCH_ACCEPT);
	pthread_join(thread, NULL);
	/* and the other way: credit that had run out wakes a sleeping porchd */
	fake.session->listener[0].handed = fake.session->listener[0].granted;
	fake.session->daemon_sleeps = 1;
	assert_int_equal(porch_accept(l, &(struct porch_conn *){ NULL }), 0);
	poll_once(&e);
	assert_int_equal(fake.session->daemon_sleeps, 0);
	assert_int_equal(read(fake.wake_daemon, &(uint64_t){ 0 }, 8), 8);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_loop),
		cmocka_unit_test(woken),
	};

	return unit_run("lib_wake", tests);
}
