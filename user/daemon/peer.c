// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/capture.h"
#include "daemon/control.h"
#include "daemon/group.h"
#include "daemon/handback.h"
#include "daemon/listen.h"
#include "daemon/log.h"
#include "daemon/peer.h"
#include "daemon/register.h"
#include "daemon/rejoin.h"
#include "daemon/worker.h"

#define MESSAGES_BATCH 16
#define UNREAD_MAX     256

static void input(struct daemon *d, uint32_t events, void *arg);

int peer_new(struct daemon *d, int fd, uint32_t pid, uint32_t uid, struct peer **ret)
{
	struct peer *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->d = d;
	p->fd = fd;
	p->pid = pid;
	p->uid = uid;
	p->since = d->now;
	r = loop_add(d->loop, fd, EPOLLIN, input, p);
	if (r) {
		close(fd);
		free(p);
		return r;
	}
	peer_step(p, PEER_NEW);
	*ret = p;
	return 0;
}

static void late(struct daemon *d, void *arg)
{
	struct peer *p = arg;

	peer_refuse(p, -ETIMEDOUT, "no message within %d ms", PORCH_STEP_MS);
}

void peer_step(struct peer *p, enum peer_state state)
{
	p->state = state;
	if (state == PEER_READY)
		loop_timer_stop(p->d->loop, &p->timer);
	else
		loop_timer_arm(p->d->loop, &p->timer, p->d->now + PORCH_STEP_MS * NS_PER_MS, late, p);
}

void peer_close(struct peer *p, const char *why)
{
	struct worker *w = p->worker;

	if (p->state == PEER_DEAD)
		return;
	p->state = PEER_DEAD;
	loop_timer_stop(p->d->loop, &p->timer);
	loop_remove(p->d->loop, p->fd);
	close(p->fd);
	p->fd = -1;
	p->worker = NULL;
	if (w) {
		w->peer = NULL;
		worker_condemn(p->d, w, why);
	}
}

int peer_send(struct peer *p, struct porch_msg *m, const int *fds, int n_fds)
{
	int r;

	if (p->state == PEER_DEAD)
		return -EPIPE;
	r = message_send(p->fd, m, fds, n_fds);
	if (r)
		peer_close(p, r == -EAGAIN ? "it does not read what it is told" : "its process is gone");
	return r;
}

void peer_refuse(struct peer *p, int error, const char *format, ...)
{
	struct porch_msg m = { .type = PORCH_MSG_REFUSED, .result = error };
	struct message unread;
	const char *what;
	va_list args;
	int i;

	if (p->state == PEER_DEAD)
		return;
	va_start(args, format);
	vsnprintf(m.text, sizeof(m.text), format, args);
	va_end(args);
	log_limited(p->d->now, LOG_NOTICE, "pid %u is refused: %s", p->pid, m.text);
	message_send(p->fd, &m, NULL, 0);
	/* Closed with messages unread, the socket would tell the peer of a reset before our line. */
	for (i = 0; i < UNREAD_MAX && !message_receive(p->fd, &unread, &what); i++)
		message_done(&unread);
	peer_close(p, "it was refused");
}

static void listen_message(struct peer *p, struct porch_msg *m)
{
	uint32_t handle = m->listen.handle, limit = 0;
	int r;

	if (m->type == PORCH_MSG_LISTEN) {
		r = listen_add(p->d, p->worker, m->listen.address, m->listen.port, m->listen.backlog, &limit);
		m->type = PORCH_MSG_LISTENING;
		m->listen.handle = r < 0 ? UINT32_MAX : (uint32_t)r;
		m->listen.limit = limit;
	} else {
		r = handle < PORCH_WORKER_LISTENERS ? listen_del(p->d, p->worker, handle) : -EINVAL;
		m->type = PORCH_MSG_UNLISTENED;
	}
	m->result = r < 0 ? r : 0;
	peer_send(p, m, NULL, 0);
}

