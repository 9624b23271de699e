// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `sim`: all seeds; `sim SEED`: that one, talking; `sim FIRST LAST`: those. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS 60000

struct sums {
	uint64_t passed, failed, simulated, segments, retransmits, timeouts, undone;
};

static struct sums run(uint64_t first, uint64_t last, uint64_t step)
{
	static struct world w;
	struct sums sum = { 0 };
	uint64_t seed;
	int i;

	for (seed = first; seed <= last; seed += step) {
		const char *failure = sim_run(&w, seed, false);

		sum.simulated += w.now - SIM_START;
		for (i = 0; i < 2; i++) {
			sum.segments += w.end[i].stack.counters.segments_in;
			sum.retransmits += w.end[i].stack.counters.retransmits;
			sum.timeouts += w.end[i].stack.counters.timeouts;
			sum.undone += w.end[i].stack.counters.undone;
		}
		sum.passed += !failure;
		sum.failed += !!failure;
		if (failure && sum.failed <= 20)
			printf("not ok - seed %llu: %s\n", (unsigned long long)seed, failure);
	}
	fflush(stdout);
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t first = 1, last = SEEDS, *to, *from;
	struct sums sum, other = { 0 };
	const char *failure;
	int fd[2], i, status;

	if (argc == 2) {
		static struct world w;

		failure = sim_run(&w, strtoull(argv[1], NULL, 0), true);
		printf("%s\n", failure ? failure : "ok");
		return failure ? 1 : 0;
	}
	if (argc == 3) {
		first = strtoull(argv[1], NULL, 0);
		last = strtoull(argv[2], NULL, 0);
	}
	/* two processes, every other seed each */
	if (pipe(fd))
		return 1;
	if (!fork()) {
		sum = run(first + 1, last, 2);
		_exit(write(fd[1], &sum, sizeof(sum)) != sizeof(sum));
	}
	close(fd[1]);
	sum = run(first, last, 2);
	if (read(fd[0], &other, sizeof(other)) != sizeof(other) || wait(&status) < 0)
		return 1;
	for (i = 0, to = (uint64_t *)&sum, from = (uint64_t *)&other; i < (int)(sizeof(sum) / sizeof(*to));
	     i++)
		to[i] += from[i];
	printf("# %llu connection-seconds, %llu segments, %llu retransmitted, %llu timeouts, %llu undone\n",
	       (unsigned long long)(2 * sum.simulated / TCP_SECOND), (unsigned long long)sum.segments,
	       (unsigned long long)sum.retransmits, (unsigned long long)sum.timeouts,
	       (unsigned long long)sum.undone);
	printf("# %llu seeds hold\n", (unsigned long long)sum.passed);
	/* one test of the suite, however many seeds */
	printf("%d passed, %llu failed\n", !sum.failed, (unsigned long long)sum.failed);
	return sum.failed ? 1 : 0;
}
