// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A small server and its clients, for guests that have no room for more.
 *
 *   peer serve ADDR PORT                                  answers each request with what it knows of
 *                                                         the connection: mss, scales, sack, timestamps
 *   peer ask ADDR PORT COUNT PARALLEL TIMEOUT_MS [PORT0]  so many connections; prints the first answer and
 *                                                         `N answered, N failed`; 0 if all were answered.
 *                                                         From source port PORT0 on, if given
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct connection {
	int fd;			/* -1: none */
	int got;
	bool connected;
	int64_t deadline;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static socklen_t address_make(const char *host, const char *port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET6, host, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons(atoi(port));
		return sizeof(ret->in6);
	}
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(atoi(port));
		return sizeof(ret->in);
	}
	return 0;
}

static int complain(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	return 1;
}

static int answer(int fd)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);
	char request[512], text[256];
	int n = read(fd, request, sizeof(request));

	if (n <= 0)
		return -1;
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	n = snprintf(text, sizeof(text), "mss=%u sack=%d timestamps=%d wscale=%d/%d\n", info.tcpi_snd_mss,
		     !!(info.tcpi_options & TCPI_OPT_SACK), !!(info.tcpi_options & TCPI_OPT_TIMESTAMPS),
		     info.tcpi_options & TCPI_OPT_WSCALE ? info.tcpi_snd_wscale : -1,
		     info.tcpi_options & TCPI_OPT_WSCALE ? info.tcpi_rcv_wscale : -1);
	return write(fd, text, n) == n ? 0 : -1;
}

static int serve(char **argv)
{
	struct pollfd polled[CONNECTIONS_MAX + 1];
	union address at;
	socklen_t len = address_make(argv[0], argv[1], &at);
	int one = 1, n = 0, fd;

	fd = socket(at.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) || bind(fd, &at.sa, len) ||
	    listen(fd, CONNECTIONS_MAX))
		return complain("listen");
	polled[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	for (;;) {
		if (poll(polled, n + 1, -1) < 0)
			return complain("poll");
		for (int i = n; i > 0; i--) {
			if (!polled[i].revents)
				continue;
			answer(polled[i].fd);
			close(polled[i].fd);
			polled[i] = polled[n--];
		}
		while (n < CONNECTIONS_MAX && (fd = accept(polled[0].fd, 0, 0)) >= 0)
			polled[++n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

static int begin(struct connection *c, const union address *to, socklen_t len, int port, int timeout)
{
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	union address from = { .sa.sa_family = to->sa.sa_family };
	int one = 1;

	if (fd < 0)
		return -1;
	from.in.sin_port = htons(port); /* the same place in both families */
	if (port && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) || bind(fd, &from.sa, len)))
		goto fail;
	if (connect(fd, &to->sa, len) && errno != EINPROGRESS)
		goto fail;
	*c = (struct connection){ .fd = fd, .deadline = now_ms() + timeout };
	return 0;
fail:
	complain("connect");
	close(fd);
	return -1;
}

/* 1: answered to the end; -1: failed; 0: goes on. */
static int advance(struct connection *c, short events, bool first)
{
	char text[256];
	int error = 0, n;
	socklen_t size = sizeof(error);

	if (!c->connected && events & (POLLOUT | POLLERR | POLLHUP)) {
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error)
			return -1;
		c->connected = true;
		return write(c->fd, "?\n", 2) == 2 ? 0 : -1;
	}
	if (!c->connected || !(events & (POLLIN | POLLERR | POLLHUP)))
		return 0;
	n = read(c->fd, text, sizeof(text));
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	if (n == 0)
		return c->got ? 1 : -1;
	if (first && !c->got)
		fwrite(text, n, 1, stdout);
	c->got += n;
	return 0;
}

static int ask(int argc, char **argv)
{
	static struct connection all[CONNECTIONS_MAX];
	static struct pollfd polled[CONNECTIONS_MAX];
	int count = atoi(argv[2]), parallel = atoi(argv[3]), timeout = atoi(argv[4]);
	int port = argc > 5 ? atoi(argv[5]) : 0;
	int begun = 0, answered = 0, failed = 0, done;
	union address to;
	socklen_t len = address_make(argv[0], argv[1], &to);

	if (parallel > CONNECTIONS_MAX)
		parallel = CONNECTIONS_MAX;
	for (int i = 0; i < parallel; i++)
		all[i].fd = polled[i].fd = -1;
	while (answered + failed < count) {
		for (int i = 0; i < parallel; i++) {
			if (all[i].fd < 0 && begun < count) {
				if (begin(&all[i], &to, len, port ? port + begun : 0, timeout))
					failed++;
				begun++;
			}
			polled[i].fd = all[i].fd;
			polled[i].events = all[i].connected ? POLLIN : POLLOUT;
		}
		if (poll(polled, parallel, 100) < 0)
			return complain("poll");
		for (int i = 0; i < parallel; i++) {
			if (all[i].fd < 0)
				continue;
			done = polled[i].revents ? advance(&all[i], polled[i].revents, answered == 0) : 0;
			if (!done && now_ms() > all[i].deadline)
				done = -1;
			if (!done)
				continue;
			answered += done > 0;
			failed += done < 0;
			close(all[i].fd);
			all[i] = (struct connection){ .fd = -1 };
		}
	}
	printf("%d answered, %d failed\n", answered, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	union address at;

	if (argc >= 4 && address_make(argv[2], argv[3], &at)) {
		if (!strcmp(argv[1], "serve") && argc == 4)
			return serve(argv + 2);
		if (!strcmp(argv[1], "ask") && argc >= 7)
			return ask(argc - 2, argv + 2);
	}
	fprintf(stderr, "peer serve ADDR PORT | peer ask ADDR PORT COUNT PARALLEL TIMEOUT_MS [PORT0]\n");
	return 2;
}
