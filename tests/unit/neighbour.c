// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/neighbour.c: when a changed MAC means that a next hop has moved; reload.c: what a reload takes. */
#include "tests/unit/unit.h"

#include "core/config.h"
#include "daemon/finishing.h"
#include "daemon/neighbour.h"
#include "daemon/parked.h"
#include "daemon/peer.h"
#include "daemon/reload.h"

static struct neighbour_table table;
static uint8_t was[6];

void peers_broadcast_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t from[6], const uint8_t to[6])
{
}

void finishing_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t from[6], const uint8_t to[6])
{
}

void parked_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t from[6], const uint8_t to[6])
{
}

static int empty(void **state)
{
	memset(&table, 0, sizeof(table));
	memset(was, 0, sizeof(was));
	return 0;
}

/* Neighbour number `host` of an interface has MAC number `mac`. */
static bool note(uint32_t ifindex, uint32_t host, uint16_t mac)
{
	uint8_t address[16] = { [10] = 0xff, 0xff, 10, 0, host >> 8, host }, octets[6] = { 2, [4] = mac >> 8, mac };

	return neighbour_note(&table, ifindex, address, octets, was);
}

static void drop(uint32_t ifindex, uint32_t host)
{
	uint8_t address[16] = { [10] = 0xff, 0xff, 10, 0, host >> 8, host };

	neighbour_drop(&table, ifindex, address);
}

static void a_next_hop_moves(void **state)
{
	assert_false(note(1, 1, 10));
	assert_false(note(1, 1, 10));
	assert_true(note(1, 1, 11));
	assert_int_equal(was[5], 10);
	assert_false(note(1, 1, 11));
	assert_true(note(1, 1, 10));
	assert_int_equal(was[5], 11);
}

static void another_has_the_old_mac(void **state)
{
	note(1, 1, 10);
	note(1, 2, 10);
	assert_false(note(1, 1, 11));
	/* the last of them */
	assert_true(note(1, 2, 11));
	/* of another interface: says nothing */
	note(1, 3, 20);
	note(2, 3, 20);
	assert_true(note(1, 3, 21));
}

static void one_that_was_dropped(void **state)
{
	note(1, 1, 10);
	note(1, 2, 10);
	drop(1, 2);
	drop(1, 99);
	/* the one that is gone has no MAC any more */
	assert_true(note(1, 1, 11));
	/* it comes back elsewhere: those who waited for it are told */
	assert_true(note(1, 2, 12));
	assert_int_equal(was[5], 10);
}

static void the_table_is_full(void **state)
{
	uint32_t i;

	for (i = 0; i < NEIGHBOURS_MAX; i++)
		assert_false(note(1, i, i));
	assert_false(note(1, NEIGHBOURS_MAX, 1));
	assert_false(note(1, NEIGHBOURS_MAX, 2)); /* it is not known: nothing can be said of it */
	assert_true(note(1, 7, NEIGHBOURS_MAX));
	drop(1, 5);
	assert_false(note(1, NEIGHBOURS_MAX, 9000));
	assert_true(note(1, NEIGHBOURS_MAX, 9001));
}

static void a_reload_takes_what_can_change(void **state)
{
	struct porch_daemon_config now, fresh;
	char differs[256];

	porch_daemon_config_default(&now);
	fresh = now;
	assert_string_equal(reload_apply(&now, &fresh, differs, sizeof(differs)), "");
	fresh.backlog = 17;
	fresh.accept_timeout = 3;
	fresh.synack_retries = 1;
	fresh.fallback = PORCH_FALLBACK_KERNEL;
	fresh.n_allow_uid = 2;
	fresh.allow_uid[1] = 1000;
	assert_string_equal(reload_apply(&now, &fresh, differs, sizeof(differs)), "");
	assert_memory_equal(&now, &fresh, sizeof(now));
	fresh.rx_frames *= 2;
	strcpy(fresh.user, "daemon");
	assert_string_equal(reload_apply(&now, &fresh, differs, sizeof(differs)), "user, rx-frames");
	assert_int_not_equal(now.rx_frames, fresh.rx_frames);
	assert_string_not_equal(now.user, fresh.user);
	/* every one, and a buffer that is too small for their names */
	strcpy(fresh.socket, "/elsewhere");
	fresh.workers++;
	fresh.workers_per_queue++;
	fresh.tx_frames *= 2;
	fresh.early_frames++;
	fresh.early_memory++;
	fresh.zero_copy = !fresh.zero_copy;
	assert_string_equal(reload_apply(&now, &fresh, differs, sizeof(differs)),
			    "socket, user, workers, workers-per-queue, rx-frames, tx-frames, early-frames, "
			    "early-memory, zero-copy");
	memset(differs, 'x', sizeof(differs));
	reload_apply(&now, &fresh, differs, 10);
	assert_int_equal(differs[9], '\0');
	assert_int_equal(differs[10], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_next_hop_moves, empty),
		cmocka_unit_test_setup(another_has_the_old_mac, empty),
		cmocka_unit_test_setup(one_that_was_dropped, empty),
		cmocka_unit_test_setup(the_table_is_full, empty),
		cmocka_unit_test(a_reload_takes_what_can_change),
	};

	return unit_run("neighbour", tests);
}
