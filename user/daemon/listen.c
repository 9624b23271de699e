// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <syslog.h>

#include "core/listeners.h"
#include "daemon/accept_queue.h"
#include "daemon/listen.h"
#include "daemon/rebuild.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_any(const uint8_t address[16])
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff }, none[16];

	return !memcmp(address, none, 16) || (!memcmp(address, v4, 12) && !memcmp(address + 12, none, 4));
}

/* The one listener of the port, or 0: for who listens on every address while porch serves one. */
static uint32_t only_listener(const struct porch_tables *t, uint16_t port)
{
	uint32_t i, found = 0;

	for_each_listener (t, i) {
		if (t->listeners[i].port != port || t->listeners[i].deliver != PORCH_DELIVER_AFXDP)
			continue;
		if (t->listeners[i].any_address)
			return i;
		found = found ? PORCH_LISTENERS_MAX : i;
	}
	return found < PORCH_LISTENERS_MAX ? found : 0;
}

/* The afxdp listener that serves what this handle asks for, or 0. */
static uint32_t listener_for(const struct daemon *d, const struct listen_handle *h)
{
	uint32_t i = h->any ? only_listener(&d->tables, h->port)
			    : porch_listener_covering(&d->tables, h->address, h->port);

	return i && d->tables.listeners[i].deliver == PORCH_DELIVER_AFXDP ? i : 0;
}

bool listen_serves(const struct daemon *d, const struct daemon_listener *l, const uint8_t address[16])
{
	const struct accept_queue *q = l->queue;
	uint32_t i;

	if (!q->narrow)
		return true;
	for (i = 0; i < q->n_members; i++) {
		if (handle_covers(
			    &d->connections->handles[q->members[i].worker->number][q->members[i].handle],
			    address))
			return true;
	}
	return false;
}

/* What follows from the listener's settings and from who its members are. XDP reads limit and workers. */
static void settle(struct daemon *d, struct daemon_listener *l)
{
	const struct porch_listener_entry *p = &d->tables.listeners[l->index];
	struct accept_queue *q = l->queue;
	uint32_t i, backlog = 0, workers = 0;
	uint64_t seen = 0;

	q->narrow = false;
	for (i = 0; i < q->n_members; i++) {
		uint16_t number = q->members[i].worker->number;
		const struct listen_handle *h = &d->connections->handles[number][q->members[i].handle];

		workers += !(seen >> number & 1);
		seen |= 1ull << number;
		if (h->backlog > backlog)
			backlog = h->backlog;
		if (p->any_address && !h->any)
			q->narrow = true;
	}
	if (p->backlog && p->backlog < backlog) /* as somaxconn caps listen(2) */
		backlog = p->backlog;
	l->limit = backlog < d->config.backlog ? backlog : d->config.backlog;
	l->overflow = p->overflow;
	l->workers = workers;
	__atomic_store_n(&l->shared->limit, l->limit, __ATOMIC_RELEASE);
	__atomic_store_n(&l->shared->workers, workers, __ATOMIC_RELEASE);
}

static void open_queue(struct daemon *d, struct daemon_listener *l, uint32_t index, bool again)
{
	const struct porch_listener_entry *p = &d->tables.listeners[index];
	struct connections *c = d->connections;
	struct accept_queue *q = &c->queues[index];

	memcpy(q->address, p->address, 16);
	q->port = p->port;
	q->any = p->any_address;
	q->accepted_gone = 0;
	*l = (struct daemon_listener){ .index = index, .queue = q, .shared = &d->tables.queues[index] };
	if (again)
		q->accepted_gone = l->shared->accepted;
	else
		*l->shared = (struct porch_queue){ .depth = q->queued.n,
						   .peak = q->queued.n,
						   .parked = l->shared->parked };
	c->active[c->n_active++] = index;
}

