/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Next hops that change their MAC: a router that fails over, a peer whose card was
 * replaced. A flow sends to the MAC its latest good segment came from, so one that
 * is spoken to follows by itself; this is for those that wait: workers are told,
 * and the parked ones are moved.
 *
 * What is told is "MAC a is now MAC b", so it is only said when no other neighbour of
 * the interface still answers with a: flows behind that one would be moved wrongly.
 */
#ifndef PORCH_DAEMON_NEIGHBOUR_H
#define PORCH_DAEMON_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;

#define NEIGHBOURS_MAX 4096

int neighbour_start(struct daemon *d);
void neighbour_stop(struct daemon *d);

/* ---- the table, for tests ---- */

struct neighbour_row {
	uint32_t ifindex;    /* 0: unused */
	uint8_t address[16]; /* as in maps.h */
	uint8_t mac[6];
	bool gone; /* the kernel has dropped it; should it come back, its MAC may be another */
};

struct neighbour_table {
	struct neighbour_row rows[NEIGHBOURS_MAX];
	uint32_t used;
};

/* Takes note. True: `was` is a MAC that no neighbour of the interface has any more. */
bool neighbour_note(struct neighbour_table *table, uint32_t ifindex, const uint8_t address[16],
		    const uint8_t mac[6], uint8_t was[6]);
/* The kernel has dropped it. */
void neighbour_drop(struct neighbour_table *table, uint32_t ifindex, const uint8_t address[16]);

#endif /* PORCH_DAEMON_NEIGHBOUR_H */
