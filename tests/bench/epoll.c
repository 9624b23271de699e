// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * epoll PORT abort|close|echo|sink|source|hold: the kernel's side of each comparison, one
 * thread around epoll_wait(). What is not waited for is done at once; nothing is
 * done twice. SO_LINGER is set on the listener, whose children inherit it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64

enum work { WORK_ABORT, WORK_CLOSE, WORK_ECHO, WORK_SINK, WORK_SOURCE, WORK_HOLD };

static char buffer[256 * 1024];

static int listen_at(int port, enum work work)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct linger linger = { .l_onoff = 1 };
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* as porch's engine. BBR, where it is the default, would send from a timer's softirq, on no thread's account */
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (work == WORK_ABORT && setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger))) ||
	    (work == WORK_ECHO && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))) ||
	    bind(fd, (void *)&at, sizeof(at)) || listen(fd, 4096)) {
		perror("epoll: listen");
		return -1;
	}
	return fd;
}

static void accept_all(int listener, int epoll, enum work work)
{
	struct epoll_event want = { .events = work == WORK_SOURCE ? EPOLLIN | EPOLLOUT : EPOLLIN };
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (work == WORK_ABORT || work == WORK_CLOSE) {
			close(fd);
			continue;
		}
		want.data.fd = fd;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want))
			close(fd);
	}
}

static void serve(int fd, uint32_t events, enum work work)
{
	ssize_t n;

	if (work == WORK_SOURCE && events & EPOLLOUT) {
		do
			n = send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL);
		while (n == sizeof(buffer));
		if (n < 0 && errno != EAGAIN)
			close(fd);
		return;
	}
	n = recv(fd, buffer, work == WORK_ECHO ? 4096 : sizeof(buffer), 0);
	if (n > 0 && work == WORK_ECHO)
		n = send(fd, buffer, n, MSG_NOSIGNAL);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		close(fd);
}

int main(int argc, char **argv)
{
	static const char *const works[] = { "abort", "close", "echo", "sink", "source", "hold" };
	struct rlimit files;
	struct epoll_event events[EVENTS], want = { .events = EPOLLIN };
	int listener, epoll, n, work = -1;

	for (int i = 0; argc > 2 && i < 6; i++)
		if (!strcmp(argv[2], works[i]))
			work = i;
	if (work < 0) {
		fprintf(stderr, "usage: epoll PORT abort|close|echo|sink|source|hold\n");
		return 2;
	}
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	listener = listen_at(atoi(argv[1]), work);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	want.data.fd = listener;
	if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &want))
		return 1;
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener, epoll, work);
			else
				serve(events[i].data.fd, events[i].events, work);
		}
	}
}
