/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may touch FILL and COMPLETION of an area: the lease word of wire.h, from
 * porchd's side. Pure: memory in, memory out; no clock, no socket.
 *
 * porchd remembers what it last wrote (area->lease_owner, lease_generation). The
 * shared word may differ from that in the busy bit alone, and only while a worker
 * is the owner; anything else is somebody's garbage: -EPROTO.
 */
#ifndef PORCH_DAEMON_LEASE_H
#define PORCH_DAEMON_LEASE_H

#include "daemon/daemon.h"

/* A fresh area: porchd's. `generation`: any. */
void lease_start(struct area *a, uint32_t generation);
/* After porchd's restart: what the word says, if that is a number up to `greatest`. 0 or -EPROTO. */
int lease_adopt(struct area *a, uint16_t greatest);

static inline bool lease_ours(const struct area *a)
{
	return a->lease_owner == 0;
}

/* Is the holder at work on the rings? 0, 1 or -EPROTO. */
int lease_busy(const struct area *a);

/*
 * To porchd. 0, also when it is there already; -EBUSY: its holder is at work on
 * the rings; -EPROTO. `force`: also then, for a holder that is gone or does not
 * go on. -EINVAL: porchd has no mapping of the rings. On success FILL and COMPLETION are joined where the holder left them,
 * or it is -EPROTO and the area cannot be used any further.
 */
int lease_take(struct area *a, bool force);
/* From porchd to a worker. 0; -EPROTO. */
int lease_give(struct area *a, uint16_t worker);

/*
 * While porchd holds the lease nobody else writes the word, FILL's producer or
 * COMPLETION's consumer. 0, or -EPROTO: somebody has. To be called when porchd
 * has published what it wrote.
 */
int lease_check(const struct area *a);

#endif /* PORCH_DAEMON_LEASE_H */
