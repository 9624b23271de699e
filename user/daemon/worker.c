// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#include "daemon/area.h"
#include "daemon/loop.h"
#include "daemon/peer.h"
#include "daemon/reap.h"
#include "daemon/session.h"
#include "daemon/worker.h"

int worker_new(struct daemon *d, uint16_t number, uint32_t pid, uint32_t uid, struct worker **ret)
{
	uint32_t n = number, i;
	struct worker *w;

	if (!number) {
		for (n = 1; n <= d->config.workers && n < PORCH_WORKERS_MAX; n++) {
			/* flows of an earlier run may still name a number nobody has */
			if (!d->workers[n] && !rebuild_expects(d, n))
				break;
		}
	}
	if (n > d->config.workers || n >= PORCH_WORKERS_MAX || d->workers[n])
		return -EUSERS;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->number = n;
	w->pid = pid;
	w->uid = uid;
	w->queue = PORCH_QUEUE_ANY;
	w->session_fd = w->wake_worker = w->wake_daemon = -1;
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		w->areas[i].worker = w;
		w->areas[i].number = i;
		w->areas[i].xsk = -1;
	}
	d->workers[n] = w;
	*ret = w;
	return 0;
}

void worker_condemn(struct daemon *d, struct worker *w, const char *why)
{
	if (w->condemned)
		return;
	w->condemned = why;
	w->ready = false;
	d->work_left = true;
}

struct worker_area *worker_area_of(struct worker *w, const struct area *a)
{
	uint32_t i;

	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (w->areas[i].area == a)
			return &w->areas[i];
	}
	return NULL;
}

/* What was opened stays open until the end: no other part can be in the middle of it. */
void worker_reap(struct daemon *d, struct worker *w, const char *why)
{
	uint64_t began = loop_clock();
	bool was_ready = w->ready || w->condemned;
	uint32_t i, areas = 0;

	if (w->gone)
		return;
	w->gone = true;
	w->ready = false;
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (!w->areas[i].area)
			continue;
		member_leave(d, &w->areas[i]);
		areas++;
	}
	if (w->session)
		worker_flows_gone(d, w);
	session_destroy(d, w);
	d->workers[w->number] = NULL;
	peer_worker_gone(d, w, why);
	d->count.workers_reaped++;
	log_line(was_ready ? LOG_INFO : LOG_DEBUG,
		 "worker %u (%s, pid %u) is gone: %s; %u queues taken back in %llu us, %u sockets left to "
		 "close",
		 w->number, w->name, w->pid, why, areas, (unsigned long long)((loop_clock() - began) / 1000),
		 reap_left());
	free(w);
}
