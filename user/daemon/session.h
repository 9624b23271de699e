/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory porchd shares with one worker: struct porch_session, then the rings.
 *
 * Where the rings lie is computed here, from the configuration, and never read
 * back: the worker can write into all of it. After a restart the layout that the
 * worker brings must be the one that would be computed now.
 */
#ifndef PORCH_DAEMON_SESSION_H
#define PORCH_DAEMON_SESSION_H

#include <stdbool.h>

#include "daemon/daemon.h"

#define SESSION_ACCEPT_ENTRIES 2048u
#define SESSION_INJECT_ENTRIES 512u
#define SESSION_FINISH_ENTRIES 4096u

struct session_layout {
	struct porch_ring_place accept, inject, finish;
	struct porch_session_area area[PORCH_AREAS_MAX];
	size_t size;
};

/* `frame_size`: the greatest of all areas, 2048 or 4096. */
void session_layout(const struct porch_daemon_config *config, uint32_t frame_size, struct session_layout *ret);

/* Memory, eventfds and rings of a new worker. 0 or -errno. */
int session_create(struct daemon *d, struct worker *w);
/* The same from the fds that a worker brings after a restart, which stay the caller's. -EPROTO: not what it should be. */
int session_adopt(struct daemon *d, struct worker *w, int memfd, int wake_worker, int wake_daemon);
void session_destroy(struct daemon *d, struct worker *w);
/* The ends of an area's `give` and `back`. 0 or -EPROTO. */
int session_area_join(struct worker *w, struct worker_area *wa);

/* Every session's daemon_sleeps. */
void sessions_sleep(struct daemon *d, bool asleep);
/* After sessions_sleep(true): is there anything in a ring that nobody will tell of? */
bool sessions_pending(struct daemon *d);
/* A poller: finish rings, credit, and at its end what is condemned or broken. Returns work done. */
int sessions_poll(struct daemon *d);

#endif /* PORCH_DAEMON_SESSION_H */
