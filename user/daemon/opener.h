/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one thing porchd cannot do with no capability is to create sockets of
 * two kinds, and it needs them as long as it runs: an AF_XDP socket for each
 * worker that registers, an AF_PACKET socket for an interface attached later.
 *
 * So a second process, forked while porchd is still root, keeps CAP_NET_RAW and
 * nothing else. It holds one end of a socketpair, reads requests of eight
 * octets, and answers each with a socket or an error:
 *
 *   OPENER_XSK              socket(AF_XDP, SOCK_RAW): unbound, porchd does the rest
 *   OPENER_PACKET, ifindex  socket(AF_PACKET, SOCK_RAW, 0) bound to an interface
 *                           that exists; it can send, and never receive: a locked filter drops all
 *
 * It parses nothing that came from the network or an application, allocates
 * nothing, runs as the same unprivileged user, and ends when porchd does. Whoever
 * takes porchd over gains no more than what these two sockets give: raw frames
 * out of any interface of this network namespace, and what XDP already redirects.
 */
#ifndef PORCH_DAEMON_OPENER_H
#define PORCH_DAEMON_OPENER_H

#include <stdint.h>
#include <sys/types.h>

struct daemon;
struct opener;

enum opener_request_type {
	OPENER_XSK = 1,
	OPENER_PACKET = 2,
};

struct opener_request {
	uint32_t type;
	uint32_t ifindex;
};

/* What the second process does before its first request: gives up what it has no
 * need of. Not 0: it ends at once. */
typedef int (*opener_confine_fn)(void *arg);

/* Forks. 0 or -errno. Call before any thread exists. */
int opener_start(struct opener **ret, opener_confine_fn confine, void *arg);
/* Closes our end, upon which the process ends, and waits for it. */
void opener_stop(struct opener *opener);

/* A socket, or -errno: that of the second process, or -EPIPE when it is gone. */
int opener_xsk(struct daemon *d);
int opener_packet(struct daemon *d, uint32_t ifindex);

/* Readable, or hung up, outside a request: the second process is gone. */
int opener_fd(const struct opener *opener);

/* For tests: the same without a struct daemon; its process id; the serving side. */
int opener_ask(struct opener *opener, struct opener_request request);
pid_t opener_pid(const struct opener *opener);
int opener_serve(int fd);

#endif /* PORCH_DAEMON_OPENER_H */
