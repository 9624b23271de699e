// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "daemon/area.h"
#include "daemon/group.h"
#include "daemon/mend.h"
#include "daemon/register.h"
#include "daemon/session.h"
#include "daemon/umem.h"
#include "daemon/worker.h"

#define WAIT_NS                                                                                              \
	1500000000ull /* for workers of an earlier run, whose sockets still hold the queues; for those to be \
			 free */
#define WAIT_PAUSE_NS 50000000ull

static int send_area(struct peer *p, const struct worker_area *wa)
{
	const struct area *a = wa->area;
	struct umem_geometry g;
	struct porch_msg area = { .type = PORCH_MSG_AREA }, socket = { .type = PORCH_MSG_SOCKET };
	int r = umem_geometry(&p->d->config, a->group->mtu, a->group->queues, &g);

	if (r)
		return r;
	area.area.area = wa->number;
	area.area.ifindex = a->group->ifindex;
	area.area.queue = a->queue;
	area.area.mtu = a->group->mtu;
	area.area.group_size = a->group->size;
	area.area.head = umem_head_offset(a);
	area.area.umem = umem_offset(a);
	area.area.umem_size = a->umem_size;
	area.area.frame_size = a->frame_size;
	area.area.rx_frames = a->rx_frames;
	area.area.fill_entries = umem_fill_entries(&g);
	area.area.completion_entries = umem_completion_entries(&g);
	area.area.tx_metadata = a->tx_metadata;
	r = peer_send(p, &area, (int[]){ a->group->memfd, a->xsk }, 2);
	if (r)
		return r;
	socket.socket.area = wa->number;
	socket.socket.rx_entries = umem_rx_entries(&g);
	socket.socket.tx_entries = umem_tx_entries(&g);
	socket.socket.tx_first = a->rx_frames + wa->slice * a->tx_frames;
	socket.socket.tx_frames = a->tx_frames;
	socket.socket.zero_copy = a->zero_copy;
	return peer_send(p, &socket, &wa->xsk, 1);
}

static int prepare_areas(struct daemon *d, struct worker *w)
{
	int r;

	for_each_area(d, a, g, q)
	{
		if (!a->group->up || a->down_ns || (w->queue != PORCH_QUEUE_ANY && w->queue != a->queue))
			continue;
		if (w->n_areas == PORCH_AREAS_MAX)
			break;
		r = member_prepare(d, a, w, w->n_areas);
		if (r)
			return r;
		w->n_areas++;
	}
	return w->n_areas ? 0 : -ENODEV;
}

static void offer(struct peer *p)
{
	struct porch_msg m = { .type = PORCH_MSG_WELCOME };
	struct worker *w = p->worker;
	uint32_t i;

	m.welcome.worker = w->number;
	m.welcome.areas = w->n_areas;
	m.welcome.generation = p->d->generation;
	m.welcome.session_size = w->session_size;
	m.welcome.handback = p->d->config.handback_memory;
	if (peer_send(p, &m, (int[]){ w->session_fd, w->wake_worker, w->wake_daemon }, 3))
		return;
	for (i = 0; i < w->n_areas; i++) {
		if (send_area(p, &w->areas[i]))
			return;
	}
	peer_step(p, PEER_OFFERED);
}

static bool afxdp_listener(struct daemon *d)
{
	uint32_t i;

	for_each_listener (&d->tables, i) {
		if (d->tables.listeners[i].deliver == PORCH_DELIVER_AFXDP)
			return true;
	}
	return false;
}

static bool others_expected(const struct daemon *d)
{
	uint32_t n;

	for (n = 1; n < PORCH_WORKERS_MAX; n++) {
		if (!d->workers[n] && rebuild_expects(d, n))
			return true;
	}
	return false;
}

/* Is one being made anew that it wants? */
static bool areas_missing(const struct daemon *d, uint32_t queue)
{
	for_each_area(d, a, g, q)
	{
		if (a->group->up && (a->down_ns || a->broken) &&
		    (queue == PORCH_QUEUE_ANY || queue == a->queue))
			return true;
	}
	return false;
}

static void begin(struct daemon *d, void *arg)
{
	struct peer *p = arg;
	struct worker *w;
	int r;

	if ((others_expected(d) || areas_missing(d, p->hello.hello.queue)) && d->now - p->since < WAIT_NS) {
		p->state = PEER_WAITING;
		loop_timer_arm(d->loop, &p->timer, d->now + WAIT_PAUSE_NS, begin, p);
		return;
	}
	if (!afxdp_listener(d)) {
		peer_refuse(p, -ENODEV, "no listener has deliver=afxdp; see porch listen");
		return;
	}
	r = worker_new(d, 0, p->pid, p->uid, &w);
	if (r) {
		peer_refuse(p, r, "%s",
			    r == -EUSERS ? "as many workers as porch.conf allows are registered"
					 : strerror(-r));
		return;
	}
	memcpy(w->name, p->hello.hello.name, sizeof(w->name));
	w->queue = p->hello.hello.queue;
	w->peer = p;
	p->worker = w;
	r = session_create(d, w);
	if (!r)
		r = prepare_areas(d, w);
	if (r == -ENODEV)
		peer_refuse(p, r,
			    w->queue == PORCH_QUEUE_ANY ? "no interface is up"
							: "no interface has such a queue");
	else if (r == -EUSERS)
		peer_refuse(p, r, "a queue has as many workers as porch.conf allows");
	else if (r)
		peer_refuse(p, r, "sockets and memory: %s", strerror(-r));
	else
		offer(p);
}

