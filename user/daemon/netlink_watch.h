/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A subscription to rtnetlink, in the loop. */
#ifndef PORCH_DAEMON_NETLINK_WATCH_H
#define PORCH_DAEMON_NETLINK_WATCH_H

#include <stdint.h>
#include <linux/netlink.h>

struct daemon;

struct netlink_watch {
	int fd;
	void (*message)(struct daemon *d, const struct nlmsghdr *message);
	void (*lost)(struct daemon *d); /* the kernel had more to say than there was room for */
};

/* groups: RTMGRP_*. `w` has its functions set. 0 or -errno. */
int netlink_watch_start(struct daemon *d, struct netlink_watch *w, uint32_t groups);
void netlink_watch_stop(struct daemon *d, struct netlink_watch *w);

#endif /* PORCH_DAEMON_NETLINK_WATCH_H */
