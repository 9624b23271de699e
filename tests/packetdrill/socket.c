// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sockets, but for what moves data. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "drill.h"

struct sock *sock_of(struct drill *d, int fd)
{
	for (int i = 0; i < DRILL_FDS; i++) {
		if (d->socks[i].kind != SOCK_FREE && d->socks[i].fd == fd)
			return &d->socks[i];
	}
	return NULL;
}

/* A number that is taken in the process, too: nothing else gets it, and close(2) knows it. */
static int number_take(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	if (null < 0)
		return -1;
	fd = fcntl(null, F_DUPFD_CLOEXEC, DRILL_FD_FIRST);
	close(null);
	return fd;
}

struct sock *sock_new(struct drill *d, enum sock_kind kind)
{
	int fd;

	for (int i = 0; i < DRILL_FDS; i++) {
		if (d->socks[i].kind != SOCK_FREE)
			continue;
		fd = number_take();
		if (fd < 0)
			return NULL;
		d->socks[i] = (struct sock){ .kind = kind, .fd = fd };
		return &d->socks[i];
	}
	return NULL;
}

void sock_forget(struct drill *d, struct sock *s)
{
	watches_forget(d, s->fd);
	free(s->watches);
	if (s->pipe && !--s->pipe->users)
		free(s->pipe);
	*s = (struct sock){ .kind = SOCK_FREE };
}

void address_of(const struct sockaddr *sa, uint8_t ret[16], uint16_t *port)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET6) {
		memcpy(ret, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
		return;
	}
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, &in->sin_addr, 4);
	*port = ntohs(in->sin_port);
}

void address_to(int family, const uint8_t address[16], uint16_t port, struct sockaddr *sa, socklen_t *length)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	socklen_t n = family == AF_INET6 ? sizeof(in6) : sizeof(in);

	if (!sa || !length)
		return;
	memcpy(&in.sin_addr, address + 12, 4);
	memcpy(&in6.sin6_addr, address, 16);
	memcpy(sa, family == AF_INET6 ? (void *)&in6 : (void *)&in, *length < n ? *length : n);
	*length = n;
}

int do_socket(struct drill *d, int domain, int type, int protocol)
{
	struct sock *s;

	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM || (protocol && protocol != IPPROTO_TCP))
		return -EPROTONOSUPPORT;
	s = sock_new(d, SOCK_NEW);
	if (!s)
		return -EMFILE;
	s->family = domain;
	s->nonblock = type & SOCK_NONBLOCK;
	s->o = (struct options){ .keepidle = 7200, .congestion = d->congestion };
	return s->fd;
}

int do_bind(struct drill *d, struct sock *s, const struct sockaddr *a, socklen_t n)
{
	uint8_t address[16];
	uint16_t port;

	if (s->kind != SOCK_NEW || s->bound)
		return -EINVAL;
	if (n < (a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)))
		return -EINVAL;
	if (a->sa_family != s->family)
		return -EAFNOSUPPORT;
	address_of(a, address, &port);
	if (listener_of(d, address, port))
		return -EADDRINUSE;
	memcpy(&s->local, a, n < sizeof(s->local) ? n : sizeof(s->local));
	s->bound = true;
	return 0;
}

int do_listen(struct drill *d, struct sock *s, int backlog)
{
	int error;

	if (s->kind == SOCK_LISTEN) {
		s->backlog = backlog < 0 ? 4096 : min_u32((uint32_t)backlog, 4096);
		return 0;
	}
	if (s->kind != SOCK_NEW || !s->bound)
		return -EINVAL;
	error = listener_add(d, s);
	if (error)
		return error;
	s->kind = SOCK_LISTEN;
	s->backlog = backlog < 0 ? 4096 : min_u32((uint32_t)backlog, 4096);
	s->queue = NULL;
	s->queue_tail = &s->queue;
	return 0;
}

static struct flow *queue_take(struct sock *l)
{
	struct flow *f = l->queue;

	l->queue = f->queue_next;
	if (!l->queue)
		l->queue_tail = &l->queue;
	l->depth--;
	f->queued = false;
	return f;
}

