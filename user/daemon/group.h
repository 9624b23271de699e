/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Interfaces porch is attached to, as trust groups. groups_refresh(), group_up()
 * and group_down() are in daemon.h.
 *
 * An interface that is down, or lost our program, keeps its sockets and memory:
 * nothing comes, and that is all. Only another number of queues, another frame
 * size or the interface's end take them from the workers.
 *
 * A free entry of daemon->groups has ifindex 0 and no areas.
 */
#ifndef PORCH_DAEMON_GROUP_H
#define PORCH_DAEMON_GROUP_H

#include "daemon/daemon.h"

#define for_each_group(d, g)                                                                                 \
	for (struct trust_group *g = (d)->groups; g < (d)->groups + (d)->n_groups; g++)                      \
		if (!g->ifindex) {                                                                           \
		} else

/* Who is registered gets the queues that are new to it: new altogether, or made anew while it registered. */
void group_offer(struct daemon *d, struct trust_group *g);

#endif /* PORCH_DAEMON_GROUP_H */
