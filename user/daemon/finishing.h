/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that porchd finishes with the engine itself, for applications that
 * have closed them and gone: phase STEERED, worker 0, so XDP treats them as any
 * live connection and brings their segments to porchd's own sockets. What they
 * send goes out by AF_PACKET, like all that porchd sends.
 *
 * Their memory, blocks included, is bounded by config.handback_memory; their time by
 * the engine, which gives orphans fewer tries. They do not outlive this run of
 * porchd: the next one resets them (rebuild.h).
 */
#ifndef PORCH_DAEMON_FINISHING_H
#define PORCH_DAEMON_FINISHING_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "tcp/tcp.h"

/* d->finishing; with a loop, its poller as well. 0 or -errno. */
int finishing_open(struct daemon *d);
void finishing_close(struct daemon *d);

/* Goes on with a connection of `row`'s worker, as `from` and `data` say: the row is ours then. -EINVAL: the
 * engine does not believe it; -ENOMEM; -ENODEV: its interface is gone. */
int finishing_add(struct daemon *d, uint32_t flow, const struct tcp_handback *from, const void *data,
		  uint32_t octets);
/* The row with this `turn` leaves the list of worker 0 (flow_detach() calls it): nothing is sent. */
void finishing_forget(struct daemon *d, uint32_t turn);
/* A frame of a flow STEERED to worker 0. */
void finishing_frame(struct daemon *d, const struct porch_record *record, const uint8_t *frame, uint32_t length);
void finishing_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6]);
/* A poller: timers, what is to be sent, and who is done. */
int finishing_poll(struct daemon *d);

#endif /* PORCH_DAEMON_FINISHING_H */
