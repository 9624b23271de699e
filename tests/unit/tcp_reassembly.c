// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Out-of-order data against an array of octets; and what hoarding costs. */
#include "tests/unit/tcp_peer.h"

#define WINDOW 60000

static void any_order_any_overlap(void **state)
{
	static uint8_t have[WINDOW];
	uint64_t seed = 31;
	uint32_t round, i, edge;
	struct peer p;

	for (round = 0; round < 300; round++) {
		peer_open(&p, TCP_OPT_SACK);
		memset(have, 0, sizeof(have));
		edge = 0;
		while (edge < 20000) {
			uint32_t from = edge + (uint32_t)(unit_random(&seed) % 25000), n;

			if (unit_random(&seed) % 4 == 0)
				from = edge;
			if (unit_random(&seed) % 16 == 0 && edge > 1000)
				from = edge - (uint32_t)(unit_random(&seed) % 1000);
			n = 1 + (uint32_t)(unit_random(&seed) % (round % 2 ? 3000 : 9000));
			if (from + n > 30000)
				continue;
			peer_in(&p, A, 1 + from, 1, n);
			p.made = p.taken = 0;
			memset(have + from, 1, n);
			while (have[edge])
				edge++;
			assert_int_equal(p.conn.rcv_nxt, PEER_IRS + 1 + edge);
			if (p.conn.ranges)
				assert_true(seq_after(p.conn.range[0].from, p.conn.rcv_nxt));
			for (i = 0; i < p.conn.ranges; i++) {
				uint32_t a = p.conn.range[i].from - PEER_IRS - 1,
					 b = p.conn.range[i].to - PEER_IRS - 1;

				assert_int_equal(have[a - 1], 0);
				assert_int_equal(have[b], 0);
				assert_null(memchr(have + a, 0, b - a));
			}
			if (unit_random(&seed) % 8 == 0 && receive_unread(&p.conn)) {
				n = 1 + (uint32_t)(unit_random(&seed) % receive_unread(&p.conn));
				peer_read(&p, n);
			}
		}
		if (receive_unread(&p.conn))
			peer_read(&p, receive_unread(&p.conn));
		peer_close(&p);
	}
}

static void the_latest_is_reported_first(void **state)
{
	struct peer_sent *o;
	struct peer p;

	peer_open(&p, TCP_OPT_SACK | TCP_OPT_TIMESTAMPS);
	peer_in(&p, A, 1001, 1, 100);
	peer_in(&p, A, 3001, 1, 100);
	peer_in(&p, A, 5001, 1, 100);
	peer_in(&p, A, 7001, 1, 100);
	peer_in(&p, A, 3101, 1, 100);
	p.taken = 4;
	o = sent(&p, A, 1, 0, 1);
	assert_int_equal(o->sack_blocks, 3); /* beside timestamps no more fit */
	assert_int_equal(o->sack[0][0], PEER_IRS + 3001);
	assert_int_equal(o->sack[0][1], PEER_IRS + 3201);
	assert_int_equal(o->sack[1][0], PEER_IRS + 7001); /* RFC 2018 4: what was reported last, again */
	assert_int_equal(o->sack[2][0], PEER_IRS + 5001);
	peer_close(&p);
}

static void hoarding_is_bounded(void **state)
{
	uint32_t i, blocks = 0;
	struct peer p;

	peer_open(&p, TCP_OPT_SACK);
	for (i = 0; i < 32000; i++) {
		peer_in(&p, A, 3 + 2 * i, 1, 1); /* every other octet of the window */
		p.made = p.taken = 0;
		blocks = max_u32(blocks, p.blocks);
	}
	assert_int_equal(p.conn.ranges, TCP_RANGES_MAX);
	assert_in_range(blocks, 1, 65536 / TCP_BLOCK_DATA + 3);
	peer_in(&p, A, 1, 1, 2000); /* the stream goes on all the same */
	assert_int_equal(p.conn.ranges, 0);
	assert_int_equal(p.conn.rcv_nxt, PEER_IRS + 2001);
	peer_read(&p, 2000);
	assert_int_equal(p.blocks, 0);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_any_overlap),
		cmocka_unit_test(the_latest_is_reported_first),
		cmocka_unit_test(hoarding_is_bounded),
	};

	return unit_run("tcp_reassembly", tests);
}
