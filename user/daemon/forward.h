/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames into a worker's `inject` ring. */
#ifndef PORCH_DAEMON_FORWARD_H
#define PORCH_DAEMON_FORWARD_H

#include "daemon/daemon.h"

/* Fills one entry, not published. 0; -ENOSPC: the ring is full; -EMSGSIZE: no entry takes so much; -EPROTO:
 * the worker's index is impossible. */
int inject_fill(struct worker *w, const struct porch_record *about, const uint8_t *frame, uint32_t length);

#endif /* PORCH_DAEMON_FORWARD_H */
