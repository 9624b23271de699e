// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <time.h>

#include "core/liveness.h"

#define TICK_MS (1000 / PORCH_TICKS_PER_SEC)

void porch_liveness_at(const struct porch_host *host, __u32 now, struct porch_liveness *ret)
{
	__u32 sign = __atomic_load_n(&host->daemon_tick, __ATOMIC_ACQUIRE);
	__s32 age = now - sign;

	*ret = (struct porch_liveness){};
	if (!sign)
		return;
	/* a sign of the future: it came between our looking at the clock and at the map */
	if (age < 0)
		age = 0;
	ret->ever = true;
	ret->running = age <= PORCH_HEARTBEAT_TICKS;
	ret->pid = host->daemon_pid;
	ret->age_ms = (__u64)age * TICK_MS;
}

void porch_liveness(const struct porch_host *host, struct porch_liveness *ret)
{
	struct timespec boot;

	/* not host->tick: when the timer stands still, so does that */
	clock_gettime(CLOCK_BOOTTIME, &boot);
	porch_liveness_at(host,
			  (__u32)(boot.tv_sec * PORCH_TICKS_PER_SEC +
				  boot.tv_nsec / (1000000000 / PORCH_TICKS_PER_SEC)),
			  ret);
}
