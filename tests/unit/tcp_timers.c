// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Retransmission, window probes, keepalive: when, how often, and when to give up. */
#include "tests/unit/tcp_peer.h"

static void backoff_until_it_gives_up(void **state)
{
	uint64_t last, gap = 0;
	struct peer_sent *o;
	struct peer p;
	int n = 0;

	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_flush(&p);
	last = sent(&p, P | A, 1, 100, 1)->at;
	peer_run(&p, 3600 * 1000);
	while ((o = peer_next(&p)) && !(o->flags & R)) {
		assert_int_equal(o->seq, 1);
		assert_int_equal(o->length, 100);
		if (n == 0)
			assert_in_range((o->at - last) / TCP_MS, 1000, 1001); /* RFC 6298 2.1 */
		else if (n < 7)
			assert_in_range((o->at - last) / TCP_MS, 2 * gap - 2, 2 * gap + 2);
		else
			assert_in_range((o->at - last) / TCP_MS, 120000, 120001);
		gap = (o->at - last) / TCP_MS;
		last = o->at;
		n++;
	}
	assert_int_equal(n, TCP_RETRIES);
	assert_non_null(o);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_ERR);
	peer_close(&p);
}

static void the_round_trip_sets_the_timeout(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_flush(&p);
	p.stack.now += 300 * TCP_MS;
	peer_in(&p, A, 1, 101, 0);
	assert_int_equal(p.conn.srtt_us, 300000);
	assert_int_equal(p.conn.rto_us, 300000 + 4 * 150000);
	for (int i = 0; i < 40; i++) {
		peer_write(&p, 1);
		peer_flush(&p);
		p.stack.now += TCP_MS;
		peer_in(&p, A, 1, 102 + i, 0);
	}
	assert_in_range(p.conn.rto_us, TCP_RTO_MIN_US, TCP_RTO_MIN_US + 15000);
	peer_close(&p);
}

static void the_least_round_trip_is_forgotten(void **state)
{
	static const struct {
		uint32_t after_s, rtt_ms, least_us;
	} row[] = { { 0, 10, 10000 }, { 200, 50, 10000 }, { 99, 40, 10000 }, { 2, 60, 60000 }, { 0, 30, 30000 } };
	struct peer p;

	peer_open(&p, 0);
	for (uint32_t i = 0; i < 5; i++) {
		p.stack.now += row[i].after_s * TCP_SECOND;
		peer_write(&p, 1);
		peer_flush(&p);
		p.stack.now += row[i].rtt_ms * TCP_MS;
		peer_in(&p, A, 1, 2 + i, 0);
		assert_int_equal(p.conn.min_rtt_us, row[i].least_us);
	}
	peer_close(&p);
}

static void what_was_sent_twice_is_no_sample(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_run(&p, 1500);
	assert_int_equal(p.conn.retransmits, 1);
	peer_in(&p, A, 1, 101, 0);
	assert_int_equal(p.conn.srtt_us, 0); /* Karn */
	peer_close(&p);

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	peer_write(&p, 100);
	peer_run(&p, 1500);
	p.tsecr = 8001; /* the copy, 1001 ms after the SYN-ACK's 7000, arrived */
	peer_in(&p, A, 1, 101, 0);
	assert_int_equal(p.conn.srtt_us, 499000);
	peer_close(&p);
}

static void a_user_timeout_ends_it_earlier(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_USER_TIMEOUT, 5000);
	peer_write(&p, 100);
	peer_run(&p, 2900);
	assert_int_equal(tcp_error(&p.conn), 0);
	peer_run(&p, 5000);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	peer_close(&p);
}

static void a_closed_window_is_probed_for_ever(void **state)
{
	struct peer_sent *o;
	struct peer p;
	int i;

	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_flush(&p);
	p.taken = p.made = 0;
	p.window = 0;
	peer_in(&p, A, 1, 101, 0);
	peer_write(&p, 3000);
	peer_flush(&p);
	sent_nothing(&p);
	for (i = 0; i < 100; i++) {
		peer_run(&p, 130000);
		while ((o = peer_next(&p))) {
			assert_int_equal(o->seq, 100); /* just below the window */
			assert_int_equal(o->length, 0);
			peer_in(&p, A, 1, 101, 0);
		}
	}
	assert_int_equal(tcp_error(&p.conn), 0);
	p.window = 5000;
	peer_in(&p, A, 1, 101, 0);
	peer_flush(&p);
	sent(&p, A, 101, 1460, 1);
	sent(&p, A, 1561, 1460, 1);
	sent(&p, P | A, 3021, 80, 1);
	peer_close(&p);
}

