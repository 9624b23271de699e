/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porch_poll(): turns until there is something to report, and sleep between
 * them. Whoever goes to sleep says so first and then looks once more; the same
 * is done when the application is told that there is nothing, for it may sleep
 * on porch_fd() itself.
 */
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/lib.h"

#define NAP_NS	      60000 /* and what the kernel's timer slack adds, 50 us */
#define NAP_WINDOW_NS 2000000ull
#define NAP_ACCEPTED  10000u /* per second: from here on one wake-up for each is too much */

uint64_t poll_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

void poll_wake_daemon(struct porch *p)
{
	static const uint64_t one = 1;

	if (!p->session)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&p->session->daemon_sleeps, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&p->session->daemon_sleeps, 0, __ATOMIC_RELAXED);
	/* Full, or porchd gone: nothing to be done about either. */
	if (write(p->wake_daemon, &one, sizeof(one)) < 0)
		return;
}

/* The timer makes porch_fd() readable `when`; it is left alone if it does so soon enough. */
static void arm(struct porch *p, uint64_t when)
{
	struct itimerspec t = {};
	bool readable = p->armed && p->armed <= p->stack.now;

	if (when <= p->stack.now) {
		if (readable)
			return;
		when = 1;
	} else if ((!readable && p->armed && p->armed <= when) || (!p->armed && when == LIB_NEVER)) {
		return;
	}
	p->armed = when == LIB_NEVER ? 0 : when;
	t.it_value.tv_sec = p->armed / 1000000000u;
	t.it_value.tv_nsec = p->armed % 1000000000u;
	timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

void poll_hot(struct porch *p)
{
	if (p->uses_fd)
		arm(p, 0);
}

/* When something is to be done that no file descriptor tells of. */
static uint64_t next(const struct porch *p)
{
	uint64_t when = tcp_stack_next(&p->stack), t = session_next(p);

	when = t < when ? t : when;
	when = p->kick_at < when ? p->kick_at : when;
	t = p->stack.now + p->starved;
	return p->starved && t < when ? t : when;
}

/* The set holds what wakes: rings are looked at anyway, the timer is re-armed when it matters. */
static int wait_events(struct porch *p, uint64_t until)
{
	struct epoll_event events[16];
	struct timespec t = {}, *timeout = &t;
	int n;

	if (until == LIB_NEVER) {
		timeout = NULL;
	} else if (until > p->stack.now) {
		t.tv_sec = (until - p->stack.now) / 1000000000u;
		t.tv_nsec = (until - p->stack.now) % 1000000000u;
	}
	n = epoll_pwait2(p->epoll, events, 16, timeout, NULL);
	if (n < 0)
		return -errno;
	p->stack.now = p->looked = poll_clock();
	for (int i = 0; i < n; i++) {
		uint64_t count;

		if (events[i].data.u32 == LIB_TAG_CONTROL)
			session_input(p);
		else if (events[i].data.u32 == LIB_TAG_WAKE && p->wake_worker >= 0 &&
			 read(p->wake_worker, &count, sizeof(count)) < 0)
			continue;
	}
	return n;
}

/* True: the flag is set, nothing has come meanwhile, and the application may sleep. */
static bool lie_down(struct porch *p)
{
	if (!p->session)
		return true;
	__atomic_store_n(&p->session->worker_sleeps, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!turn_pending(p))
		return true;
	__atomic_store_n(&p->session->worker_sleeps, 0, __ATOMIC_RELAXED);
	return false;
}

static void stand_up(struct porch *p)
{
	if (p->session && __atomic_load_n(&p->session->worker_sleeps, __ATOMIC_RELAXED))
		__atomic_store_n(&p->session->worker_sleeps, 0, __ATOMIC_RELAXED);
}

/*
 * Where connections come by the thousand, going to sleep for each costs more than
 * the connection itself, here and where the wake-up comes from: a nap after work,
 * and sleep only when a nap has brought none. True: a nap has passed.
 */
static bool nap(struct porch *p)
{
	static const struct timespec length = { .tv_nsec = NAP_NS };
	uint64_t passed = p->stack.now - p->nap_since;

	if (passed >= NAP_WINDOW_NS) {
		p->nap = (p->count.accepted - p->nap_accepted) * 1000000000ull > NAP_ACCEPTED * passed;
		p->nap_since = p->stack.now;
		p->nap_accepted = p->count.accepted;
	}
	if (!p->nap || !p->worked || p->uses_fd)
		return false;
	p->worked = false;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &length, NULL);
	return true;
}

