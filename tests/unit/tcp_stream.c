// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the application reads, writes and is told. */
#include "tests/unit/tcp_peer.h"

#include <sys/socket.h>

static void a_full_buffer_says_so_and_when_it_has_room(void **state)
{
	struct peer p;
	uint32_t i;

	peer_open(&p, 0);
	p.settings.send_buffer = 10000;
	peer_reopen(&p);
	assert_int_equal(peer_write(&p, 8000), 8000);
	assert_int_equal(tcp_events(&p.conn), 0);
	assert_int_equal(peer_write(&p, 8000), 2000);
	assert_int_equal(peer_write(&p, 1), -EAGAIN);
	peer_flush(&p);
	peer_in(&p, A, 1, 1461, 0);
	assert_int_equal(tcp_events(&p.conn), 0); /* a quarter, not every segment */
	assert_int_equal(p.notified, 0);
	peer_in(&p, A, 1, 2921, 0);
	assert_int_equal(tcp_events(&p.conn), TCP_EVENT_OUT);
	assert_int_equal(p.notified, 1);
	assert_int_equal(peer_write(&p, 100), 100);
	assert_int_equal(tcp_events(&p.conn), 0);
	for (i = 0; i < p.made; i++) {
		for (uint32_t k = 0; k < p.out[i].length; k++)
			assert_int_equal(p.out[i].payload[k], (uint8_t)((p.out[i].seq + k) * 13 + 5));
	}
	peer_close(&p);
}

static void pieces_both_ways(void **state)
{
	struct tcp_piece piece[4];
	uint32_t n = 0, i, k;
	struct peer p;

	peer_open(&p, 0);
	assert_int_equal(tcp_recv_pieces(&p.stack, &p.conn, piece, 4), -EAGAIN);
	for (i = 0; i < 7; i++)
		peer_in(&p, A, 1 + 1460 * i, 1, 1460);
	assert_int_equal(tcp_recv_pieces(&p.stack, &p.conn, piece, 2), 2);
	assert_int_equal(tcp_recv_pieces(&p.stack, &p.conn, piece, 4), 3);
	for (i = 0; i < 3; i++)
		for (k = 0; k < piece[i].length; k++)
			assert_int_equal(((uint8_t *)piece[i].data)[k], p.data[1 + n++]);
	assert_int_equal(n, 7 * 1460);
	assert_int_equal(tcp_recv_done(&p.stack, &p.conn, n + 1), -EINVAL);
	assert_int_equal(tcp_recv_done(&p.stack, &p.conn, 5000), 5000);
	assert_int_equal(p.blocks, 2);
	peer_read(&p, n - 5000);
	assert_int_equal(p.blocks, 0);

	assert_int_equal(tcp_send_piece(&p.stack, &p.conn, TCP_BLOCK_DATA + 1, piece), -EINVAL);
	assert_int_equal(tcp_send_commit(&p.stack, &p.conn, 1), -EINVAL);
	assert_true(tcp_send_piece(&p.stack, &p.conn, 3000, piece) >= 3000);
	assert_int_equal(peer_write(&p, 1), -EBUSY);
	memset(piece[0].data, 'x', 3000);
	peer_run(&p, 1000);
	assert_int_equal(tcp_send_commit(&p.stack, &p.conn, 2900), 2900);
	assert_true(tcp_send_piece(&p.stack, &p.conn, 2000, piece) >= 2000); /* another block */
	memset(piece[0].data, 'y', 10);
	assert_int_equal(tcp_send_commit(&p.stack, &p.conn, 10), 10);
	p.made = p.taken = 0;
	peer_flush(&p);
	assert_int_equal(sent(&p, A, 1, 1460, 10221)->payload[0], 'x');
	assert_int_equal(peer_next(&p)->payload[1439], 'x');
	peer_in(&p, A, 10221, p.conn.snd_nxt - PEER_ISS, 0);
	peer_flush(&p);
	peer_in(&p, A, 10221, p.conn.snd_nxt - PEER_ISS, 0);
	assert_int_equal(p.blocks, 0);
	/* lent, given back unused */
	assert_true(tcp_send_piece(&p.stack, &p.conn, 100, piece) >= 100);
	assert_int_equal(tcp_send_commit(&p.stack, &p.conn, 0), 0);
	assert_int_equal(p.blocks, 0);
	peer_close(&p);
}

static void idle_connections_hold_no_memory(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_SACK);
	assert_int_equal(p.blocks, 0);
	peer_in(&p, A, 3001, 1, 100);
	peer_in(&p, A, 1, 1, 3000);
	peer_read(&p, 3100);
	peer_write(&p, 5000);
	peer_flush(&p);
	peer_in(&p, A, 3101, 5001, 0);
	assert_int_equal(p.blocks, 0);
	assert_true(sizeof(struct tcp_conn) <= 768);
	peer_close(&p);
}

static void data_can_be_read_after_the_end(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, A, 1, 1, 100);
	peer_in(&p, R, 101, 1, 0);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	peer_read(&p, 100);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 1), -ECONNRESET);
	assert_int_equal(tcp_shutdown(&p.stack, &p.conn, SHUT_WR), -ENOTCONN);
	peer_close(&p);
}

static void info_and_options(void **state)
{
	struct tcp_info_out info;
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	peer_in(&p, A, 1, 1, 100);
	peer_write(&p, 2000);
	tcp_info_get(&p.conn, &info);
	assert_int_equal(info.unsent, 2000);
	assert_int_equal(info.unread, 100);
	assert_int_equal(info.mss, 1448);
	assert_int_equal(info.cwnd, 14480);
	peer_flush(&p);
	tcp_info_get(&p.conn, &info);
	assert_int_equal(info.unacked, 2000);
	assert_int_equal(info.unsent, 0);
	assert_int_equal(info.segments_out, 2);
	assert_int_equal(info.octets_out, 2000);
	assert_int_equal(tcp_set(&p.stack, &p.conn, 99, 1), -EOPNOTSUPP);
	assert_int_equal(tcp_set(&p.stack, &p.conn, TCP_OPTION_NODELAY, 2), -EINVAL);
	assert_int_equal(tcp_shutdown(&p.stack, &p.conn, 9), -EINVAL);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_buffer_says_so_and_when_it_has_room),
		cmocka_unit_test(pieces_both_ways),
		cmocka_unit_test(idle_connections_hold_no_memory),
		cmocka_unit_test(data_can_be_read_after_the_end),
		cmocka_unit_test(info_and_options),
	};

	return unit_run("tcp_stream", tests);
}
