// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `sim`: all seeds; `sim SEED`: that one, talking; `sim FIRST LAST`: those. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS 100000

struct sums {
	uint64_t passed, failed, models, simulated, segments, retransmits, timeouts, undone, marks;
};

/* Of this process and those it has waited for. */
static double cpu_seconds(void)
{
	double sum = 0;
	struct rusage u;
	int i;

	for (i = 0; i < 2; i++) {
		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &u);
		sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

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
		sum.models += w.plan.manners.model;
		sum.marks += w.marks;
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
	double connections;
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
	printf("# %llu seeds hold, %llu of them against the model\n", (unsigned long long)sum.passed,
	       (unsigned long long)sum.models);
	printf("# %llu segments, %llu retransmitted, %llu timeouts, %llu undone, %llu congestion marks\n",
	       (unsigned long long)sum.segments, (unsigned long long)sum.retransmits,
	       (unsigned long long)sum.timeouts, (unsigned long long)sum.undone,
	       (unsigned long long)sum.marks);
	connections = 2 * (double)sum.simulated / 1e9;
	printf("# %.0f connection-seconds in %.1f s of CPU time: %.1f s for 10^6\n", connections,
	       cpu_seconds(), cpu_seconds() * 1e6 / connections);
	/* one test of the suite, however many seeds */
	printf("%d passed, %llu failed\n", !sum.failed, (unsigned long long)sum.failed);
	return sum.failed ? 1 : 0;
}
