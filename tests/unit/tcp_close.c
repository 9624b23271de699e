// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every way in which a connection ends. */
#include "tests/unit/tcp_peer.h"

#include <sys/socket.h>

static void we_close_first(void **state)
{
	struct tcp_finish finish;
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	tcp_close(&p.stack, &p.conn);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT1);
	sent_nothing(&p);
	peer_flush(&p);
	sent(&p, F | A, 1, 0, 1);
	peer_in(&p, A, 1, 2, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT2);
	assert_int_equal(tcp_finish(&p.conn, &finish), 0);
	peer_in(&p, F | A, 1, 2, 0);
	sent(&p, A, 2, 0, 2);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_TIME_WAIT);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	assert_int_equal(tcp_finish(&p.conn, &finish), 1);
	assert_int_equal(finish.snd_nxt, PEER_ISS + 2);
	assert_int_equal(finish.rcv_nxt, PEER_IRS + 2);
	assert_int_equal(finish.ts_offset + clock_ms(&p.stack), 7000);
	peer_close(&p);
}

static void the_peer_closes_first(void **state)
{
	struct tcp_finish finish;
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, F | A | P, 1, 1, 5);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSE_WAIT);
	peer_read(&p, 5);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 1), 0);
	assert_int_equal(tcp_events(&p.conn), TCP_EVENT_IN);
	tcp_close(&p.stack, &p.conn);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_LAST_ACK);
	peer_flush(&p);
	sent(&p, F | A, 1, 0, 7); /* the ACK of the FIN rides on ours */
	sent_nothing(&p);
	peer_in(&p, A, 7, 2, 0);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	assert_int_equal(tcp_finish(&p.conn, &finish), 0);
	assert_int_equal(tcp_error(&p.conn), 0);
	peer_close(&p);
}

static void both_close_at_once(void **state)
{
	struct tcp_finish finish;
	struct peer p;

	peer_open(&p, 0);
	tcp_close(&p.stack, &p.conn);
	peer_flush(&p);
	sent(&p, F | A, 1, 0, 1);
	peer_in(&p, F | A, 1, 1, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSING);
	peer_flush(&p);
	sent(&p, A, 2, 0, 2);
	peer_in(&p, A, 2, 2, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_TIME_WAIT);
	assert_int_equal(tcp_finish(&p.conn, &finish), 1);
	peer_close(&p);
}

static void half_closed_for_long(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	assert_int_equal(tcp_shutdown(&p.stack, &p.conn, SHUT_WR), 0);
	assert_int_equal(peer_write(&p, 1), -EPIPE);
	peer_flush(&p);
	sent(&p, F | A, 1, 0, 1);
	peer_in(&p, A, 1, 2, 0);
	peer_run(&p, 3600 * 1000);
	sent_nothing(&p);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT2);
	peer_in(&p, A, 1, 2, 1000);
	peer_flush(&p);
	sent(&p, A, 2, 0, 1001);
	peer_read(&p, 1000);
	peer_in(&p, F | A, 1001, 2, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_TIME_WAIT);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_HUP);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 1), 0);
	peer_close(&p);
}

static void unread_data_is_reset(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, A, 1, 1, 10);
	tcp_close(&p.stack, &p.conn);
	sent(&p, R | A, 1, 0, 11);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	peer_close(&p);
}

static void data_after_close_is_reset(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	tcp_close(&p.stack, &p.conn);
	peer_flush(&p);
	sent(&p, F | A, 1, 0, 1);
	peer_in(&p, A, 1, 2, 10);
	sent(&p, R, 2, 0, 1);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	peer_close(&p);
}

static void queued_data_goes_before_the_fin(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 2000);
	tcp_close(&p.stack, &p.conn);
	peer_flush(&p);
	sent(&p, A, 1, 1460, 1);
	sent(&p, F | P | A, 1461, 540, 1);
	sent_nothing(&p);
	peer_in(&p, A, 1, 2002, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT2);
	peer_run(&p, 61000); /* nobody owns it: it does not wait for ever */
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	sent_nothing(&p);
	peer_close(&p);
}

static void an_abort_resets_at_once_or_when_it_can(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_write(&p, 100);
	tcp_abort(&p.stack, &p.conn);
	sent(&p, R | A, 1, 0, 1);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	peer_close(&p);

	peer_open(&p, 0);
	p.no_frames = true;
	tcp_abort(&p.stack, &p.conn);
	assert_false(tcp_events(&p.conn) & TCP_EVENT_DONE);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSED);
	peer_flush(&p);
	p.no_frames = false;
	peer_flush(&p);
	sent(&p, R | A, 1, 0, 1);
	assert_true(tcp_events(&p.conn) & TCP_EVENT_DONE);
	peer_close(&p);
}

static void a_fin_before_its_data(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, F | A, 101, 1, 50);
	sent(&p, A, 1, 0, 1);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_ESTABLISHED);
	peer_in(&p, A, 1, 1, 100);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSE_WAIT);
	peer_in(&p, A, 152, 1, 50); /* data behind a FIN is nothing */
	peer_read(&p, 150);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 1), 0);
	peer_close(&p);
}

static void a_repeated_fin_is_acknowledged(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, F | A, 1, 1, 0);
	peer_flush(&p);
	sent(&p, A, 1, 0, 2);
	peer_in(&p, F | A, 1, 1, 0);
	peer_flush(&p);
	sent(&p, A, 1, 0, 2);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSE_WAIT);
	peer_in(&p, R | A, 1, 1, 0); /* it may not know that we have seen its FIN */
	assert_int_equal(tcp_error(&p.conn), -EPIPE);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(we_close_first),
		cmocka_unit_test(the_peer_closes_first),
		cmocka_unit_test(both_close_at_once),
		cmocka_unit_test(half_closed_for_long),
		cmocka_unit_test(unread_data_is_reset),
		cmocka_unit_test(data_after_close_is_reset),
		cmocka_unit_test(queued_data_goes_before_the_fin),
		cmocka_unit_test(an_abort_resets_at_once_or_when_it_can),
		cmocka_unit_test(a_fin_before_its_data),
		cmocka_unit_test(a_repeated_fin_is_acknowledged),
	};

	return unit_run("tcp_close", tests);
}