static void but_not_when_nobody_answers(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	p.window = 0;
	peer_write(&p, 100);
	peer_flush(&p);
	peer_in(&p, A, 1, 101, 0);
	peer_write(&p, 3000);
	peer_flush(&p);
	peer_run(&p, 3600 * 1000);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	peer_close(&p);
}

static void a_window_taken_back_is_a_closed_one(void **state)
{
	struct peer p;
	int i;

	peer_open(&p, 0);
	peer_write(&p, 3000);
	peer_flush(&p);
	p.window = 0;
	peer_in(&p, A, 1, 1461, 0); /* the second segment is in flight, and has no room any more */
	for (i = 0; i < 100; i++) {
		peer_run(&p, 120000);
		peer_in(&p, A, 1, 1461, 0);
		p.made = p.taken = 0;
	}
	assert_int_equal(tcp_error(&p.conn), 0);
	peer_run(&p, 600000);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	peer_close(&p);
}

static void keepalive(void **state)
{
	struct peer_sent *o;
	struct peer p;
	int n = 0;

	peer_open(&p, 0);
	peer_run(&p, 86400 * 1000);
	sent_nothing(&p); /* off by default */
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE, 10), 0);
	peer_run(&p, 9900);
	sent_nothing(&p);
	peer_run(&p, 200);
	sent(&p, A, 0, 0, 1);
	peer_in(&p, A, 1, 1, 0);
	peer_run(&p, 9800);
	sent_nothing(&p);
	peer_run(&p, 3600 * 1000);
	while ((o = peer_next(&p)) && !(o->flags & R))
		n++;
	assert_int_equal(n, TCP_KEEPALIVE_PROBES);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	peer_close(&p);
}

static void keepalive_as_told(void **state)
{
	struct peer_sent *o;
	struct peer p;

	peer_open(&p, 0);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE_INTERVAL, 32768), -EINVAL);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE_PROBES, 128), -EINVAL);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE_INTERVAL, 3), 0);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE_PROBES, 2), 0);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE, 10), 0);
	peer_run(&p, 10100);
	sent(&p, A, 0, 0, 1);
	peer_run(&p, 2800);
	sent_nothing(&p);
	peer_run(&p, 200);
	sent(&p, A, 0, 0, 1);
	assert_int_equal(tcp_error(&p.conn), 0);
	peer_run(&p, 3000);
	o = peer_next(&p);
	assert_true(o && o->flags & R);
	assert_int_equal(tcp_error(&p.conn), -ETIMEDOUT);
	peer_close(&p);
}

static void deadlines_do_not_hide_each_other(void **state)
{
	struct peer p;

	/* keepalive and a delayed ACK, due at about the same time */
	peer_open(&p, 0);
	p.conn.quick = 0;
	tcp_set(&p.stack, &p.conn, TCP_OPTION_KEEPALIVE, 1);
	peer_run(&p, 980);
	peer_in(&p, A, 1, 1, 10);
	peer_flush(&p);
	sent_nothing(&p);
	peer_run(&p, 41);
	sent(&p, A, 1, 0, 11);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_until_it_gives_up),
		cmocka_unit_test(the_round_trip_sets_the_timeout),
		cmocka_unit_test(the_least_round_trip_is_forgotten),
		cmocka_unit_test(what_was_sent_twice_is_no_sample),
		cmocka_unit_test(a_user_timeout_ends_it_earlier),
		cmocka_unit_test(a_closed_window_is_probed_for_ever),
		cmocka_unit_test(but_not_when_nobody_answers),
		cmocka_unit_test(a_window_taken_back_is_a_closed_one),
		cmocka_unit_test(keepalive),
		cmocka_unit_test(keepalive_as_told),
		cmocka_unit_test(deadlines_do_not_hide_each_other),
	};

	return unit_run("tcp_timers", tests);
}
