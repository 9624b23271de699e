/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is porchd there? As XDP sees it: by the sign it leaves in porch_host. */
#ifndef PORCH_CORE_LIVENESS_H
#define PORCH_CORE_LIVENESS_H

#include <stdbool.h>

#include <porch/maps.h>

struct porch_liveness {
	bool running;	/* within PORCH_HEARTBEAT_TICKS: connections are admitted */
	bool ever;	/* it has left a sign, and has not said goodbye */
	__u32 pid;	/* 0 unless `ever` */
	__u64 age_ms;	/* of the sign; 0 unless `ever` */
};

void porch_liveness(const struct porch_host *host, struct porch_liveness *ret);
/* The same at tick `now`. */
void porch_liveness_at(const struct porch_host *host, __u32 now, struct porch_liveness *ret);

#endif /* PORCH_CORE_LIVENESS_H */