void register_hello(struct peer *p, const struct porch_msg *m)
{
	uint32_t i;

	p->hello = *m;
	p->hello.hello.name[sizeof(p->hello.hello.name) - 1] = '\0';
	/* It is shown on terminals and in logs. */
	for (i = 0; p->hello.hello.name[i]; i++) {
		if (p->hello.hello.name[i] < ' ' || p->hello.hello.name[i] > '~')
			p->hello.hello.name[i] = '?';
	}
	begin(p->d, p);
}

static void mapped(struct daemon *d, struct worker_area *wa, bool can_lease)
{
	wa->told = false;
	wa->mapped = true;
	wa->can_lease = can_lease;
	if (!wa->area->bind_since)
		wa->area->bind_since = d->now;
}

void register_mapped(struct peer *p, const struct porch_msg *m)
{
	struct worker *w = p->worker;
	uint32_t i;

	peer_step(p, PEER_BINDING);
	for (i = 0; i < w->n_areas; i++) {
		if (w->areas[i].area && w->areas[i].told)
			mapped(p->d, &w->areas[i], m->mapped.can_lease >> i & 1);
	}
	/* A queue that is busy yet is tried again at each tick. */
	for (i = 0; i < w->n_areas && !w->condemned; i++) {
		if (w->areas[i].area && w->areas[i].area->bind_since)
			area_try_bind(p->d, w->areas[i].area);
	}
}

void register_mapped_more(struct peer *p, const struct porch_msg *m)
{
	uint32_t i = m->mapped.area;
	struct worker_area *wa;

	/* It may have crossed an AREA_DOWN. */
	if (i >= PORCH_AREAS_MAX || !p->worker->areas[i].area || !p->worker->areas[i].told)
		return;
	wa = &p->worker->areas[i];
	mapped(p->d, wa, m->mapped.can_lease >> i & 1);
	area_try_bind(p->d, wa->area);
}

/* ---- what areas tell ---- */

void peer_bound(struct daemon *d, struct worker_area *wa)
{
	struct porch_msg m = { .type = PORCH_MSG_BOUND };
	struct peer *p = wa->worker->peer;
	uint32_t i;

	if (!p)
		return;
	m.mapped.area = wa->number;
	m.mapped.can_lease = (uint64_t)wa->can_lease << wa->number;
	m.mapped.zero_copy = wa->area->zero_copy;
	if (peer_send(p, &m, NULL, 0) || p->state != PEER_BINDING)
		return;
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (p->worker->areas[i].area && !p->worker->areas[i].bound)
			return;
	}
	peer_ready(p);
}

void peer_bind_failed(struct daemon *d, struct worker_area *wa, int error)
{
	struct area *a = wa->area;
	struct peer *p = wa->worker->peer;

	if (!p)
		return;
	if (error == -EOPNOTSUPP && d->config.zero_copy)
		peer_refuse(p, error, "%s queue %u: zero-copy = yes, and its driver cannot; set it to no",
			    a->group->name, a->queue);
	else if (error == -EINVAL && d->config.zero_copy)
		/* virtio_net, if the host keeps VIRTIO_F_ACCESS_PLATFORM from it */
		peer_refuse(p, error,
			    "%s queue %u: zero-copy = yes, and its driver refuses (a virtio card: the host must "
			    "offer it iommu_platform); set it to no",
			    a->group->name, a->queue);
	else
		peer_refuse(p, error, "%s queue %u: cannot be bound: %s", a->group->name, a->queue,
			    strerror(-error));
}

void peer_area_down(struct daemon *d, struct worker_area *wa)
{
	struct porch_msg m = { .type = PORCH_MSG_AREA_DOWN };
	struct peer *p = wa->worker->peer;

	if (!p)
		return;
	m.down.area = wa->number;
	if (p->state == PEER_READY)
		peer_send(p, &m, NULL, 0);
	else
		peer_refuse(p, -EAGAIN, "%s queue %u is being made anew", wa->area->group->name,
			    wa->area->queue);
}

int peer_area_new(struct daemon *d, struct worker_area *wa)
{
	struct porch_msg m = { .type = PORCH_MSG_AREA_NEW };
	struct peer *p = wa->worker->peer;
	int r;

	if (!p)
		return -EPIPE;
	m.down.area = wa->number;
	r = peer_send(p, &m, NULL, 0);
	return r ? r : send_area(p, wa);
}
