// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * client ADDR:PORT key=value...: honest connections, and what became of each as JSON lines.
 *
 *   count=N width=N gap=MS     how many (0: until SIGTERM), how many at once, pause between two starts
 *   speak=server               waits for a greeting before it says anything; silent: only connects and waits
 *   rounds=N pause=MS          messages, each to be echoed, and the time between them
 *   first=MS hold=MS           time between connect and the first message; after the last answer
 *   timeout=MS                 of each step, unless it is a pause
 *   from=ADDR[:PORT] dev=IF    where from; a fixed port is shared by SO_REUSEADDR
 *   mss=N rcvbuf=N             TCP_MAXSEG, SO_RCVBUF
 *   keepalive=1 md5=1          probes every second; TCP_MD5SIG key "porch"
 *   end=fin|rst|silent         silent: the socket vanishes and the peer is told nothing (TCP_REPAIR)
 *
 * result: ok, refused, reset, closed (FIN instead of an answer), timeout_connect,
 * timeout_data (connected, and then nothing), mismatch, error. The last line sums up.
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

#define WIDTH_MAX 1024
#define TIMES_MAX 65536

enum step { STEP_CONNECT, STEP_GREETING, STEP_PAUSE, STEP_ANSWER, STEP_HOLD };

enum result { OK, REFUSED, RESET, CLOSED, TIMEOUT_CONNECT, TIMEOUT_DATA, MISMATCH, ERROR, RESULTS };

static const char *const result_names[RESULTS] = { "ok",	      "refused",      "reset",	  "closed",
						   "timeout_connect", "timeout_data", "mismatch", "error" };

struct connection {
	int fd;
	long number, rounds;
	enum step step;
	int64_t born, connected, deadline;
	char message[32];
	size_t got;
};

static long count = 1, width = WIDTH_MAX, gap, rounds = 1, pause_ms, first, hold, timeout_ms = 5000, mss, rcvbuf;
static long keepalive, md5;
static const char *speak = "client", *from, *dev, *end = "fin";
static struct address to, source;
static struct connection connections[WIDTH_MAX];
static struct pollfd polled[WIDTH_MAX];
static int open_now;
static long results[RESULTS], started, ended, worst_us;
static int connect_times[TIMES_MAX];
static volatile sig_atomic_t over;

static void signalled(int number)
{
	over = 1;
}

static bool set_md5(int fd)
{
	struct tcp_md5sig key = { .tcpm_keylen = 5, .tcpm_key = "porch" };

	memcpy(&key.tcpm_addr, &to, to.len);
	return !setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key));
}

static bool prepare(int fd)
{
	if (from && (!option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "reuseaddr") || bind(fd, &source.sa, source.len)))
		return false;
	if (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev)))
		return false;
	if (keepalive && (!option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "keepalive") ||
			  !option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1, "keepidle") ||
			  !option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1, "keepintvl")))
		return false;
	return (!mss || option(fd, IPPROTO_TCP, TCP_MAXSEG, mss, "mss")) &&
	       (!rcvbuf || option(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf, "rcvbuf")) && (!md5 || set_md5(fd));
}

static void finish(struct connection *c, enum result result, const char *why)
{
	struct address own = { .len = sizeof(own.in6) };
	int64_t now = now_us();

	results[result]++;
	ended++;
	if (c->fd >= 0)
		getsockname(c->fd, &own.sa, &own.len);
	printf("{\"n\":%ld,\"port\":%u,\"result\":\"%s\",\"rounds\":%ld,\"connect_us\":%lld,\"total_us\":%lld", c->number,
	       address_port(&own), result_names[result], c->rounds, c->connected ? (long long)(c->connected - c->born) : -1ll,
	       (long long)(now - c->born));
	if (why)
		printf(",\"why\":\"%s\"", why);
	if (c->fd >= 0)
		print_tcp_info(c->fd);
	printf("}\n");
	if (c->connected && started <= TIMES_MAX) {
		connect_times[c->number % TIMES_MAX] = c->connected - c->born;
		if (c->connected - c->born > worst_us)
			worst_us = c->connected - c->born;
	}
	if (c->fd < 0)
		return;
	if (!strcmp(end, "silent")) {
		option(c->fd, IPPROTO_TCP, TCP_REPAIR, 1, "repair");
	} else if (!strcmp(end, "rst")) {
		struct linger l = { .l_onoff = 1 };

		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	close(c->fd);
}

static void forget(int i)
{
	open_now--;
	connections[i] = connections[open_now];
	polled[i] = polled[open_now];
}

static void fail_with(int i, int error)
{
	enum result r = error == ECONNREFUSED ? REFUSED : error == ECONNRESET || error == EPIPE ? RESET : ERROR;

	if (error == ETIMEDOUT)
		r = connections[i].step == STEP_CONNECT ? TIMEOUT_CONNECT : TIMEOUT_DATA;
	finish(&connections[i], r, strerror(error));
	forget(i);
}

static void step(struct connection *c, enum step to_step, long ms)
{
	c->step = to_step;
	c->deadline = now_us() + ms * 1000;
}

static void start(void)
{
	struct connection *c = &connections[open_now];

	*c = (struct connection){ .fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
				  .number = started, .born = now_us() };
	snprintf(c->message, sizeof(c->message), "hello %ld from %d\n", started, getpid());
	started++;
	step(c, STEP_CONNECT, timeout_ms);
	if (c->fd < 0 || !prepare(c->fd) || (connect(c->fd, &to.sa, to.len) && errno != EINPROGRESS)) {
		finish(c, errno == ECONNREFUSED ? REFUSED : ERROR, strerror(errno));
		return;
	}
	polled[open_now] = (struct pollfd){ .fd = c->fd, .events = POLLOUT };
	open_now++;
}

static void say(int i)
{
	struct connection *c = &connections[i];
	ssize_t n = strlen(c->message);

	c->got = 0;
	if (send(c->fd, c->message, n, MSG_NOSIGNAL) != n)
		fail_with(i, errno);
	else
		step(c, STEP_ANSWER, timeout_ms);
}

static void answered(int i)
{
	struct connection *c = &connections[i];

	c->rounds++;
	if (c->rounds < rounds && !over)
		step(c, STEP_PAUSE, pause_ms);
	else
		step(c, STEP_HOLD, hold);
}

static void connected(int i)
{
	struct connection *c = &connections[i];
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		fail_with(i, error);
		return;
	}
	c->connected = now_us();
	polled[i].events = POLLIN;
	if (strcmp(speak, "client"))
		step(c, STEP_GREETING, timeout_ms);
	else
		step(c, STEP_PAUSE, first);
}

