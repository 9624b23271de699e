/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket: who may connect, how many at once. What they say is peer.h.
 *
 * Anybody may connect, so that who is not listed is told so; only a uid of
 * allow-uid gets further (SO_PEERCRED, as of connect()).
 */
#ifndef PORCH_DAEMON_CONTROL_H
#define PORCH_DAEMON_CONTROL_H

#include "daemon/daemon.h"
#include "daemon/loop.h"

struct peer;

struct control {
	struct peer *peers;
	uint32_t n_peers;
	struct loop_timer tick;
	uint64_t started;
	bool orphans;		/* the flow table held flows of workers of an earlier run */
	bool swept;		/* slots of an earlier run that nobody came back for */
	bool paused;		/* no descriptor was left for another connection */
};

/* As root: directory, socket, d->control_fd. A stale socket is replaced, -EADDRINUSE: somebody answers there. */
int control_open(struct daemon *d);
int control_start(struct daemon *d);
/* Workers keep what they have, as after a crash, and may come back to the next porchd. */
void control_stop(struct daemon *d);

/* Two per worker, and some who are refused or capture. */
static inline uint32_t control_peers_max(const struct daemon *d)
{
	return 2 * d->config.workers + 16;
}

/* There is something for areas_tick() again. */
void control_wake(struct daemon *d);

/* Whose uid is not listed; more are closed without a word. */
#define CONTROL_STRANGERS 8

/* For tests: takes a connected socket. 0 or -errno. */
int control_take(struct daemon *d, int fd, uint32_t pid, uint32_t uid);
/* Frees peers that are closed. */
void control_sweep(struct daemon *d);

#endif /* PORCH_DAEMON_CONTROL_H */
