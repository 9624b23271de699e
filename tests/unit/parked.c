// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/parked.c: proven connections that wait for room in an accept queue. */
#include "tests/unit/retransmit_world.h"

static uint32_t park(uint16_t port, uint32_t serial)
{
	struct porch_tuple t = tuple(port);
	uint32_t at = put_flow(&t, port, PORCH_FLOW_HANDED);

	steer[at] = (struct porch_steer){ .serial = serial,
					  .ifindex = 7,
					  .remote_mac = { 2, 0, 0, 0, 0, 2 },
					  .tags = { 0xffff, 0xffff },
					  .word = PORCH_STEER(serial, PORCH_PHASE_PENDING, 0) };
	parked_add(&d, at, serial);
	return at;
}

static void parked_is_repeated_then_forgotten(void **state)
{
	uint64_t since = d.now;
	uint32_t at = park(2000, 77);

	assert_int_equal(queues[1].parked, 1);
	run_for(1500);
	parked_add(&d, at, 77); /* it has proven again: nothing changes */
	assert_int_equal(queues[1].parked, 1);
	run_for(61000);
	expect(2000, since, usual, 5);
	assert_int_equal(PORCH_STEER_PHASE(steer[at].word), PORCH_PHASE_PENDING);
	run_for(1500);
	assert_int_equal(steer[at].word, PORCH_STEER(77, PORCH_PHASE_FORGOTTEN, 0));
	assert_int_equal(queues[1].parked, 0);
	run_for(90000);
	assert_int_equal(n_sent, 5);
}

static void parked_no_more(void **state)
{
	uint32_t at = park(2000, 77);

	run_for(1500);
	assert_int_equal(n_sent, 1);
	parked_del(&d, at, 78); /* of somebody else */
	assert_int_equal(parked_count(&d), 1);
	parked_del(&d, at, 77);
	parked_del(&d, at, 77);
	parked_del(&d, FLOWS, 77);
	assert_int_equal(parked_count(&d), 0);
	assert_int_equal(queues[1].parked, 0);
	run_for(90000);
	assert_int_equal(n_sent, 1);
}

static void parked_entry_changes_hands(void **state)
{
	uint32_t at = park(2000, 77), other;

	other = park(2001, 5);
	steer[at].serial = 78; /* XDP has given it to another connection */
	run_for(1500);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[0].port, 2001);
	assert_int_equal(parked_count(&d), 1);
	steer[other].word = PORCH_STEER(5, PORCH_PHASE_STEERED, 1);
	run_for(90000);
	assert_int_equal(n_sent, 1);
	assert_int_equal(steer[other].word, PORCH_STEER(5, PORCH_PHASE_STEERED, 1));
	/* the same entry, parked for its new owner */
	steer[at].word = PORCH_STEER(78, PORCH_PHASE_PENDING, 0);
	parked_add(&d, at, 77);
	parked_add(&d, at, 78);
	assert_int_equal(parked_count(&d), 1);
	assert_int_equal(queues[1].parked, 1);
	run_for(1500);
	assert_int_equal(n_sent, 2);
}

static void parked_follows_its_next_hop(void **state)
{
	static const uint8_t was[6] = { 2, 0, 0, 0, 0, 2 }, is[6] = { 2, 0, 0, 0, 0, 3 };

	park(2000, 77);
	run_for(1500);
	assert_memory_equal(sent[0].mac, was, 6);
	parked_neighbour(&d, 8, was, is); /* another interface */
	run_for(2000);
	assert_memory_equal(sent[1].mac, was, 6);
	parked_neighbour(&d, 7, was, is);
	run_for(4000);
	assert_memory_equal(sent[2].mac, is, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(parked_is_repeated_then_forgotten),
		test(parked_no_more),
		test(parked_entry_changes_hands),
		test(parked_follows_its_next_hop),
	};

	return unit_run("parked", tests);
}
