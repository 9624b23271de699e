// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Congestion windows: NewReno, CUBIC, slow start and its end, idleness, pace. */
#include "tests/unit/tcp_peer.h"

#define MSS 1460

static void slow_start_doubles_then_reno_adds_one(void **state)
{
	struct peer p;
	uint32_t i;

	peer_open(&p, 0);
	p.conn.flags |= TCP_CONN_CWND_FULL;
	p.conn.cwnd_used = 1 << 30;
	for (i = 0; i < 10; i++)
		cc_acked(&p.stack, &p.conn, MSS);
	assert_int_equal(p.conn.cwnd, 20 * MSS);
	p.conn.ssthresh = 20 * MSS;
	for (i = 0; i < 20; i++)
		cc_acked(&p.stack, &p.conn, MSS);
	assert_int_equal(p.conn.cwnd, 21 * MSS);
	peer_close(&p);
}

static void an_unused_window_does_not_grow(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	p.conn.cwnd_used = 2 * MSS;
	cc_acked(&p.stack, &p.conn, MSS);
	assert_int_equal(p.conn.cwnd, 10 * MSS);
	p.conn.cwnd = 100 * MSS;
	p.conn.ssthresh = 50 * MSS;
	p.conn.last_sent = p.stack.now;
	p.stack.now += 3500 * TCP_MS; /* three timeouts of a second, and a half */
	cc_idle(&p.stack, &p.conn);
	assert_int_equal(p.conn.cwnd, 100 * MSS / 8);
	assert_int_equal(p.conn.ssthresh, 75 * MSS);
	p.stack.now += 3600 * TCP_SECOND;
	cc_idle(&p.stack, &p.conn);
	assert_int_equal(p.conn.cwnd, 10 * MSS);
	peer_close(&p);
}

static double cube(double x)
{
	return x * x * x;
}

static double root(double v)
{
	double x = 1;

	for (int i = 0; i < 100; i++)
		x -= (cube(x) - v) / (3 * x * x);
	return x;
}

/* RFC 9438 4.1, 4.2 in floating point. */
static void cubic_is_cubic(void **state)
{
	double w_max = 1000, k, t, want;
	struct peer p;
	uint32_t ms;

	peer_open(&p, 0);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_CONGESTION, TCP_CONGESTION_CUBIC);
	p.conn.srtt_us = 100000;
	p.conn.cwnd = 1000 * MSS;
	p.conn.flags |= TCP_CONN_CWND_FULL;
	p.conn.cwnd_used = 1 << 30;
	p.conn.ssthresh = p.conn.cc->reduce(&p.stack, &p.conn);
	assert_int_equal(p.conn.ssthresh, 700 * MSS);
	p.conn.cwnd = p.conn.ssthresh;
	k = root((w_max - 700) / 0.4);
	for (ms = 0; ms < 15000; ms += 10) {
		/* a round trip's ACKs, spread over it */
		cc_acked(&p.stack, &p.conn, p.conn.cwnd / 10);
		p.stack.now += 10 * TCP_MS;
		t = ms / 1000.0 + 0.1;
		want = (0.4 * cube(t - k) + w_max) * MSS;
		if (ms > 2000)
			assert_true(p.conn.cwnd > 0.97 * want && p.conn.cwnd < 1.03 * want);
	}
	assert_true(p.conn.cwnd > 1000 * MSS);
	peer_close(&p);
}

static void cubic_is_as_friendly_as_reno_where_that_is_more(void **state)
{
	struct peer p;
	uint32_t i;

	peer_open(&p, 0);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_CONGESTION, TCP_CONGESTION_CUBIC);
	p.conn.srtt_us = 1000;
	p.conn.cwnd = 20 * MSS;
	p.conn.flags |= TCP_CONN_CWND_FULL;
	p.conn.ssthresh = p.conn.cc->reduce(&p.stack, &p.conn);
	p.conn.cwnd = p.conn.ssthresh;
	for (i = 0; i < 100; i++) { /* a hundred round trips of a millisecond */
		cc_acked(&p.stack, &p.conn, p.conn.cwnd);
		p.stack.now += TCP_MS;
	}
	assert_in_range(p.conn.cwnd / MSS, 14 + 55, 14 + 110);
	peer_close(&p);
}

static void hystart_leaves_slow_start_when_round_trips_grow(void **state)
{
	struct peer p;
	uint32_t round, i, rtt = 50000;

	peer_open(&p, 0);
	p.conn.cwnd_used = 1 << 30;
	p.conn.flags |= TCP_CONN_CWND_FULL;
	for (round = 0; round < 20 && p.conn.cwnd < p.conn.ssthresh; round++) {
		uint32_t n = p.conn.cwnd / MSS;

		p.conn.snd_una = p.conn.snd_nxt;
		p.conn.snd_nxt += p.conn.cwnd;
		if (round > 3)
			rtt += 20000;
		for (i = 0; i < n; i++) {
			hystart_sample(&p.conn, rtt + i % 100);
			cc_acked(&p.stack, &p.conn, MSS);
		}
	}
	assert_true(p.conn.hystart.done);
	assert_int_equal(p.conn.ssthresh, p.conn.cwnd);
	assert_in_range(round, 9, 11); /* five rounds of the conservative phase */
	p.conn.snd_nxt = p.conn.snd_una = p.conn.snd_end;
	peer_close(&p);
}

static void bursts_are_paced(void **state)
{
	uint32_t n = 0, most = 0;
	struct peer p;
	uint64_t last = 0;

	peer_open(&p, 0);
	p.conn.srtt_us = 100000;
	p.conn.min_rtt_us = 100000;
	p.conn.ssthresh = 200 * MSS;
	p.conn.cwnd = 200 * MSS; /* an idle connection's large window */
	p.conn.snd_wnd = 1 << 20;
	for (int i = 0; i < 5; i++)
		peer_write(&p, 50000);
	peer_flush(&p);
	assert_in_range(p.made, 10, 20);
	peer_run(&p, 95);
	for (uint32_t i = 0; i < p.made; i++) {
		n = p.out[i].at == last ? n + 1 : 1;
		last = p.out[i].at;
		if (last != p.out[0].at)
			most = max_u32(most, n);
	}
	assert_in_range(p.made, 165, 200); /* the window in a round trip, less a little */
	assert_in_range(most, 1, 3);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_start_doubles_then_reno_adds_one),
		cmocka_unit_test(an_unused_window_does_not_grow),
		cmocka_unit_test(cubic_is_cubic),
		cmocka_unit_test(cubic_is_as_friendly_as_reno_where_that_is_more),
		cmocka_unit_test(hystart_leaves_slow_start_when_round_trips_grow),
		cmocka_unit_test(bursts_are_paced),
	};

	return unit_run("tcp_cc", tests);
}
