// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The engine against Linux' own TCP, over a TUN device and a link with seeded
 * loss and delay in real time; and Linux against Linux over the same link, for
 * comparison. `linux ROW`: that row alone. Needs root, for namespaces of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/linux_link.h"

#define OCTETS_MOST (24u << 20)

static const struct row {
	const char *name;
	uint32_t loss;	   /* in 100,000 */
	uint32_t reorder;  /* in 100,000 */
	uint64_t delay_us; /* one way */
	uint64_t rate;	   /* octets a second */
	uint32_t octets;
} rows[] = {
	{ "no loss", 0, 0, 5000, 25000000, 12u << 20 },
	{ "0.1 % loss", 100, 0, 5000, 25000000, 8u << 20 },
	{ "1 % loss", 1000, 0, 5000, 25000000, 4u << 20 },
	{ "5 % loss", 5000, 0, 5000, 25000000, 1u << 20 },
	{ "reordering", 0, 2000, 5000, 25000000, 6u << 20 },
};

static int passed, failed;

static void say(bool ok, const char *format, ...)
{
	va_list args;

	printf("%s - ", ok ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	passed += ok;
	failed += !ok;
}

static uint8_t octet(uint32_t i)
{
	return (uint8_t)(i * 31 + i / 253);
}

/* A TUN device with an address in the calling process' namespace. */
static int tun_open(const char *address)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "t0" };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), s = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -1;
	memset(&ifr.ifr_addr, 0, sizeof(ifr.ifr_addr));
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, address, &sin->sin_addr);
	if (ioctl(s, SIOCSIFADDR, &ifr))
		return -1;
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	if (ioctl(s, SIOCSIFNETMASK, &ifr))
		return -1;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr))
		return -1;
	close(s);
	return fd;
}

static void set_congestion(int s)
{
	setsockopt(s, IPPROTO_TCP, 13 /* TCP_CONGESTION */, "cubic", 5);
}

/* Errors that this namespace's TCP has seen in what came in. */
static uint64_t errors_seen(void)
{
	char names[4096], values[4096], *n, *v, *sn, *sv;
	uint64_t sum = 0;
	FILE *f;

	for (int i = 0; i < 2; i++) {
		f = fopen(i ? "/proc/self/net/netstat" : "/proc/self/net/snmp", "r");
		while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
			n = strtok_r(names, " \n", &sn);
			v = strtok_r(values, " \n", &sv);
			for (; n && v; n = strtok_r(NULL, " \n", &sn), v = strtok_r(NULL, " \n", &sv))
				if (!strcmp(n, "InCsumErrors") || !strcmp(n, "InErrs") ||
				    !strcmp(n, "TCPSACKDiscard") || !strcmp(n, "TCPDSACKIgnoredOld") ||
				    !strcmp(n, "TCPAbortOnTimeout") || !strcmp(n, "TCPZeroWindowDrop") ||
				    !strcmp(n, "TCPRcvQDrop"))
					sum += strtoull(v, NULL, 10);
		}
		if (f)
			fclose(f);
	}
	return sum;
}

