/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listeners: asked for one at a time, so that an answer without a handle (a
 * refusal) can only be the answer to that. A listener outlives porchd: it is
 * asked for again until the application closes it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"

uint32_t listen_waiting(const struct porch_listener *l)
{
	return l->tail - l->head;
}

/* One that ended before anybody accepted it is not worth the call. */
struct porch_conn *listen_head(struct porch_listener *l)
{
	while (l->head != l->tail) {
		struct porch_conn *c = l->queue[l->head & l->queue_mask];

		if (!c->over && !(tcp_events(&c->tcp) & TCP_EVENT_DONE))
			return c;
		l->head++;
		l->accepted++;
		lib_conn_detach(c);
	}
	return NULL;
}

/*
 * granted = accepted + what may still wait here, so handed - accepted never
 * exceeds the credit; while connections are short, none is granted that could
 * not be kept.
 */
void listen_grant(struct porch *p, struct porch_listener *l)
{
	struct porch_session_listener *shared;
	uint32_t room = p->max_conns - p->conns_used + listen_waiting(l);
	uint64_t granted;
	bool starved;

	if (l->state != LISTENER_UP)
		return;
	shared = &p->session->listener[l->handle];
	granted = l->accepted + (room < p->credit ? room : p->credit);
	if (l->gone || (int64_t)(granted - l->granted) <= 0)
		granted = l->granted;
	if (granted == l->granted && l->accepted == shared->accepted)
		return;
	starved = __atomic_load_n(&shared->handed, __ATOMIC_RELAXED) == l->granted;
	__atomic_store_n(&shared->accepted, l->accepted, __ATOMIC_RELAXED);
	__atomic_store_n(&shared->granted, granted, __ATOMIC_RELEASE);
	l->granted = granted;
	if (starved)
		poll_wake_daemon(p);
}

void listen_free(struct porch_listener *l)
{
	struct porch *p = l->porch;

	for (unsigned int i = 0; i < PORCH_WORKER_LISTENERS; i++)
		if (p->listeners[i] == l)
			p->listeners[i] = NULL;
	while (p->n_listeners && !p->listeners[p->n_listeners - 1])
		p->n_listeners--;
	if (l->handle < PORCH_WORKER_LISTENERS && p->by_handle[l->handle] == l)
		p->by_handle[l->handle] = NULL;
	if (p->asked == l)
		p->asked = NULL;
	free(l->queue);
	free(l);
}

static void message(const struct porch_listener *l, uint32_t type, struct porch_msg *msg)
{
	*msg = (struct porch_msg){ .type = type, .version = PORCH_WIRE_VERSION };
	memcpy(msg->listen.address, l->address, sizeof(l->address));
	msg->listen.port = l->port;
	msg->listen.backlog = l->backlog;
	msg->listen.handle = l->handle;
}

void listen_undo(struct porch_listener *l)
{
	struct porch_msg msg;

	message(l, PORCH_MSG_UNLISTEN, &msg);
	if (!control_send(l->porch->control, &msg, NULL, 0))
		l->state = LISTENER_CLOSING;
}

/* The conversation has ended: what was asked for or given back by it is so again in the next. */
void listen_detached(struct porch *p)
{
	p->asked = NULL;
	for (uint32_t i = 0; i < p->n_listeners; i++) {
		struct porch_listener *l = p->listeners[i];

		if (l && l->state == LISTENER_ASKED)
			l->state = LISTENER_WANTED;
		else if (l && l->state == LISTENER_CLOSING)
			l->state = LISTENER_UP;
	}
}

/* What is to be asked for, or said, next. */
void listen_run(struct porch *p)
{
	struct porch_msg msg;

	if (p->phase != PHASE_READY)
		return;
	for (uint32_t i = 0; i < p->n_listeners; i++) {
		struct porch_listener *l = p->listeners[i];

		if (!l)
			continue;
		if (l->state == LISTENER_UP && l->gone)
			listen_undo(l);
		if (l->state != LISTENER_WANTED)
			continue;
		if (l->gone) {
			listen_free(l);
		} else if (!p->asked && l->retry <= p->stack.now) {
			message(l, PORCH_MSG_LISTEN, &msg);
			if (control_send(p->control, &msg, NULL, 0))
				break;
			l->state = LISTENER_ASKED;
			p->asked = l;
		}
	}
}

