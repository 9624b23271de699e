// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests in front of frames: the fake kernel makes the sums, the client finds them right, or refuses the
 * area. */
#include "tests/unit/lib_worker.h"

static void open_with(uint32_t tx_metadata)
{
	memset(&fake, 0, sizeof(fake));
	fake.tx_metadata = tx_metadata;
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

/* client_read() checks every sum: those of data, of what is sent again, of ACKs, of the FIN. */
static void sums_are_asked_for(void **state)
{
	uint32_t metadata = *(uint32_t *)*state, got = 0;
	static uint8_t data[30000], back[sizeof(data)];
	struct porch_conn *c;
	struct porch_event e;
	uint8_t flags = 0;
	struct client me;

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	open_with(metadata);
	me = client_new(&fake, 10, 0);
	c = take();
	assert_true(client_send(&me, SEG_ACK | SEG_PSH, "x", 1));
	poll_once(&e);
	assert_int_equal(porch_recv(c, back, 1), 1);
	assert_int_equal(porch_send(c, data, sizeof(data)), sizeof(data));
	for (int i = 0; i < 100 && got < sizeof(data); i++) {
		uint32_t n;

		poll_once(&e);
		n = client_read(&me, &flags, back + got, sizeof(back) - got);
		got += n;
		fake_forget(&fake);
		if (n)
			client_send(&me, SEG_ACK, "", 0);
	}
	assert_int_equal(got, sizeof(data));
	assert_memory_equal(back, data, sizeof(data));
	porch_conn_close(c);
	poll_once(&e);
	client_read(&me, &flags, back, sizeof(back));
	assert_true(flags & SEG_FIN);
	if (metadata)
		assert_true(fake.sums_made > sizeof(data) / 1460);
	else
		assert_int_equal(fake.sums_made, 0);
	assert_int_equal(stats().refused_ring, 0);
	fake_account(&fake);
	end();
}

/* Not told again: what was not acknowledged goes out of the same memory, without a sum as well. */
static void what_is_sent_again(void **state)
{
	struct porch_conn *c;
	struct porch_event e;
	uint8_t back[64], flags;
	struct client me;
	uint32_t made;

	open_with(PORCH_TX_METADATA);
	me = client_new(&fake, 3, 0);
	c = take();
	assert_int_equal(porch_send(c, "again and again", 15), 15);
	poll_once(&e);
	made = fake.sums_made;
	assert_int_equal(made, 1);
	fake_forget(&fake);
	for (int i = 0; i < 300 && fake.n_sent < 1; i++) {
		usleep(10000);
		poll_once(&e);
	}
	assert_int_equal(client_read(&me, &flags, back, sizeof(back)), 15);
	assert_memory_equal(back, "again and again", 15);
	assert_true(fake.sums_made > made);
	end();
}

/* Room in front of frames is room less in them: an MTU that needs all of it is not believed. */
static void large_segments_leave_room(void **state)
{
	static uint8_t data[20000], back[sizeof(data)];
	struct porch_conn *c;
	struct porch_event e;
	struct client me;
	uint8_t flags;

	memset(&fake, 0, sizeof(fake));
	fake.tx_metadata = PORCH_TX_METADATA;
	fake.mtu = 9000;
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
	me = client_new(&fake, 4, 0);
	c = take();
	assert_int_equal(porch_send(c, data, sizeof(data)), sizeof(data));
	/* the fake kernel asserts that no frame reaches beyond its end */
	poll_once(&e);
	assert_true(client_read(&me, &flags, back, sizeof(back)) > 0);
	end();
}

static void nonsense_is_refused(void **state)
{
	static const uint32_t sizes[] = { 1, 8, 16, 24, 31, 33, 64, 256, 2048, UINT32_MAX };

	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(&fake, 0, sizeof(fake));
		fake.tx_metadata = sizes[i];
		fake_start(&fake);
		p = NULL;
		assert_int_equal(fake_open(&fake, &p, NULL), -EPROTO);
		assert_null(p);
		fake_end(&fake);
	}
}

int main(void)
{
	static uint32_t with = PORCH_TX_METADATA, without;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(sums_are_asked_for, &with),
		cmocka_unit_test_prestate(sums_are_asked_for, &without),
		cmocka_unit_test(what_is_sent_again),
		cmocka_unit_test(large_segments_leave_room),
		cmocka_unit_test(nonsense_is_refused),
	};

	return unit_run("lib_checksum", tests);
}
