// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The ring of segments in flight, as it grows and shrinks, against an array. */
#include "tests/unit/tcp_peer.h"

static void grows_shrinks_and_keeps_its_order(void **state)
{
	uint64_t seed = 21;
	uint32_t round, next = 0, head = 0, deepest = 0;
	struct peer p;

	peer_open(&p, 0);
	p.conn.rec_head = p.conn.rec_tail = 0xfffffe00; /* indices wrap on the way */
	for (round = 0; round < 60; round++) {
		uint32_t add = unit_random(&seed) % (round % 7 == 0 ? 3000 : round % 3 ? 6 : 200), drop, i;

		for (i = 0; i < add; i++) {
			struct tcp_record *r = record_add(&p.stack, &p.conn);

			assert_non_null(r);
			*r = (struct tcp_record){ .seq = 10 * next++, .length = 10 };
			p.stack.now++;
			record_sent(&p.stack, &p.conn, p.conn.rec_tail - 1);
		}
		deepest = max_u32(deepest, next - head);
		for (i = head; i < next; i++)
			assert_int_equal(record_at(&p.conn, p.conn.rec_head + i - head)->seq, 10 * i);
		if (next != head) {
			i = head + (uint32_t)(unit_random(&seed) % (next - head));
			assert_int_equal(record_find(&p.conn, 10 * i) - p.conn.rec_head, i - head);
			assert_int_equal(record_find(&p.conn, 10 * i + 9) - p.conn.rec_head, i - head);
		}
		assert_int_equal(record_find(&p.conn, 10 * next), p.conn.rec_tail);
		drop = round % 5 == 4 ? next - head : (uint32_t)(unit_random(&seed) % (next - head + 1));
		for (i = 0; i < drop; i++) {
			record_unlink(&p.conn, p.conn.rec_head);
			record_drop_head(&p.stack, &p.conn);
			head++;
		}
		if (head == next) {
			assert_int_equal(p.conn.rec_level, 0);
			assert_int_equal(p.blocks, 0);
		}
	}
	assert_true(deepest > 1000);
	peer_close(&p);
}

static void links_in_order_of_sending(void **state)
{
	uint32_t first, i;
	struct peer p;

	peer_open(&p, 0);
	first = p.conn.rec_tail;
	for (i = 0; i < 5; i++) {
		*record_add(&p.stack, &p.conn) = (struct tcp_record){ .seq = i, .length = 1 };
		p.stack.now++;
		record_sent(&p.stack, &p.conn, first + i);
	}
	record_unlink(&p.conn, first + 2);
	record_unlink(&p.conn, first + 0);
	record_unlink(&p.conn, first + 4);
	p.stack.now++;
	record_sent(&p.stack, &p.conn, first + 2);
	assert_int_equal(p.conn.rec_oldest, first + 1);
	assert_int_equal(record_at(&p.conn, first + 1)->newer, first + 3);
	assert_int_equal(record_at(&p.conn, first + 3)->newer, first + 2);
	assert_int_equal(p.conn.rec_newest, first + 2);
	assert_int_equal(record_at(&p.conn, first + 2)->older, first + 3);
	record_unlink(&p.conn, first + 1);
	record_unlink(&p.conn, first + 2);
	record_unlink(&p.conn, first + 3);
	assert_false(p.conn.rec_any);
	peer_close(&p);
}

static void without_memory_a_few_can_still_be_in_flight(void **state)
{
	struct peer p;
	uint32_t n = 0;

	peer_open(&p, 0);
	p.no_blocks = true;
	while (record_add(&p.stack, &p.conn))
		n++;
	assert_int_equal(n, TCP_INLINE_RECORDS);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_shrinks_and_keeps_its_order),
		cmocka_unit_test(links_in_order_of_sending),
		cmocka_unit_test(without_memory_a_few_can_still_be_in_flight),
	};

	return unit_run("tcp_record", tests);
}
