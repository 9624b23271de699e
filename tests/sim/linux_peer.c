// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/sim/linux_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TCP_CONGESTION_OPTION 13 /* netinet/tcp.h and linux/tcp.h do not go together */

uint8_t peer_octet(uint32_t i)
{
	return (uint8_t)(i * 31 + i / 253);
}

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

/* Of this namespace. */
static int sysctl_set(const char *name, const char *value)
{
	char path[100];
	int fd, ok;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok ? 0 : -1;
}

static int settle(const struct transfer *t)
{
	if (t->no_timestamps && sysctl_set("tcp_timestamps", "0"))
		return -1;
	if (t->no_sack && sysctl_set("tcp_sack", "0"))
		return -1;
	if (t->no_wscale && sysctl_set("tcp_window_scaling", "0"))
		return -1;
	return sysctl_set("tcp_ecn", t->ecn ? "1" : "0");
}

static int socket_new(const struct transfer *t)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s >= 0 && setsockopt(s, IPPROTO_TCP, TCP_CONGESTION_OPTION, t->congestion,
				 (socklen_t)strlen(t->congestion)))
		return -1;
	return s;
}

static int send_all(int s, uint32_t octets)
{
	static uint8_t buf[65536];
	uint32_t done, part, i;
	ssize_t n;

	for (done = 0; done < octets; done += (uint32_t)n) {
		part = octets - done < sizeof(buf) ? octets - done : (uint32_t)sizeof(buf);
		for (i = 0; i < part; i++)
			buf[i] = peer_octet(done + i);
		n = write(s, buf, part);
		if (n <= 0)
			return -1;
	}
	return 0;
}

/* Octets until the end; -1: not those expected. */
static int64_t receive_all(int s)
{
	static uint8_t buf[65536];
	uint32_t done = 0;
	ssize_t n, i;

	while ((n = read(s, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			if (buf[i] != peer_octet(done + (uint32_t)i))
				return -1;
		done += (uint32_t)n;
	}
	return n ? -1 : (int64_t)done;
}

/* Seconds from the connection's beginning to its end, or below 0. */
static double client(const struct transfer *t)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(t->port) };
	struct timespec a, b;
	int s = socket_new(t);

	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (t->port == PORT_SENDS) {
		if (write(s, "x", 1) != 1)
			return -2;
		if (receive_all(s) != t->octets)
			return -4;
	} else {
		if (send_all(s, t->octets))
			return -3;
		shutdown(s, SHUT_WR);
		if (receive_all(s))
			return -5;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(s);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void serve(const struct transfer *t)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(t->port) };
	int l = socket_new(t), s;
	char octet;

	if (l < 0 || bind(l, (struct sockaddr *)&at, sizeof(at)) || listen(l, 1))
		_exit(1);
	s = accept(l, NULL, NULL);
	if (t->port == PORT_SENDS) {
		if (read(s, &octet, 1) != 1 || send_all(s, t->octets))
			_exit(1);
	} else if (receive_all(s) < 0) {
		_exit(1);
	}
	close(s);
	pause(); /* until killed: TIME-WAIT and what is not yet acknowledged are the namespace's */
	_exit(0);
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

pid_t peer_start(const struct transfer *t, bool server, int *tun, int *result)
{
	int pair[2], out[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	if (pipe(out))
		return -1;
	pid = fork();
	if (!pid) {
		struct outcome o = { 0 };

		alarm(60);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || settle(t))
			_exit(1);
		fd = tun_open(server ? "10.9.0.2" : "10.9.0.1");
		if (fd < 0)
			_exit(1);
		fd_to(pair[0], fd);
		if (server)
			serve(t);
		usleep(20000);
		o.seconds = client(t);
		counters_check(t, &o);
		_exit(write(out[1], &o, sizeof(o)) != sizeof(o));
	}
	close(pair[0]);
	close(out[1]);
	*tun = pid > 0 ? fd_from(pair[1]) : -1;
	close(pair[1]);
	*result = out[0];
	return *tun < 0 ? -1 : pid;
}
