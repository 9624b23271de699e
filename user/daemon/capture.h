/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `porch capture`: its pipe is passed on to every worker, each of which writes what it receives and sends. */
#ifndef PORCH_DAEMON_CAPTURE_H
#define PORCH_DAEMON_CAPTURE_H

#include "daemon/peer.h"

void capture_begin(struct peer *p, struct message *m);

#endif /* PORCH_DAEMON_CAPTURE_H */
