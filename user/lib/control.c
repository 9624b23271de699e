/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket: whole messages, with their descriptors. */
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/util.h"
#include "lib/lib.h"

int control_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A full backlog says -EAGAIN at once. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return TAKE_FD(fd);
}

int control_send(int fd, const struct porch_msg *msg, const int *fds, unsigned int n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(3 * sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = (void *)msg, .iov_len = sizeof(*msg) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds) {
		struct cmsghdr *c;

		header.msg_control = control.space;
		header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return n == sizeof(*msg) ? 0 : -EPROTO;
}

int control_receive(int fd, struct porch_msg *msg, int fds[3], unsigned int *n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = msg, .iov_len = sizeof(*msg) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	/* Said once, before what porchd wrote to us and closed: its last word may be why. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	*n_fds = 0;
	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -ECONNRESET;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		unsigned int got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || got > 3 - *n_fds)
			continue;
		memcpy(fds + *n_fds, CMSG_DATA(c), got * sizeof(int));
		*n_fds += got;
	}
	if (!n)
		return -ECONNRESET;
	if (n != sizeof(*msg) || header.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    msg->version != PORCH_WIRE_VERSION)
		return -EPROTO;
	return 0;
}
