/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An area given up by everybody, and made anew. Its members are told AREA_DOWN,
 * and AREA_NEW when it is there again; a queue stays busy until the last of them
 * has let go, so it is tried until then.
 */
#ifndef PORCH_DAEMON_MEND_H
#define PORCH_DAEMON_MEND_H

#include "daemon/daemon.h"

/* Takes it down now; members keep the number they know it by. */
void area_tear(struct daemon *d, struct area *a);
/* Binds what is mapped, if the queue is free; whoever waits for it is told. */
void area_try_bind(struct daemon *d, struct area *a);
/* An area more for a worker that is registered: under `number` of its table. 0 or -errno. */
int area_offer(struct daemon *d, struct area *a, struct worker *w, uint32_t number);

#endif /* PORCH_DAEMON_MEND_H */
