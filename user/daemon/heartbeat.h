/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sign of life that XDP looks for before it admits anybody for an application
 * (porch_host.daemon_tick), and systemd's watchdog. Both come from the loop itself:
 * a porchd that is stopped, or stuck, gives neither.
 */
#ifndef PORCH_DAEMON_HEARTBEAT_H
#define PORCH_DAEMON_HEARTBEAT_H

#include <stdint.h>

struct daemon;

void heartbeat_start(struct daemon *d);
/* Goodbye: from now on nobody is admitted. */
void heartbeat_stop(struct daemon *d);

#endif /* PORCH_DAEMON_HEARTBEAT_H */
