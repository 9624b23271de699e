/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the examples share: the address, and threads of which each is a worker,
 * with a struct porch, a listener and a loop of its own.
 */
#ifndef PORCH_EXAMPLES_WORKER_H
#define PORCH_EXAMPLES_WORKER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <porch/porch.h>

#define EVENTS	    64
#define THREADS_MAX 63

/* What an example is: its name (EXAMPLE), and what it does with a connection. */
static void example_accepted(struct porch_conn *c);
static void example_ready(struct porch_conn *c);

static struct sockaddr_storage address;
static bool own_queue; /* thread i serves RX queue i alone, and owns its rings */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = 1;
}

/* ADDRESS:PORT, [ADDRESS]:PORT or *:PORT. */
static int parse_address(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const char *colon = strrchr(text, ':');
	char host[64], *end;
	size_t length;
	unsigned long port;

	if (!colon || (length = colon - text) >= sizeof(host))
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (!colon[1] || *end || !port || port > 65535)
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = 0;
	in.sin_port = in6.sin6_port = htons(port);
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = 0;
		if (inet_pton(AF_INET6, host + 1, &in6.sin6_addr) != 1)
			return -EINVAL;
		memcpy(ret, &in6, sizeof(in6));
	} else if (!strcmp(host, "*")) {
		memcpy(ret, &in6, sizeof(in6));
	} else {
		if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
			return -EINVAL;
		memcpy(ret, &in, sizeof(in));
	}
	return 0;
}

static void *serve(void *argument)
{
	struct porch_open_opts opts = { .size = sizeof(opts), .name = EXAMPLE };
	struct porch_event events[EVENTS];
	struct porch_listener *listener;
	struct porch_conn *c;
	struct porch *p;
	int n, r;

	if (own_queue) {
		opts.flags = PORCH_OPEN_QUEUE;
		opts.queue = (uintptr_t)argument;
	}
	r = porch_open(&p, &opts);
	if (r) {
		fprintf(stderr, EXAMPLE ": porchd: %s\n", strerror(-r));
		exit(1);
	}
	r = porch_listen(p, (struct sockaddr *)&address, sizeof(address), 4096, &listener);
	if (r) {
		fprintf(stderr, EXAMPLE ": listen: %s\n", strerror(-r));
		exit(1);
	}
	while (!stop) {
		n = porch_poll(p, events, EVENTS, 1000);
		if (n < 0 && n != -EINTR) {
			fprintf(stderr, EXAMPLE ": %s\n", strerror(-n));
			exit(1);
		}
		for (int i = 0; i < n; i++) {
			if (events[i].events & PORCH_ACCEPT)
				while (!porch_accept(events[i].listener, &c))
					example_accepted(c);
			else
				example_ready(events[i].conn);
		}
	}
	porch_close(p);
	return NULL;
}

/* Returns at SIGINT or SIGTERM: the exit status. */
static int serve_all(unsigned long threads)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread[THREADS_MAX];

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (unsigned long i = 1; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, serve, (void *)i)) {
			fprintf(stderr, EXAMPLE ": no thread\n");
			return 1;
		}
	}
	serve(NULL);
	for (unsigned long i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

#endif /* PORCH_EXAMPLES_WORKER_H */
