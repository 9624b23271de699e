// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which segments are taken, which are answered, which are neither: RFC 9293, 5961, 7323. */
#include "tests/unit/tcp_peer.h"

static void data_in_order_is_read(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 10), -EAGAIN);
	assert_int_equal(peer_in(&p, A | P, 1, 1, 100), 0);
	assert_int_equal(p.notified, 1);
	assert_int_equal(tcp_events(&p.conn), TCP_EVENT_IN);
	assert_int_equal(peer_in(&p, A | P, 101, 1, 1000), 0);
	sent_nothing(&p);
	peer_read(&p, 1100);
	assert_int_equal(tcp_events(&p.conn), 0);
	peer_flush(&p);
	sent(&p, A, 1, 0, 1101);
	assert_int_equal(p.blocks, 0);
	peer_close(&p);
}

static void a_wrong_checksum_changes_nothing(void **state)
{
	static uint8_t payload[3000];
	struct tcp_segment s = {
		.seq = PEER_IRS + 1,
		.ack = PEER_ISS + 1,
		.flags = A,
		.window = 1,
		.length = 3000,
		.payload = payload,
	};
	struct peer p;

	peer_open(&p, 0);
	s.mac = p.mac;
	s.pseudo = 0x1234;
	assert_int_equal(tcp_input(&p.stack, &p.conn, &s), -EBADMSG);
	s.seq += 5000; /* out of order as well */
	assert_int_equal(tcp_input(&p.stack, &p.conn, &s), -EBADMSG);
	s.flags = R;
	s.length = 0;
	s.seq = PEER_IRS + 1;
	assert_int_equal(tcp_input(&p.stack, &p.conn, &s), -EBADMSG);
	assert_int_equal(p.stack.counters.refused_checksum, 3);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_ESTABLISHED);
	assert_int_equal(p.conn.snd_wnd, 65535);
	assert_int_equal(p.blocks, 0);
	peer_flush(&p);
	sent_nothing(&p);
	peer_close(&p);
}

static void old_and_foreign_segments_are_answered_not_taken(void **state)
{
	struct peer_sent *o;
	struct peer p;

	peer_open(&p, TCP_OPT_SACK);
	peer_in(&p, A, 1, 1, 500);
	peer_flush(&p);
	sent(&p, A, 1, 0, 501);
	peer_in(&p, A, 1, 1, 400); /* again: D-SACK */
	peer_flush(&p);
	o = sent(&p, A, 1, 0, 501);
	assert_int_equal(o->sack_blocks, 1);
	assert_int_equal(o->sack[0][0], PEER_IRS + 1);
	assert_int_equal(o->sack[0][1], PEER_IRS + 401);
	peer_in(&p, A, 501 + 70000, 1, 10); /* beyond the window */
	sent(&p, A, 1, 0, 501);
	peer_in(&p, 0, 501, 0, 10); /* no ACK flag: dropped */
	peer_flush(&p);
	sent_nothing(&p);
	peer_in(&p, A, 400, 1, 300); /* half old */
	peer_flush(&p);
	sent(&p, A, 1, 0, 700);
	peer_read(&p, 699);
	peer_close(&p);
}

static void resets_must_be_exact(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, R, 2, 0, 0); /* in the window, RFC 5961 3.2 */
	sent(&p, A, 1, 0, 1);
	peer_in(&p, R, 3, 0, 0); /* and so soon after: nothing */
	peer_in(&p, R, 70000, 0, 0);
	peer_in(&p, R, 0, 0, 0);
	sent_nothing(&p);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_ESTABLISHED);
	peer_run(&p, 600);
	peer_in(&p, R | A, 5, 1, 0);
	sent(&p, A, 1, 0, 1);
	peer_in(&p, R, 1, 0, 0);
	assert_int_equal(tcp_state(&p.conn), TCP_STATE_CLOSED);
	assert_int_equal(tcp_error(&p.conn), -ECONNRESET);
	assert_int_equal(tcp_events(&p.conn), TCP_EVENT_IN | TCP_EVENT_HUP | TCP_EVENT_ERR | TCP_EVENT_DONE);
	assert_int_equal(tcp_recv(&p.stack, &p.conn, p.frame, 1), -ECONNRESET);
	assert_int_equal(tcp_send(&p.stack, &p.conn, p.frame, 1), -ECONNRESET);
	sent_nothing(&p);
	peer_close(&p);
}

