/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The conversation with porchd, step by step (porch/wire.h), never waiting: what
 * has arrived is read, what is late is given up. porch_open() and porch_listen()
 * wait around it; after that porch_poll() keeps it going, through porchd's death
 * and return.
 */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/util.h"
#include "lib/lib.h"

int session_expect(struct porch *p)
{
	p->step_deadline = p->stack.now + PORCH_STEP_MS * 1000000ull;
	return 0;
}

int session_connect(struct porch *p)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.u32 = LIB_TAG_CONTROL };
	int fd = control_connect(p->path);

	if (fd < 0)
		return fd;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event)) {
		int r = -errno;

		close(fd);
		return r;
	}
	p->control = fd;
	return 0;
}

int session_start(struct porch *p)
{
	struct porch_msg msg = { .type = PORCH_MSG_HELLO, .version = PORCH_WIRE_VERSION };
	int r = session_connect(p);

	if (r)
		return r;
	msg.hello.queue = p->want_queue;
	memcpy(msg.hello.name, p->name, sizeof(msg.hello.name));
	p->phase = PHASE_HELLO;
	session_expect(p);
	return control_send(p->control, &msg, NULL, 0);
}

/* Memory, areas and descriptors of a session that is over. */
void session_drop(struct porch *p)
{
	for (uint32_t i = 0; i < PORCH_AREAS_MAX; i++)
		area_drop(p, i);
	if (p->session)
		munmap(p->session, p->session_size);
	p->session = NULL;
	memset(&p->accept, 0, sizeof(p->accept));
	memset(&p->inject, 0, sizeof(p->inject));
	memset(&p->finish, 0, sizeof(p->finish));
	if (p->wake_worker >= 0)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->wake_worker, NULL);
	porch_closep(&p->session_fd);
	porch_closep(&p->wake_worker);
	porch_closep(&p->wake_daemon);
	p->session_fd = p->wake_worker = p->wake_daemon = -1;
	p->finished_unkicked = 0;
	p->kick_at = LIB_NEVER;
}

static void disconnect(struct porch *p)
{
	if (p->control >= 0) {
		/* A forked child may hold a copy, which would keep it in the set. */
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->control, NULL);
		close(p->control);
	}
	p->control = -1;
	p->phase = PHASE_NONE;
	p->step_deadline = LIB_NEVER;
	listen_detached(p);
}

/* porchd knows nothing of us: neither do we of what it gave us. */
void session_lose(struct porch *p)
{
	p->lost_pending = false;
	disconnect(p);
	listen_lost(p);
	for (uint32_t i = 0; i < p->conns_touched; i++) {
		struct porch_conn *c = &p->conns[i];

		if (c->state == CONN_FREE || c->lost)
			continue;
		flow_remove(p, c);
		c->tcp.notified = true;
		tcp_release(&p->stack, &c->tcp);
		c->lost = 1;
		c->unposted = 0;
		if (c->state == CONN_DETACHED)
			lib_conn_free(c);
		else
			lib_conn_set_ready(c);
	}
	p->unposted_head = p->unposted_tail = 0;
	session_drop(p);
	p->state = PORCH_LOST;
	p->retry_at = p->stack.now;
}

/* The conversation ended: porchd died, was too slow, or said no. */
void session_fail(struct porch *p, int error)
{
	enum phase phase = p->phase;

	p->failure = error;
	disconnect(p);
	if (!p->ever_ready)
		return;
	p->retry_at = p->stack.now + LIB_RECONNECT_NS;
	if (phase == PHASE_READY) {
		p->state = PORCH_DETACHED;
		p->tell_death = true;
		p->retry_at = p->stack.now;
		for (uint32_t i = 0; i < PORCH_AREAS_MAX; i++)
			if (p->areas[i] && !p->areas[i]->bound)
				area_drop(p, i);
	} else if (phase == PHASE_REJOIN) {
		if (error == -EPROTO)
			session_lose(p);
	} else if (phase != PHASE_NONE) {
		session_drop(p);
		if (error != -ECONNRESET)
			p->retry_at = p->stack.now + LIB_RETRY_NS;
	}
}

static int area_message(struct porch *p, const struct porch_msg *msg, int fds[3])
{
	struct porch_msg answer = { .type = PORCH_MSG_MAPPED, .version = PORCH_WIRE_VERSION };
	int r = msg->type == PORCH_MSG_AREA ? area_told(p, msg, fds) : area_socket(p, msg, fds);

	if (r || msg->type == PORCH_MSG_AREA)
		return r;
	if (p->phase == PHASE_AREAS && ++p->areas_told < p->areas_expected)
		return session_expect(p);
	for (uint32_t i = 0; i < p->n_areas; i++)
		if (p->areas[i] && p->areas[i]->can_lease)
			answer.mapped.can_lease |= 1ull << i;
	answer.mapped.area = msg->socket.area;
	if (p->phase == PHASE_AREAS) {
		p->phase = PHASE_BOUND;
		session_expect(p);
	}
	return control_send(p->control, &answer, NULL, 0);
}

