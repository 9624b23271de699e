/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the accept queue to a worker: handover_listener() and so on of daemon.h.
 *
 * A worker grants credit: `granted` less what was handed is how many it takes
 * now, at most HANDOVER_CREDIT_MAX. Without credit a connection stays queued, so
 * none is stranded in a worker that is busy or dead. Among workers with credit
 * those come first that have a socket on the connection's own RX queue; among
 * equals it goes round.
 */
#ifndef PORCH_DAEMON_HANDOVER_H
#define PORCH_DAEMON_HANDOVER_H

#include "daemon/flowtab.h"

#define HANDOVER_CREDIT_MAX 1024
#define HANDOVER_BATCH 64	/* published, steered and woken for at once */

#endif /* PORCH_DAEMON_HANDOVER_H */
