/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HELLO to READY: a number, a session, a socket in each area; and areas that come later. */
#ifndef PORCH_DAEMON_REGISTER_H
#define PORCH_DAEMON_REGISTER_H

#include "daemon/peer.h"

void register_hello(struct peer *p, const struct porch_msg *m);
void register_mapped(struct peer *p, const struct porch_msg *m);
/* MAPPED of a worker that is ready: for the one area it names. */
void register_mapped_more(struct peer *p, const struct porch_msg *m);

#endif /* PORCH_DAEMON_REGISTER_H */