static void readable(int i)
{
	struct connection *c = &connections[i];
	char buf[4096];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			fail_with(i, errno);
		return;
	}
	if (!n && c->step == STEP_HOLD) {
		finish(c, OK, NULL);
		forget(i);
		return;
	}
	if (!n || c->step == STEP_PAUSE || c->step == STEP_HOLD) {
		finish(c, n ? MISMATCH : CLOSED, NULL);
		forget(i);
		return;
	}
	if (c->step == STEP_GREETING) {
		if (!strcmp(speak, "silent")) {
			c->rounds = rounds;
			step(c, STEP_HOLD, hold);
		} else {
			step(c, STEP_PAUSE, first);
		}
		return;
	}
	if (c->got + n > strlen(c->message) || memcmp(buf, c->message + c->got, n)) {
		finish(c, MISMATCH, NULL);
		forget(i);
		return;
	}
	c->got += n;
	if (c->got == strlen(c->message))
		answered(i);
}

static void timed_out(int i)
{
	struct connection *c = &connections[i];

	if (c->step == STEP_PAUSE) {
		say(i);
		return;
	}
	finish(c, c->step == STEP_HOLD ? OK : c->step == STEP_CONNECT ? TIMEOUT_CONNECT : TIMEOUT_DATA, NULL);
	forget(i);
}

static void run(void)
{
	int64_t next = now_us();

	while ((!over && (!count || started < count)) || open_now) {
		bool may_start = !over && (!count || started < count) && open_now < width;
		int64_t wake = now_us() + 1000000;

		if (may_start && now_us() >= next) {
			start();
			next = now_us() + gap * 1000;
			fflush(stdout);
			continue;
		}
		if (may_start)
			wake = next;
		for (int i = 0; i < open_now; i++)
			if (connections[i].deadline < wake)
				wake = connections[i].deadline;
		if (poll(polled, open_now, poll_time(wake)) < 0 && errno != EINTR)
			break;
		for (int i = open_now - 1; i >= 0; i--) {
			if (polled[i].revents && connections[i].step == STEP_CONNECT)
				connected(i);
			else if (polled[i].revents)
				readable(i);
			else if (now_us() >= connections[i].deadline)
				timed_out(i);
		}
		fflush(stdout);
	}
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "count", &count, NULL }, { "width", &width, NULL }, { "gap", &gap, NULL },
		{ "rounds", &rounds, NULL }, { "pause", &pause_ms, NULL }, { "first", &first, NULL },
		{ "hold", &hold, NULL }, { "timeout", &timeout_ms, NULL }, { "mss", &mss, NULL },
		{ "rcvbuf", &rcvbuf, NULL }, { "keepalive", &keepalive, NULL }, { "md5", &md5, NULL },
		{ "speak", NULL, &speak }, { "from", NULL, &from }, { "dev", NULL, &dev }, { "end", NULL, &end },
		{ NULL, NULL, NULL },
	};
	struct sigaction act = { .sa_handler = signalled };
	int n = 0;

	if (argc < 2 || address_parse(argv[1], &to) || words_parse("client", words, argc - 2, argv + 2) ||
	    (from && address_parse(from, &source))) {
		fprintf(stderr, "usage: client ADDR:PORT [key=value]...\n");
		return 2;
	}
	if (width < 1 || width > WIDTH_MAX)
		width = WIDTH_MAX;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	run();
	for (int i = 0; i < TIMES_MAX; i++)
		if (connect_times[i])
			connect_times[n++] = connect_times[i];
	qsort(connect_times, n, sizeof(*connect_times), compare);
	printf("{\"total\":%ld", started);
	for (int r = 0; r < RESULTS; r++)
		printf(",\"%s\":%ld", result_names[r], results[r]);
	printf(",\"connect_median_us\":%d,\"connect_worst_us\":%ld}\n", n ? connect_times[n / 2] : 0, worst_us);
	return 0;
}
