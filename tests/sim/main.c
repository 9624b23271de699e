// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `sim`: all seeds; `sim SEED`: that one, talking; `sim FIRST LAST`: those. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define SEEDS 20000

int main(int argc, char **argv)
{
	static struct world w;
	uint64_t first = 1, last = SEEDS, seed, passed = 0, failed = 0, simulated = 0;
	struct tcp_counters sum = { 0 };
	const char *failure;
	int i;

	if (argc == 2) {
		failure = sim_run(&w, strtoull(argv[1], NULL, 0), true);
		printf("%s\n", failure ? failure : "ok");
		return failure ? 1 : 0;
	}
	if (argc == 3) {
		first = strtoull(argv[1], NULL, 0);
		last = strtoull(argv[2], NULL, 0);
	}
	for (seed = first; seed <= last; seed++) {
		failure = sim_run(&w, seed, false);
		simulated += w.now - SIM_START;
		for (i = 0; i < 2; i++) {
			sum.segments_in += w.end[i].stack.counters.segments_in;
			sum.retransmits += w.end[i].stack.counters.retransmits;
			sum.timeouts += w.end[i].stack.counters.timeouts;
			sum.undone += w.end[i].stack.counters.undone;
		}
		passed += !failure;
		failed += !!failure;
		if (failure && failed <= 20)
			printf("not ok - seed %llu: %s\n", (unsigned long long)seed, failure);
	}
	printf("# %llu connection-seconds, %llu segments, %llu retransmitted, %llu timeouts, %llu undone\n",
	       (unsigned long long)(2 * simulated / TCP_SECOND), (unsigned long long)sum.segments_in,
	       (unsigned long long)sum.retransmits, (unsigned long long)sum.timeouts,
	       (unsigned long long)sum.undone);
	printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
	return failed ? 1 : 0;
}
