/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets the kernel has: connections to remember, listeners and their queues. */
#ifndef PORCH_CORE_SEED_H
#define PORCH_CORE_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include <porch/maps.h>

struct porch_err;
struct porch_tables;

/*
 * Remembers each connection of the listeners' ports that the kernel holds
 * already, by the program pinned in `dir`. May be run again at any time.
 */
int porch_seed_connections(const struct porch_tables *tables, const char *dir, struct porch_err *err);

/* A listening socket, as sock_diag shows it. */
struct porch_listen_socket {
	__u8 address[16];	/* as in maps.h; the wildcards as ::ffff:0.0.0.0 and :: */
	bool v6only;
	__u16 port;
	__u32 accept_queue;	/* connections waiting */
	__u32 backlog;		/* that may wait */
};

/* *ret is malloc'ed. 0 or -errno. */
int porch_listen_sockets(struct porch_listen_socket **ret, size_t *n);
/* Pure: the sum over the sockets that a listener's connections may come to; false: none. */
bool porch_listen_sockets_match(const struct porch_listen_socket *sockets, size_t n,
				const struct porch_listener_entry *listener, __u32 *accept_queue, __u32 *backlog);

#endif /* PORCH_CORE_SEED_H */
