// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls that move data. All of it is zeros, both ways, as packetdrill's. */
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define SO(call, ...) play.so.call(play.so.userdata, ##__VA_ARGS__)
#define IOV_MOST      64
#define LARGEST	      (256l << 20)

static void *buffer(const struct arguments *a, long n)
{
	if (n < 0 || n > LARGEST)
		fail(a->line, "%s() of %ld octets", a->call->name, n);
	return zeroed((size_t)n + 1);
}

/* [{..., 1000}, {..., 20}] */
static int vector(const struct arguments *a, const struct expr *list, struct iovec iov[IOV_MOST])
{
	const struct expr *e, *length;
	int n = 0;

	for (e = list ? list->first : NULL; e; e = e->next) {
		length = expr_nth(e->first, 1);
		if (n == IOV_MOST || !length)
			fail(a->line, "%s(): [{..., LENGTH}, ...], %d at most", a->call->name, IOV_MOST);
		iov[n].iov_len = (size_t)expr_int(length);
		iov[n].iov_base = buffer(a, (long)iov[n].iov_len);
		n++;
	}
	return n;
}

static void read_zeros(const struct arguments *a, const uint8_t *buf, long n)
{
	for (long i = 0; i < n; i++) {
		if (buf[i])
			fail(a->line, "%s() read what nobody sent, at octet %ld", a->call->name, i);
	}
}

static long message(const struct arguments *a, bool sends)
{
	const struct expr *flags = expr_field(a->e[1], "msg_flags");
	struct iovec iov[IOV_MOST];
	struct msghdr msg = { .msg_iov = iov };
	int fd = fd_live(a->e[0]), how = a->count > 2 ? (int)argument_int(a, 2) : 0;
	long result;

	msg.msg_iovlen = (size_t)vector(a, expr_field(a->e[1], "msg_iov"), iov);
	if (sends)
		return SO(sendmsg, fd, &msg, how);
	result = SO(recvmsg, fd, &msg, how);
	if (result >= 0 && flags && msg.msg_flags != (int)expr_int(flags))
		fail(a->line, "recvmsg() said flags %#x, not %#llx", msg.msg_flags, expr_int(flags));
	return result;
}

bool call_io(const struct arguments *a, long *result)
{
	const char *name = a->call->name;
	struct iovec iov[IOV_MOST];
	int fd, n;
	void *buf;

	if (!strcmp(name, "splice") && a->count == 6) {
		*result = SO(splice, fd_live(a->e[0]), NULL, fd_live(a->e[2]), NULL,
			     (size_t)argument_int(a, 4), (unsigned int)argument_int(a, 5));
		return true;
	}
	if (!strcmp(name, "recvmsg") || !strcmp(name, "sendmsg")) {
		*result = message(a, name[0] == 's');
		return true;
	}
	if (a->count < 3 || (!strstr(name, "read") && !strstr(name, "write") && !strstr(name, "recv") &&
			     !strstr(name, "send")))
		return false;
	fd = fd_live(a->e[0]);
	if (!strcmp(name, "readv")) {
		n = vector(a, a->e[1], iov);
		*result = SO(readv, fd, iov, n);
		return true;
	}
	if (!strcmp(name, "writev")) {
		n = vector(a, a->e[1], iov);
		*result = SO(writev, fd, iov, n);
		return true;
	}
	if (strcmp(name, "read") && strcmp(name, "write") && strcmp(name, "recv") && strcmp(name, "send") &&
	    strcmp(name, "recvfrom") && strcmp(name, "sendto"))
		return false;
	buf = buffer(a, argument_int(a, 2));
	if (!strcmp(name, "read"))
		*result = SO(read, fd, buf, (size_t)argument_int(a, 2));
	else if (!strcmp(name, "recv"))
		*result = SO(recv, fd, buf, (size_t)argument_int(a, 2), (int)argument_int(a, 3));
	else if (!strcmp(name, "recvfrom"))
		*result = SO(recvfrom, fd, buf, (size_t)argument_int(a, 2), (int)argument_int(a, 3), NULL,
			     NULL);
	else if (!strcmp(name, "write"))
		*result = SO(write, fd, buf, (size_t)argument_int(a, 2));
	else if (!strcmp(name, "send"))
		*result = SO(send, fd, buf, (size_t)argument_int(a, 2), (int)argument_int(a, 3));
	else
		*result = SO(sendto, fd, buf, (size_t)argument_int(a, 2), (int)argument_int(a, 3), NULL, 0);
	if (name[0] == 'r')
		read_zeros(a, buf, *result);
	free(buf);
	return true;
}
