// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fake_app SOCKET PORT [key=value...]
 *   credit=N backlog=N queue=N keep=1 mute=1 seconds=N
 *   garbage=WHAT seed=N    written when SIGUSR1 comes
 *   poll=1                 never sleeps
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/net/tools/fake_app.h"

static volatile sig_atomic_t asked, ended;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		asked = 1;
	else
		ended = 1;
}

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
	size_t n = strlen(name);
	int i;

	for (i = 3; i < argc; i++) {
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	}
	return otherwise;
}

static void sleep_until_woken(struct fake *f)
{
	struct pollfd fds[2 + PORCH_AREAS_MAX];
	uint64_t n;
	uint32_t i, count = 2;

	__atomic_store_n(&f->session->worker_sleeps, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (fake_work(f))
		return;
	fds[0] = (struct pollfd){ .fd = f->wake_worker, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = f->control, .events = POLLIN };
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (f->areas[i].used)
			fds[count++] = (struct pollfd){ .fd = f->areas[i].xsk, .events = POLLIN };
	}
	poll(fds, count, 100);
	__atomic_store_n(&f->session->worker_sleeps, 0, __ATOMIC_RELAXED);
	if (fds[0].revents && read(f->wake_worker, &n, sizeof(n)) < 0)
		return;
}

int main(int argc, char **argv)
{
	static struct fake f;
	const char *garbage, *queue;
	uint32_t handle;
	bool spin;
	time_t end;

	if (argc < 3) {
		fprintf(stderr, "usage: fake_app SOCKET PORT [key=value...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGUSR1, on_signal);
	signal(SIGTERM, on_signal);
	queue = option(argc, argv, "queue", NULL);
	garbage = option(argc, argv, "garbage", NULL);
	spin = atoi(option(argc, argv, "poll", "0"));
	f.keep = atoi(option(argc, argv, "keep", "0"));
	f.mute = atoi(option(argc, argv, "mute", "0"));
	f.credit = atoi(option(argc, argv, "credit", "64"));
	end = time(NULL) + atoi(option(argc, argv, "seconds", "60"));
	fake_register(&f, argv[1], queue ? (uint32_t)atoi(queue) : PORCH_QUEUE_ANY);
	handle = fake_listen(&f, atoi(argv[2]), atoi(option(argc, argv, "backlog", "128")));
	__atomic_store_n(&f.session->listener[handle].granted, f.credit, __ATOMIC_RELEASE);
	fake_kick(&f);
	while (!ended && time(NULL) < end) {
		int done = fake_work(&f);

		fake_control(&f);
		if (asked) {
			asked = 0;
			if (garbage &&
			    !fake_garbage(&f, garbage, strtoull(option(argc, argv, "seed", "1"), NULL, 10)))
				return 2;
		}
		if (!done && !spin)
			sleep_until_woken(&f);
	}
	printf("end accepted=%llu segments=%llu\n", (unsigned long long)f.accepted,
	       (unsigned long long)f.segments);
	if (ended) {
		struct porch_msg m = { .type = PORCH_MSG_GOODBYE };

		fake_send(&f, &m);
	}
	return 0;
}
