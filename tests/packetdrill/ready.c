// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* poll and epoll, in virtual time. */
#include <poll.h>
#include <stdlib.h>

#include "drill.h"

#define WATCHES_MAX 64

/* What the connection ended with, to whoever asks first. */
int sock_pending_error(struct sock *s)
{
	if (s->error_taken || !s->flow || !s->flow->conn.error)
		return 0;
	s->error_taken = true;
	return s->flow->conn.error;
}

uint32_t sock_room(const struct sock *s)
{
	const struct tcp_conn *c = &s->flow->conn;
	uint32_t queued = c->snd_end - c->snd_una;

	return queued < s->flow->stack.send_buffer ? s->flow->stack.send_buffer - queued : 0;
}

static uint32_t notsent(const struct tcp_conn *c)
{
	return seq_after(c->snd_end, c->snd_nxt) ? c->snd_end - c->snd_nxt : 0;
}

/* A third of the buffer, as sk_stream_is_writeable(); and half of TCP_NOTSENT_LOWAT at most unsent. */
bool sock_writable(const struct sock *s)
{
	uint32_t lowat = s->o.notsent_lowat;

	return 3 * (uint64_t)sock_room(s) >= s->flow->stack.send_buffer &&
	       (!lowat || 2 * (uint64_t)notsent(&s->flow->conn) < lowat);
}

void socks_look(struct drill *d)
{
	for (int i = 0; i < DRILL_FDS; i++) {
		struct sock *s = &d->socks[i];
		bool writable;

		if (s->kind != SOCK_CONN || !s->flow || !s->flow->opened)
			continue;
		writable = sock_writable(s);
		s->edges += writable && !s->was_writable;
		s->was_writable = writable;
	}
}

static uint32_t conn_ready(struct sock *s)
{
	const struct tcp_conn *c = &s->flow->conn;
	bool in_over = c->flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_READ_SHUT);
	uint32_t ready = 0;

	if (receive_unread(c) || in_over || c->flags & TCP_CONN_DONE)
		ready |= POLLIN | POLLRDNORM;
	if (in_over || c->flags & TCP_CONN_DONE)
		ready |= POLLRDHUP;
	if (c->flags & TCP_CONN_DONE || (in_over && c->flags & TCP_CONN_FIN_QUEUED))
		ready |= POLLHUP;
	if (c->flags & (TCP_CONN_FIN_QUEUED | TCP_CONN_DONE) || sock_writable(s))
		ready |= POLLOUT | POLLWRNORM;
	if (c->error && !s->error_taken)
		ready |= POLLERR;
	return ready;
}

uint32_t sock_ready(struct drill *d, struct sock *s)
{
	switch (s->kind) {
	case SOCK_LISTEN:
		return s->queue ? POLLIN | POLLRDNORM : 0;
	case SOCK_CONN:
		return s->flow ? conn_ready(s) : POLLHUP;
	case SOCK_PIPE:
		if (s->pipe_writes)
			return s->pipe->used < sizeof(s->pipe->data) ? POLLOUT : 0;
		return s->pipe->used ? POLLIN : s->pipe->users == 1 ? POLLHUP : 0;
	default:
		return POLLOUT | POLLHUP;
	}
}

static uint64_t deadline_of(const struct drill *d, int timeout)
{
	return timeout < 0 ? DRILL_NEVER : d->now + (uint64_t)timeout * TCP_MS;
}

int do_poll(struct drill *d, struct pollfd *fds, nfds_t n, int timeout)
{
	uint64_t until = deadline_of(d, timeout);
	struct sock *s;
	int ready;

	for (;;) {
		ready = 0;
		for (nfds_t i = 0; i < n; i++) {
			fds[i].revents = 0;
			if (fds[i].fd < 0)
				continue;
			s = sock_of(d, fds[i].fd);
			fds[i].revents =
				s ? (short)(sock_ready(d, s) & ((uint32_t)fds[i].events | POLLERR | POLLHUP))
				  : POLLNVAL;
			ready += !!fds[i].revents;
		}
		if (ready || !timeout)
			return ready;
		if (!drill_wait(d, until))
			return 0;
	}
}

/* Changes whenever something new is there to be told of. */
static uint64_t signature(struct sock *s)
{
	const struct tcp_conn *c;

	if (s->kind == SOCK_LISTEN)
		return s->arrivals;
	if (s->kind != SOCK_CONN || !s->flow)
		return 0;
	c = &s->flow->conn;
	return (uint64_t)c->rcv_nxt << 32 ^ (uint64_t)c->flags << 20 ^ s->edges << 2 ^
	       (uint64_t) !!c->error << 1;
}

void watches_forget(struct drill *d, int fd)
{
	for (int i = 0; i < DRILL_FDS; i++) {
		for (int j = 0; d->socks[i].watches && j < WATCHES_MAX; j++) {
			if (d->socks[i].watches[j].fd == fd)
				d->socks[i].watches[j].fd = 0;
		}
	}
}

static struct watch *watch_of(struct sock *ep, int fd)
{
	for (int i = 0; i < WATCHES_MAX; i++) {
		if (ep->watches[i].fd == fd)
			return &ep->watches[i];
	}
	return NULL;
}

int do_epoll_ctl(struct drill *d, struct sock *ep, int op, int fd, const struct epoll_event *event)
{
	struct watch *w;

	if (ep->kind != SOCK_EPOLL || fd == ep->fd)
		return -EINVAL;
	if (!sock_of(d, fd))
		return -EBADF;
	if (!ep->watches) {
		ep->watches = calloc(WATCHES_MAX, sizeof(*ep->watches));
		if (!ep->watches)
			return -ENOMEM;
	}
	w = watch_of(ep, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		if (w)
			return -EEXIST;
		w = watch_of(ep, 0);
		if (!w)
			return -ENOSPC;
		*w = (struct watch){ .fd = fd, .event = *event };
		return 0;
	case EPOLL_CTL_MOD:
		if (!w)
			return -ENOENT;
		*w = (struct watch){ .fd = fd, .event = *event };
		return 0;
	case EPOLL_CTL_DEL:
		if (!w)
			return -ENOENT;
		w->fd = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

static int collect(struct drill *d, struct sock *ep, struct epoll_event *events, int most)
{
	int n = 0;

	for (int i = 0; ep->watches && i < WATCHES_MAX && n < most; i++) {
		struct watch *w = &ep->watches[i];
		struct sock *s = w->fd ? sock_of(d, w->fd) : NULL;
		uint32_t ready;

		if (!s || w->spent)
			continue;
		ready = sock_ready(d, s) & (w->event.events | EPOLLERR | EPOLLHUP);
		if (!ready || (w->event.events & EPOLLET && w->seen == signature(s) + 1))
			continue;
		w->seen = signature(s) + 1;
		w->spent = w->event.events & EPOLLONESHOT;
		events[n++] = (struct epoll_event){ .events = ready, .data = w->event.data };
	}
	return n;
}

int do_epoll_wait(struct drill *d, struct sock *ep, struct epoll_event *events, int most, int timeout)
{
	uint64_t until = deadline_of(d, timeout);
	int n;

	if (ep->kind != SOCK_EPOLL || most <= 0)
		return -EINVAL;
	for (;;) {
		n = collect(d, ep, events, most);
		if (n || !timeout)
			return n;
		if (!drill_wait(d, until))
			return 0;
		if (ep->kind != SOCK_EPOLL)
			return -EBADF;
	}
}
