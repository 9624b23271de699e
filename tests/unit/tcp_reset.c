// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* RST for segments of no connection, and ICMP errors about those of one. */
#include "tests/unit/tcp_peer.h"

/* The frame `p` sent last, answered by somebody who knows nothing of it. */
static int answer(struct peer *p, uint32_t l3, struct tcp_segment *ret)
{
	static uint8_t frame[256];
	struct peer_sent *o = &p->out[p->made - 1];
	uint32_t ip = p->conn.family == 4 ? 20 : 40;
	uint32_t n = tcp_reset_for(o->frame, o->frame_length, l3, l3 + ip, o->frame_length - l3 - ip, frame,
				   sizeof(frame));

	if (!n)
		return 0;
	assert_int_equal(n, l3 + ip + 20);
	assert_int_equal(tcp_parse(frame, n, l3, l3 + ip, 20, ret), 0);
	assert_int_equal(csum_fold(ret->pseudo), 0);
	if (ip == 20)
		assert_int_equal(csum_fold(csum_words(frame + l3, 5)), 0);
	assert_memory_equal(frame, o->frame + 6, 6);
	assert_memory_equal(frame + 6, o->frame, 6);
	return 1;
}

static void of_that_segment_alone(void **state)
{
	struct tcp_segment s;
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	peer_write(&p, 100);
	peer_flush(&p);
	assert_int_equal(answer(&p, 14, &s), 1);
	assert_int_equal(s.flags, R);
	assert_int_equal(s.seq, PEER_IRS + 1);
	tcp_abort(&p.stack, &p.conn); /* an RST gets no RST */
	assert_int_equal(answer(&p, 14, &s), 0);
	peer_close(&p);
}

static void ipv6_and_tags(void **state)
{
	struct tcp_segment s;
	struct peer p;

	peer_open(&p, 0);
	memset(p.start.remote, 0xfd, 16);
	memset(p.start.local, 0xfc, 16);
	p.start.tags[0] = TCP_TAG_8021AD | 5;
	p.start.tags[1] = 6;
	peer_reopen(&p);
	assert_int_equal(p.conn.mss, 1440);
	peer_write(&p, 100);
	peer_flush(&p);
	assert_int_equal(answer(&p, 22, &s), 1);
	assert_int_equal(s.seq, PEER_IRS + 1);
	assert_int_equal(s.tags[0], TCP_TAG_8021AD | 5);
	assert_int_equal(s.tags[1], 6);
	peer_close(&p);
}

/* An ICMP error that quotes what `o` was. */
static uint32_t quote(uint8_t *frame, const struct peer_sent *o, uint8_t type, uint8_t code, uint16_t mtu)
{
	memset(frame, 0, 200);
	frame[34] = type;
	frame[35] = code;
	frame[40] = mtu >> 8;
	frame[41] = (uint8_t)mtu;
	memcpy(frame + 42, o->frame + 14, 28);
	return 42 + 28;
}

static void too_big_makes_segments_smaller(void **state)
{
	uint8_t frame[256];
	struct peer p;
	uint32_t n;

	peer_open(&p, 0);
	peer_write(&p, 3000);
	peer_flush(&p);
	n = quote(frame, &p.out[0], 3, 4, 1000);
	tcp_icmp(&p.stack, &p.conn, frame, n, 14, 34);
	assert_int_equal(p.conn.mss, 960);
	p.made = p.taken = 0;
	peer_flush(&p);
	sent(&p, A, 1, 960, 1);
	sent(&p, P | A, 961, 500, 1);
	sent(&p, A, 1461, 960, 1);
	sent(&p, P | A, 2421, 500, 1);
	n = quote(frame, &p.out[0], 3, 4, 100); /* nobody's path is so narrow */
	tcp_icmp(&p.stack, &p.conn, frame, n, 14, 34);
	assert_int_equal(p.conn.mss, 512);
	n = quote(frame, &p.out[0], 3, 4, 1400); /* and it only ever shrinks */
	tcp_icmp(&p.stack, &p.conn, frame, n, 14, 34);
	assert_int_equal(p.conn.mss, 512);
	peer_close(&p);
}

static void what_is_not_in_flight_is_not_believed(void **state)
{
	uint8_t frame[256];
	struct peer p;
	uint32_t n, i;

	peer_open(&p, 0);
	peer_write(&p, 100);
	peer_flush(&p);
	n = quote(frame, &p.out[0], 3, 4, 1000);
	for (i = 42; i < n; i++) {
		if ((i >= 42 + 1 && i < 42 + 9) || (i >= 42 + 10 && i < 42 + 12))
			continue; /* fields that do not name the connection */
		if (i >= 42 + 20 + 7)
			continue; /* within the 100 octets in flight */
		frame[i] ^= 0x81;
		tcp_icmp(&p.stack, &p.conn, frame, n, 14, 34);
		assert_int_equal(p.conn.mss, 1460);
		frame[i] ^= 0x81;
	}
	for (i = 0; i < n; i++) /* cut short */
		tcp_icmp(&p.stack, &p.conn, frame, i, 14, 34);
	assert_int_equal(p.conn.mss, 1460);
	/* unreachable does not end a connection (RFC 1122 4.2.3.9) */
	n = quote(frame, &p.out[0], 3, 3, 0);
	tcp_icmp(&p.stack, &p.conn, frame, n, 14, 34);
	assert_int_equal(tcp_error(&p.conn), 0);
	/* but says why it timed out, if it does */
	peer_run(&p, 3600 * 1000);
	assert_int_equal(tcp_error(&p.conn), -EHOSTUNREACH);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_that_segment_alone),
		cmocka_unit_test(ipv6_and_tags),
		cmocka_unit_test(too_big_makes_segments_smaller),
		cmocka_unit_test(what_is_not_in_flight_is_not_believed),
	};

	return unit_run("tcp_reset", tests);
}
