// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * worker PORT abort|close|echo|sink|source|hold [block|yield]: the same work as epoll.c, by
 * libporch. `block` sleeps in porch_poll(), `yield` polls and gives the CPU away
 * whenever there is nothing. SIGUSR1 prints how many were accepted and how long
 * they took from XDP to porch_accept(), and forgets it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <porch/porch.h>

#define EVENTS	  64
#define TIMES_MAX 65536

enum work { WORK_ABORT, WORK_CLOSE, WORK_ECHO, WORK_SINK, WORK_SOURCE, WORK_HOLD };

static char buffer[256 * 1024];
static enum work work;
static uint32_t times[TIMES_MAX];
static unsigned long accepted;
static volatile sig_atomic_t tell;

static void signalled(int number)
{
	tell = 1;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void say(void)
{
	size_t n = accepted < TIMES_MAX ? accepted : TIMES_MAX;

	tell = 0;
	qsort(times, n, sizeof(*times), compare);
	printf("accepted=%lu p50_ns=%u p99_ns=%u max_ns=%u\n", accepted, n ? times[n / 2] : 0,
	       n ? times[n * 99 / 100] : 0, n ? times[n - 1] : 0);
	fflush(stdout);
	accepted = 0;
}

/* Only where the time is asked for: reading it is not part of the others' work. */
static void note_time(const struct porch_conn *c)
{
	struct porch_conn_info info = { .size = sizeof(info) };

	if (!porch_conn_info(c, &info))
		times[accepted % TIMES_MAX] = info.handover_ns < UINT32_MAX ? info.handover_ns : UINT32_MAX;
}

static void send_more(struct porch_conn *c)
{
	ssize_t n;

	do
		n = porch_send(c, buffer, sizeof(buffer));
	while (n == sizeof(buffer));
	if (n < 0 && n != -EAGAIN)
		porch_conn_abort(c);
}

static void accept_all(struct porch_listener *l, int timing)
{
	struct porch_conn *c;

	while (!porch_accept(l, &c)) {
		if (timing)
			note_time(c);
		accepted++;
		if (work == WORK_ABORT)
			porch_conn_abort(c);
		else if (work == WORK_CLOSE)
			porch_conn_close(c);
		else if (work == WORK_ECHO)
			porch_conn_set(c, PORCH_NODELAY, 1);
		else if (work == WORK_SOURCE)
			send_more(c);
	}
}

static void serve(struct porch_conn *c, uint32_t events)
{
	ssize_t n;

	if (events & PORCH_IN || !(events & PORCH_OUT)) {
		n = porch_recv(c, buffer, work == WORK_ECHO ? 4096 : sizeof(buffer));
		if (n > 0 && work == WORK_ECHO)
			n = porch_send(c, buffer, n);
		if (n == 0) {
			porch_conn_close(c);
			return;
		}
		if (n < 0 && n != -EAGAIN) {
			porch_conn_abort(c);
			return;
		}
	}
	if (events & PORCH_OUT && work == WORK_SOURCE)
		send_more(c);
}

int main(int argc, char **argv)
{
	static const char *const works[] = { "abort", "close", "echo", "sink", "source", "hold" };
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	struct porch_open_opts opts = { .size = sizeof(opts), .credit = 1024 };
	struct sigaction act = { .sa_handler = signalled };
	struct porch_event events[EVENTS];
	struct porch_listener *l;
	struct porch *p;
	int r, known = 0, yield = argc > 3 && !strcmp(argv[3], "yield");

	for (int i = 0; argc > 2 && i < 6; i++) {
		if (!strcmp(argv[2], works[i])) {
			work = i;
			known = 1;
		}
	}
	if (!known) {
		fprintf(stderr, "usage: worker PORT abort|close|echo|sink|source|hold [block|yield]\n");
		return 2;
	}
	at.sin6_port = htons(atoi(argv[1]));
	sigaction(SIGUSR1, &act, NULL);
	r = porch_open(&p, &opts);
	if (!r)
		r = porch_listen(p, (struct sockaddr *)&at, sizeof(at), 4096, &l);
	if (r) {
		fprintf(stderr, "worker: %s\n", strerror(-r));
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int n = porch_poll(p, events, EVENTS, yield ? 0 : -1);

		if (tell)
			say();
		if (n < 0 && n != -EINTR) {
			fprintf(stderr, "worker: %s\n", strerror(-n));
			return 1;
		}
		if (n <= 0 && yield)
			sched_yield();
		for (int i = 0; i < n; i++) {
			if (events[i].listener)
				accept_all(events[i].listener, yield);
			else
				serve(events[i].conn, events[i].events);
		}
	}
}
