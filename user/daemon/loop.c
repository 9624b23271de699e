// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/loop.h"

#define EVENTS_MAX 64
/* Busy, the loop asks for descriptors and timers no more often than this. */
#define ASK_NS 100000ull

/* epoll says `generation << 32 | fd`: an event of a descriptor that was removed,
 * or closed and opened anew, since epoll_wait() returned it, is nobody's. */
struct handler {
	loop_fd_fn fn;
	void *arg;
	uint32_t generation;
	bool used;
};

struct loop {
	struct daemon *d;
	struct loop_sleep sleep;
	int epoll_fd;
	struct handler *handlers; /* by descriptor */
	int n_handlers;
	uint32_t generation;
	loop_poll_fn pollers[LOOP_POLLERS_MAX];
	int n_pollers;
	struct loop_timer *first; /* in the order of `at` */
	uint64_t spin;
	uint64_t worked; /* when a turn last found work */
	int naps;	 /* that are left */
	uint64_t asked;	 /* when descriptors were looked at */
	bool stopped;
	int status;
};

uint64_t loop_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

int loop_new(struct daemon *d, const struct loop_sleep *sleep, struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->d = d;
	loop->sleep = *sleep;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		r = -errno;
		free(loop);
		return r;
	}
	d->now = loop_clock();
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop->handlers);
	free(loop);
}

static int make_room(struct loop *loop, int fd)
{
	int n = loop->n_handlers ? loop->n_handlers : 64;
	struct handler *handlers;

	if (fd < loop->n_handlers)
		return 0;
	while (n <= fd)
		n *= 2;
	handlers = reallocarray(loop->handlers, n, sizeof(*handlers));
	if (!handlers)
		return -ENOMEM;
	memset(handlers + loop->n_handlers, 0, (n - loop->n_handlers) * sizeof(*handlers));
	loop->handlers = handlers;
	loop->n_handlers = n;
	return 0;
}

static int control(struct loop *loop, int op, int fd, uint32_t events, uint32_t generation)
{
	struct epoll_event event = { .events = events,
				     .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd };

	return epoll_ctl(loop->epoll_fd, op, fd, &event) ? -errno : 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *arg)
{
	struct handler *h;
	int r;

	if (fd < 0)
		return -EBADF;
	if (fd >= LOOP_FDS_MAX)
		return -ENFILE;
	r = make_room(loop, fd);
	if (r)
		return r;
	h = &loop->handlers[fd];
	if (h->used)
		return -EEXIST;
	r = control(loop, EPOLL_CTL_ADD, fd, events, loop->generation + 1);
	if (r)
		return r;
	*h = (struct handler){ .fn = fn, .arg = arg, .generation = ++loop->generation, .used = true };
	return 0;
}

int loop_change(struct loop *loop, int fd, uint32_t events)
{
	if (fd < 0 || fd >= loop->n_handlers || !loop->handlers[fd].used)
		return -ENOENT;
	return control(loop, EPOLL_CTL_MOD, fd, events, loop->handlers[fd].generation);
}

void loop_remove(struct loop *loop, int fd)
{
	if (fd < 0 || fd >= loop->n_handlers || !loop->handlers[fd].used)
		return;
	loop->handlers[fd].used = false;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int loop_add_poller(struct loop *loop, loop_poll_fn fn)
{
	if (loop->n_pollers == LOOP_POLLERS_MAX)
		return -ENOSPC;
	loop->pollers[loop->n_pollers++] = fn;
	return 0;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	if (!timer->armed)
		return;
	if (timer->previous)
		timer->previous->next = timer->next;
	else
		loop->first = timer->next;
	if (timer->next)
		timer->next->previous = timer->previous;
	timer->next = timer->previous = NULL;
	timer->armed = false;
}

/* There are few: a handful of this process, and one per peer that is in a step. */
void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t at, loop_timer_fn fn, void *arg)
{
	struct loop_timer *before = NULL, *after;

	loop_timer_stop(loop, timer);
	for (after = loop->first; after && after->at <= at; after = after->next)
		before = after;
	*timer = (struct loop_timer){
		.at = at, .fn = fn, .arg = arg, .previous = before, .next = after, .armed = true
	};
	if (before)
		before->next = timer;
	else
		loop->first = timer;
	if (after)
		after->previous = timer;
}

/* What is due now; what callbacks arm for now waits for the next turn. */
static void run_timers(struct loop *loop)
{
	int n = 0;
	struct loop_timer *t;

	for (t = loop->first; t && t->at <= loop->d->now; t = t->next)
		n++;
	while (n-- > 0 && (t = loop->first) && t->at <= loop->d->now) {
		loop_timer_stop(loop, t);
		t->fn(loop->d, t->arg);
	}
}

/* Milliseconds, rounded up: a timer is never early, and no turn is spent waiting for one. */
static int patience(const struct loop *loop)
{
	uint64_t left;

	if (!loop->first)
		return -1;
	if (loop->first->at <= loop->d->now)
		return 0;
	left = (loop->first->at - loop->d->now + NS_PER_MS - 1) / NS_PER_MS;
	return left > 60000 ? 60000 : (int)left;
}

static void run_events(struct loop *loop, int timeout)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, timeout);

	loop->d->now = loop_clock();
	loop->asked = loop->d->now;
	for (i = 0; i < n; i++) {
		int fd = (uint32_t)events[i].data.u64;
		/* a callback may have moved the table */
		struct handler h = loop->handlers[fd];

		if (h.used && h.generation == events[i].data.u64 >> 32 && h.fn)
			h.fn(loop->d, events[i].events, h.arg);
	}
}

/* Publishers look at the flag behind a fence, we at their rings behind ours: one
 * of the two sees the other (include/porch/wire.h). */
static void sleep_on_events(struct loop *loop)
{
	int timeout = patience(loop);

	loop->sleep.sleep(loop->d, true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	run_events(loop, loop->sleep.pending(loop->d) ? 0 : timeout);
	loop->sleep.sleep(loop->d, false);
}

void loop_spin(struct loop *loop, uint64_t ns)
{
	loop->spin = ns;
}

/* Not past the next timer. */
static void nap(struct loop *loop)
{
	struct timespec t = { .tv_nsec = LOOP_NAP_NS };

	if (loop->first && loop->first->at < loop->d->now + LOOP_NAP_NS)
		t.tv_nsec = loop->first->at > loop->d->now ? loop->first->at - loop->d->now : 1;
	loop->naps--;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

void loop_turn(struct loop *loop, bool wait)
{
	int work = 0, i;

	loop->d->now = loop_clock();
	for (i = 0; i < loop->n_pollers; i++)
		work += loop->pollers[i](loop->d);
	if (work) {
		loop->worked = loop->d->now;
		loop->naps = LOOP_NAPS;
	}
	if (loop->stopped || !wait || work || loop->d->now - loop->worked < loop->spin) {
		if (loop->d->now - loop->asked >= ASK_NS)
			run_events(loop, 0);
		else if (!work)
			sched_yield();
	} else if (loop->naps > 0) {
		nap(loop);
		if (loop->d->now - loop->asked >= ASK_NS)
			run_events(loop, 0);
	} else {
		sleep_on_events(loop);
	}
	run_timers(loop);
}

int loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, true);
	return loop->status;
}

void loop_stop(struct loop *loop, int status)
{
	if (loop->stopped)
		return;
	loop->stopped = true;
	loop->status = status;
}
