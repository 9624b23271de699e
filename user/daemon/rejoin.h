/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A worker of an earlier run of porchd comes back with all it was given. Nothing
 * it says is believed: memory by size and seals, its layout by computing it anew,
 * sockets by binding another one to them, which the kernel allows only on the
 * very queue they are bound to.
 *
 * The old porchd's own socket lives on in the workers' hands, with what it had
 * not read; it is taken over where its rings can still be mapped (Linux 6.4), and
 * replaced by a new one where not.
 */
#ifndef PORCH_DAEMON_REJOIN_H
#define PORCH_DAEMON_REJOIN_H

#include "daemon/peer.h"

void rejoin_begin(struct peer *p, struct message *m);
/* AREA, SOCKET, and MAPPED as the end. */
void rejoin_message(struct peer *p, struct message *m);

#endif /* PORCH_DAEMON_REJOIN_H */
