/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may have connections: handles of workers on listeners of porch. A handle
 * outlives its listener: when porch deletes it and adds it again, or gives it
 * back to deliver=afxdp, whoever had listened does so again.
 */
#ifndef PORCH_DAEMON_LISTEN_H
#define PORCH_DAEMON_LISTEN_H

#include <string.h>

#include "daemon/flowtab.h"

/* After a restart: the handle as the session memory says it. 0 or -errno. */
int listen_rejoin(struct daemon *d, struct worker *w, uint32_t handle, uint32_t *limit);
/* The worker is gone: off all its listeners. */
void listen_worker_gone(struct daemon *d, struct worker *w);
/* porch_queues: what applications have accepted so far. */
void listen_count(struct daemon *d);

static inline bool handle_covers(const struct listen_handle *h, const uint8_t address[16])
{
	return h->any || !memcmp(h->address, address, 16);
}

/* Does anybody listen for this local address? */
bool listen_serves(const struct daemon *d, const struct daemon_listener *l, const uint8_t address[16]);

#endif /* PORCH_DAEMON_LISTEN_H */
