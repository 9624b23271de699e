/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As much netlink as porch needs: ask, and walk the answer. */
#ifndef PORCH_CORE_NETLINK_H
#define PORCH_CORE_NETLINK_H

#include <stddef.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* A request under construction: header, family header, attributes. */
struct porch_nl_request {
	struct nlmsghdr header;
	char body[512 - sizeof(struct nlmsghdr)];
};

/* Called for each answer; 0 to go on, -errno to stop with it. */
typedef int (*porch_nl_fn)(const struct nlmsghdr *message, void *arg);

/* Starts a request; returns the zeroed family header of `size` octets. */
void *porch_nl_request(struct porch_nl_request *request, int type, int flags, size_t size);
void porch_nl_attr(struct porch_nl_request *request, int type, const void *data, size_t size);

/*
 * Opens a socket of `protocol`, sends, calls `fn` for each answer until the
 * kernel says done. 0, or -errno of the socket, of the kernel or of `fn`.
 */
int porch_nl_ask(int protocol, struct porch_nl_request *request, porch_nl_fn fn, void *arg);

/* The attributes behind a family header of `size` octets, by type; those above `max` are left out. */
void porch_nl_attrs(const struct nlmsghdr *message, size_t size, const struct rtattr **table, int max);
void porch_nl_nested(const struct rtattr *attr, const struct rtattr **table, int max);
__u32 porch_nl_u32(const struct rtattr *attr, __u32 missing);

#endif /* PORCH_CORE_NETLINK_H */
