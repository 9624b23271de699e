/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the accept queue to a worker: handover_listener() and so on of daemon.h.
 *
 * A worker grants credit: `granted` less what was handed is how many it takes
 * now, at most HANDOVER_CREDIT_MAX. Without credit a connection stays queued, so
 * none is stranded in a worker that is busy or dead. Among workers with credit
 * those come first that have a socket on the connection's own RX queue; among
 * equals it goes round. One that leaves unread what it has gets no more while
 * another is there.
 */
#ifndef PORCH_DAEMON_HANDOVER_H
#define PORCH_DAEMON_HANDOVER_H

#include "daemon/flowtab.h"

#define HANDOVER_CREDIT_MAX 1024
#define HANDOVER_BATCH	    64		/* published, steered and woken for at once */
#define HANDOVER_STALL_NS   50000000ull /* a worker that has read nothing for so long waits behind the others \
					 */
#define HANDOVER_TAKE_BACK_NS 1000000000ull /* and after so long others get what it has not read */

/* Has it left unread what it was handed, for longer than `ns`? Then it is stopped, or in something long. */
bool handover_stalled(struct daemon *d, const struct worker *w, uint64_t ns);
/* gone.c: takes back from workers that have stood still for HANDOVER_TAKE_BACK_NS. */
void handover_take_back(struct daemon *d);

#endif /* PORCH_DAEMON_HANDOVER_H */
