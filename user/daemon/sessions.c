// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What porchd does with all sessions each turn: sleep, look, read. */
#include <errno.h>
#include <unistd.h>

#include "daemon/area.h"
#include "daemon/session.h"
#include "daemon/worker.h"

void sessions_sleep(struct daemon *d, bool asleep)
{
	uint32_t i;

	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		if (d->workers[i] && d->workers[i]->session)
			__atomic_store_n(&d->workers[i]->session->daemon_sleeps, asleep, __ATOMIC_RELAXED);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool granted_moved(const struct worker *w, uint32_t handle)
{
	return w->listens[handle].listener && __atomic_load_n(&w->session->listener[handle].granted,
							      __ATOMIC_ACQUIRE) != w->listens[handle].granted;
}

bool sessions_pending(struct daemon *d)
{
	uint32_t i, h;

	if (d->work_left || areas_pending(d))
		return true;
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		const struct worker *w = d->workers[i];

		if (!w || !w->ready || w->condemned)
			continue;
		if (porch_ring_pending(&w->finish))
			return true;
		for (h = 0; h < PORCH_WORKER_LISTENERS; h++) {
			/* of use only when somebody waits in the queue */
			if (granted_moved(w, h) && w->listens[h].listener->shared->depth)
				return true;
		}
	}
	return false;
}

void worker_wake(struct daemon *d, struct worker *w)
{
	static const uint64_t one = 1;

	porch_ring_publish(&w->accept);
	porch_ring_publish(&w->inject);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&w->session->worker_sleeps, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&w->session->worker_sleeps, 0, __ATOMIC_RELAXED);
	/* -EAGAIN: it has been told 2^64 - 2 times, so it knows */
	if (write(w->wake_worker, &one, sizeof(one)) < 0 && errno != EAGAIN)
		worker_condemn(d, w, "its eventfd cannot be written");
}

int sessions_poll(struct daemon *d)
{
	uint32_t i, h;
	int done = 0;

	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		struct worker *w = d->workers[i];

		if (!w || !w->ready || w->condemned)
			continue;
		if (porch_ring_pending(&w->finish)) {
			done++;
			if (finish_worker(d, w) == -EPROTO)
				worker_condemn(d, w, "nonsense in its finish ring");
		}
		for (h = 0; !w->condemned && h < PORCH_WORKER_LISTENERS; h++) {
			if (!granted_moved(w, h) || !w->listens[h].listener->shared->depth)
				continue;
			done++;
			handover_listener(d, w->listens[h].listener);
		}
	}
	if (d->work_left) {
		d->work_left = false;
		done++;
		for (i = 1; i < PORCH_WORKERS_MAX; i++) {
			if (d->workers[i] && d->workers[i]->condemned)
				worker_reap(d, d->workers[i], d->workers[i]->condemned);
		}
		areas_mend(d);
	}
	return done;
}