static void close_queue(struct daemon *d, struct daemon_listener *l)
{
	struct connections *c = d->connections;
	uint32_t i, n;

	__atomic_store_n(&l->shared->workers, 0, __ATOMIC_RELEASE);
	l->shared->credit = 0;
	n = queue_reset(d, l->index);
	if (n)
		log_line(LOG_NOTICE,
			 "port %u: nobody listens any more, %u connections in its queue are reset",
			 l->queue->port, n);
	for (i = 0; i < c->n_active; i++) {
		if (c->active[i] == l->index)
			c->active[i--] = c->active[--c->n_active];
	}
	*l = (struct daemon_listener){};
}

static uint64_t accepted_ever(const struct worker *w, uint32_t handle)
{
	uint64_t n = __atomic_load_n(&w->session->listener[handle].accepted, __ATOMIC_RELAXED);

	return n < w->listens[handle].handed ? n : w->listens[handle].handed;
}

/* Since it joined this listener. */
static uint64_t accepted_of(const struct daemon *d, const struct worker *w, uint32_t handle)
{
	uint64_t before = d->connections->handles[w->number][handle].accepted_before,
		 n = accepted_ever(w, handle);

	return n > before ? n - before : 0;
}

/* The handle becomes a member of its listener. again: porchd was restarted meanwhile. */
static int join(struct daemon *d, struct worker *w, uint32_t handle, bool again)
{
	struct listen_handle *h = &d->connections->handles[w->number][handle];
	uint32_t index = listener_for(d, h);
	struct daemon_listener *l = &d->listeners[index];
	bool first;

	if (!index)
		return -EADDRNOTAVAIL;
	if (l->queue && l->queue->n_members == LISTENER_MEMBERS_MAX)
		return -EUSERS;
	first = !l->queue;
	if (first)
		open_queue(d, l, index, again);
	l->queue->members[l->queue->n_members].worker = w;
	l->queue->members[l->queue->n_members].served = l->turn;
	l->queue->members[l->queue->n_members++].handle = handle;
	h->index = index;
	h->accepted_before = again ? 0 : accepted_ever(w, handle);
	if (again) /* what its listener had counted counts once */
		l->queue->accepted_gone -= min_u64(accepted_ever(w, handle), l->queue->accepted_gone);
	w->listens[handle].listener = l;
	__atomic_store_n(&w->session->listener[handle].state, 1, __ATOMIC_RELEASE);
	settle(d, l);
	if (first)
		rebuild_listened(d, l);
	return 0;
}

/* Off its listener, which goes with its last member. */
static void leave(struct daemon *d, struct worker *w, uint32_t handle)
{
	struct daemon_listener *l = w->listens[handle].listener;
	struct accept_queue *q;
	uint32_t i;

	d->connections->handles[w->number][handle].index = 0;
	w->listens[handle].listener = NULL;
	__atomic_store_n(&w->session->listener[handle].state, 0, __ATOMIC_RELEASE);
	if (!l || !l->queue)
		return;
	q = l->queue;
	q->accepted_gone += accepted_of(d, w, handle);
	for (i = 0; i < q->n_members; i++) {
		if (q->members[i].worker == w && q->members[i].handle == handle) {
			memmove(&q->members[i], &q->members[i + 1],
				(--q->n_members - i) * sizeof(q->members[0]));
			break;
		}
	}
	if (q->n_members)
		settle(d, l);
	else
		close_queue(d, l);
}

static void listener_gone(struct daemon *d, struct daemon_listener *l)
{
	struct accept_queue *q = l->queue;

	while (l->queue == q && q->n_members)
		leave(d, q->members[0].worker, q->members[0].handle);
}

