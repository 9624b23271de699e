// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A connection that goes on in another stack. */
#include "tests/unit/tcp_peer.h"

static uint8_t data[65536];

/* 5000 octets queued, closed, two segments of them in flight. */
static ssize_t leave(struct peer *p, struct tcp_handback *h)
{
	ssize_t n;

	peer_open(p, TCP_OPT_TIMESTAMPS | TCP_OPT_SACK);
	p->conn.cwnd = 2 * p->conn.mss;
	peer_in(p, A, 1, 1, 10);
	peer_read(p, 10);
	peer_write(p, 5000);
	tcp_close(&p->stack, &p->conn);
	peer_flush(p);
	sent(p, A, 1, 1448, 11);
	sent(p, A, 1449, 1448, 11);
	sent_nothing(p);
	n = tcp_export(&p->conn, h, data, sizeof(data));
	tcp_release(&p->stack, &p->conn);
	assert_int_equal(p->blocks, 0);
	return n;
}

static void it_goes_on_where_it_was(void **state)
{
	struct tcp_handback h;
	struct peer p;
	ssize_t n = leave(&p, &h);

	assert_int_equal(n, 5000);
	assert_int_equal(tcp_import(&p.stack, &p.conn, &h, data, (size_t)n), 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT1);
	peer_flush(&p);
	sent(&p, A, 2897, 1448, 11);
	sent(&p, A | P | F, 4345, 656, 11);
	sent_nothing(&p);
	peer_close(&p);
}

static void what_was_in_flight_is_sent_again_if_it_must(void **state)
{
	struct tcp_handback h;
	struct peer p;
	uint32_t end = 0, fin = 0;
	struct peer_sent *o;
	ssize_t n = leave(&p, &h);

	assert_int_equal(tcp_import(&p.stack, &p.conn, &h, data, (size_t)n), 0);
	peer_flush(&p);
	while ((o = peer_next(&p))) {
		assert_true(o->seq >= 2897);
		for (uint32_t i = 0; i < o->length; i++)
			assert_int_equal(o->payload[i], (uint8_t)((o->seq + i) * 13 + 5));
		end = o->seq + o->length;
		fin |= o->flags & F;
	}
	assert_int_equal(end, 5001);
	assert_true(fin);
	peer_run(&p, 1500); /* nothing was acknowledged */
	o = peer_next(&p);
	assert_non_null(o);
	assert_int_equal(o->seq, 1);
	for (uint32_t i = 0; i < o->length; i++)
		assert_int_equal(o->payload[i], (uint8_t)((o->seq + i) * 13 + 5));
	p.tsecr = o->tsval;
	peer_in(&p, A, 11, 5002, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_FIN_WAIT2);
	assert_int_equal(p.blocks, 0);
	peer_in(&p, F | A, 11, 5002, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_TIME_WAIT);
	peer_close(&p);
}

static void lies_are_refused(void **state)
{
	struct tcp_handback h, lie;
	uint64_t seed = 41;
	uint32_t taken = 0, i;
	struct peer p;
	ssize_t n = leave(&p, &h);

	lie = h;
	lie.snd_nxt = h.snd_end + 5;
	assert_int_equal(tcp_import(&p.stack, &p.conn, &lie, data, (size_t)n), -EINVAL);
	lie = h;
	lie.state = TCP_STATE_TIME_WAIT;
	assert_int_equal(tcp_import(&p.stack, &p.conn, &lie, data, (size_t)n), -EINVAL);
	lie = h;
	lie.rto_us = 1;
	assert_int_equal(tcp_import(&p.stack, &p.conn, &lie, data, (size_t)n), -EINVAL);
	assert_int_equal(tcp_import(&p.stack, &p.conn, &h, data, (size_t)n - 1), -EINVAL);
	/* any octets at all: refused, or a connection that does what one does */
	for (i = 0; i < 20000; i++) {
		lie = h;
		for (int k = 0; k < 1 + (int)(i % 3); k++)
			((uint8_t *)&lie)[unit_random(&seed) % sizeof(lie)] ^=
				(uint8_t)(unit_random(&seed) >> 40);
		if (tcp_import(&p.stack, &p.conn, &lie, data, (size_t)n))
			continue;
		taken++;
		p.made = p.taken = 0;
		p.no_frames = true; /* its numbers are not the harness' */
		peer_run(&p, 1000);
		p.no_frames = false;
		peer_close(&p);
	}
	assert_true(taken > 100);
}

static void what_cannot_leave(void **state)
{
	struct tcp_handback h;
	struct tcp_piece piece;
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, A, 1, 1, 10);
	assert_int_equal(tcp_export(&p.conn, &h, data, sizeof(data)), -EBUSY);
	peer_read(&p, 10);
	tcp_send_piece(&p.stack, &p.conn, 10, &piece);
	assert_int_equal(tcp_export(&p.conn, &h, data, sizeof(data)), -EBUSY);
	tcp_send_commit(&p.stack, &p.conn, 10);
	assert_int_equal(tcp_export(&p.conn, &h, data, 9), -EMSGSIZE);
	assert_int_equal(tcp_export(&p.conn, &h, data, 10), 10);
	tcp_abort(&p.stack, &p.conn);
	assert_int_equal(tcp_export(&p.conn, &h, data, 10), -ENOTCONN);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_where_it_was),
		cmocka_unit_test(what_was_in_flight_is_sent_again_if_it_must),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(what_cannot_leave),
	};

	return unit_run("tcp_handback", tests);
}