static int ready(struct porch *p)
{
	bool again = p->phase == PHASE_REJOIN;

	if (p->phase == PHASE_READY)
		return 0;
	if (p->phase != PHASE_BOUND && !again)
		return -EPROTO;
	p->phase = PHASE_READY;
	p->step_deadline = LIB_NEVER;
	p->state = again ? PORCH_REATTACHED : PORCH_ATTACHED;
	p->ever_ready = true;
	p->generation = __atomic_load_n(&p->session->generation, __ATOMIC_RELAXED);
	if (again)
		poll_wake_daemon(p);
	return 0;
}

static int refused(struct porch *p, const struct porch_msg *msg)
{
	int error = msg->result < 0 && msg->result > -4096 ? msg->result : -EPROTO;

	snprintf(p->refused, sizeof(p->refused), "%.*s", (int)sizeof(msg->text), msg->text);
	if (p->phase == PHASE_READY)
		return listen_answer(p, msg);
	if (p->phase == PHASE_REJOIN) {
		session_lose(p);
		return 0;
	}
	return error;
}

static int bound(struct porch *p, const struct porch_msg *msg)
{
	uint32_t n = msg->mapped.area;

	if (n >= PORCH_AREAS_MAX || !p->areas[n] || !p->areas[n]->mapped)
		return -EPROTO;
	p->areas[n]->bound = true;
	p->areas[n]->zero_copy = msg->mapped.zero_copy;
	return session_expect(p);
}

/* 0, or why the conversation cannot go on. Takes descriptors out of fds that it keeps. */
static int message(struct porch *p, const struct porch_msg *msg, int fds[3])
{
	switch (msg->type) {
	case PORCH_MSG_WELCOME:
		return p->phase == PHASE_HELLO ? hello_welcome(p, msg, fds) : -EPROTO;
	case PORCH_MSG_AREA:
	case PORCH_MSG_SOCKET:
		return p->phase == PHASE_AREAS || p->phase == PHASE_READY ? area_message(p, msg, fds)
									  : -EPROTO;
	case PORCH_MSG_BOUND:
		return p->phase == PHASE_BOUND || p->phase == PHASE_READY ? bound(p, msg) : -EPROTO;
	case PORCH_MSG_READY:
		return ready(p);
	case PORCH_MSG_REFUSED:
		return refused(p, msg);
	case PORCH_MSG_LISTENING:
	case PORCH_MSG_UNLISTENED:
		return p->phase == PHASE_READY ? listen_answer(p, msg) : -EPROTO;
	case PORCH_MSG_AREA_DOWN:
		if (msg->down.area >= PORCH_AREAS_MAX)
			return -EPROTO;
		area_drop(p, msg->down.area);
		return 0;
	case PORCH_MSG_AREA_NEW:
		return 0;
	case PORCH_MSG_CAPTURE:
		return capture_start(p, msg, fds);
	case PORCH_MSG_NEIGHBOUR:
		/* what was handed over before this was said bears the old one */
		if (p->phase == PHASE_READY && porch_ring_pending(&p->accept))
			accept_take(p);
		lib_conn_neighbour(p, msg->neighbour.ifindex, msg->neighbour.was, msg->neighbour.is);
		return 0;
	default:
		return -EPROTO;
	}
}

void session_input(struct porch *p)
{
	while (p->control >= 0) {
		int fds[3] = { -1, -1, -1 };
		struct porch_msg msg;
		unsigned int n_fds;
		int r = control_receive(p->control, &msg, fds, &n_fds);

		if (r == -EAGAIN)
			return;
		if (!r)
			r = message(p, &msg, fds);
		for (unsigned int i = 0; i < 3; i++)
			porch_closep(&fds[i]);
		if (!r)
			continue;
		/* Nonsense in the middle of a session: whoever says it is not what we agreed with. */
		if (r == -EPROTO && p->phase == PHASE_READY)
			session_lose(p);
		else
			session_fail(p, r);
	}
}

void session_run(struct porch *p)
{
	int r = 0;

	if (p->lost_pending)
		session_lose(p);
	if (p->phase == PHASE_READY)
		return;
	if (p->phase != PHASE_NONE) {
		if (p->phase == PHASE_REJOIN)
			r = rejoin_send(p);
		if (!r && p->stack.now >= p->step_deadline)
			r = -ETIMEDOUT;
	} else if (p->stack.now >= p->retry_at) {
		p->retry_at = p->stack.now + LIB_RECONNECT_NS;
		r = p->session ? rejoin_start(p) : session_start(p);
	}
	if (r)
		session_fail(p, r);
}

uint64_t session_next(const struct porch *p)
{
	uint64_t next = p->phase == PHASE_NONE	  ? p->retry_at
			: p->phase == PHASE_READY ? LIB_NEVER
						  : p->step_deadline;
	uint64_t listen = listen_next(p);

	return listen < next ? listen : next;
}