static void a_syn_is_challenged(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, TCP_FLAG_SYN, 1, 0, 0);
	sent(&p, A, 1, 0, 1);
	peer_in(&p, TCP_FLAG_SYN | A, 90000, 1, 0);
	sent_nothing(&p);
	assert_int_equal(p.stack.counters.challenge_acks, 1);
	peer_close(&p);
}

static void acks_of_the_unsent_are_challenged(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	peer_in(&p, A, 1, 2, 100); /* nothing was sent: the data is not taken either */
	sent(&p, A, 1, 0, 1);
	assert_int_equal(p.blocks, 0);
	peer_run(&p, 600);
	peer_in(&p, A, 1, 1 - 70000, 100); /* RFC 5961 5.2: too old */
	sent(&p, A, 1, 0, 1);
	peer_flush(&p);
	sent_nothing(&p);
	peer_close(&p);
}

static void paws(void **state)
{
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	p.tsval = 90;
	peer_in(&p, A, 1, 1, 10);
	sent(&p, A, 1, 0, 1);
	p.tsval = 200;
	peer_in(&p, A, 1, 1, 10);
	peer_flush(&p);
	assert_int_equal(sent(&p, A, 1, 0, 11)->tsecr, 200);
	p.tsval = 199; /* a reset is exempt */
	peer_in(&p, R, 11, 0, 0);
	assert_int_equal(tcp_error(&p.conn), -ECONNRESET);
	peer_close(&p);

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	p.stack.now += 25ull * 24 * 3600 * TCP_SECOND; /* the peer's clock may have wrapped */
	p.tsval = 50;
	peer_in(&p, A, 1, 1, 10);
	peer_flush(&p);
	assert_int_equal(sent(&p, A, 1, 0, 11)->tsecr, 50);
	peer_close(&p);
}

static void our_timestamps_go_on_from_the_syn_ack(void **state)
{
	struct peer_sent *o;
	struct peer p;

	peer_open(&p, TCP_OPT_TIMESTAMPS);
	p.stack.now += 250 * TCP_MS;
	peer_in(&p, A, 1, 1, 10);
	peer_flush(&p);
	o = sent(&p, A, 1, 0, 11);
	assert_int_equal(o->tsval, 7250);
	assert_int_equal(o->tsecr, 100);
	peer_close(&p);
}

static void the_way_back_follows_the_way_here(void **state)
{
	static const uint8_t router[6] = { 2, 0, 0, 0, 0, 9 };
	struct peer_sent *o;
	struct peer p;

	peer_open(&p, 0);
	memcpy(p.mac + 6, router, 6);
	p.tags[0] = 17;
	peer_in(&p, A, 90000, 1, 10); /* not in the window: not believed */
	sent(&p, A, 1, 0, 1);
	assert_int_equal(p.conn.remote_mac[5], 1);
	peer_in(&p, A, 1, 1, 10);
	peer_flush(&p);
	o = sent(&p, A, 1, 0, 11);
	assert_memory_equal(o->frame, router, 6);
	assert_int_equal(o->frame[12] << 8 | o->frame[13], 0x8100);
	assert_int_equal(o->frame[14] << 8 | o->frame[15], 17);
	peer_close(&p);
}

static void without_memory_segments_are_lost(void **state)
{
	struct peer p;

	peer_open(&p, 0);
	p.no_blocks = true;
	peer_in(&p, A, 1, 1, 10);
	peer_in(&p, A, 11, 1, 10);
	peer_flush(&p);
	assert_true(p.stack.counters.no_memory >= 2);
	p.no_blocks = false;
	p.made = p.taken = 0;
	peer_in(&p, A, 1, 1, 20);
	peer_flush(&p);
	sent(&p, A, 1, 0, 21);
	peer_read(&p, 20);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_in_order_is_read),
		cmocka_unit_test(a_wrong_checksum_changes_nothing),
		cmocka_unit_test(old_and_foreign_segments_are_answered_not_taken),
		cmocka_unit_test(resets_must_be_exact),
		cmocka_unit_test(a_syn_is_challenged),
		cmocka_unit_test(acks_of_the_unsent_are_challenged),
		cmocka_unit_test(paws),
		cmocka_unit_test(our_timestamps_go_on_from_the_syn_ack),
		cmocka_unit_test(the_way_back_follows_the_way_here),
		cmocka_unit_test(without_memory_segments_are_lost),
	};

	return unit_run("tcp_input", tests);
}
