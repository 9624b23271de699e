// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The window we announce: promises kept, no silly steps, as large as it is used. */
#include "tests/unit/tcp_peer.h"

static void it_closes_and_opens_in_steps(void **state)
{
	struct peer p;
	uint32_t seq = 1;

	peer_open(&p, 0);
	p.settings.recv_buffer = 8000;
	peer_reopen(&p);
	assert_int_equal(p.conn.rcv_adv, PEER_IRS + 1 + 65535); /* the SYN-ACK's promise */
	while (seq < 65536) {
		uint32_t n = min_u32(1460, 65536 - seq);

		peer_in(&p, A, seq, 1, n);
		seq += n;
		peer_flush(&p);
	}
	peer_run(&p, 50);
	assert_int_equal(receive_unread(&p.conn), 65535);
	assert_int_equal(p.out[p.made - 1].window, 0);
	p.made = p.taken = 0;
	peer_in(&p, A, seq, 1, 1); /* a probe */
	peer_flush(&p);
	assert_int_equal(sent(&p, A, 1, 0, 65536)->window, 0);
	peer_read(&p, 58000);
	peer_flush(&p);
	sent_nothing(&p); /* 465 octets more than the buffer should hold are room for none */
	peer_read(&p, 900);
	peer_flush(&p);
	sent_nothing(&p);
	peer_read(&p, 1000);
	peer_flush(&p);
	assert_in_range(sent(&p, A, 1, 0, 65536)->window, 1460, 8000);
	peer_close(&p);
}

static void the_scale_rounds_but_does_not_take_back(void **state)
{
	uint32_t seq = 1, edge, highest = 65536, i;
	struct peer p;

	peer_open(&p, TCP_OPT_WSCALE);
	p.start.wscale_rcv = 7;
	peer_reopen(&p);
	for (i = 0; i < 400 && p.conn.rcv_adv - p.conn.rcv_nxt > 200; i++) {
		peer_in(&p, A, seq, 1, 171);
		seq += 171;
		peer_run(&p, 50);
		edge = seq + p.out[p.made - 1].window * 128u;
		assert_true(edge + 127 >= highest);
		highest = max_u32(highest, edge);
		p.made = p.taken = 0;
	}
	assert_in_range(highest, 65535, 65536 + 128); /* an octet at a time does not push it on */
	peer_close(&p);
}

static void it_grows_with_the_reader(void **state)
{
	uint32_t seq = 1, i, n;
	struct peer p;

	peer_open(&p, TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS);
	p.start.wscale_rcv = 7;
	peer_reopen(&p);
	for (i = 0; i < 60; i++) {
		uint32_t end = p.conn.rcv_adv - PEER_IRS;

		p.stack.now += 20 * TCP_MS;
		p.tsval += 20;
		p.tsecr = clock_ms(&p.stack) + p.conn.ts_offset - 20;
		while (seq < end) {
			n = min_u32(1448, end - seq);
			peer_in(&p, A, seq, 1, n);
			seq += n;
		}
		while ((n = receive_unread(&p.conn)))
			peer_read(&p, min_u32(n, 30000));
		peer_flush(&p);
		p.made = p.taken = 0;
	}
	assert_int_equal(p.conn.rcv_limit, 1 << 20);
	assert_in_range(p.conn.rcv_adv - p.conn.rcv_nxt, (1 << 20) - 1000, (1 << 20) + 128);
	peer_close(&p);
}

static void a_slow_reader_keeps_a_small_buffer(void **state)
{
	uint32_t seq = 1, i;
	struct peer p;

	peer_open(&p, TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS);
	p.start.wscale_rcv = 7;
	peer_reopen(&p);
	for (i = 0; i < 500; i++) {
		p.stack.now += 20 * TCP_MS;
		p.tsval += 20;
		p.tsecr = clock_ms(&p.stack) + p.conn.ts_offset - 20;
		peer_in(&p, A, seq, 1, 1448);
		seq += 1448;
		peer_read(&p, 1448);
		peer_flush(&p);
		p.made = p.taken = 0;
	}
	assert_in_range(p.conn.rcv_limit, 65535, 65535);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_closes_and_opens_in_steps),
		cmocka_unit_test(the_scale_rounds_but_does_not_take_back),
		cmocka_unit_test(it_grows_with_the_reader),
		cmocka_unit_test(a_slow_reader_keeps_a_small_buffer),
	};

	return unit_run("tcp_window", tests);
}
