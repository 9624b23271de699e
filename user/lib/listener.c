/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The application's side of a listener: open, accept, close. */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"

static int address_of(const struct sockaddr *addr, socklen_t len, uint8_t address[16], uint16_t *port)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	if (!addr || len < sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		memcpy(address, v4, 12);
		memcpy(address + 12, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
	} else if (addr->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		memcpy(address, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
	} else {
		return addr->sa_family == AF_INET || addr->sa_family == AF_INET6 ? -EINVAL : -EAFNOSUPPORT;
	}
	/* 0.0.0.0, in either notation, means what :: means. */
	if (!memcmp(address, v4, 12) && !memcmp(address + 12, "\0\0\0\0", 4))
		memset(address, 0, 16);
	return *port ? 0 : -EINVAL;
}

/* Reset, the oldest first. */
static void drain(struct porch_listener *l)
{
	while (l->head != l->tail) {
		struct porch_conn *c = l->queue[l->head++ & l->queue_mask];

		l->accepted++;
		if (!c->over && !c->lost)
			tcp_abort(&l->porch->stack, &c->tcp);
		lib_conn_detach(c);
	}
}

/* Waits for porchd's answer, as long as a step may take. */
static int wait_for_answer(struct porch *p, struct porch_listener *l)
{
	uint64_t deadline = poll_clock() + PORCH_STEP_MS * 1000000ull;

	l->error = -EINPROGRESS;
	while (l->state != LISTENER_UP) {
		struct pollfd pfd = { .fd = p->control, .events = POLLIN };
		uint64_t now = p->stack.now = poll_clock();

		if (l->error != -EINPROGRESS)
			return l->error;
		if (p->phase != PHASE_READY)
			return -ENOTCONN;
		if (now >= deadline)
			return -ETIMEDOUT;
		listen_run(p);
		if (poll(&pfd, 1, (deadline - now) / 1000000 + 1) < 0 && errno != EINTR)
			return -errno;
		session_input(p);
	}
	return 0;
}

int porch_listen(struct porch *p, const struct sockaddr *addr, socklen_t len, int backlog,
		 struct porch_listener **ret)
{
	struct porch_listener *l;
	unsigned int i = 0;
	uint32_t size = 1;
	int r;

	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	if (!ret)
		return -EINVAL;
	if (p->phase != PHASE_READY)
		return -ENOTCONN;
	while (i < PORCH_WORKER_LISTENERS && p->listeners[i])
		i++;
	if (i == PORCH_WORKER_LISTENERS)
		return -EMFILE;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	r = address_of(addr, len, l->address, &l->port);
	while (size < p->credit)
		size *= 2;
	if (!r) {
		l->queue = calloc(size, sizeof(struct porch_conn *));
		r = l->queue ? 0 : -ENOMEM;
	}
	if (r) {
		free(l);
		return r;
	}
	l->porch = p;
	l->queue_mask = size - 1;
	l->backlog = backlog < 0 ? 0 : backlog;
	l->handle = PORCH_WORKER_LISTENERS;
	l->state = LISTENER_WANTED;
	p->listeners[i] = l;
	if (i >= p->n_listeners)
		p->n_listeners = i + 1;
	r = wait_for_answer(p, l);
	if (r) {
		/* An answer that is still to come finds it gone, and takes it back. */
		if (l->state == LISTENER_ASKED)
			l->gone = true;
		else
			listen_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void porch_listener_close(struct porch_listener *l)
{
	if (!l || !porch_is_ours(l->porch))
		return;
	l->gone = true;
	l->porch->stack.now = poll_clock();
	drain(l);
	if (l->state == LISTENER_WANTED)
		listen_free(l);
	else if (l->state == LISTENER_UP && l->porch->phase == PHASE_READY)
		listen_undo(l);
}

void porch_listener_set_user(struct porch_listener *l, void *user)
{
	if (l)
		l->user = user;
}

void *porch_listener_user(const struct porch_listener *l)
{
	return l ? l->user : NULL;
}

int porch_accept(struct porch_listener *l, struct porch_conn **ret)
{
	struct porch_conn *c;
	uint64_t now;

	if (!l || !ret)
		return -EINVAL;
	if (!porch_is_ours(l->porch))
		return -ECHILD;
	c = listen_head(l);
	if (!c)
		return -EAGAIN;
	l->head++;
	l->accepted++;
	l->porch->count.accepted++;
	now = poll_clock();
	c->handover_ns = now > c->handover_ns ? now - c->handover_ns : 0;
	c->state = CONN_OPEN;
	if (lib_conn_events(c)) {
		lib_conn_set_ready(c);
		l->porch->unseen = true;
	}
	*ret = c;
	return 0;
}
