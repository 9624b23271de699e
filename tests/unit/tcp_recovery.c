// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Losses found and repaired: RFC 5681, 6582, 2018, 6675, 8985, 3042, 3522, 6937. */
#include "tests/unit/tcp_peer.h"

#define MSS 1460

/* n full segments on their way, round trip time 100 ms, window as given. */
static void flight(struct peer *p, uint8_t options, uint32_t n, uint32_t window)
{
	peer_open(p, options);
	peer_write(p, 1);
	peer_flush(p);
	p->stack.now += 100 * TCP_MS;
	p->tsecr = 7000;
	peer_in(p, A, 1, 2, 0);
	p->tsecr = 7100;
	p->conn.cwnd = window * p->conn.mss;
	p->conn.flags |= TCP_CONN_CWND_FULL;
	peer_write(p, n * p->conn.mss);
	p->conn.rto_us = 300000;
	peer_flush(p);
	p->made = p->taken = 0;
	p->stack.now += 100 * TCP_MS;
}

static uint32_t at(const struct peer *p, uint32_t n)
{
	return 2 + n * p->conn.mss;
}

static void three_duplicates_without_sack(void **state)
{
	struct peer p;

	flight(&p, 0, 12, 10);
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	sent(&p, A, at(&p, 10), MSS, 1); /* RFC 3042 */
	sent(&p, P | A, at(&p, 11), MSS, 1);
	sent_nothing(&p);
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	sent_nothing(&p);
	assert_int_equal(p.conn.ssthresh, 6 * MSS);
	/* a partial ACK shows the next hole */
	peer_in(&p, A, 1, at(&p, 3), 0);
	peer_flush(&p);
	sent(&p, P | A, at(&p, 3), MSS, 1);
	peer_in(&p, A, 1, at(&p, 12), 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn.cwnd, 6 * MSS);
	peer_close(&p);
}

static void sack_repairs_what_is_missing_and_nothing_else(void **state)
{
	struct peer p;
	int i;

	flight(&p, TCP_OPT_SACK, 10, 10);
	/* 0 and 4 are lost */
	for (i = 1; i < 10; i++) {
		if (i == 4)
			continue;
		if (i > 4)
			peer_sack(&p, at(&p, 5), at(&p, i + 1));
		peer_sack(&p, at(&p, 1), at(&p, i < 4 ? i + 1 : 4));
		peer_in(&p, A, 1, at(&p, 0), 0);
		peer_flush(&p);
	}
	assert_int_equal(p.conn.sacked, 8 * MSS);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	sent(&p, P | A, at(&p, 4), MSS, 1);
	sent_nothing(&p);
	p.stack.now += 100 * TCP_MS;
	peer_in(&p, A, 1, at(&p, 10), 0);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn.sacked + p.conn.lost + p.conn.resent, 0);
	assert_int_equal(p.conn.retransmits, 2);
	assert_int_equal(p.conn.cwnd, 5 * MSS);
	peer_close(&p);
}

static void a_lost_retransmission_is_found(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_SACK, 14, 10);
	peer_sack(&p, at(&p, 1), at(&p, 6));
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	p.taken = p.made = 0;
	p.stack.now += 100 * TCP_MS;
	peer_sack(&p, at(&p, 1), at(&p, 10));
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	p.taken = p.made = 0; /* new data, sent after the retransmission */
	p.stack.now += 100 * TCP_MS;
	peer_sack(&p, at(&p, 1), at(&p, 11));
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	assert_int_equal(p.stack.counters.timeouts, 0);
	peer_close(&p);
}

static void reordering_is_waited_for(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_SACK, 10, 10);
	p.conn.rack_reordered = true;
	peer_sack(&p, at(&p, 1), at(&p, 6));
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_flush(&p);
	sent_nothing(&p);
	peer_run(&p, 24); /* a quarter of the round trip */
	sent_nothing(&p);
	peer_run(&p, 2);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	peer_close(&p);
}

static void the_tail_is_probed(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_SACK, 5, 10);
	peer_run(&p, 90); /* two round trips since it was sent, and a little */
	sent_nothing(&p);
	peer_run(&p, 15);
	sent(&p, P | A, at(&p, 4), MSS, 1);
	assert_int_equal(p.stack.counters.loss_probes, 1);
	assert_true(p.conn.rto_base > p.conn.stalled); /* RFC 8985 7.3: the timeout counts from the probe */
	/* 3 and 4 were lost: the probe's SACK shows it */
	p.stack.now += 100 * TCP_MS;
	peer_sack(&p, at(&p, 4), at(&p, 5));
	peer_in(&p, A, 1, at(&p, 3), 0);
	peer_run(&p, 30);
	sent(&p, P | A, at(&p, 3), MSS, 1);
	assert_int_equal(p.stack.counters.timeouts, 0);
	peer_close(&p);
}

