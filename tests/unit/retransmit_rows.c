// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/retransmit_rows.c: what is remembered of each handshake, and the rules without a clock. */
#include "tests/unit/unit.h"

#include "daemon/loop.h"
#include "daemon/retransmit.h"

static void flow_states(void **state)
{
	struct porch_flow f = { .irs = 1 };
	struct porch_steer s = { .serial = 3 };
	const struct {
		uint8_t state, phase;
		bool same, other;
	} rows[] = {
		{ PORCH_FLOW_FREE, 0, false, false },
		{ PORCH_FLOW_BUSY, 0, true, true },
		{ PORCH_FLOW_PROVEN, 0, true, false },
		{ PORCH_FLOW_DELIVERED, 0, true, true },
		{ PORCH_FLOW_CLOSING, 0, true, true },
		{ PORCH_FLOW_TOMBSTONE, 0, true, false },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_PENDING, true, true },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_STEERED, true, true },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_CLOSING, true, true },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_TIME_WAIT, true, false },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_TOMBSTONE, true, false },
		{ PORCH_FLOW_HANDED, PORCH_PHASE_FORGOTTEN, false, false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.state = rows[i].state;
		s.word = PORCH_STEER(3, rows[i].phase, 0);
		assert_int_equal(retransmit_proven(&f, &s, 1), rows[i].same);
		assert_int_equal(retransmit_proven(&f, &s, 2), rows[i].other);
	}
}

static void less_while_half_full(void **state)
{
	assert_int_equal(retransmit_limit(5, 100, 0, 200), 5);
	assert_int_equal(retransmit_limit(5, 101, 101, 200), 5);
	assert_int_equal(retransmit_limit(5, 101, 0, 200), 2);
	assert_int_equal(retransmit_limit(5, 101, 50, 200), 4);
	assert_int_equal(retransmit_limit(5, 101, 25, 200), 3);
	assert_int_equal(retransmit_limit(1, 101, 0, 200), 1);
	assert_int_equal(retransmit_limit(5, 0xffffffff, 0xffffffff, 0xffffffff), 5);
}

static void rows_have_a_limit(void **state)
{
	struct retransmit_rows rows = {};
	struct retransmit_row *row;
	uint64_t seed = 42;
	uint32_t i;

	assert_null(rows.at);
	for (i = 0; i < RETRANSMIT_ROWS_MAX; i++) {
		row = retransmit_row(&rows, unit_random(&seed), 1);
		assert_non_null(row);
		row->sent = i;
	}
	assert_null(retransmit_row(&rows, unit_random(&seed), 1));
	seed = 42;
	for (i = 0; i < 1000; i++) {
		row = retransmit_row(&rows, unit_random(&seed), 2);
		assert_non_null(row);
		assert_int_equal(row->sent, i);
	}
	retransmit_rows_purge(&rows, 2);
	assert_int_equal(rows.used, 1000);
	seed = 42;
	for (i = 0; i < 1000; i++)
		assert_int_equal(retransmit_row(&rows, unit_random(&seed), 2)->sent, i);
	retransmit_rows_purge(&rows, 3);
	assert_null(rows.at);
	/* the name 0 is a name */
	assert_ptr_equal(retransmit_row(&rows, 0, 4), retransmit_row(&rows, 0, 4));
	assert_int_equal(rows.used, 1);
	retransmit_rows_free(&rows);
}

static void schedule(void **state)
{
	assert_int_equal(retransmit_after(1), 1 * NS_PER_SEC);
	assert_int_equal(retransmit_after(5), 31 * NS_PER_SEC);
	assert_int_equal(retransmit_passed(0), 0);
	assert_int_equal(retransmit_passed(NS_PER_SEC - 1), 0);
	assert_int_equal(retransmit_passed(NS_PER_SEC), 1);
	assert_int_equal(retransmit_passed(20 * NS_PER_SEC), 4);
	assert_int_equal(retransmit_passed(~0ull), RETRANSMIT_RETRIES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedule),
		cmocka_unit_test(flow_states),
		cmocka_unit_test(less_while_half_full),
		cmocka_unit_test(rows_have_a_limit),
	};

	return unit_run("retransmit_rows", tests);
}
