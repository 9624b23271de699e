/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One RX queue of one interface: porchd's own socket on it, its UMEM's rings, and
 * the frames going round.
 *
 *   FILL -> kernel -> RX ring of porchd   -> (read) ---+--> FILL, by porchd or, while
 *                  -> RX ring of a worker -> `back` ---+    a worker holds the lease,
 *                                                           through its `give`, by it
 *   a worker's TX -> kernel -> COMPLETION -> porchd -> its `give`; or it reads that itself
 *
 * Life: prepared (socket, UMEM, rings mapped: whoever may ever own the rings maps
 * them now) -> bound (with the first worker's MAPPED) -> torn down and prepared
 * anew when somebody wrote nonsense into what all share. A queue that was given
 * up stays busy until everybody has let go of it, so binding is tried again and
 * again; nothing here blocks.
 */
#ifndef PORCH_DAEMON_AREA_H
#define PORCH_DAEMON_AREA_H

#include "daemon/daemon.h"

/* Socket, UMEM registered, rings mapped, FILL filled. Does nothing when that is so already. 0 or -errno. */
int area_prepare(struct daemon *d, struct area *a);
/* Gives porchd's socket up; it is closed in the background. */
void area_unbind(struct daemon *d, struct area *a);
/* To be torn down and rebuilt at the end of this turn. `why`: a literal. */
void area_break(struct daemon *d, struct area *a, const char *why);

/* A frame of this area goes on: into FILL, or to the holder of the lease. Published by area_flush(). */
void area_return(struct daemon *d, struct area *a, uint32_t frame);
/* A worker's own frame, sent. */
void area_sent(struct daemon *d, struct area *a, uint64_t address);
void area_flush(struct daemon *d, struct area *a);

/* ---- over all areas ---- */

bool areas_pending(const struct daemon *d);
/* Tears down and prepares anew what area_break() said. */
void areas_mend(struct daemon *d);
/* Leases to be moved, holders that do not go on, queues to be bound, second looks: every AREA_TICK_NS. */
void areas_tick(struct daemon *d);
/* Binds what no worker has asked for: there are flows without one, whose segments want an answer. */
void areas_answer(struct daemon *d);

#define AREA_TICK_NS 20000000ull
#define AREA_STALL_NS 100000000ull	/* a holder that lets the rings run dry so long loses the lease */

/* ---- settle.c: who is to have the lease ---- */

/* Moves the lease to where it belongs, or tries again at the next tick. */
void area_settle(struct daemon *d, struct area *a);
/* Takes it from a holder that does not go on. */
void area_watch(struct daemon *d, struct area *a);

/* ---- members.c: workers' sockets on it ---- */

/* A socket and a slice for the worker, to be offered to it as `number`. 0; -EUSERS: no slice is left; -errno. */
int member_prepare(struct daemon *d, struct area *a, struct worker *w, uint32_t number);
/* Binds what is mapped: the area if nobody has yet, then its members. 0; -EAGAIN: later; -errno. */
int members_bind(struct daemon *d, struct area *a);
/* The area cannot be bound: whoever waits for that is refused. */
void members_refuse(struct daemon *d, struct area *a, int error);
/* The worker is no longer on it: slot, lease and frames are taken back. */
void member_leave(struct daemon *d, struct worker_area *wa);

static inline struct area *area_at(struct daemon *d, uint32_t group, uint32_t queue)
{
	return &d->groups[group].areas[queue];
}

#define for_each_area(d, a, g_, q_)                                                                          \
	for (uint32_t g_ = 0; g_ < (d)->n_groups; g_++)                                                      \
		for (uint32_t q_ = 0; (d)->groups[g_].areas && q_ < (d)->groups[g_].queues; q_++)             \
			for (struct area *a = &(d)->groups[g_].areas[q_]; a; a = NULL)

#endif /* PORCH_DAEMON_AREA_H */
