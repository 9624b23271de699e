// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bulk ADDR:PORT send|receive SECONDS [times=NAME:PID,...]: one kernel connection that is
 * kept full, or emptied. Prints octets, seconds and the CPU time of those named,
 * all without the first tenth of a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/cputime.h"

static char buffer[256 * 1024];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int connect_to(char *text)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	const struct timeval patience = { .tv_sec = 5 };
	char *colon = strrchr(text, ':');
	int fd;

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	at.sin_port = htons(atoi(colon + 1));
	if (inet_pton(AF_INET, text, &at.sin_addr) != 1)
		return -EINVAL;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (void *)&at, sizeof(at)))
		return -errno;
	return fd;
}

/* Octets within `seconds`, or -errno: nothing went for five seconds, or it ended. */
static long long move(int fd, int sending, double seconds)
{
	double end = now() + seconds;
	long long sum = 0;
	ssize_t n;

	while (now() < end) {
		n = sending ? send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL)
			    : recv(fd, buffer, sizeof(buffer), 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		sum += n;
	}
	return sum;
}

int main(int argc, char **argv)
{
	struct cputime times = {};
	long long octets;
	int fd, sending;
	double start;

	if (argc < 4 || (argc > 4 && (strncmp(argv[4], "times=", 6) || cputime_parse(argv[4] + 6, &times)))) {
		fprintf(stderr, "usage: bulk ADDR:PORT send|receive SECONDS [times=NAME:PID,...]\n");
		return 2;
	}
	sending = !strcmp(argv[2], "send");
	fd = connect_to(argv[1]);
	octets = fd < 0 ? fd : move(fd, sending, 0.1);
	if (octets >= 0)
		octets = cputime_start(&times);
	start = now();
	if (octets >= 0)
		octets = move(fd, sending, atof(argv[3]));
	if (octets < 0) {
		fprintf(stderr, "bulk: %s\n", strerror(-octets));
		return 1;
	}
	printf("octets=%lld seconds=%.4f", octets, now() - start);
	if (cputime_print(&times))
		return 1;
	printf("\n");
	return 0;
}
