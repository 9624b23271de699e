/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One struct porch_msg with its file descriptors over a SOCK_SEQPACKET socket, whole or not at all. */
#ifndef PORCH_DAEMON_MESSAGE_H
#define PORCH_DAEMON_MESSAGE_H

#include <porch/wire.h>

#define MESSAGE_FDS 4	/* that are taken; more make the message invalid */

struct message {
	struct porch_msg body;
	int fds[MESSAGE_FDS];	/* -1: none. Whoever takes one puts -1 there */
	int n_fds;
};

/* 0; -EAGAIN: its buffer is full; -EPIPE, -ECONNRESET: it is gone. Fills in the version. */
int message_send(int fd, struct porch_msg *m, const int *fds, int n_fds);
/* 0; -EAGAIN: none is there; -ECONNRESET: the end; -EPROTO: not one of ours: *what says why (a literal). */
int message_receive(int fd, struct message *ret, const char **what);
/* Closes the descriptors nobody has taken. */
void message_done(struct message *m);

#endif /* PORCH_DAEMON_MESSAGE_H */
