/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Octets in and out of a connection: the engine does it all. */
#include "lib/lib.h"

/* 0, or why nothing can be read or written. */
static int usable(struct porch_conn *c)
{
	int r = lib_conn_check(c);

	if (!r && c->lost)
		r = -ECONNRESET;
	return r;
}

ssize_t porch_recv(struct porch_conn *c, void *buf, size_t n)
{
	int r = usable(c);
	ssize_t got;

	if (r)
		return r;
	got = tcp_recv(&c->porch->stack, &c->tcp, buf, n);
	/* The window that has opened is announced by the next turn. */
	if (got > 0)
		poll_hot(c->porch);
	return got;
}

ssize_t porch_send(struct porch_conn *c, const void *buf, size_t n)
{
	int r = usable(c);
	ssize_t sent;

	if (r)
		return r;
	sent = tcp_send(&c->porch->stack, &c->tcp, buf, n);
	if (sent > 0)
		poll_hot(c->porch);
	return sent;
}

ssize_t porch_recv_zc(struct porch_conn *c, struct porch_piece *pieces, int n)
{
	_Static_assert(sizeof(struct porch_piece) == sizeof(struct tcp_piece) &&
			       offsetof(struct porch_piece, data) == offsetof(struct tcp_piece, data) &&
			       offsetof(struct porch_piece, length) == offsetof(struct tcp_piece, length),
		       "one is handed on as the other");
	int r = usable(c);

	if (r)
		return r;
	if (n <= 0)
		return -EINVAL;
	return tcp_recv_pieces(&c->porch->stack, &c->tcp, (struct tcp_piece *)pieces, n);
}

ssize_t porch_recv_done(struct porch_conn *c, size_t octets)
{
	int r = usable(c);
	ssize_t done;

	if (r)
		return r;
	done = tcp_recv_done(&c->porch->stack, &c->tcp, octets);
	poll_hot(c->porch);
	return done;
}

ssize_t porch_send_zc_get(struct porch_conn *c, size_t want, struct porch_piece *ret)
{
	int r = usable(c);

	return r ? r : tcp_send_piece(&c->porch->stack, &c->tcp, want, (struct tcp_piece *)ret);
}

ssize_t porch_send_zc_commit(struct porch_conn *c, size_t octets)
{
	int r = usable(c);
	ssize_t sent;

	if (r)
		return r;
	sent = tcp_send_commit(&c->porch->stack, &c->tcp, octets);
	poll_hot(c->porch);
	return sent;
}

int porch_shutdown(struct porch_conn *c, int how)
{
	int r = usable(c);

	if (r)
		return r;
	c->porch->stack.now = poll_clock();
	r = tcp_shutdown(&c->porch->stack, &c->tcp, how);
	poll_hot(c->porch);
	return r;
}