static void unexpected(struct peer *p, uint32_t type)
{
	peer_refuse(p, -EPROTO, "message %u is not what comes next", type);
}

void peer_message(struct peer *p, struct message *m)
{
	uint32_t type = m->body.type;

	/* A peer that is doomed is not listened to: its worker must not change under who reaps it. */
	if (p->state == PEER_DEAD || (p->worker && p->worker->condemned))
		return;
	switch (p->state) {
	case PEER_NEW:
		if (p->stranger)
			peer_refuse(p, -EACCES, "uid %u is not listed in allow-uid of porch.conf", p->uid);
		else if (type == PORCH_MSG_HELLO)
			register_hello(p, &m->body);
		else if (type == PORCH_MSG_REJOIN)
			rejoin_begin(p, m);
		else if (type == PORCH_MSG_CAPTURE)
			capture_begin(p, m);
		else
			unexpected(p, type);
		return;
	case PEER_OFFERED:
		if (type == PORCH_MSG_MAPPED)
			register_mapped(p, &m->body);
		else
			unexpected(p, type);
		return;
	case PEER_REJOINING:
		if (type == PORCH_MSG_AREA || type == PORCH_MSG_SOCKET || type == PORCH_MSG_MAPPED)
			rejoin_message(p, m);
		else
			unexpected(p, type);
		return;
	case PEER_READY:
		if (type == PORCH_MSG_LISTEN || type == PORCH_MSG_UNLISTEN)
			listen_message(p, &m->body);
		else if (type == PORCH_MSG_MAPPED)
			register_mapped_more(p, &m->body);
		else if (type == PORCH_MSG_HANDBACK)
			handback_message(p, m);
		else if (type == PORCH_MSG_GOODBYE)
			peer_close(p, "it said goodbye");
		else
			unexpected(p, type);
		return;
	default:
		unexpected(p, type);
	}
}

static void input(struct daemon *d, uint32_t events, void *arg)
{
	struct peer *p = arg;
	const char *what;
	struct message m;
	int i, r;

	for (i = 0; i < MESSAGES_BATCH && p->state != PEER_DEAD; i++) {
		r = message_receive(p->fd, &m, &what);
		if (r == -EAGAIN)
			return;
		if (r == -EPROTO) {
			peer_refuse(p, r, "%s", what);
		} else if (r) {
			peer_close(p, "its process closed the connection");
		} else {
			peer_message(p, &m);
			message_done(&m);
		}
	}
}

void peer_ready(struct peer *p)
{
	struct porch_msg m = { .type = PORCH_MSG_READY };
	struct worker *w = p->worker;
	uint32_t i, n = 0, zero_copy = 0;

	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (!w->areas[i].area)
			continue;
		n++;
		zero_copy += w->areas[i].area->zero_copy;
		w->areas[i].area->unsettled = true;
	}
	peer_step(p, PEER_READY);
	w->ready = true;
	if (peer_send(p, &m, NULL, 0))
		return;
	log_line(LOG_INFO, "worker %u is %s (pid %u, uid %u): %u queues, %u of them zero-copy", w->number,
		 w->name, w->pid, w->uid, n, zero_copy);
	for_each_group(p->d, g) group_offer(p->d, g);
}

void peer_worker_gone(struct daemon *d, struct worker *w, const char *why)
{
	struct peer *p = w->peer;

	if (!p)
		return;
	w->peer = NULL;
	p->worker = NULL;
	peer_refuse(p, -ECONNABORTED, "%s", why);
}

void peers_broadcast_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	struct porch_msg m = { .type = PORCH_MSG_NEIGHBOUR, .neighbour.ifindex = ifindex };
	uint32_t i;

	memcpy(m.neighbour.was, was, 6);
	memcpy(m.neighbour.is, is, 6);
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		/* Not at the price of the worker: the flow's next segment says the same. */
		if (d->workers[i] && d->workers[i]->ready && d->workers[i]->peer)
			message_send(d->workers[i]->peer->fd, &m, NULL, 0);
	}
}
