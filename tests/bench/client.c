// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * client ADDR PORT COUNT TIMEOUT_MS [SECONDS]: an honest client. One connection after
 * the other: connect, ask, read to the end, close. Prints how many answers came
 * within the timeout and how long connect() took; stops early after SECONDS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int wait_for(int fd, short what, double deadline)
{
	struct pollfd p = { .fd = fd, .events = what };
	double left = deadline - now_us();

	return left > 0 && poll(&p, 1, (int)(left / 1000) + 1) == 1 ? 0 : -1;
}

/* 0 and the time of connect(), or -1. */
static int once(const struct sockaddr *addr, socklen_t len, double timeout_us, double *connect_us)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	double start = now_us(), deadline = start + timeout_us;
	char answer[4096];
	int fd, error = 0, got = 0, ret = -1;
	socklen_t error_len = sizeof(error);
	ssize_t n;

	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, addr, len) && errno != EINPROGRESS)
		goto out;
	if (wait_for(fd, POLLOUT, deadline) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) ||
	    error)
		goto out;
	*connect_us = now_us() - start;
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
		goto out;
	for (;;) {
		if (wait_for(fd, POLLIN, deadline))
			goto out;
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0)
			goto out;
		if (n == 0)
			break;
		if (!got)
			got = n >= 12 && !memcmp(answer, "HTTP/1.", 7) && !memcmp(answer + 8, " 200", 4) ? 1
													 : -1;
	}
	ret = got == 1 ? 0 : -1;
out:
	close(fd);
	return ret;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {};
	int count, ok = 0, tried = 0;
	double *times, end;
	socklen_t len;

	if (argc < 5) {
		fprintf(stderr, "usage: client ADDR PORT COUNT TIMEOUT_MS [SECONDS]\n");
		return 2;
	}
	if (inet_pton(AF_INET, argv[1], &addr.v4.sin_addr) == 1) {
		addr.v4.sin_family = AF_INET;
		addr.v4.sin_port = htons(atoi(argv[2]));
		len = sizeof(addr.v4);
	} else if (inet_pton(AF_INET6, argv[1], &addr.v6.sin6_addr) == 1) {
		addr.v6.sin6_family = AF_INET6;
		addr.v6.sin6_port = htons(atoi(argv[2]));
		len = sizeof(addr.v6);
	} else {
		fprintf(stderr, "client: %s is no address\n", argv[1]);
		return 2;
	}
	count = atoi(argv[3]);
	end = now_us() + (argc > 5 ? atof(argv[5]) : 3600) * 1e6;
	times = calloc(count > 0 ? count : 1, sizeof(*times));
	if (!times)
		return 1;
	for (; tried < count && now_us() < end; tried++)
		if (!once(&addr.any, len, atof(argv[4]) * 1000, &times[ok]))
			ok++;
	qsort(times, ok, sizeof(*times), compare);
	printf("tried=%d ok=%d median_us=%.0f p90_us=%.0f max_us=%.0f\n", tried, ok, ok ? times[ok / 2] : 0,
	       ok ? times[ok * 9 / 10] : 0, ok ? times[ok - 1] : 0);
	free(times);
	return ok == tried ? 0 : 1;
}