int listen_add(struct daemon *d, struct worker *w, const uint8_t address[16], uint16_t port, uint32_t backlog,
	       uint32_t *limit)
{
	struct listen_handle *handles = d->connections->handles[w->number], *h;
	struct listen_handle fresh = {
		.used = true, .any = is_any(address), .port = port, .backlog = backlog
	};
	struct porch_session_listener *shared;
	uint32_t i, at = PORCH_WORKER_LISTENERS;
	int r;

	memcpy(fresh.address, address, 16);
	for (i = PORCH_WORKER_LISTENERS; i-- > 0;) {
		if (!handles[i].used)
			at = i;
		else if (handles[i].port == port && handles[i].any == fresh.any &&
			 (fresh.any || !memcmp(handles[i].address, address, 16)))
			return -EADDRINUSE;
	}
	if (at == PORCH_WORKER_LISTENERS)
		return -EMFILE;
	h = &handles[at];
	*h = fresh;
	shared = &w->session->listener[at];
	w->listens[at].handed = w->listens[at].granted = 0;
	*shared = (struct porch_session_listener){ .port = port, .backlog = backlog };
	memcpy(shared->address, address, 16);
	r = join(d, w, at, false);
	if (r) {
		*h = (struct listen_handle){};
		return r;
	}
	*limit = w->listens[at].listener->limit;
	return at;
}

int listen_rejoin(struct daemon *d, struct worker *w, uint32_t handle, uint32_t *limit)
{
	const volatile struct porch_session_listener *shared;
	struct listen_handle *h;
	int r;

	if (handle >= PORCH_WORKER_LISTENERS || d->connections->handles[w->number][handle].used)
		return -EINVAL;
	h = &d->connections->handles[w->number][handle];
	shared = &w->session->listener[handle];
	*h = (struct listen_handle){ .used = true, .port = shared->port, .backlog = shared->backlog };
	memcpy(h->address, (const uint8_t *)w->session->listener[handle].address, 16);
	h->any = is_any(h->address);
	w->listens[handle].handed = shared->handed;
	w->listens[handle].granted = shared->handed;
	r = join(d, w, handle, true);
	if (r == -EADDRNOTAVAIL) {
		*limit = 0;
		return 0; /* porch has taken the listener away meanwhile; it may come back */
	}
	if (r)
		*h = (struct listen_handle){};
	else
		*limit = w->listens[handle].listener->limit;
	return r;
}

int listen_del(struct daemon *d, struct worker *w, uint32_t handle)
{
	struct listen_handle *h;

	if (handle >= PORCH_WORKER_LISTENERS)
		return -EINVAL;
	h = &d->connections->handles[w->number][handle];
	if (!h->used)
		return -ENOENT;
	leave(d, w, handle);
	*h = (struct listen_handle){};
	return 0;
}

void listen_worker_gone(struct daemon *d, struct worker *w)
{
	uint32_t i;

	for (i = 0; i < PORCH_WORKER_LISTENERS; i++)
		listen_del(d, w, i);
}

static bool still_there(const struct daemon *d, const struct daemon_listener *l)
{
	const struct porch_listener_entry *p = &d->tables.listeners[l->index];
	const struct accept_queue *q = l->queue;

	return p->used && p->deliver == PORCH_DELIVER_AFXDP && p->port == q->port &&
	       !p->any_address == !q->any && !memcmp(p->address, q->address, 16);
}

void listen_refresh(struct daemon *d)
{
	struct connections *c = d->connections;
	uint32_t i, handle;

	for (i = c->n_active; i-- > 0;) {
		struct daemon_listener *l = &d->listeners[c->active[i]];

		if (still_there(d, l)) {
			settle(d, l);
			continue;
		}
		log_line(LOG_NOTICE, "port %u: its listener is no longer there, or not for deliver=afxdp",
			 l->queue->port);
		listener_gone(d, l);
	}
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		struct worker *w = d->workers[i];

		for (handle = 0; w && w->session && !w->gone && handle < PORCH_WORKER_LISTENERS; handle++) {
			if (c->handles[i][handle].used && !c->handles[i][handle].index)
				join(d, w, handle, false);
		}
	}
}

void listen_count(struct daemon *d)
{
	uint32_t i, m;

	for (i = 0; i < d->connections->n_active; i++) {
		struct daemon_listener *l = &d->listeners[d->connections->active[i]];
		uint64_t n = l->queue->accepted_gone;

		for (m = 0; m < l->queue->n_members; m++)
			n += accepted_of(d, l->queue->members[m].worker, l->queue->members[m].handle);
		if (n > l->shared->accepted)
			l->shared->accepted = n;
	}
}
