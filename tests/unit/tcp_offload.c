// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames whose sums somebody else makes: whatever is sent, peer_frame_send() makes them and finds them right.
 */
#include "tests/unit/tcp_peer.h"

/* Tags in use, outer first. */
static const uint16_t tags[][2] = { { TCP_TAG_NONE, TCP_TAG_NONE }, { 7, TCP_TAG_NONE }, { 100, 7 } };

static void open_as(struct peer *p, uint8_t options, int family, const uint16_t *tag)
{
	static const uint8_t net[12] = { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 };

	peer_open(p, options);
	if (family == 6) {
		memcpy(p->start.remote, net, 12);
		memcpy(p->start.local, net, 12);
	}
	memcpy(p->start.tags, tag, 4);
	memcpy(p->tags, tag, 4);
	p->leave_sum = true;
	peer_reopen(p);
	assert_int_equal(p->conn.family, family);
}

static void everything_that_is_sent(void **state)
{
	uint8_t options[] = { 0, TCP_OPT_TIMESTAMPS, TCP_OPT_TIMESTAMPS | TCP_OPT_SACK | TCP_OPT_WSCALE };
	uint32_t i, mss;
	struct peer p;

	for (i = 0; i < 18; i++) {
		open_as(&p, options[i % 3], i % 2 ? 6 : 4, tags[i / 6]);
		mss = p.conn.mss;
		/* across blocks, odd lengths, segments that begin at odd offsets */
		assert_int_equal(peer_write(&p, 3 * mss + 777), 3 * mss + 777);
		peer_flush(&p);
		sent(&p, A, 1, mss, 1);
		sent(&p, A, 1 + mss, mss, 1);
		sent(&p, A, 1 + 2 * mss, mss, 1);
		/* an ACK alone, with what came out of order in it */
		peer_in(&p, A | P, 11, 1 + 3 * mss, 10);
		peer_flush(&p);
		sent(&p, A | P, 1 + 3 * mss, 777, 1);
		sent(&p, A, 1 + 3 * mss + 777, 0, 1);
		/* the last segment once more, then a FIN with data, then a reset */
		peer_run(&p, 1100);
		sent(&p, A | P, 1 + 3 * mss, 777, 1);
		while (peer_next(&p))
			;
		peer_in(&p, A, 1, 1 + 3 * mss + 777, 0);
		peer_write(&p, 3);
		tcp_close(&p.stack, &p.conn);
		peer_flush(&p);
		sent(&p, F | A | P, 1 + 3 * mss + 777, 3, 1);
		tcp_abort(&p.stack, &p.conn);
		assert_int_equal(peer_next(&p)->flags & R, R);
		peer_close(&p);
	}
}

/* What the field holds before the device has seen it: RFC 9293's pseudo-header, not inverted. */
static uint8_t *kept;
static uint32_t kept_length;

static void keep(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	memcpy(kept, frame, length);
	kept_length = length;
}

static void the_field_holds_the_pseudo_header(void **state)
{
	struct tcp_ops ops;
	uint8_t frame[2048];
	struct peer p;
	uint32_t sum;

	kept = frame;
	peer_open(&p, 0);
	p.leave_sum = true;
	ops = *p.stack.ops;
	ops.frame_send = keep;
	p.stack.ops = &ops;
	peer_write(&p, 100);
	peer_flush(&p);
	assert_int_equal(kept_length, 14 + 20 + 20 + 100);
	/* 192.0.2.2, 192.0.2.1, protocol 6, 120 octets */
	sum = 0xc000 + 0x0202 + 0xc000 + 0x0201 + 6 + 120;
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(frame[34 + 16] << 8 | frame[34 + 17], sum);
	/* and is a whole one when nobody has said that it is left */
	p.leave_sum = false;
	peer_in(&p, A, 1, 101, 0);
	peer_write(&p, 100);
	peer_flush(&p);
	assert_int_equal(csum_fold(csum_add(csum_add(csum_words(frame + 26, 2), __builtin_bswap16(6 + 120)),
					    tcp_csum_scalar(frame + 34, 120))),
			 0);
	peer_close(&p);
}

/* Copying without a sum copies the same: every length and offset, across blocks of odd sizes. */
static void copies_are_the_same(void **state)
{
	static struct tcp_block block[4];
	uint8_t with[TCP_BLOCK], without[TCP_BLOCK];
	uint32_t used[4] = { 1, 1000, 77, TCP_BLOCK_DATA }, base = 0, total, i, j, from, n;
	uint64_t seed = 5;

	for (i = 0; i < 4; i++) {
		block[i] = (struct tcp_block){ .next = i < 3 ? block + i + 1 : NULL,
					       .base = base,
					       .used = used[i] };
		for (j = 0; j < used[i]; j++)
			block[i].data[j] = (uint8_t)unit_random(&seed);
		base += used[i];
	}
	total = base;
	for (i = 0; i < 20000; i++) {
		from = (uint32_t)(unit_random(&seed) % total);
		n = 1 + (uint32_t)(unit_random(&seed) % min_u32(total - from, 3000));
		for (j = 3; block[j].base > from; j--)
			;
		memset(with, 0xaa, sizeof(with));
		memset(without, 0xaa, sizeof(without));
		send_copy(block + j, from, with, n);
		send_copy_only(block + j, from, without, n);
		assert_memory_equal(with, without, sizeof(with));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_sent),
		cmocka_unit_test(the_field_holds_the_pseudo_header),
		cmocka_unit_test(copies_are_the_same),
	};

	return unit_run("tcp_offload", tests);
}
