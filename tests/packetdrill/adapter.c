// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The interface: each call finds its socket, under the lock, and says errors as
 * the kernel does.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drill.h"
#include "interface.h"

#define EXPORT __attribute__((visibility("default")))

static struct drill *only; /* the last one made */

static long say(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* A call on one socket. */
#define CALL(type, name, args, expression)                                                                   \
	static type call_##name args                                                                         \
	{                                                                                                    \
		struct drill *d = u;                                                                         \
		struct sock *s;                                                                              \
		long result;                                                                                 \
                                                                                                             \
		drill_lock(d);                                                                               \
		s = sock_of(d, fd);                                                                          \
		result = s ? (long)(expression) : -EBADF;                                                    \
		drill_unlock(d);                                                                             \
		return (type)say(result);                                                                    \
	}

/* One on the whole. */
#define PLAIN(type, name, args, expression)                                                                  \
	static type call_##name args                                                                         \
	{                                                                                                    \
		struct drill *d = u;                                                                         \
		long result;                                                                                 \
                                                                                                             \
		drill_lock(d);                                                                               \
		result = (long)(expression);                                                                 \
		drill_unlock(d);                                                                             \
		return (type)say(result);                                                                    \
	}

#define IOV(buf, n) (&(struct iovec){ (void *)(buf), n })

/* tcp_inq_hint(): what is left to be read; the end counts as one. */
static void control_inq(const struct sock *s, struct msghdr *msg)
{
	struct cmsghdr *c = msg->msg_control;
	int left = s->flow ? (int)receive_unread(&s->flow->conn) : 0;

	if (!left && (!s->flow || s->flow->conn.flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_DONE)))
		left = 1;
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(left)),
			       .cmsg_level = IPPROTO_TCP,
			       .cmsg_type = DRILL_TCP_INQ };
	memcpy(CMSG_DATA(c), &left, sizeof(left));
	msg->msg_controllen = CMSG_SPACE(sizeof(left));
}

static ssize_t recv_message(struct drill *d, struct sock *s, struct msghdr *msg, int flags)
{
	ssize_t n = do_recv(d, s, msg->msg_iov, msg->msg_iovlen, flags);

	if (n < 0)
		return n;
	msg->msg_namelen = 0;
	msg->msg_flags = 0;
	if (s->inq && s->kind == SOCK_CONN && msg->msg_controllen >= CMSG_SPACE(sizeof(int)))
		control_inq(s, msg);
	else
		msg->msg_controllen = 0;
	return n;
}

/* A stream says nothing of whom it is from. */
static ssize_t recv_from(struct drill *d, struct sock *s, void *buf, size_t n, int flags, socklen_t *length)
{
	ssize_t got = do_recv(d, s, IOV(buf, n), 1, flags);

	if (got >= 0 && length)
		*length = 0;
	return got;
}

static int epoll_new(struct drill *d, int size)
{
	struct sock *s;

	if (size <= 0)
		return -EINVAL;
	s = sock_new(d, SOCK_EPOLL);
	return s ? s->fd : -EMFILE;
}

static int splice_between(struct drill *d, int in, int out, size_t n, unsigned int flags)
{
	struct sock *i = sock_of(d, in), *o = sock_of(d, out);

	return i && o ? do_splice(d, i, o, n, flags) : -EBADF;
}

static int sleep_for(struct drill *d, useconds_t usec)
{
	drill_advance(d, d->now + usec * 1000ull);
	return 0;
}

static int time_of_day(struct drill *d, struct timeval *tv)
{
	uint64_t at = drill_returned();

	if (!at) {
		drill_advance(d, d->now + 1000); /* who asks again and again waits for it to move */
		at = d->now;
	}
	*tv = (struct timeval){ (time_t)(DRILL_WALL + at / TCP_SECOND),
				(suseconds_t)(at % TCP_SECOND / 1000) };
	return 0;
}

PLAIN(int, socket, (void *u, int domain, int type, int protocol), do_socket(d, domain, type, protocol))
CALL(int, bind, (void *u, int fd, const struct sockaddr *a, socklen_t n), do_bind(d, s, a, n))
CALL(int, listen, (void *u, int fd, int backlog), do_listen(d, s, backlog))
CALL(int, accept, (void *u, int fd, struct sockaddr *a, socklen_t *n), do_accept(d, s, a, n))
CALL(int, connect, (void *u, int fd, const struct sockaddr *a, socklen_t n),
     s->kind == SOCK_CONN ? -EISCONN : -EOPNOTSUPP)
CALL(ssize_t, read, (void *u, int fd, void *buf, size_t n), do_recv(d, s, IOV(buf, n), 1, 0))
CALL(ssize_t, readv, (void *u, int fd, const struct iovec *iov, int count),
     do_recv(d, s, iov, (size_t)count, 0))
CALL(ssize_t, recv, (void *u, int fd, void *buf, size_t n, int flags), do_recv(d, s, IOV(buf, n), 1, flags))
CALL(ssize_t, recvfrom,
     (void *u, int fd, void *buf, size_t n, int flags, struct sockaddr *a, socklen_t *length),
     recv_from(d, s, buf, n, flags, length))
CALL(ssize_t, recvmsg, (void *u, int fd, struct msghdr *msg, int flags), recv_message(d, s, msg, flags))
CALL(ssize_t, write, (void *u, int fd, const void *buf, size_t n), do_send(d, s, IOV(buf, n), 1, 0))
CALL(ssize_t, writev, (void *u, int fd, const struct iovec *iov, int count),
     do_send(d, s, iov, (size_t)count, 0))
CALL(ssize_t, send, (void *u, int fd, const void *buf, size_t n, int flags),
     do_send(d, s, IOV(buf, n), 1, flags))
