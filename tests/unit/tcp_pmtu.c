// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Paths that become narrower and wider, with nobody to tell (RFC 4821, 8899). */
#include "tests/unit/tcp_peer.h"

static void black_holes_are_found(void **state)
{
	struct peer_sent *o;
	struct peer p;
	uint32_t least = 1460;

	peer_open(&p, 0);
	peer_write(&p, 5000);
	peer_run(&p, 20000);
	assert_in_range(p.conn.mss, 536, 1399);
	while ((o = peer_next(&p)))
		least = min_u32(least, o->length);
	assert_true(least < 1460);
	peer_close(&p);

	/* but what is small is not lost for its size */
	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_run(&p, 20000);
	assert_int_equal(p.conn.mss, 1460);
	peer_close(&p);
}

/* Ten minutes after an MTU of 1000 was learnt, a window of 20 segments open. */
static void narrow(struct peer *p, uint8_t options)
{
	peer_open(p, options);
	mtu_set(&p->stack, &p->conn, 1000);
	p->stack.now += 599 * TCP_SECOND;
	p->conn.cwnd = 20 * p->conn.mss;
	p->conn.snd_wnd = 60000;
	peer_write(p, 12000);
	peer_flush(p);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(peer_next(p)->length, 960);
	while (peer_next(p))
		;
	peer_in(p, A, 1, 12001, 0);
	peer_flush(p);
	peer_in(p, A, 1, p->conn.snd_nxt - PEER_ISS, 0);
	p->stack.now += 2 * TCP_SECOND;
	p->conn.cwnd = 20 * p->conn.mss;
	p->conn.rto_us = 10000000;
	p->conn.last_sent = p->stack.now;
	p->made = p->taken = 0;
	peer_write(p, 12000);
	peer_flush(p);
	assert_int_equal(peer_next(p)->length, 1210); /* half way to 1500 */
	assert_int_equal(peer_next(p)->length, 960);
	while (peer_next(p))
		;
	p->stack.now += 10 * TCP_MS;
}

static void a_probe_that_passes_raises_it(void **state)
{
	struct peer p;

	narrow(&p, TCP_OPT_SACK);
	peer_in(&p, A, 1, 12001 + 1210, 0);
	assert_int_equal(p.conn.mtu, 1250);
	assert_int_equal(p.conn.mss, 1210);
	peer_close(&p);
}

static void a_probe_that_does_not_costs_nothing_else(void **state)
{
	struct peer p;
	uint32_t cwnd;

	narrow(&p, TCP_OPT_SACK);
	cwnd = p.conn.cwnd;
	peer_sack(&p, 12001 + 1210, 12001 + 1210 + 4 * 960);
	peer_in(&p, A, 1, 12001, 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn.cwnd >= cwnd);
	peer_flush(&p);
	sent(&p, A, 12001, 960, 1); /* again, in pieces that pass */
	sent(&p, P | A, 12961, 250, 1);
	assert_int_equal(p.conn.mtu, 1000);
	assert_int_equal(p.conn.mtu_probe, 0);
	peer_close(&p);

	narrow(&p, 0);
	peer_in(&p, A, 1, 12001, 0);
	peer_in(&p, A, 1, 12001, 0);
	peer_in(&p, A, 1, 12001, 0);
	peer_in(&p, A, 1, 12001, 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	peer_flush(&p);
	sent(&p, A, 12001, 960, 1);
	sent(&p, P | A, 12961, 250, 1);
	peer_close(&p);
}

/* ---- explicit congestion notification ---- */

static int marked(struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t length, uint8_t ecn)
{
	struct tcp_segment s = {
		.seq = PEER_IRS + seq,
		.ack = PEER_ISS + ack,
		.length = length,
		.flags = flags,
		.window = p->window,
		.payload = p->data + seq,
		.mac = p->mac,
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.checked = 1,
		.ecn = ecn,
	};

	return tcp_input(&p->stack, &p->conn, &s);
}

static void congestion_is_echoed_until_heard(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_ECN);
	marked(&p, A, 1, 1, 1000, 3);
	peer_flush(&p);
	sent(&p, A | TCP_FLAG_ECE, 1, 0, 1001);
	marked(&p, A, 1001, 1, 1000, 2);
	peer_flush(&p);
	sent(&p, A | TCP_FLAG_ECE, 1, 0, 2001);
	marked(&p, A | TCP_FLAG_CWR, 2001, 1, 1000, 2);
	peer_flush(&p);
	sent(&p, A, 1, 0, 3001);
	peer_close(&p);

	peer_open(&p, 0); /* not agreed on */
	marked(&p, A, 1, 1, 1000, 3);
	peer_flush(&p);
	sent(&p, A, 1, 0, 1001);
	peer_write(&p, 10);
	peer_flush(&p);
	assert_int_equal(sent(&p, P | A, 1, 10, 1001)->frame[15] & 3, 0);
	peer_close(&p);
}

static void an_echo_reduces_the_window_once(void **state)
{
	struct peer_sent *o;
	struct peer p;
	uint32_t i;

	peer_open(&p, TCP_OPT_ECN);
	peer_write(&p, 40000);
	peer_flush(&p);
	for (i = 0; i < 10; i++) {
		o = sent(&p, A, 1 + 1460 * i, 1460, 1);
		assert_int_equal(o->frame[15] & 3, 2);
	}
	for (i = 1; i <= 4; i++)
		marked(&p, A | TCP_FLAG_ECE, 1, 1 + 1460 * i, 0, 0);
	assert_int_equal(p.conn.ssthresh, 5 * 1460 - 730);
	peer_flush(&p);
	while ((o = peer_next(&p)))
		assert_true(o->flags & TCP_FLAG_CWR || o->seq > 14601);
	for (i = 5; i <= 10; i++)
		marked(&p, A | TCP_FLAG_ECE, 1, 1 + 1460 * i, 0, 0);
	peer_flush(&p);
	assert_int_equal(p.conn.cwnd, 5 * 1460 - 730);
	/* as far as it had been sent and no further: our CWR is not yet there */
	marked(&p, A | TCP_FLAG_ECE, 1, 14601, 0, 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn.ssthresh, 5 * 1460 - 730);
	marked(&p, A | TCP_FLAG_ECE, 1, 16061, 0, 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_CWR);
	assert_int_equal(p.conn.retransmits, 0);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(black_holes_are_found),
		cmocka_unit_test(a_probe_that_passes_raises_it),
		cmocka_unit_test(a_probe_that_does_not_costs_nothing_else),
		cmocka_unit_test(congestion_is_echoed_until_heard),
		cmocka_unit_test(an_echo_reduces_the_window_once),
	};

	return unit_run("tcp_pmtu", tests);
}
