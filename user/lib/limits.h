/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much, how many, how long. */
#ifndef PORCH_LIB_LIMITS_H
#define PORCH_LIB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define LIB_BATCH 64			/* descriptors taken from one ring at a time */
#define LIB_TX_OUT 64			/* frames sent before COMPLETION is read: those that come back soon are still in the cache */
#define LIB_CREDIT_DEFAULT 64
#define LIB_CREDIT_MAX 1024
#define LIB_MAX_CONNS_DEFAULT 65536
#define LIB_MAX_CONNS_MAX (1u << 24)
#define LIB_MEMORY_DEFAULT ((size_t)256 << 20)
#define LIB_BUFFER_DEFAULT (1u << 20)
#define LIB_BUFFER_MIN 2048
#define LIB_BUFFER_MAX (64u << 20)
#define LIB_RECONNECT_NS 100000000ull	/* between attempts to find porchd again */
#define LIB_RETRY_NS 1000000000ull	/* after porchd has said no */
#define LIB_KICK_NS 10000000ull		/* longest that a sleeping porchd does not hear of a finished connection */
#define LIB_FLAG_NS 1000000ull		/* longest that a busy worker does not look at its control socket */
#define LIB_STARVED_NS 200000ull	/* next look for TX frames that the kernel still has, */
#define LIB_DOWN_NS 50000000ull		/* or that it refuses (interface down) */
#define LIB_NEVER UINT64_MAX
#define LIB_FRAME 4096			/* the engine's; what an area's frames hold is in its mtu */

/* In the epoll set: areas by their number, and */
#define LIB_TAG_CONTROL 64
#define LIB_TAG_WAKE 65
#define LIB_TAG_TIMER 66

#endif /* PORCH_LIB_LIMITS_H */
