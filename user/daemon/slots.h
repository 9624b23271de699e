/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porch_xsks and its readable twin porch_slots: always both, the row after the
 * socket when installing and before it when removing, so that a row never names
 * a socket that is not there.
 */
#ifndef PORCH_DAEMON_SLOTS_H
#define PORCH_DAEMON_SLOTS_H

#include "daemon/daemon.h"

/* The slot of a worker (0: porchd) in an area. */
uint32_t slot_of(const struct area *a, uint32_t worker);

/* 0 or -errno. w NULL: porchd's own socket of the area. */
int slot_install(struct daemon *d, const struct area *a, const struct worker *w, int fd);
void slot_remove(struct daemon *d, uint32_t slot);
/* Says in each row of the area who holds its lease. */
void slots_show_lease(struct daemon *d, const struct area *a);

/*
 * Slots for an interface: (workers + 1) x queues in a row. What porch_ifaces
 * holds from an earlier run is kept if it still fits, because workers of that
 * run still receive through it. 0, or -ENOSPC.
 */
int slots_assign(struct daemon *d, struct trust_group *g);
/* porchd no longer serves the interface: XDP finds no queues. */
void slots_unassign(struct daemon *d, struct trust_group *g);
/* Rows and sockets that belong to nobody who is registered: of an earlier run. */
void slots_sweep(struct daemon *d);

#endif /* PORCH_DAEMON_SLOTS_H */
