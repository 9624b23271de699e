// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The timer wheel against a list that is searched. */
#include "tests/unit/unit.h"

#include "tcp/internal.h"

#define TIMERS 300

struct row {
	struct tcp_timer timer;
	uint64_t when;
	bool armed;
};

static void never_early_never_missed(void **state)
{
	static struct row rows[TIMERS];
	static struct tcp_wheel wheel;
	uint64_t seed = 11, now = 123456789012345ull, earliest;
	int round, i;

	memset(rows, 0, sizeof(rows));
	wheel_init(&wheel, now);
	for (round = 0; round < 200000; round++) {
		struct row *r = &rows[unit_random(&seed) % TIMERS];
		struct tcp_timer *due;

		if (r->armed) {
			wheel_del(&wheel, &r->timer);
			r->armed = false;
		} else {
			r->when = now + (unit_random(&seed) >> (10 + unit_random(&seed) % 40));
			wheel_add(&wheel, &r->timer, r->when);
			r->armed = true;
		}
		earliest = TCP_NEVER;
		for (i = 0; i < TIMERS; i++)
			if (rows[i].armed)
				earliest = min_u64(earliest, rows[i].when);
		if (earliest == TCP_NEVER)
			assert_true(wheel_next(&wheel) == TCP_NEVER);
		else
			assert_true(wheel_next(&wheel) <= earliest + (2u << TCP_WHEEL_SHIFT));
		if (round % 3)
			continue;
		now += unit_random(&seed) >> (24 + unit_random(&seed) % 30);
		for (due = wheel_run(&wheel, now); due; due = due->next) {
			struct row *d = (struct row *)due;

			assert_true(d->armed);
			assert_true(d->when <= now);
			assert_null(d->timer.pprev);
			d->armed = false;
		}
		for (i = 0; i < TIMERS; i++)
			if (rows[i].armed)
				assert_true(rows[i].when + (1u << TCP_WHEEL_SHIFT) > now);
	}
}

static void sleeping_until_next_gets_there(void **state)
{
	static struct tcp_wheel wheel;
	struct tcp_timer timer = { 0 };
	uint64_t seed = 3, now = 5;
	int i, wakes;

	wheel_init(&wheel, now);
	for (i = 0; i < 2000; i++) {
		uint64_t when = now + (unit_random(&seed) >> (12 + unit_random(&seed) % 50));

		wheel_add(&wheel, &timer, when);
		for (wakes = 0; timer.pprev; wakes++) {
			assert_true(wheel_next(&wheel) >= now);
			now = max_u64(now, wheel_next(&wheel));
			wheel_run(&wheel, now);
		}
		assert_true(now >= when);
		assert_in_range(wakes, 1, 70);
		assert_true(wheel_next(&wheel) == TCP_NEVER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_early_never_missed),
		cmocka_unit_test(sleeping_until_next_gets_there),
	};

	return unit_run("tcp_wheel", tests);
}
