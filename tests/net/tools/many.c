// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * many ADDR:PORT count=N [rate=N] [rounds=N] [timeout=MS]: that many connections at the
 * same time. All are opened, at `rate` per second; when the last is connected
 * every one says something and waits for its echo, `rounds` times, so that none
 * of them can have been closed for another's sake. One line of JSON.
 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_MAX 60000
#define EVENTS	  256

enum state { CONNECTING, CONNECTED, ASKED, FAILED };

struct one {
	int fd;
	enum state state;
	size_t got;
};

static long count = 10000, rate = 20000, rounds = 2, timeout_ms = 15000;
static struct one *ones;
static int epoll;
static long connected, failed, answered;

static void message_of(long n, long round, char text[16])
{
	snprintf(text, 16, "%07lu %06lu\n", (unsigned long)n % 10000000, (unsigned long)round % 1000000);
}

static void fail(struct one *o, const char *when)
{
	if (failed++ < 3)
		fprintf(stderr, "many: connection %ld, %s: %s\n", (long)(o - ones), when, strerror(errno));
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	o->state = FAILED;
}

static void start(struct one *o, const struct address *to)
{
	struct epoll_event want = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = o };

	o->fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (o->fd < 0 || (connect(o->fd, &to->sa, to->len) && errno != EINPROGRESS) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, o->fd, &want))
		fail(o, "connect");
}

static void ready(struct one *o, uint32_t events, long round)
{
	int error = 0;
	socklen_t len = sizeof(error);
	char text[16], wanted[16];
	ssize_t n;

	if (o->state == FAILED)
		return;
	if (o->state == CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
		getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			errno = error;
			fail(o, "connect");
			return;
		}
		o->state = CONNECTED;
		connected++;
	}
	if (!(events & EPOLLIN))
		return;
	n = recv(o->fd, text, sizeof(text) - 1, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	message_of(o - ones, round, wanted);
	if (n <= 0 || o->state != ASKED || o->got + n > 15 || memcmp(text, wanted + o->got, n)) {
		errno = n < 0 ? errno : n ? EBADMSG : EPIPE;
		fail(o, "answer");
		return;
	}
	o->got += n;
	if (o->got == 15) {
		o->state = CONNECTED;
		answered++;
	}
}

static void serve(long round, int wait)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll, events, EVENTS, wait);

	for (int i = 0; i < n; i++)
		ready(events[i].data.ptr, events[i].events, round);
}

static void ask_all(long round)
{
	int64_t deadline = now_us() + timeout_ms * 1000, begin = now_us();

	answered = 0;
	for (long i = 0; i < count; i++) {
		char text[16];

		while (now_us() - begin < i * 1000000 / rate)
			serve(round, 0);
		if (ones[i].state != CONNECTED)
			continue;
		message_of(i, round, text);
		ones[i].got = 0;
		ones[i].state = ASKED;
		if (send(ones[i].fd, text, 15, MSG_NOSIGNAL) != 15)
			fail(&ones[i], "send");
	}
	while (answered + failed < count && now_us() < deadline)
		serve(round, 10);
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "count", &count, NULL },	  { "rate", &rate, NULL }, { "rounds", &rounds, NULL },
		{ "timeout", &timeout_ms, NULL }, { NULL, NULL, NULL },
	};
	struct rlimit files;
	int64_t begin, deadline, connect_us;
	struct address to;
	long done = 0;

	if (argc < 2 || address_parse(argv[1], &to) || words_parse("many", words, argc - 2, argv + 2) ||
	    count < 1 || count > COUNT_MAX || rate < 1) {
		fprintf(stderr, "usage: many ADDR:PORT [count=N] [rate=N] [rounds=N] [timeout=MS]\n");
		return 2;
	}
	ones = calloc(count, sizeof(*ones));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!ones || epoll < 0 || getrlimit(RLIMIT_NOFILE, &files)) {
		perror("many");
		return 1;
	}
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur < (unsigned long)count + 16) {
		fprintf(stderr, "many: %ld connections need more than %lu files\n", count,
			(unsigned long)files.rlim_cur);
		return 1;
	}
	begin = now_us();
	deadline = begin + timeout_ms * 1000 + count * 1000000 / rate;
	for (long i = 0; i < count; i++) {
		while (now_us() - begin < i * 1000000 / rate)
			serve(0, 0);
		start(&ones[i], &to);
	}
	while (connected + failed < count && now_us() < deadline)
		serve(0, 10);
	connect_us = now_us() - begin;
	for (long round = 0; round < rounds; round++) {
		ask_all(round);
		done += answered;
	}
	printf("{\"total\":%ld,\"connected\":%ld,\"failed\":%ld,\"answered\":%ld,\"connect_ms\":%lld,\"total_"
	       "ms\":%lld}\n",
	       count, connected, failed, done, (long long)connect_us / 1000,
	       (long long)(now_us() - begin) / 1000);
	for (long i = 0; i < count; i++)
		if (ones[i].fd >= 0)
			close(ones[i].fd);
	return connected == count && !failed && done == count * rounds ? 0 : 1;
}
