/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A worker's life in porchd: a number when it registers, a session, its places in
 * areas; and its end, however it comes. worker_wake() and worker_reap() are in
 * daemon.h, for everybody.
 */
#ifndef PORCH_DAEMON_WORKER_H
#define PORCH_DAEMON_WORKER_H

#include "daemon/daemon.h"

/* With `number`, or the first free one (0). -EUSERS: none is. */
int worker_new(struct daemon *d, uint16_t number, uint32_t pid, uint32_t uid, struct worker **ret);
/* It has broken the protocol: nothing is handed to it from now on, and it is reaped at the end of this turn,
 * when nobody is in the middle of its rings. `why`: a literal. */
void worker_condemn(struct daemon *d, struct worker *w, const char *why);
/* The place of an area in its table, or NULL. */
struct worker_area *worker_area_of(struct worker *w, const struct area *a);

#endif /* PORCH_DAEMON_WORKER_H */
