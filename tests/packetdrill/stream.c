// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* read, write and all their kin. */
#include "drill.h"

/* An error is said once, as the kernel's sk_err; after that the connection is at its end. */
static ssize_t receive_once(struct drill *d, struct sock *s, void *buf, size_t n, int flags)
{
	struct flow *f = s->flow;
	ssize_t got;
	int error;

	if (!receive_unread(&f->conn)) {
		if (f->conn.flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_READ_SHUT) && !f->conn.error)
			return 0;
		error = sock_pending_error(s);
		if (error)
			return error;
		if (f->conn.flags & TCP_CONN_DONE)
			return 0;
		return -EAGAIN;
	}
	f->stack.now = d->now;
	if (flags & MSG_PEEK) {
		struct tcp_piece pieces[64];
		size_t done = 0;
		int count = tcp_recv_pieces(&f->stack, &f->conn, pieces, 64);

		for (int i = 0; i < count && done < n; i++) {
			size_t part = pieces[i].length < n - done ? pieces[i].length : n - done;

			memcpy((uint8_t *)buf + done, pieces[i].data, part);
			done += part;
		}
		return (ssize_t)done;
	}
	if (flags & MSG_TRUNC) { /* tcp(7): discarded, not copied */
		if (n > receive_unread(&f->conn))
			n = receive_unread(&f->conn);
		return tcp_recv_done(&f->stack, &f->conn, n);
	}
	got = tcp_recv(&f->stack, &f->conn, buf, n);
	return got;
}

static bool is_conn(const struct sock *s, int fd)
{
	return s->kind == SOCK_CONN && s->fd == fd && s->flow;
}

static ssize_t receive(struct drill *d, struct sock *s, void *buf, size_t n, int flags)
{
	bool dont_wait = s->nonblock || flags & MSG_DONTWAIT;
	size_t done = 0;
	ssize_t got;
	int fd = s->fd;

	while (is_conn(s, fd)) {
		got = receive_once(d, s, (uint8_t *)buf + done, n - done, flags);
		if (got > 0) {
			done += (size_t)got;
			drill_changed(d);
			if (done == n || !(flags & MSG_WAITALL) || flags & MSG_PEEK)
				return (ssize_t)done;
			continue;
		}
		if (got != -EAGAIN)
			return done ? (ssize_t)done : got;
		if (dont_wait || !drill_wait(d, DRILL_NEVER))
			return done ? (ssize_t)done : -EAGAIN;
	}
	return done ? (ssize_t)done : -EBADF;
}

ssize_t do_recv(struct drill *d, struct sock *s, const struct iovec *iov, size_t count, int flags)
{
	ssize_t done = 0, got;

	if (flags & MSG_ERRQUEUE)
		return -EAGAIN; /* which is always empty */
	if (flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_TRUNC | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC))
		return -EOPNOTSUPP;
	if (s->kind == SOCK_LISTEN || s->kind == SOCK_NEW || (s->kind == SOCK_CONN && !s->flow))
		return -ENOTCONN;
	if (s->kind != SOCK_CONN)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!iov[i].iov_len)
			continue;
		got = receive(d, s, iov[i].iov_base, iov[i].iov_len,
			      done && !(flags & MSG_WAITALL) ? flags | MSG_DONTWAIT : flags);
		if (got <= 0)
			return done ? done : got;
		done += got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return done;
}

static ssize_t send_once(struct drill *d, struct sock *s, const void *buf, size_t n)
{
	struct flow *f = s->flow;
	int error;

	if (f->conn.error || f->conn.flags & (TCP_CONN_DONE | TCP_CONN_FIN_QUEUED)) {
		error = sock_pending_error(s);
		return error ? error : -EPIPE;
	}
	if (s->o.notsent_lowat) { /* what may lie unsent, as far as a write goes */
		uint32_t unsent;

		f->stack.now = d->now;
		tcp_stack_flush(&f->stack);
		unsent = seq_after(f->conn.snd_end, f->conn.snd_nxt) ? f->conn.snd_end - f->conn.snd_nxt : 0;
		if (unsent >= s->o.notsent_lowat)
			return -EAGAIN;
		n = n < f->conn.mss ? n : f->conn.mss;
	}
	f->stack.now = d->now;
	return tcp_send(&f->stack, &f->conn, buf, n);
}

static ssize_t send_all(struct drill *d, struct sock *s, const void *buf, size_t n, int flags)
{
	bool dont_wait = s->nonblock || flags & MSG_DONTWAIT;
	size_t done = 0;
	ssize_t sent;
	int fd = s->fd;

	while (is_conn(s, fd)) {
		sent = send_once(d, s, (const uint8_t *)buf + done, n - done);
		if (sent > 0)
			done += (size_t)sent;
		else if (sent < 0 && sent != -EAGAIN)
			return done ? (ssize_t)done : sent;
		if (done == n)
			return (ssize_t)done;
		if (sent > 0)
			continue;
		if (dont_wait)
			break;
		drill_changed(d);
		do { /* sk_stream_wait_memory(): not for each octet */
			if (!drill_wait(d, DRILL_NEVER))
				return done ? (ssize_t)done : -EAGAIN;
		} while (is_conn(s, fd) && !sock_writable(s) &&
			 !(s->flow->conn.flags & (TCP_CONN_DONE | TCP_CONN_FIN_QUEUED)));
	}
	return done ? (ssize_t)done : is_conn(s, fd) ? -EAGAIN : -EBADF;
}

ssize_t do_send(struct drill *d, struct sock *s, const struct iovec *iov, size_t count, int flags)
{
	ssize_t done = 0, sent = 0;
	bool more = flags & MSG_MORE;

	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_EOR))
		return -EOPNOTSUPP;
	if (s->kind == SOCK_LISTEN || s->kind == SOCK_NEW)
		return -EPIPE;
	if (s->kind != SOCK_CONN || !s->flow)
		return s->kind == SOCK_CONN ? -ENOTCONN : -EINVAL;
	/* one call, one decision what is full: corked while its parts go in */
	s->flow->stack.now = d->now;
	if (count > 1 || more)
		tcp_set(&s->flow->stack, &s->flow->conn, TCP_OPTION_CORK, 1);
	for (size_t i = 0; i < count; i++) {
		sent = send_all(d, s, iov[i].iov_base, iov[i].iov_len, flags);
		if (sent < 0)
			break;
		done += sent;
		if ((size_t)sent < iov[i].iov_len)
			break;
	}
	if (s->kind == SOCK_CONN && s->flow && !more)
		tcp_set(&s->flow->stack, &s->flow->conn, TCP_OPTION_CORK, s->o.cork);
	drill_changed(d);
	return done ? done : sent;
}
