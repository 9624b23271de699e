// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is sent, in how many packets: one saved is worth more than any other trick. */
#include "tests/unit/tcp_peer.h"

static void an_answer_carries_the_ack(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	peer_in(&p, A | P, 1, 1, 100);
	peer_read(&p, 100);
	peer_write(&p, 50);
	peer_flush(&p);
	sent(&p, P | A, 1, 50, 101);
	sent_nothing(&p);
	peer_run(&p, 100);
	sent_nothing(&p);
	peer_close(&p);
}

static void request_answer_and_close_in_one_packet(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	peer_in(&p, A | P, 1, 1, 100);
	peer_read(&p, 100);
	peer_write(&p, 50);
	tcp_close(&p.stack, &p.conn);
	peer_flush(&p);
	sent(&p, F | P | A, 1, 50, 101);
	sent_nothing(&p);
	peer_close(&p);
}

static void one_ack_per_batch_then_delayed(void **state)
{
	uint32_t i, seq = 1;
	struct peer p;

	peer_open(&p, 0);
	for (i = 0; i < 16; i++, seq += 1000)
		peer_in(&p, A, seq, 1, 1000);
	peer_flush(&p);
	sent(&p, A, 1, 0, 16001);
	sent_nothing(&p);
	/* an interactive peer: answers carried our ACKs, so the next waits for one */
	peer_in(&p, A, seq, 1, 10);
	peer_write(&p, 10);
	peer_flush(&p);
	sent(&p, P | A, 1, 10, 16011);
	peer_in(&p, A, seq + 10, 11, 10);
	peer_flush(&p);
	sent_nothing(&p);
	peer_run(&p, 39);
	sent_nothing(&p);
	peer_run(&p, 2);
	sent(&p, A, 11, 0, 16021);
	peer_close(&p);
}

static void the_first_acks_are_quick(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	for (uint32_t i = 0; i < TCP_QUICK_ACKS; i++) {
		peer_in(&p, A, 1 + 10 * i, 1, 10);
		peer_flush(&p);
		sent(&p, A, 1, 0, 11 + 10 * i);
	}
	peer_in(&p, A, 161, 1, 10);
	peer_flush(&p);
	sent_nothing(&p);
	peer_close(&p);
}

static void nagle(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 10);
	peer_flush(&p);
	sent(&p, P | A, 1, 10, 1);
	peer_write(&p, 10);
	peer_flush(&p);
	sent_nothing(&p); /* a small one is on its way */
	peer_write(&p, 1460);
	peer_flush(&p);
	sent(&p, A, 11, 1460, 1);
	sent_nothing(&p);
	peer_in(&p, A, 1, 1471, 0);
	peer_flush(&p);
	sent(&p, P | A, 1471, 10, 1);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_NODELAY, 1);
	peer_write(&p, 10);
	peer_flush(&p);
	sent(&p, P | A, 1481, 10, 1);
	peer_close(&p);
}

static void cork(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_CORK, 2), -EINVAL);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_CORK, 1), 0);
	peer_write(&p, 1470);
	peer_flush(&p);
	sent(&p, A, 1, 1460, 1);
	peer_in(&p, A, 1, 1461, 0);
	peer_flush(&p);
	peer_run(&p, 190);
	sent_nothing(&p);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_CORK, 0);
	peer_flush(&p);
	sent(&p, P | A, 1461, 10, 1);
	peer_in(&p, A, 1, 1471, 0);

	/* it holds no longer than 200 ms */
	tcp_set(&p.stack, &p.conn, TCP_OPTION_CORK, 1);
	peer_write(&p, 20);
	peer_run(&p, 190);
	sent_nothing(&p);
	peer_run(&p, 20);
	sent(&p, P | A, 1471, 20, 1);
	peer_in(&p, A, 1, 1491, 0);
	peer_write(&p, 20);
	peer_run(&p, 100);
	sent_nothing(&p);
	peer_close(&p);
}

/* RFC 9293 3.9.1.2: where what was written ends, and where a burst does; not on what is sent again from its middle. */
static void pushes(void **state)
{
	struct peer p;
	int i;

	peer_open(&p, 0);
	peer_write(&p, 14600 + 2000);
	peer_flush(&p);
	for (i = 0; i < 10; i++)
		assert_int_equal(peer_next(&p)->flags, i == 9 ? P | A : A);
	sent_nothing(&p);
	for (i = 0; i < 3; i++)
		peer_in(&p, A, 1, 1, 0);
	peer_flush(&p);
	assert_int_equal(peer_next(&p)->flags, A);
	p.taken = p.made;
	peer_in(&p, A, 1, 14601, 0);
	peer_flush(&p);
	assert_int_equal(peer_next(&p)->flags, A);
	assert_int_equal(peer_next(&p)->flags, P | A);
	peer_close(&p);
}