int do_accept(struct drill *d, struct sock *s, struct sockaddr *a, socklen_t *n)
{
	int fd = s->fd;
	struct sock *c;
	struct flow *f;

	for (;;) {
		if (s->kind != SOCK_LISTEN || s->fd != fd)
			return s->kind == SOCK_FREE ? -EBADF : -EINVAL;
		if (s->queue)
			break;
		if (s->nonblock || !drill_wait(d, DRILL_NEVER))
			return -EAGAIN;
	}
	c = sock_new(d, SOCK_CONN);
	if (!c)
		return -EMFILE;
	f = queue_take(s);
	c->family = s->family;
	c->o = s->o;
	c->flow = f;
	f->sock = c;
	c->was_writable = sock_writable(c);
	address_to(c->family, f->start.remote, f->start.remote_port, a, n);
	return c->fd;
}

static void linger(struct drill *d, struct flow *f, int seconds)
{
	uint64_t until = d->now + (uint64_t)seconds * TCP_SECOND;

	drill_changed(d);
	/* until everything has been acknowledged */
	while (f->opened && !(f->conn.flags & TCP_CONN_DONE) && f->conn.state != TCP_STATE_FIN_WAIT2 &&
	       f->conn.state != TCP_STATE_TIME_WAIT) {
		if (!drill_wait(d, until))
			break;
	}
}

static void close_conn(struct drill *d, struct sock *s)
{
	struct flow *f = s->flow;

	if (!f || !f->opened)
		return;
	f->stack.now = d->now;
	if (s->o.linger.l_onoff && !s->o.linger.l_linger)
		tcp_abort(&f->stack, &f->conn);
	else
		tcp_close(&f->stack, &f->conn);
	if (s->o.linger.l_onoff && s->o.linger.l_linger && !s->nonblock)
		linger(d, f, s->o.linger.l_linger); /* he stays the socket's so long */
	f->sock = NULL;
}

static void close_listener(struct drill *d, struct sock *s)
{
	struct flow *f;

	s->kind = SOCK_NEW;
	listener_gone(d, s);
	while (s->queue) {
		f = queue_take(s);
		f->stack.now = d->now;
		tcp_abort(&f->stack, &f->conn);
	}
	for (f = d->flows; f; f = f->next) {
		if (f->state == FLOW_HALF_OPEN && f->listener == s)
			f->state = FLOW_OVER;
	}
}

int do_close(struct drill *d, struct sock *s)
{
	if (s->kind == SOCK_CONN)
		close_conn(d, s);
	else if (s->kind == SOCK_LISTEN)
		close_listener(d, s);
	close(s->fd);
	sock_forget(d, s);
	drill_changed(d);
	return 0;
}

int do_shutdown(struct drill *d, struct sock *s, int how)
{
	int error;

	if (s->kind == SOCK_LISTEN && (how == SHUT_RD || how == SHUT_RDWR)) {
		close_listener(d, s);
		drill_changed(d);
		return 0;
	}
	if (s->kind != SOCK_CONN || !s->flow)
		return -ENOTCONN;
	s->flow->stack.now = d->now;
	error = tcp_shutdown(&s->flow->stack, &s->flow->conn, how);
	drill_changed(d);
	return error;
}

int do_fcntl(struct drill *d, struct sock *s, int command, long arg)
{
	switch (command) {
	case F_GETFL:
		return O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
	case F_SETFL:
		s->nonblock = arg & O_NONBLOCK;
		return 0;
	case F_GETFD:
	case F_SETFD:
		return 0;
	default:
		return -EINVAL;
	}
}

int do_ioctl(struct drill *d, struct sock *s, unsigned long request, void *arg)
{
	const struct tcp_conn *c = s->kind == SOCK_CONN && s->flow ? &s->flow->conn : NULL;
	int *value = arg;

	switch (request) {
	case FIONBIO:
		s->nonblock = *value;
		return 0;
	case SIOCINQ:
		if (!c)
			return -EINVAL;
		*value = (int)receive_unread(c);
		return 0;
	case SIOCOUTQ:
	case SIOCOUTQNSD:
		if (!c)
			return -EINVAL;
		*value = (int)(c->snd_end - (request == SIOCOUTQ ? c->snd_una : c->snd_nxt));
		if (*value < 0) /* our FIN has a number, too */
			*value = 0;
		return 0;
	default:
		return -ENOTTY;
	}
}
