// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finding a segment in a frame: nothing that is said of it is believed. */
#include "tests/unit/tcp_peer.h"

/* A frame of our own making, 1000 octets of payload. */
static uint32_t make(struct peer *p, uint8_t options, uint8_t *frame)
{
	uint32_t n;

	peer_open(p, options);
	peer_write(p, 1000);
	peer_flush(p);
	n = p->out[0].frame_length;
	memcpy(frame, p->out[0].frame, n);
	peer_close(p);
	return n;
}

static void a_good_one(void **state)
{
	struct tcp_segment s;
	uint8_t frame[2048];
	struct peer p;
	uint32_t n = make(&p, TCP_OPT_TIMESTAMPS, frame);

	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), 0);
	assert_int_equal(s.seq, PEER_ISS + 1);
	assert_int_equal(s.ack, PEER_IRS + 1);
	assert_int_equal(s.length, 1000);
	assert_int_equal(s.flags, A | P);
	assert_int_equal(s.options, TCP_HAS_TIMESTAMPS);
	assert_int_equal(s.tsval, 7000);
	assert_int_equal(s.tsecr, 100);
	assert_int_equal(s.tags[0], TCP_TAG_NONE);
	assert_ptr_equal(s.payload, frame + 34 + 32);
	assert_int_equal(csum_fold(csum_add(s.pseudo, tcp_csum(s.payload, s.length))), 0);
	frame[200] ^= 1;
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), 0);
	assert_int_not_equal(csum_fold(csum_add(s.pseudo, tcp_csum(s.payload, s.length))), 0);
}

static void padding_is_not_payload(void **state)
{
	struct tcp_segment s;
	uint8_t frame[2048];
	struct peer p;
	uint32_t n = make(&p, 0, frame);

	assert_int_equal(tcp_parse(frame, n + 30, 14, 34, n - 34, &s), 0);
	assert_int_equal(s.length, 1000);
}

static void lies_are_found(void **state)
{
	struct tcp_segment s;
	uint8_t frame[2048];
	struct peer p;
	uint32_t n = make(&p, 0, frame);

	assert_int_equal(tcp_parse(frame, n, n, n + 20, 20, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 34, 14, 20, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 33, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 14, 34, 19, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 14, 30, n - 30, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 15, 35, n - 35, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 0xfffffff0, 34, 20, &s), -EBADMSG);
	assert_int_equal(tcp_parse(frame, n, 14, 34, 0xfffffff0, &s), -EBADMSG);
	frame[34 + 12] = 0x40; /* data offset below a header */
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), -EBADMSG);
	frame[34 + 12] = 0xf0;
	assert_int_equal(tcp_parse(frame, n, 14, 34, 59, &s), -EBADMSG);
	frame[34 + 12] = 0x50;
	frame[14] = 0x25; /* neither IPv4 nor IPv6 */
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), -EBADMSG);
	frame[14] = 0x65;
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), -EBADMSG);
}

/* Options of every kind, cut at every length: never read beyond, never hang. */
static void options_of_all_sorts(void **state)
{
	static const uint8_t sack4[] = { 5, 34, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0,
					 4, 0,	0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8 };
	uint64_t seed = 5;
	struct tcp_segment s;
	uint8_t frame[2048];
	struct peer p;
	uint32_t n = make(&p, 0, frame), header, i, round;

	frame[34 + 12] = 0xe0; /* 36 octets of options */
	memset(frame + 54, 1, 36);
	memcpy(frame + 56, sack4, sizeof(sack4));
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), 0);
	assert_int_equal(s.options, TCP_HAS_SACK);
	assert_int_equal(s.sack_blocks, 4);
	assert_int_equal(s.sack[3][1], 8);
	frame[57] = 33;
	assert_int_equal(tcp_parse(frame, n, 14, 34, n - 34, &s), 0);
	assert_int_equal(s.sack_blocks, 0);
	for (round = 0; round < 100000; round++) {
		uint8_t *exact;

		header = 20 + 4 * (unit_random(&seed) % 11);
		exact = malloc(34 + header);
		memcpy(exact, frame, 34 + 20);
		exact[34 + 12] = (uint8_t)(header << 2);
		for (i = 20; i < header; i++)
			exact[34 + i] = (unit_random(&seed) >> 40) % 12;
		assert_int_equal(tcp_parse(exact, 34 + header, 14, 34, header, &s), 0);
		assert_in_range(s.sack_blocks, 0, 4);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one),
		cmocka_unit_test(padding_is_not_payload),
		cmocka_unit_test(lies_are_found),
		cmocka_unit_test(options_of_all_sorts),
	};

	return unit_run("tcp_segment", tests);
}
