// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <porch/wire.h>

#include "cli/porchd.h"
#include "core/err.h"
#include "core/util.h"

const char *porchd_socket(void)
{
	const char *path = getenv("PORCH_SOCKET");

	return path && *path ? path : PORCH_SOCKET_DEFAULT;
}

static int connect_to(const char *path, struct porch_err *err)
{
	const struct timeval step = { .tv_sec = PORCH_STEP_MS / 1000,
				      .tv_usec = PORCH_STEP_MS % 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return porch_err_set(err, -ENAMETOOLONG, "%.120s: too long for the name of a socket", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof(step)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &step, sizeof(step)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s%s", path, strerror(-r),
				     r == -ENOENT || r == -ECONNREFUSED
					     ? "; is porchd running? PORCH_SOCKET says where it listens"
					     : "");
	}
	return TAKE_FD(fd);
}

static int send_with(int fd, const struct porch_msg *msg, int passed)
{
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { (void *)msg, sizeof(*msg) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.octets,
		.msg_controllen = sizeof(control.octets),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(int));
	return sendmsg(fd, &header, MSG_NOSIGNAL) == sizeof(*msg) ? 0 : -errno;
}

int porchd_capture(__u32 ifindex, __u32 snaplen, int pipe, struct porch_err *err)
{
	struct porch_msg msg = { .type = PORCH_MSG_CAPTURE, .version = PORCH_WIRE_VERSION };
	const char *path = porchd_socket();
	_cleanup_close_ int fd = connect_to(path, err);
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	msg.capture.ifindex = ifindex;
	msg.capture.snaplen = snaplen;
	r = send_with(fd, &msg, pipe);
	if (r)
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	n = recv(fd, &msg, sizeof(msg), 0);
	if (n < 0) {
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		return porch_err_set(err, r, "%s: porchd does not answer: %s", path, strerror(-r));
	}
	if (!n)
		return porch_err_set(err, -EACCES,
				     "%s: porchd hung up; may this user ask it? (allow-uid in porch.conf)",
				     path);
	if (n != sizeof(msg) || msg.version != PORCH_WIRE_VERSION)
		return porch_err_set(err, -EPROTO, "%s: porchd speaks another version", path);
	if (msg.type == PORCH_MSG_REFUSED) {
		msg.text[sizeof(msg.text) - 1] = '\0';
		return porch_err_set(err, msg.result < 0 ? msg.result : -EPROTO, "porchd: %s", msg.text);
	}
	if (msg.type != PORCH_MSG_CAPTURE || msg.result)
		return porch_err_set(err, msg.result < 0 ? msg.result : -EPROTO, "porchd cannot capture: %s",
				     strerror(msg.result < 0 ? -msg.result : EPROTO));
	return 0;
}