/* The client's process, in its namespace: seconds the transfer took, or below 0. */
static double client(uint16_t port, uint32_t octets)
{
	static uint8_t buf[65536];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timespec a, b;
	uint32_t done = 0, i;
	ssize_t n;
	int s = socket(AF_INET, SOCK_STREAM, 0);

	set_congestion(s);
	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (connect(s, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	if (port == 80) {
		if (write(s, "x", 1) != 1)
			return -2;
	} else {
		while (done < octets) {
			uint32_t part = min_u32(sizeof(buf), octets - done);

			for (i = 0; i < part; i++)
				buf[i] = octet(done + i);
			n = write(s, buf, part);
			if (n <= 0)
				return -3;
			done += (uint32_t)n;
		}
		shutdown(s, SHUT_WR);
		done = 0;
		octets = 0;
	}
	while ((n = read(s, buf, sizeof(buf))) > 0) {
		for (i = 0; i < (uint32_t)n; i++)
			if (buf[i] != octet(done + i))
				return -4;
		done += (uint32_t)n;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(s);
	if (n < 0 || done != octets)
		return -5;
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* Linux as the server, in the namespace behind the other end. */
static void server(uint16_t port, uint32_t octets)
{
	static uint8_t buf[65536];
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int l = socket(AF_INET, SOCK_STREAM, 0), s, one = 1;
	uint32_t done = 0, i;
	ssize_t n;

	set_congestion(l);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (struct sockaddr *)&at, sizeof(at)) || listen(l, 1))
		_exit(1);
	s = accept(l, NULL, NULL);
	if (port == 80) {
		if (read(s, buf, 1) != 1)
			_exit(1);
		while (done < octets) {
			uint32_t part = min_u32(sizeof(buf), octets - done);

			for (i = 0; i < part; i++)
				buf[i] = octet(done + i);
			n = write(s, buf, part);
			if (n <= 0)
				_exit(1);
			done += (uint32_t)n;
		}
	} else {
		while ((n = read(s, buf, sizeof(buf))) > 0)
			;
	}
	close(s);
	sleep(1);
	_exit(0);
}

/* The engine as the server: its application. */
struct served {
	uint16_t port;
	uint32_t octets, done;
	bool asked, wrong, closed;
};

static void serve(struct link_end *e, void *user)
{
	static uint8_t buf[65536];
	struct served *v = user;
	uint32_t i;
	ssize_t n;

	if (!e->open || v->closed)
		return;
	while ((n = tcp_recv(&e->stack, &e->conn, buf, sizeof(buf))) > 0) {
		v->asked = true;
		for (i = 0; v->port != 80 && i < (uint32_t)n; i++)
			v->wrong |= buf[i] != octet(v->done + i);
		if (v->port != 80)
			v->done += (uint32_t)n;
	}
	if (v->port == 80) {
		while (v->asked && v->done < v->octets) {
			uint32_t part = min_u32(sizeof(buf), v->octets - v->done);

			for (i = 0; i < part; i++)
				buf[i] = octet(v->done + i);
			n = tcp_send(&e->stack, &e->conn, buf, part);
			if (n <= 0)
				break;
			v->done += (uint32_t)n;
		}
	}
	if (tcp_error(&e->conn) || (v->port == 80 ? v->done == v->octets : n == 0)) {
		tcp_close(&e->stack, &e->conn);
		v->closed = true;
	}
}

static int fd_from(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int fd = -1;

	if (recvmsg(sock, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void fd_to(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) != 1)
		_exit(1);
}

/* A child in a namespace of its own, its TUN device's fd in *tun. */
static pid_t child(const char *address, uint16_t port, uint32_t octets, bool serving, int *tun, int *result)
{
	int pair[2], out[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pipe(out))
		return -1;
	pid = fork();
	if (!pid) {
		struct {
			double seconds;
			uint64_t errors;
		} r;

		alarm(60);
		if (unshare(CLONE_NEWNET))
			_exit(1);
		fd = tun_open(address);
		if (fd < 0)
			_exit(1);
		fd_to(pair[0], fd);
		if (serving)
			server(port, octets);
		usleep(50000);
		r.errors = errors_seen();
		r.seconds = client(port, octets);
		r.errors = errors_seen() - r.errors;
		if (write(out[1], &r, sizeof(r)) != sizeof(r))
			_exit(1);
		_exit(0);
	}
	close(pair[0]);
	close(out[1]);
	*tun = fd_from(pair[1]);
	close(pair[1]);
	*result = out[0];
	return *tun < 0 ? -1 : pid;
}

/* One transfer; octets a second, below 0: failed. */
static double transfer(const struct row *row, uint16_t port, bool linux_too, uint64_t seed, uint64_t *errors)
{
	struct served served = { .port = port, .octets = row->octets };
	struct link link = { .loss = row->loss,
			     .reorder = row->reorder,
			     .delay = row->delay_us * 1000,
			     .rate = row->rate,
			     .queue = 250,
			     .random = seed };
	struct {
		double seconds;
		uint64_t errors;
	} r = { -9, 0 };
	int tun, other = -1, result, unused = -1, status;
	pid_t pid, peer = 0;

	if (linux_too)
		peer = child("10.9.0.2", port, row->octets, true, &other, &unused);
	pid = child("10.9.0.1", port, row->octets, false, &tun, &result);
	if (pid < 0 || peer < 0)
		return -9;
	fcntl(result, F_SETFL, O_NONBLOCK);
	link_run(&link, tun, other, result, serve, &served);
	if (read(result, &r, sizeof(r)) != sizeof(r))
		r.seconds = -8;
	if (peer > 0) {
		kill(peer, SIGKILL);
		waitpid(peer, &status, 0);
		close(unused);
		close(other);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(result);
	close(tun);
	*errors = r.errors;
	if (served.wrong)
		return -7;
	return r.seconds > 0 ? row->octets / r.seconds : r.seconds;
}

int main(int argc, char **argv)
{
	uint64_t errors, unused;
	size_t i;
	int port;

	if (geteuid() || access("/dev/net/tun", R_OK | W_OK)) {
		printf("skipped: needs root and /dev/net/tun\n0 passed, 0 failed, 1 skipped\n");
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc > 1 && strcmp(argv[1], rows[i].name))
			continue;
		for (port = 80; port <= 81; port++) {
			double ours = transfer(&rows[i], (uint16_t)port, false, 1000 + i, &errors);
			double theirs = transfer(&rows[i], (uint16_t)port, true, 1000 + i, &unused);

			say(ours > 0 && errors == 0,
			    "%s, %s: %.0f KiB/s, Linux to Linux %.0f (%.2f), %llu errors seen", rows[i].name,
			    port == 80 ? "to Linux" : "from Linux", ours / 1024, theirs / 1024, ours / theirs,
			    (unsigned long long)errors);
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
