// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/group.h"
#include "daemon/lease.h"
#include "daemon/listen.h"
#include "daemon/loop.h"
#include "daemon/reap.h"
#include "daemon/rebuild.h"
#include "daemon/rejoin.h"
#include "daemon/session.h"
#include "daemon/slots.h"
#include "daemon/umem.h"
#include "daemon/worker.h"
#include "daemon/xsk.h"

void rejoin_begin(struct peer *p, struct message *m)
{
	uint32_t number = m->body.hello.worker;
	struct daemon *d = p->d;
	struct worker *w;
	int r;

	if (m->n_fds != 3 || !number || number >= PORCH_WORKERS_MAX) {
		peer_refuse(p, -EPROTO, "REJOIN without its memory, or with an impossible number");
		return;
	}
	if (d->workers[number] || !rebuild_may_rejoin(d, number)) {
		peer_refuse(p, -ESTALE, "worker %u came back too late", number);
		return;
	}
	r = worker_new(d, number, p->pid, p->uid, &w);
	if (r) {
		peer_refuse(p, r, "worker %u: %s", number, strerror(-r));
		return;
	}
	memcpy(w->name, m->body.hello.name, sizeof(w->name) - 1);
	w->queue = m->body.hello.queue;
	w->peer = p;
	p->worker = w;
	r = session_adopt(d, w, m->fds[0], m->fds[1], m->fds[2]);
	if (r)
		peer_refuse(p, r, "its session is not what this porchd would make of its configuration");
	else
		peer_step(p, PEER_REJOINING);
}