static void the_first_window_is_ten_segments(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 40000);
	peer_flush(&p);
	for (uint32_t i = 0; i < 10; i++)
		sent(&p, A, 1 + 1460 * i, 1460, 1);
	sent_nothing(&p);
	peer_in(&p, A, 1, 2921, 0);
	peer_flush(&p);
	for (uint32_t i = 10; i < 14; i++) /* two acknowledged, two more */
		sent(&p, A, 1 + 1460 * i, 1460, 1);
	sent_nothing(&p);
	peer_close(&p);
}

static void many_small_writes_are_not_many_packets(void **state)
{
	uint32_t packets = 0;
	struct peer p;

	peer_open(&p, 0);
	tcp_set(&p.stack, &p.conn, TCP_OPTION_NODELAY, 1);
	for (int i = 0; i < 200; i++) {
		peer_write(&p, 1);
		peer_flush(&p);
	}
	while (peer_next(&p))
		packets++;
	assert_in_range(packets, 10, 12); /* as many as full ones might be on the way */
	peer_in(&p, A, 1, p.conn.snd_nxt - PEER_ISS, 0);
	peer_flush(&p);
	assert_int_equal(peer_next(&p)->length, 200 - packets);
	peer_close(&p);
}

static void a_full_transmit_ring_is_no_loss(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	p.no_frames = true;
	peer_in(&p, A, 1, 1, 10);
	peer_write(&p, 3000);
	tcp_close(&p.stack, &p.conn);
	peer_flush(&p);
	peer_flush(&p);
	assert_int_equal(p.conn.snd_nxt, p.conn.snd_una);
	assert_true(p.stack.counters.tx_full >= 1);
	p.no_frames = false;
	peer_close(&p);

	peer_open(&p, 0);
	p.no_frames = true;
	peer_in(&p, A, 1, 1, 10);
	peer_read(&p, 10);
	peer_write(&p, 3000);
	peer_flush(&p);
	p.no_frames = false;
	peer_flush(&p);
	sent(&p, A, 1, 1460, 11);
	sent(&p, A, 1461, 1460, 11);
	sent(&p, P | A, 2921, 80, 11);
	sent_nothing(&p);
	assert_int_equal(p.conn.retransmits, 0);
	peer_close(&p);
}

static void silly_windows_are_not_filled(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	p.window = 100;
	peer_in(&p, A, 1, 1, 1);
	p.conn.snd_wl1 -= 1; /* shrink it all the same */
	peer_in(&p, A, 2, 1, 0);
	peer_write(&p, 5000);
	peer_flush(&p);
	assert_int_equal(p.conn.snd_wnd, 100);
	peer_in(&p, A, 2, 1, 0);
	while (peer_next(&p))
		;
	assert_int_equal(p.conn.snd_nxt, p.conn.snd_una);
	peer_run(&p, 1100); /* what is offered so long is used at last */
	sent(&p, A, 1, 100, 2);
	peer_close(&p);
}

static void options_count_in_the_segment(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	assert_int_equal(p.conn.mss, 1448);
	p.start.mss = 536;
	tcp_release(&p.stack, &p.conn);
	peer_reopen(&p);
	assert_int_equal(p.conn.mss, 524);
	p.start.mss = 0; /* none was said: RFC 9293 3.7.1 */
	peer_reopen(&p);
	assert_int_equal(p.conn.mss, 524);
	p.start.mss = 1; /* and nobody makes us send an octet per packet */
	peer_reopen(&p);
	assert_int_equal(p.conn.mss, TCP_MSS_MIN - 12);
	p.start.mss = 9000;
	p.start.mtu = 3000;
	peer_reopen(&p);
	assert_int_equal(p.conn.mss, 2048 - 22 - 20 - 20 - 12);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_carries_the_ack),
		cmocka_unit_test(request_answer_and_close_in_one_packet),
		cmocka_unit_test(one_ack_per_batch_then_delayed),
		cmocka_unit_test(the_first_acks_are_quick),
		cmocka_unit_test(nagle),
		cmocka_unit_test(cork),
		cmocka_unit_test(pushes),
		cmocka_unit_test(the_first_window_is_ten_segments),
		cmocka_unit_test(many_small_writes_are_not_many_packets),
		cmocka_unit_test(a_full_transmit_ring_is_no_loss),
		cmocka_unit_test(silly_windows_are_not_filled),
		cmocka_unit_test(options_count_in_the_segment),
	};

	return unit_run("tcp_output", tests);
}
