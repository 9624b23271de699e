// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a MAC that was heard a while ago is by now. */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/moved.h"

static const uint8_t a[6] = { 2, 0, 0, 0, 0, 0xa }, b[6] = { 2, 0, 0, 0, 0, 0xb },
		     c[6] = { 2, 0, 0, 0, 0, 0xc };

static void assert_follows(const struct moved *m, uint64_t since, uint32_t ifindex, const uint8_t from[6],
			   const uint8_t to[6])
{
	uint8_t mac[6];

	memcpy(mac, from, 6);
	moved_follow(m, since, ifindex, mac);
	assert_memory_equal(mac, to, 6);
}

static void only_what_came_later_counts(void **state)
{
	struct moved m = {};

	assert_follows(&m, 0, 3, a, a);
	moved_note(&m, 100, 3, a, b);
	assert_follows(&m, 99, 3, a, b);
	assert_follows(&m, 100, 3, a, a);
	assert_follows(&m, 101, 3, a, a);
	assert_follows(&m, 99, 4, a, a);
	assert_follows(&m, 99, 3, c, c);
}

static void moves_are_followed_in_their_order(void **state)
{
	struct moved m = {};

	moved_note(&m, 100, 3, a, b);
	moved_note(&m, 200, 3, b, c);
	assert_follows(&m, 50, 3, a, c);
	assert_follows(&m, 150, 3, b, c);
	assert_follows(&m, 150, 3, a, a);
	moved_note(&m, 300, 3, c, a);
	assert_follows(&m, 50, 3, a, a);
	assert_follows(&m, 250, 3, c, a);
}

static void the_latest_are_kept(void **state)
{
	struct moved m = {};
	uint8_t from[6] = {}, to[6] = {};
	uint32_t i;

	for (i = 0; i < MOVED_MAX + 3; i++) {
		from[5] = 2 * i;
		to[5] = 2 * i + 1;
		moved_note(&m, 100 + i, 3, from, to);
	}
	for (i = 0; i < MOVED_MAX + 3; i++) {
		from[5] = 2 * i;
		to[5] = 2 * i + 1;
		assert_follows(&m, 0, 3, from, i < 3 ? from : to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_came_later_counts),
		cmocka_unit_test(moves_are_followed_in_their_order),
		cmocka_unit_test(the_latest_are_kept),
	};

	return unit_run("moved", tests);
}
