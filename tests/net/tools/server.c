// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * server ADDR:PORT key=value...: accepts, echoes, and tells as JSON lines what it saw.
 *
 *   backlog=N          of listen()
 *   speak=first        sends a greeting before it has heard anything
 *   close=first        closes once it has answered, so that TIME-WAIT is here
 *   accept=usr1        accepts nothing before SIGUSR1; again and again: one connection per signal with accept=one
 *   mptcp=1            an MPTCP socket
 *   md5=ADDR           TCP_MD5SIG key "porch" for that peer
 *   rcvbuf=N mss=N     SO_RCVBUF and TCP_MAXSEG of the listening socket
 *   v6only=1 reuseport=1 keepalive=1
 *
 * Events: listening; accept {peer, port, TCP_INFO}; data {port, text, TCP_INFO} for
 * the first octets of a connection; end {port, how, bytes}; total {accepted}.
 */
#include "common.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define CONNECTIONS_MAX 4096

struct connection {
	int fd;
	uint16_t port;
	long bytes;
};

static long backlog = 4096, mptcp, rcvbuf, mss, v6only, reuseport, keepalive;
static const char *speak = "last", *close_by = "peer", *accepting = "at-once", *md5;
static struct connection connections[CONNECTIONS_MAX];
static struct pollfd polled[CONNECTIONS_MAX + 1]; /* [0]: the listener; [i + 1]: connections[i] */
static int n_connections;
static long accepted;
static volatile sig_atomic_t may_accept, over;

static void signalled(int number)
{
	if (number == SIGUSR1)
		may_accept++;
	else
		over = 1;
}

static bool set_md5(int fd)
{
	struct tcp_md5sig key = { .tcpm_keylen = 5, .tcpm_key = "porch" };
	struct address peer;

	if (address_parse(md5, &peer))
		return false;
	memcpy(&key.tcpm_addr, &peer, peer.len);
	if (!setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)))
		return true;
	fprintf(stderr, "server: TCP_MD5SIG: %s\n", strerror(errno));
	return false;
}

static int listen_at(const struct address *at)
{
	int fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, mptcp ? IPPROTO_MPTCP : 0);

	if (fd < 0) {
		fprintf(stderr, "server: socket: %s\n", strerror(errno));
		return -1;
	}
	if (!option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "reuseaddr") ||
	    (reuseport && !option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "reuseport")) ||
	    (at->sa.sa_family == AF_INET6 && !option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only, "v6only")) ||
	    (rcvbuf && !option(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf, "rcvbuf")) ||
	    (mss && !option(fd, IPPROTO_TCP, TCP_MAXSEG, mss, "mss")) || (md5 && !set_md5(fd)))
		return -1;
	if (bind(fd, &at->sa, at->len) || listen(fd, backlog)) {
		fprintf(stderr, "server: %s\n", strerror(errno));
		return -1;
	}
	return fd;
}

static void connection_end(int i, const char *how)
{
	printf("{\"event\":\"end\",\"port\":%u,\"how\":\"%s\",\"bytes\":%ld}\n", connections[i].port, how,
	       connections[i].bytes);
	close(connections[i].fd);
	n_connections--;
	connections[i] = connections[n_connections];
	polled[i + 1] = polled[n_connections + 1];
}

static void accept_one(int listener)
{
	struct address peer = { .len = sizeof(peer.in6) };
	struct connection *c = &connections[n_connections];
	char text[64];
	int fd;

	if (n_connections == CONNECTIONS_MAX)
		return;
	fd = accept4(listener, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	accepted++;
	*c = (struct connection){ .fd = fd, .port = address_port(&peer) };
	polled[n_connections + 1] = (struct pollfd){ .fd = fd, .events = POLLIN };
	n_connections++;
	if (keepalive) {
		option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "keepalive");
		option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1, "keepidle");
		option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1, "keepintvl");
	}
	printf("{\"event\":\"accept\",\"peer\":\"%s\",\"port\":%u", address_text(&peer, text, sizeof(text)), c->port);
	print_tcp_info(fd);
	printf("}\n");
	if (!strcmp(speak, "first") && write(fd, "porch\n", 6) != 6)
		fprintf(stderr, "server: greeting: %s\n", strerror(errno));
}

/* Blocks until the kernel has it all: what is echoed is smaller than any buffer. */
static void connection_read(int i)
{
	struct connection *c = &connections[i];
	char buf[4096];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_end(i, !n ? "fin" : errno == ECONNRESET ? "reset" : strerror(errno));
		return;
	}
	if (!c->bytes) {
		printf("{\"event\":\"data\",\"port\":%u,\"text\":", c->port);
		print_text(buf, n, 32);
		print_tcp_info(c->fd);
		printf("}\n");
	}
	c->bytes += n;
	if (send(c->fd, buf, n, MSG_NOSIGNAL) != n)
		connection_end(i, "unwritable");
	else if (!strcmp(close_by, "first"))
		connection_end(i, "closed");
}

static void serve(int listener)
{
	polled[0].fd = listener;
	while (!over) {
		bool now = !strcmp(accepting, "at-once") || may_accept;

		fflush(stdout);
		polled[0].events = now ? POLLIN : 0;
		polled[0].revents = 0;
		if (poll(polled, n_connections + 1, 100) < 0 && errno != EINTR)
			break;
		if (polled[0].revents & POLLIN) {
			accept_one(listener);
			if (!strcmp(accepting, "one"))
				may_accept--;
		}
		for (int i = n_connections - 1; i >= 0; i--)
			if (polled[i + 1].revents)
				connection_read(i);
	}
	printf("{\"event\":\"total\",\"accepted\":%ld}\n", accepted);
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "backlog", &backlog, NULL }, { "mptcp", &mptcp, NULL }, { "rcvbuf", &rcvbuf, NULL },
		{ "mss", &mss, NULL }, { "v6only", &v6only, NULL }, { "reuseport", &reuseport, NULL },
		{ "keepalive", &keepalive, NULL }, { "speak", NULL, &speak }, { "close", NULL, &close_by },
		{ "accept", NULL, &accepting }, { "md5", NULL, &md5 }, { NULL, NULL, NULL },
	};
	struct sigaction act = { .sa_handler = signalled };
	struct address at;
	int listener;

	if (argc < 2 || address_parse(argv[1], &at) || words_parse("server", words, argc - 2, argv + 2)) {
		fprintf(stderr, "usage: server ADDR:PORT [key=value]...\n");
		return 2;
	}
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	listener = listen_at(&at);
	if (listener < 0)
		return 1;
	printf("{\"event\":\"listening\"}\n");
	serve(listener);
	fflush(stdout);
	return 0;
}
