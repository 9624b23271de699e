// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/message.h"

int message_send(int fd, struct porch_msg *m, const int *fds, int n_fds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control = {};
	struct iovec data = { .iov_base = m, .iov_len = sizeof(*m) };
	struct msghdr h = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t n;

	m->version = PORCH_WIRE_VERSION;
	if (n_fds > MESSAGE_FDS)
		return -EINVAL;
	if (n_fds) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Takes every descriptor that came, wherever it lies: what is not wanted is closed. */
static void collect(struct msghdr *h, struct message *m, int *surplus)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n, i;
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (m->n_fds < MESSAGE_FDS) {
				m->fds[m->n_fds++] = fd;
			} else {
				close(fd);
				(*surplus)++;
			}
		}
	}
}

int message_receive(int fd, struct message *ret, const char **what)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * MESSAGE_FDS * sizeof(int))];
	} control;
	struct iovec data = { .iov_base = &ret->body, .iov_len = sizeof(ret->body) };
	struct msghdr h = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int surplus = 0, i;
	ssize_t n;

	for (i = 0; i < MESSAGE_FDS; i++)
		ret->fds[i] = -1;
	ret->n_fds = 0;
	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	collect(&h, ret, &surplus);
	*what = NULL;
	if (n == 0 && !ret->n_fds)
		return -ECONNRESET;
	if (n != sizeof(ret->body) || h.msg_flags & MSG_TRUNC)
		*what = "a message of another length";
	else if (h.msg_flags & MSG_CTRUNC || surplus)
		*what = "a message with too many file descriptors";
	else if (ret->body.version != PORCH_WIRE_VERSION)
		*what = "a message of another version of the protocol";
	if (!*what)
		return 0;
	message_done(ret);
	return -EPROTO;
}

void message_done(struct message *m)
{
	int i;

	for (i = 0; i < m->n_fds; i++) {
		if (m->fds[i] >= 0)
			close(m->fds[i]);
		m->fds[i] = -1;
	}
	m->n_fds = 0;
}
