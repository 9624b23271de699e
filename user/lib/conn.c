/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection between the engine and the application: who holds it, whether it
 * has something to say, and how it ends. It is freed when the engine is done,
 * porchd has been told, and the application has let go of it, in any order.
 */
#include <string.h>

#include "lib/lib.h"

/* The engine may be in the middle of something: only noted here, see lib_conn_fresh(). */
void lib_conn_notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	list_append(&porch_of(stack)->fresh, &conn_of(conn)->link);
}

void lib_conn_set_ready(struct porch_conn *c)
{
	list_remove(&c->link);
	c->tcp.notified = true;
	c->ready = 1;
	list_append(&c->porch->ready, &c->link);
}

static void quiet(struct porch_conn *c)
{
	list_remove(&c->link);
	c->ready = 0;
	c->tcp.notified = false;
}

void lib_conn_fresh(struct porch *p)
{
	while (!list_empty(&p->fresh)) {
		struct porch_conn *c = list_of(p->fresh.next, struct porch_conn, link);
		bool done = tcp_events(&c->tcp) & TCP_EVENT_DONE;

		/* One that waits for porch_accept() is looked at there. */
		if (c->state == CONN_OPEN)
			lib_conn_set_ready(c);
		else
			quiet(c);
		if (done && !c->over)
			lib_conn_over(c);
	}
}

/* What porch_poll() reports; 0: nothing any more. */
uint32_t lib_conn_events(const struct porch_conn *c)
{
	uint32_t events, ret = 0;

	if (c->lost)
		return PORCH_IN | PORCH_HUP | PORCH_ERR;
	events = tcp_events(&c->tcp);
	if (events & TCP_EVENT_IN && !c->no_in)
		ret |= PORCH_IN;
	if (events & TCP_EVENT_OUT && !c->no_out)
		ret |= PORCH_OUT;
	if (events & TCP_EVENT_HUP)
		ret |= PORCH_HUP;
	if (events & TCP_EVENT_ERR)
		ret |= PORCH_ERR;
	return ret;
}

/* CLOSED or TIME-WAIT: porchd keeps it from here on. May free it. */
void lib_conn_over(struct porch_conn *c)
{
	c->over = 1;
	finish_post(c);
}

/* The memory is nobody's any more. */
void lib_conn_free(struct porch_conn *c)
{
	struct porch *p = c->porch;

	flow_remove(p, c);
	if (!c->lost)
		tcp_release(&p->stack, &c->tcp);
	memory_bury(p, c);
}

/* The handle is gone. If the engine is done too, that was all. */
void lib_conn_detach(struct porch_conn *c)
{
	quiet(c);
	c->state = CONN_DETACHED;
	if (c->lost)
		lib_conn_free(c);
	else if (!c->over && tcp_events(&c->tcp) & TCP_EVENT_DONE)
		lib_conn_over(c);
	else if (c->over && !c->unposted)
		lib_conn_free(c);
}

/* RST. Who holds it, the application or a queue, learns of it and lets go itself. */
void lib_conn_drop(struct porch_conn *c)
{
	struct porch *p = c->porch;

	if (!c->over && !c->lost)
		tcp_abort(&p->stack, &c->tcp);
	if (c->state == CONN_DETACHED) {
		lib_conn_detach(c);
		return;
	}
	if (c->state == CONN_OPEN)
		lib_conn_set_ready(c);
	if (!c->over && !c->lost)
		lib_conn_over(c);
}

int lib_conn_check(const struct porch_conn *c)
{
	if (!c)
		return -EBADF;
	if (!porch_is_ours(c->porch))
		return -ECHILD;
	return c->state == CONN_OPEN ? 0 : -EBADF;
}

/* A next hop has another MAC: for those that have not heard from it since. */
void lib_conn_neighbour(struct porch *p, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	for (uint32_t i = 0; i < p->conns_touched; i++) {
		struct porch_conn *c = &p->conns[i];

		if (c->state != CONN_FREE && c->ifindex == ifindex && !memcmp(c->tcp.remote_mac, was, 6))
			memcpy(c->tcp.remote_mac, is, 6);
	}
}

void porch_conn_close(struct porch_conn *c)
{
	if (lib_conn_check(c))
		return;
	c->porch->stack.now = poll_clock();
	if (!c->over && !c->lost)
		tcp_close(&c->porch->stack, &c->tcp);
	lib_conn_detach(c);
	poll_hot(c->porch);
}

void porch_conn_abort(struct porch_conn *c)
{
	if (lib_conn_check(c))
		return;
	c->porch->stack.now = poll_clock();
	if (!c->over && !c->lost)
		tcp_abort(&c->porch->stack, &c->tcp);
	lib_conn_detach(c);
	poll_hot(c->porch);
}

void porch_conn_set_user(struct porch_conn *c, void *user)
{
	if (!lib_conn_check(c))
		c->tcp.user = user;
}

void *porch_conn_user(const struct porch_conn *c)
{
	return lib_conn_check(c) ? NULL : c->tcp.user;
}

int porch_conn_want(struct porch_conn *c, uint32_t events)
{
	int r = lib_conn_check(c);

	if (r)
		return r;
	if (events & ~(uint32_t)(PORCH_IN | PORCH_OUT))
		return -EINVAL;
	c->no_in = !(events & PORCH_IN);
	c->no_out = !(events & PORCH_OUT);
	/* The engine tells of what is new; this was there before. */
	if (!c->ready && lib_conn_events(c)) {
		lib_conn_set_ready(c);
		poll_hot(c->porch);
	}
	return 0;
}

int porch_conn_set(struct porch_conn *c, enum porch_option option, uint32_t value)
{
	static const enum tcp_option map[] = {
		[PORCH_NODELAY] = TCP_OPTION_NODELAY,
		[PORCH_KEEPALIVE] = TCP_OPTION_KEEPALIVE,
		[PORCH_USER_TIMEOUT] = TCP_OPTION_USER_TIMEOUT,
		[PORCH_CORK] = TCP_OPTION_CORK,
		[PORCH_CONGESTION] = TCP_OPTION_CONGESTION,
		[PORCH_KEEPALIVE_INTERVAL] = TCP_OPTION_KEEPALIVE_INTERVAL,
		[PORCH_KEEPALIVE_PROBES] = TCP_OPTION_KEEPALIVE_PROBES,
	};
	int r = lib_conn_check(c);

	if (r)
		return r;
	if (option < PORCH_NODELAY || option > PORCH_KEEPALIVE_PROBES)
		return -ENOPROTOOPT;
	if (c->lost)
		return -ECONNRESET;
	c->porch->stack.now = poll_clock();
	r = tcp_set(&c->porch->stack, &c->tcp, map[option], value);
	poll_hot(c->porch);
	return r;
}
