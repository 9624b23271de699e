// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/loop.h"
#include "daemon/netlink_watch.h"

#define READS_PER_TURN 16

static void readable(struct daemon *d, uint32_t events, void *arg)
{
	struct netlink_watch *w = arg;
	_Alignas(struct nlmsghdr) char buffer[16384];
	const struct nlmsghdr *m;
	struct sockaddr_nl from;
	socklen_t size;
	ssize_t n;
	size_t left;
	int i;

	for (i = 0; i < READS_PER_TURN; i++) {
		size = sizeof(from);
		n = recvfrom(w->fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		if (n < 0 && errno == ENOBUFS) {
			w->lost(d);
			continue;
		}
		if (n <= 0)
			return;
		/* other processes may send to us; the kernel is port 0 */
		if (size != sizeof(from) || from.nl_pid)
			continue;
		left = n;
		for (m = (const void *)buffer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
			w->message(d, m);
	}
}

int netlink_watch_start(struct daemon *d, struct netlink_watch *w, uint32_t groups)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int r;

	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->fd < 0)
		return -errno;
	r = bind(w->fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
	if (!r)
		r = loop_add(d->loop, w->fd, EPOLLIN, readable, w);
	if (r) {
		close(w->fd);
		w->fd = -1;
	}
	return r;
}

void netlink_watch_stop(struct daemon *d, struct netlink_watch *w)
{
	if (w->fd < 0)
		return;
	loop_remove(d->loop, w->fd);
	porch_closep(&w->fd);
	w->fd = -1;
}
