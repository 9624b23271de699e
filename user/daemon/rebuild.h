/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * After porchd's death: the flow table says what it held. PENDING flows are
 * queued again as soon as somebody listens (nothing was ever acknowledged, so
 * their clients send again what they had sent); STEERED ones wait a little for
 * their worker, which goes on serving them meanwhile. rebuild(), rebuild_expire()
 * and rebuild_expects() are in daemon.h.
 */
#ifndef PORCH_DAEMON_REBUILD_H
#define PORCH_DAEMON_REBUILD_H

#include "daemon/flowtab.h"

#define REBUILD_REJOIN_SECONDS 3
#define REBUILD_WAIT_SECONDS   30

/* May connections of a listener without workers wait for one to come back? */
bool rebuild_waits(const struct daemon *d);
void rebuild_wait(struct daemon *d, uint32_t flow, uint32_t serial);
/* Somebody listens: those that waited go into the queue. */
void rebuild_listened(struct daemon *d, struct daemon_listener *l);

/* false: this number's flows were given up, a worker that comes with it now is too late. */
bool rebuild_may_rejoin(const struct daemon *d, uint16_t worker);
/* The worker is back, its rings are joined. */
void rebuild_rejoined(struct daemon *d, struct worker *w);
/* And gone again: nobody is expected under its number. */
void rebuild_forget(struct daemon *d, uint16_t worker);

#endif /* PORCH_DAEMON_REBUILD_H */