CALL(ssize_t, sendto,
     (void *u, int fd, const void *buf, size_t n, int flags, const struct sockaddr *a, socklen_t length),
     do_send(d, s, IOV(buf, n), 1, flags))
CALL(ssize_t, sendmsg, (void *u, int fd, const struct msghdr *msg, int flags),
     do_send(d, s, msg->msg_iov, msg->msg_iovlen, flags))
CALL(int, fcntl_long, (void *u, int fd, int command, long arg), do_fcntl(d, s, command, arg))
CALL(int, ioctl_pointer, (void *u, int fd, unsigned long request, void *arg), do_ioctl(d, s, request, arg))
CALL(int, close, (void *u, int fd), do_close(d, s))
CALL(int, shutdown, (void *u, int fd, int how), do_shutdown(d, s, how))
CALL(int, getsockopt, (void *u, int fd, int level, int name, void *value, socklen_t *n),
     do_getsockopt(d, s, level, name, value, n))
CALL(int, setsockopt, (void *u, int fd, int level, int name, const void *value, socklen_t n),
     do_setsockopt(d, s, level, name, value, n))
PLAIN(int, poll, (void *u, struct pollfd *fds, nfds_t n, int timeout), do_poll(d, fds, n, timeout))
PLAIN(int, netdev_send, (void *u, const void *packet, size_t n), wire_in(d, packet, n))
PLAIN(int, netdev_receive, (void *u, void *packet, size_t *n, long long *usecs),
      wire_out(d, packet, n, usecs))
PLAIN(int, usleep, (void *u, useconds_t usec), sleep_for(d, usec))
PLAIN(int, gettimeofday, (void *u, struct timeval *tv, struct timezone *tz), time_of_day(d, tv))
PLAIN(int, epoll_create, (void *u, int size), epoll_new(d, size))
CALL(int, epoll_ctl, (void *u, int fd, int op, int watched, struct epoll_event *event),
     do_epoll_ctl(d, s, op, watched, event))
CALL(int, epoll_wait, (void *u, int fd, struct epoll_event *events, int most, int timeout),
     do_epoll_wait(d, s, events, most, timeout))
PLAIN(int, pipe, (void *u, int fds[2]), do_pipe(d, fds))
PLAIN(int, splice,
      (void *u, int in, loff_t *in_offset, int out, loff_t *out_offset, size_t n, unsigned int flags),
      splice_between(d, in, out, n, flags))

static int call_fcntl(void *u, int fd, int command, ...)
{
	va_list args;
	long arg;

	va_start(args, command);
	arg = command == F_SETFL || command == F_SETFD ? va_arg(args, int) : 0;
	va_end(args);
	return call_fcntl_long(u, fd, command, arg);
}

static int call_ioctl(void *u, int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return call_ioctl_pointer(u, fd, request, arg);
}

static void call_free(void *u)
{
	struct drill *d = u;

	only = NULL;
	drill_lock(d);
	if (d->waiters) { /* a call still waits; the process is about to end */
		drill_unlock(d);
		return;
	}
	for (int i = 0; i < DRILL_FDS; i++) {
		if (d->socks[i].kind == SOCK_CONN && d->socks[i].flow)
			d->socks[i].flow->sock = NULL;
		if (d->socks[i].kind != SOCK_FREE)
			sock_forget(d, &d->socks[i]);
	}
	flows_free(d);
	xdp_close(d);
	wire_free(d);
	drill_unlock(d);
	free(d);
}

/* packetdrill's %{ assertions }% ask the C library: see interpose.c. */
static int program_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	struct sock *s = NULL;

	if (only) {
		drill_lock(only);
		s = sock_of(only, fd);
		drill_unlock(only);
	}
	return s ? call_getsockopt(only, fd, level, name, value, n)
		 : (int)syscall(SYS_getsockopt, fd, level, name, value, n);
}

static void backend_choose(struct drill *d)
{
	int r;

	if (d->backend == BACKEND_MODEL || (d->backend == BACKEND_AUTO && geteuid()))
		return;
	r = xdp_open(d);
	if (!r)
		return;
	fprintf(stderr, "porch_packetdrill: the BPF programs cannot be loaded: %s\n", strerror(-r));
	if (d->backend == BACKEND_BPF)
		exit(2);
}

EXPORT void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ret);
EXPORT void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ret)
{
	struct drill *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	pthread_cond_init(&d->settled, NULL);
	d->owner = pthread_self();
	d->now = DRILL_START;
	d->out_tail = &d->out;
	flags_read(d, flags);
	backend_choose(d);
	if (!only)
		interpose("getsockopt", program_getsockopt);
	only = d;
#define MEMBER(name) .name = call_##name
	*ret = (struct packetdrill_interface){
		.userdata = d,
		MEMBER(free),
		MEMBER(socket),
		MEMBER(bind),
		MEMBER(listen),
		MEMBER(accept),
		MEMBER(connect),
		MEMBER(read),
		MEMBER(readv),
		MEMBER(recv),
		MEMBER(recvfrom),
		MEMBER(recvmsg),
		MEMBER(write),
		MEMBER(writev),
		MEMBER(send),
		MEMBER(sendto),
		MEMBER(sendmsg),
		MEMBER(fcntl),
		MEMBER(ioctl),
		MEMBER(close),
		MEMBER(shutdown),
		MEMBER(getsockopt),
		MEMBER(setsockopt),
		MEMBER(poll),
		MEMBER(netdev_send),
		MEMBER(usleep),
		MEMBER(gettimeofday),
		MEMBER(netdev_receive),
		MEMBER(epoll_create),
		MEMBER(epoll_ctl),
		MEMBER(epoll_wait),
		MEMBER(pipe),
		MEMBER(splice),
	};
}
