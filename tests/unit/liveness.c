// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include "core/liveness.h"

static const struct {
	const char *what;
	__u32 sign, now;
	bool ever, running;
	__u64 age_ms;
} rows[] = {
	{ "never there, or said goodbye", 0, 5000, false, false, 0 },
	{ "just now", 5000, 5000, true, true, 0 },
	{ "at the limit", 5000, 5000 + PORCH_HEARTBEAT_TICKS, true, true, 3000 },
	{ "behind it", 5000, 5001 + PORCH_HEARTBEAT_TICKS, true, false, 3100 },
	{ "a sign that came while we looked", 5001, 5000, true, true, 0 },
	{ "ticks have wrapped", 0xfffffff0u, 4, true, true, 2000 },
	{ "long ago", 1, 0x70000001u, true, false, 0x70000000ull * 100 },
};

static void each_row(void **state)
{
	struct porch_liveness l;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct porch_host host = { .daemon_tick = rows[i].sign, .daemon_pid = 77 };

		porch_liveness_at(&host, rows[i].now, &l);
		if (l.ever != rows[i].ever || l.running != rows[i].running || l.age_ms != rows[i].age_ms ||
		    l.pid != (rows[i].ever ? 77 : 0))
			fail_msg("%s: ever %d, running %d, age %llu, pid %u", rows[i].what, l.ever, l.running,
				 l.age_ms, l.pid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
	};

	return unit_run("liveness", tests);
}
