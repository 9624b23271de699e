// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/netlink.h"

#define ANSWER_MAX 65536 /* the kernel fills at most 32 KiB per dump message */

void *porch_nl_request(struct porch_nl_request *request, int type, int flags, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_LENGTH(size);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_seq = 1;
	return NLMSG_DATA(&request->header);
}

void porch_nl_attr(struct porch_nl_request *request, int type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr *attr = (struct rtattr *)((char *)request + at);

	if (at + RTA_SPACE(size) > sizeof(*request))
		return;
	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), data, size);
	request->header.nlmsg_len = at + RTA_ALIGN(attr->rta_len);
}

/* 1: all answers are in, 0: more to come. */
static int take(const char *answer, ssize_t got, bool dump, porch_nl_fn fn, void *arg)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	size_t left = got;
	int r;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(message);

			if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
				return -EPROTO;
			return error->error ? error->error : 1;
		}
		r = fn(message, arg);
		if (r)
			return r;
		/* a single answer is followed by an ACK only if it was asked for */
		if (!dump)
			return 1;
	}
	return 0;
}

int porch_nl_ask(int protocol, struct porch_nl_request *request, porch_nl_fn fn, void *arg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = 2 };
	bool dump = (request->header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	char *answer = NULL;
	ssize_t n;
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	/* strict: filters of a dump must work or be refused, never be ignored */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &(int){ 1 }, sizeof(int));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	answer = malloc(ANSWER_MAX);
	if (!answer) {
		r = -ENOMEM;
		goto out;
	}
	n = sendto(fd, request, request->header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	if (n < 0) {
		r = -errno;
		goto out;
	}
	do {
		n = recv(fd, answer, ANSWER_MAX, 0);
		if (n < 0 && errno == EINTR) {
			r = 0;
			continue;
		}
		r = n < 0 ? -errno : take(answer, n, dump, fn, arg);
	} while (!r);
	if (r > 0)
		r = 0;
out:
	free(answer);
	close(fd);
	return r;
}

static void walk(const struct rtattr *attr, int left, const struct rtattr **table, int max)
{
	memset(table, 0, (max + 1) * sizeof(*table));
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		int type = attr->rta_type & NLA_TYPE_MASK;

		if (type <= max)
			table[type] = attr;
	}
}

void porch_nl_attrs(const struct nlmsghdr *message, size_t size, const struct rtattr **table, int max)
{
	int left = (int)message->nlmsg_len - (int)NLMSG_SPACE(size);

	walk((const struct rtattr *)((const char *)NLMSG_DATA(message) + NLMSG_ALIGN(size)), left, table,
	     max);
}

void porch_nl_nested(const struct rtattr *attr, const struct rtattr **table, int max)
{
	if (attr)
		walk(RTA_DATA(attr), RTA_PAYLOAD(attr), table, max);
	else
		memset(table, 0, (max + 1) * sizeof(*table));
}

__u32 porch_nl_u32(const struct rtattr *attr, __u32 missing)
{
	__u32 value;

	if (!attr || RTA_PAYLOAD(attr) < sizeof(value))
		return missing;
	memcpy(&value, RTA_DATA(attr), sizeof(value));
	return value;
}