static int rest(struct porch *p, uint64_t deadline)
{
	uint64_t until;
	int r = 0;

	if (nap(p))
		return 0;
	if (!lie_down(p))
		return 0;
	until = next(p);
	if (p->uses_fd)
		arm(p, until);
	r = wait_events(p, until < deadline ? until : deadline);
	stand_up(p);
	return r < 0 ? r : 0;
}

static int report_accept(struct porch *p, struct porch_event *events, int n)
{
	int used = 0;

	for (uint32_t i = 0; i < p->n_listeners && used < n; i++) {
		struct porch_listener *l = p->listeners[i];

		if (l && !l->gone && listen_head(l))
			events[used++] = (struct porch_event){
				.events = PORCH_ACCEPT,
				.listener = l,
				.user = l->user,
			};
	}
	return used;
}

/* Who is reported goes to the end; who has nothing to say any more leaves the list. */
static int report_conns(struct porch *p, struct porch_event *events, int n)
{
	struct list *last = p->ready.prev;
	int used = 0;

	while (used < n && !list_empty(&p->ready)) {
		struct porch_conn *c = list_of(p->ready.next, struct porch_conn, link);
		bool was_last = &c->link == last;
		uint32_t what = lib_conn_events(c);

		list_remove(&c->link);
		if (what) {
			list_append(&p->ready, &c->link);
			events[used++] =
				(struct porch_event){ .events = what, .conn = c, .user = c->tcp.user };
		} else {
			c->ready = 0;
			c->tcp.notified = false;
		}
		if (!c->over && !c->lost && tcp_events(&c->tcp) & TCP_EVENT_DONE)
			lib_conn_over(c);
		if (was_last)
			break;
	}
	return used;
}

static int report(struct porch *p, struct porch_event *events, int n)
{
	int used = report_accept(p, events, n);

	used += report_conns(p, events + used, n - used);
	if (used)
		poll_hot(p);
	return used;
}

/* Nothing to report, and no time left. True: the application may be told so. */
static bool nothing(struct porch *p, bool *looked)
{
	if (!*looked && (p->uses_fd || p->stack.now - p->looked >= LIB_FLAG_NS)) {
		*looked = true;
		if (wait_events(p, 0) > 0)
			return false;
	}
	if (!p->uses_fd) {
		sched_yield();
		return true;
	}
	if (!lie_down(p))
		return false;
	arm(p, next(p));
	return true;
}

/*
 * What the application has left to be sent; but once it waits until that has been
 * told of the first data of whom it has just accepted: its answer carries the ACK.
 */
static void send_first(struct porch *p)
{
	p->waited = p->unseen && !p->waited;
	p->unseen = false;
	if (!p->waited)
		turn_send(p);
}

int porch_poll(struct porch *p, struct porch_event *events, int n, int timeout_ms)
{
	uint64_t deadline;
	bool looked = false;
	int r;

	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	if (!events || n <= 0)
		return -EINVAL;
	stand_up(p);
	memory_unbury(p);
	p->stack.now = poll_clock();
	p->thread = pthread_self();
	deadline = timeout_ms < 0 ? LIB_NEVER : p->stack.now + timeout_ms * 1000000ull;
	if (p->session)
		__atomic_store_n(&p->session->beat, ++p->beat, __ATOMIC_RELAXED);
	send_first(p);
	/* A busy worker must hear porchd too. */
	if (p->stack.now - p->looked >= LIB_FLAG_NS)
		wait_events(p, 0);
	for (;;) {
		uint32_t work = turn_take(p);

		p->worked |= work;
		r = report(p, events, n);
		if (r)
			return r;
		turn_send(p);
		if (p->tell_death && p->flags & PORCH_OPEN_TELL) {
			p->tell_death = false;
			return -EOWNERDEAD;
		}
		if (p->stack.now >= deadline) {
			if (nothing(p, &looked))
				return 0;
		} else if (work < LIB_BATCH) {
			r = rest(p, deadline);
			if (r)
				return r;
		}
		p->stack.now = poll_clock();
	}
}

int porch_flush(struct porch *p)
{
	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	p->stack.now = poll_clock();
	turn_send(p);
	return 0;
}

int porch_fd(const struct porch *p)
{
	struct porch *self = (struct porch *)p;

	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	/* The first turn finds out what there is. */
	if (!self->uses_fd) {
		self->uses_fd = true;
		poll_hot(self);
	}
	return p->epoll;
}
