// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * notify PATH: the service manager's end of sd_notify(3). Prints every assignment of every datagram
 * as a line `MS PID ASSIGNMENT`, MS since the start, PID as the kernel knows the sender.
 */
#include "common.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 4096

static int listen_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return -1;
	strcpy(to.sun_path, path);
	/* everybody may speak to it, as to the real one: who was root may be nobody by now */
	if (!option(fd, SOL_SOCKET, SO_PASSCRED, 1, "passcred") ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) || chmod(path, 0777))
		return -1;
	return fd;
}

static int sender(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct ucred cred;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	return cred.pid;
}

int main(int argc, char **argv)
{
	char text[MESSAGE_MAX + 1], control[CMSG_SPACE(sizeof(struct ucred))], *line, *rest;
	int64_t begin = now_us();
	int fd = argc == 2 ? listen_at(argv[1]) : -1;
	ssize_t n;

	if (fd < 0) {
		fprintf(stderr, "notify: PATH of a socket that can be made\n");
		return 2;
	}
	setlinebuf(stdout);
	puts("listening");
	for (;;) {
		struct iovec iov = { text, MESSAGE_MAX };
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
		if (n < 0)
			return 1;
		text[n] = '\0';
		for (rest = text; (line = strsep(&rest, "\n"));) {
			if (*line)
				printf("%lld %d %s\n", (long long)(now_us() - begin) / 1000, sender(&m),
				       line);
		}
	}
}
