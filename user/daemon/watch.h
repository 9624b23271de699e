/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is the world still as porchd found it? Once a second, and at every change that the
 * kernel reports of a link: our XDP program on the interface, the interface up, as
 * many RX queues. What is not, is said, and its group goes down until it is again;
 * the tc program of porch keeps guarding the kernel from its connections.
 *
 * porchd has no capability by then, and needs none: netlink tells anybody which
 * program runs on an interface, and the directory of pins is held open.
 */
#ifndef PORCH_DAEMON_WATCH_H
#define PORCH_DAEMON_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct porch_err;
struct porch_namespace;

/* As root: which programs are ours, as the pins say. */
int watch_prepare(struct daemon *d, const struct porch_namespace *ns, struct porch_err *err);
int watch_start(struct daemon *d);
void watch_stop(struct daemon *d);
/* At once, not in a second. */
void watch_look(struct daemon *d);

/* RX queues that the interface uses now; 0: it is gone. */
uint32_t watch_rx_queues(const char *name);

#endif /* PORCH_DAEMON_WATCH_H */