static struct trust_group *group_of(struct daemon *d, uint32_t ifindex)
{
	for_each_group(d, g)
	{
		if (g->ifindex == ifindex)
			return g;
	}
	return NULL;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Another socket on the queue that `of` is bound to, which fails if it is not; or -errno. */
static int another(struct daemon *d, const struct area *a, int of, uint32_t rx_entries, struct xsk_ring *rx)
{
	const struct xsk_sizes sizes = { .rx = rx_entries };
	struct xsk_ring ring = {};
	int fd = xsk_open(d, &sizes), r;

	if (fd < 0)
		return fd;
	r = xsk_ring_map(fd, XSK_RX, rx_entries, &ring);
	if (!r)
		r = xsk_bind_shared(fd, a->group->ifindex, a->queue, of);
	if (r) {
		xsk_ring_unmap(&ring);
		reap_fd(fd);
		return r;
	}
	*rx = ring;
	return fd;
}

/* The area is nobody's yet in this run: porchd's socket on it, and its rings. */
static int take_over(struct daemon *d, struct area *a, const struct umem_geometry *g, int *owner)
{
	struct xsk_ring rx = {};
	int fd = another(d, a, *owner, umem_round_up(a->rx_frames), &rx), r;

	if (fd < 0)
		return fd;
	r = xsk_mode(fd, &a->zero_copy);
	if (!r && !xsk_ring_map(*owner, XSK_RX, rx.mask + 1, &a->rx) && !xsk_consumer_join(&a->rx)) {
		xsk_ring_unmap(&rx);
		reap_fd(fd);
		fd = TAKE_FD(*owner);
	} else {
		xsk_ring_unmap(&a->rx);
		a->rx = rx;
	}
	a->xsk = fd;
	if (!r && !xsk_ring_map(fd, XSK_FILL, umem_fill_entries(g), &a->fill) &&
	    !xsk_ring_map(fd, XSK_COMPLETION, umem_completion_entries(g), &a->completion))
		a->late_map = true;
	else
		xsk_ring_unmap(&a->fill);
	if (!r && a->fill.map)
		r = xsk_producer_join(&a->fill);
	if (!r && a->completion.map)
		r = xsk_consumer_join(&a->completion);
	if (!r)
		r = lease_adopt(a, d->config.workers);
	if (!r)
		r = loop_add(d->loop, a->xsk, EPOLLIN, NULL, NULL);
	if (!r) {
		a->bound = true;
		r = slot_install(d, a, NULL, a->xsk);
	}
	if (r)
		area_unbind(d, a);
	return r;
}

static int area_message(struct peer *p, struct message *m)
{
	const struct porch_msg *b = &m->body;
	struct daemon *d = p->d;
	struct trust_group *g = group_of(d, b->area.ifindex);
	struct umem_geometry geometry;
	struct area *a;
	int r;

	if (p->rejoining || m->n_fds != 2 || b->area.area >= PORCH_AREAS_MAX || !g || !g->areas ||
	    b->area.queue >= g->queues || p->worker->areas[b->area.area].area)
		return -EPROTO;
	a = &g->areas[b->area.queue];
	r = umem_geometry(&d->config, g->mtu, g->queues, &geometry);
	if (!r && !g->memory)
		r = umem_adopt(g, &geometry, m->fds[0]);
	else if (!r && !same_file(g->memfd, m->fds[0]))
		r = -EPROTO;
	if (r)
		return r;
	umem_place(a, &geometry);
	if (worker_area_of(p->worker, a) || b->area.group_size != g->size ||
	    b->area.head != umem_head_offset(a) || b->area.umem != umem_offset(a) ||
	    b->area.umem_size != a->umem_size || b->area.frame_size != a->frame_size ||
	    b->area.rx_frames != a->rx_frames || b->area.fill_entries != umem_fill_entries(&geometry) ||
	    b->area.completion_entries != umem_completion_entries(&geometry) ||
	    (b->area.tx_metadata && b->area.tx_metadata != PORCH_TX_METADATA) ||
	    (a->bound && b->area.tx_metadata != a->tx_metadata))
		return -EPROTO;
	if (!a->bound) {
		if (a->xsk >= 0) /* prepared for somebody who said HELLO, and could not be bound */
			return -EBUSY;
		/* As its UMEM was made; what this run is configured for counts when it is made anew. */
		a->tx_metadata = b->area.tx_metadata;
		r = take_over(d, a, &geometry, &m->fds[1]);
		if (r)
			return r;
	}
	p->rejoining = &p->worker->areas[b->area.area];
	p->rejoining->area = a;
	p->rejoining->down = true; /* no slice yet */
	return 0;
}

static int socket_message(struct peer *p, struct message *m)
{
	const struct porch_msg *b = &m->body;
	struct worker_area *wa = p->rejoining;
	struct daemon *d = p->d;
	struct umem_geometry g;
	struct xsk_ring rx = {};
	struct area *a;
	uint32_t slice;
	int r;

	if (!wa || m->n_fds != 1 || b->socket.area != wa->number)
		return -EPROTO;
	a = wa->area;
	r = umem_geometry(&d->config, a->group->mtu, a->group->queues, &g);
	if (r)
		return r;
	slice = (b->socket.tx_first - a->rx_frames) / a->tx_frames;
	if (b->socket.tx_first < a->rx_frames || slice >= a->slices || a->holders[slice] ||
	    b->socket.tx_first != a->rx_frames + slice * a->tx_frames ||
	    b->socket.tx_frames != a->tx_frames || b->socket.rx_entries != umem_rx_entries(&g) ||
	    b->socket.tx_entries != umem_tx_entries(&g))
		return -EPROTO;
	r = another(d, a, m->fds[0], 1, &rx);
	if (r < 0)
		return r;
	xsk_ring_unmap(&rx);
	reap_fd(r);
	/* Before 6.4 its RX ring cannot be mapped: then what is in there when it ends is lost. */
	if (xsk_ring_map(m->fds[0], XSK_RX, b->socket.rx_entries, &wa->rx))
		memset(&wa->rx, 0, sizeof(wa->rx));
	wa->xsk = TAKE_FD(m->fds[0]);
	wa->slice = slice;
	wa->slot = slot_of(a, wa->worker->number);
	wa->can_lease = b->socket.can_lease;
	wa->down = false;
	wa->mapped = wa->bound = true;
	a->holders[slice] = wa;
	a->slices_used |= 1ull << slice;
	a->workers++;
	a->unsettled = true;
	p->worker->n_areas++;
	p->rejoining = NULL;
	return slot_install(d, a, wa->worker, wa->xsk);
}

static int finish(struct peer *p)
{
	struct porch_msg m = { .type = PORCH_MSG_LISTENING };
	struct worker *w = p->worker;
	struct daemon *d = p->d;
	uint32_t h, limit;

	if (p->rejoining || !w->n_areas)
		return -EPROTO;
	d->count.rejoined++;
	log_line(LOG_NOTICE, "worker %u has come back", w->number);
	rebuild_rejoined(d, w);
	peer_ready(p);
	for (h = 0; h < PORCH_WORKER_LISTENERS && p->state == PEER_READY; h++) {
		const struct porch_session_listener *l = &w->session->listener[h];

		if (!__atomic_load_n(&l->state, __ATOMIC_RELAXED))
			continue;
		limit = 0;
		m.result = listen_rejoin(d, w, h, &limit);
		memcpy(m.listen.address, l->address, sizeof(m.listen.address));
		m.listen.port = l->port;
		m.listen.backlog = l->backlog;
		m.listen.handle = h;
		m.listen.limit = limit;
		if (peer_send(p, &m, NULL, 0))
			break;
	}
	return 0;
}

void rejoin_message(struct peer *p, struct message *m)
{
	int r;

	switch (m->body.type) {
	case PORCH_MSG_AREA:
		r = area_message(p, m);
		break;
	case PORCH_MSG_SOCKET:
		r = socket_message(p, m);
		break;
	default:
		r = finish(p);
	}
	if (r)
		peer_refuse(p, r, "what it brought is not what porchd had given: %s", strerror(-r));
	else if (p->state == PEER_REJOINING)
		peer_step(p, PEER_REJOINING);
}