static void a_needless_timeout_is_undone(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_TIMESTAMPS, 10, 10);
	peer_run(&p, 700);
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_TIMEOUT);
	assert_int_equal(p.conn.cwnd, p.conn.mss);
	sent(&p, P | A, at(&p, 0), p.conn.mss, 1);
	peer_in(&p, A, 1, at(&p, 1), 0); /* it echoes the first copy's time stamp */
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn.cwnd >= 10u * p.conn.mss);
	assert_int_equal(p.conn.lost, 0);
	assert_int_equal(p.stack.counters.undone, 1);
	peer_close(&p);
}

static void a_timeout_sends_all_again_from_one_segment_on(void **state)
{
	struct peer p;

	flight(&p, 0, 10, 10);
	peer_run(&p, 320);
	sent(&p, P | A, at(&p, 0), MSS, 1);
	sent_nothing(&p);
	assert_int_equal(p.conn.ssthresh, 5 * MSS);
	peer_in(&p, A, 1, at(&p, 1), 0);
	peer_flush(&p);
	sent(&p, P | A, at(&p, 1), MSS, 1);
	sent(&p, P | A, at(&p, 2), MSS, 1);
	sent_nothing(&p);
	peer_in(&p, A, 1, at(&p, 10), 0); /* the rest had arrived */
	assert_int_equal(p.conn.recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn.lost, 0);
	peer_close(&p);
}

static void broken_promises_are_forgotten(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_SACK, 10, 10);
	p.conn.rack_reordered = true;
	peer_sack(&p, at(&p, 1), at(&p, 10));
	peer_in(&p, A, 1, at(&p, 0), 0);
	peer_in(&p, A, 1, at(&p, 1), 0); /* acknowledged up to what was SACKed, and no further */
	assert_int_equal(p.conn.sacked, 9 * MSS);
	peer_run(&p, 2000);
	assert_int_equal(p.conn.sacked, 0);
	assert_int_equal(peer_next(&p)->seq, at(&p, 1));
	peer_close(&p);
}

static void false_sacks_are_ignored(void **state)
{
	struct peer p;

	flight(&p, TCP_OPT_SACK, 10, 10);
	peer_sack(&p, at(&p, 5), at(&p, 5));
	peer_sack(&p, at(&p, 6), at(&p, 4));
	peer_sack(&p, at(&p, 9), at(&p, 20));
	peer_sack(&p, 2 - 100000, 2 - 50000);
	peer_in(&p, A, 1, at(&p, 0), 0);
	assert_int_equal(p.conn.sacked, 0);
	peer_sack(&p, at(&p, 1) + 1, at(&p, 3) - 1); /* half of 1, half of 2 */
	peer_in(&p, A, 1, at(&p, 0), 0);
	assert_int_equal(p.conn.sacked, 0);
	peer_sack(&p, at(&p, 1), at(&p, 3) - 1);
	peer_in(&p, A, 1, at(&p, 0), 0);
	assert_int_equal(p.conn.sacked, MSS);
	peer_sack(&p, at(&p, 1), at(&p, 3) + 1); /* and grown over it */
	peer_in(&p, A, 1, at(&p, 0), 0);
	assert_int_equal(p.conn.sacked, 2 * MSS);
	peer_close(&p);
}

static void ack_division_gains_nothing(void **state)
{
	uint32_t cwnd, i;
	struct peer p;

	flight(&p, 0, 10, 10);
	cwnd = p.conn.cwnd;
	for (i = 1; i <= MSS; i++)
		peer_in(&p, A, 1, at(&p, 0) + i, 0);
	assert_int_equal(p.conn.cwnd, cwnd + MSS);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_duplicates_without_sack),
		cmocka_unit_test(sack_repairs_what_is_missing_and_nothing_else),
		cmocka_unit_test(a_lost_retransmission_is_found),
		cmocka_unit_test(reordering_is_waited_for),
		cmocka_unit_test(the_tail_is_probed),
		cmocka_unit_test(a_needless_timeout_is_undone),
		cmocka_unit_test(a_timeout_sends_all_again_from_one_segment_on),
		cmocka_unit_test(broken_promises_are_forgotten),
		cmocka_unit_test(false_sacks_are_ignored),
		cmocka_unit_test(ack_division_gains_nothing),
	};

	return unit_run("tcp_recovery", tests);
}
