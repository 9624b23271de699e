/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HANDBACK of porch/wire.h: what a worker still had to say when it goes. */
#ifndef PORCH_DAEMON_HANDBACK_H
#define PORCH_DAEMON_HANDBACK_H

#include "daemon/message.h"
#include "daemon/peer.h"

/* Takes what can be taken, and answers. Nonsense is counted (bad_handback), and the worker's connections
 * are reset when it goes, as those of any other. */
void handback_message(struct peer *p, struct message *m);

/* The memfd's content: how many entries were taken. *bad: those, or the rest, that were nonsense. */
uint32_t handback_take(struct daemon *d, struct worker *w, const void *memory, uint64_t size,
		       uint32_t connections, uint32_t *bad);

#endif /* PORCH_DAEMON_HANDBACK_H */
