// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Virtual time. packetdrill's main thread moves it; a call that blocks waits in
 * a second thread. Whenever something has changed, the main thread lets every
 * waiter look once before it goes on: who wakes when does not depend on the scheduler.
 */
#include "drill.h"

void drill_lock(struct drill *d)
{
	pthread_mutex_lock(&d->lock);
}

void drill_unlock(struct drill *d)
{
	pthread_mutex_unlock(&d->lock);
}

static bool all_have_looked(const struct drill *d)
{
	const struct waiter *w;

	for (w = d->waiters; w; w = w->next) {
		if (w->seen != d->generation)
			return false;
	}
	return true;
}

static void flush(struct drill *d)
{
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (!f->opened)
			continue;
		f->stack.now = d->now;
		tcp_stack_flush(&f->stack);
	}
	flows_tidy(d);
}

void drill_changed(struct drill *d)
{
	flush(d);
	socks_look(d);
	d->generation++;
	pthread_cond_broadcast(&d->changed);
	if (!pthread_equal(pthread_self(), d->owner))
		return;
	while (!all_have_looked(d))
		pthread_cond_wait(&d->settled, &d->lock);
}

uint64_t drill_next(struct drill *d)
{
	uint64_t next = DRILL_NEVER;
	struct waiter *w;
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (f->opened)
			next = min_u64(next, tcp_stack_next(&f->stack));
		next = min_u64(next, handshake_next(f));
	}
	for (w = d->waiters; w; w = w->next)
		next = min_u64(next, w->deadline);
	return next;
}

static void run(struct drill *d)
{
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (!f->opened)
			continue;
		f->stack.now = d->now;
		tcp_stack_run(&f->stack);
	}
	handshake_run(d);
	drill_changed(d);
}

void drill_advance(struct drill *d, uint64_t until)
{
	uint64_t next;

	while ((next = max_u64(drill_next(d), d->now + 1)) <= until) {
		d->now = next;
		run(d);
	}
	d->now = max_u64(d->now, until);
	for (struct flow *f = d->flows; f; f = f->next)
		f->stack.now = d->now;
}

static __thread uint64_t returned; /* while others went on */

uint64_t drill_returned(void)
{
	uint64_t at = returned;

	returned = 0;
	return at;
}

bool drill_wait(struct drill *d, uint64_t deadline)
{
	struct waiter w = { .next = d->waiters, .deadline = deadline }, **p;
	uint64_t before = d->generation, next;

	if (d->now >= deadline)
		return false;
	if (pthread_equal(pthread_self(), d->owner)) {
		next = min_u64(drill_next(d), deadline);
		if (next == DRILL_NEVER)
			return false; /* nobody else could ever wake him */
		drill_advance(d, next);
		return d->now < deadline;
	}
	w.seen = before;
	d->waiters = &w;
	pthread_cond_signal(&d->settled);
	while (d->generation == before && d->now < deadline)
		pthread_cond_wait(&d->changed, &d->lock);
	for (p = &d->waiters; *p != &w; p = &(*p)->next)
		;
	*p = w.next;
	returned = d->now;
	pthread_cond_signal(&d->settled);
	return d->now < deadline;
}