uint64_t listen_next(const struct porch *p)
{
	uint64_t next = LIB_NEVER;

	for (uint32_t i = 0; i < p->n_listeners; i++) {
		const struct porch_listener *l = p->listeners[i];

		if (l && l->state == LISTENER_WANTED && l->retry < next && p->phase == PHASE_READY &&
		    !p->asked)
			next = l->retry;
	}
	return next;
}

/* After porchd has forgotten us, or while it is being found again. */
void listen_lost(struct porch *p)
{
	memset(p->by_handle, 0, sizeof(p->by_handle));
	p->asked = NULL;
	for (uint32_t i = 0; i < p->n_listeners; i++) {
		struct porch_listener *l = p->listeners[i];

		if (!l)
			continue;
		while (l->head != l->tail)
			lib_conn_detach(l->queue[l->head++ & l->queue_mask]);
		l->handle = PORCH_WORKER_LISTENERS;
		l->state = LISTENER_WANTED;
		l->accepted = l->granted = 0;
		l->retry = 0;
		if (l->gone)
			listen_free(l);
	}
}

static void refused(struct porch_listener *l, int error)
{
	l->error = error < 0 && error > -4096 ? error : -EPROTO;
	l->state = LISTENER_WANTED;
	l->retry = l->porch->stack.now + LIB_RETRY_NS;
}

/* Whom an answer is for, which does not carry a handle we know. */
static struct porch_listener *meant(struct porch *p, const struct porch_msg *msg)
{
	for (uint32_t i = 0; i < p->n_listeners; i++) {
		struct porch_listener *l = p->listeners[i];

		if (l && (l->state == LISTENER_ASKED || l->state == LISTENER_WANTED) &&
		    l->port == msg->listen.port &&
		    !memcmp(l->address, msg->listen.address, sizeof(l->address)))
			return l;
	}
	return NULL;
}

static void up(struct porch *p, struct porch_listener *l, uint32_t handle)
{
	l->error = 0;
	l->state = LISTENER_UP;
	l->handle = handle;
	l->accepted = __atomic_load_n(&p->session->listener[handle].handed, __ATOMIC_ACQUIRE);
	l->granted = l->accepted;
	p->by_handle[handle] = l;
	listen_grant(p, l);
}

static int listening(struct porch *p, const struct porch_msg *msg)
{
	uint32_t handle = msg->listen.handle;
	struct porch_listener *l = handle < PORCH_WORKER_LISTENERS ? p->by_handle[handle] : NULL;
	struct porch_msg answer = *msg;

	/* One of those that porchd has found in the session memory after its return. */
	if (l && !msg->result)
		return 0;
	if (l && l->state == LISTENER_UP && msg->result) {
		p->by_handle[handle] = NULL;
		l->handle = PORCH_WORKER_LISTENERS;
		refused(l, msg->result);
		return 0;
	}
	l = meant(p, msg);
	if (p->asked && (l == p->asked || msg->result)) {
		l = p->asked;
		p->asked = NULL;
	}
	if (msg->result) {
		if (l)
			refused(l, msg->result);
		return 0;
	}
	if (handle >= PORCH_WORKER_LISTENERS)
		return -EPROTO;
	if (l) {
		up(p, l, handle);
		return 0;
	}
	/* Closed in the meantime. */
	answer.type = PORCH_MSG_UNLISTEN;
	control_send(p->control, &answer, NULL, 0);
	return 0;
}

/* LISTENING, UNLISTENED or REFUSED, in the middle of a session. 0, -EPROTO. */
int listen_answer(struct porch *p, const struct porch_msg *msg)
{
	uint32_t handle = msg->listen.handle;
	struct porch_listener *l = p->asked;

	if (msg->type == PORCH_MSG_LISTENING)
		return listening(p, msg);
	if (msg->type == PORCH_MSG_REFUSED) {
		if (!l)
			return -EPROTO;
		p->asked = NULL;
		refused(l, msg->result);
		return 0;
	}
	l = handle < PORCH_WORKER_LISTENERS ? p->by_handle[handle] : NULL;
	if (l && l->state == LISTENER_CLOSING)
		listen_free(l);
	return 0;
}
