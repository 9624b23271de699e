/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One turn of a worker: everything that has come is given to the engine, then
 * the engine's timers run, then porchd hears what it has to; and, apart from
 * that, what is to go is sent. The two are apart so that the application's
 * answers travel with the ACKs.
 */
#include "lib/lib.h"

static uint32_t take_areas(struct porch *p)
{
	uint32_t n = 0, first = p->first_area;
	bool starved = p->starved;

	p->starved = 0;
	for (uint32_t k = 0; k < p->n_areas; k++) {
		uint32_t i = first + k;
		struct area *a;

		i = i >= p->n_areas ? i - p->n_areas : i;
		a = p->areas[i];
		if (!a || !a->bound)
			continue;
		n += rx_area(p, a);
		if (a->n_spent || starved || a->n_tx_free + LIB_TX_OUT <= a->tx_frames ||
		    a->n_tx_free < a->tx_frames / 2 || porch_ring_pending(&a->give))
			frames_move(p, a, starved);
	}
	/* Nobody is always the last. */
	p->first_area = first + 1 < p->n_areas ? first + 1 : 0;
	return n;
}

uint32_t turn_take(struct porch *p)
{
	uint32_t n = 0;

	session_run(p);
	if (p->session && p->phase != PHASE_AREAS) {
		n += accept_take(p);
		/* Frames of a connection that could not be read yet would be strangers. */
		if (!porch_ring_pending(&p->accept))
			n += inject_take(p);
		n += take_areas(p);
	}
	tcp_stack_run(&p->stack);
	lib_conn_fresh(p);
	finish_run(p);
	for (uint32_t i = 0; i < p->n_listeners; i++)
		if (p->listeners[i])
			listen_grant(p, p->listeners[i]);
	listen_run(p);
	if (p->stack.now >= p->kick_at) {
		p->kick_at = LIB_NEVER;
		p->finished_unkicked = 0;
		poll_wake_daemon(p);
	}
	if (__builtin_expect(p->capture.used, 0))
		capture_flush(p);
	return n;
}

void turn_send(struct porch *p)
{
	tcp_stack_flush(&p->stack);
	tx_kick(p);
	if (!list_empty(&p->fresh))
		lib_conn_fresh(p);
	finish_run(p);
}

/* In the rings, that is, which have no file descriptor of their own. */
bool turn_pending(const struct porch *p)
{
	if (!p->session)
		return false;
	if (porch_ring_pending(&p->accept) || porch_ring_pending(&p->inject))
		return true;
	for (uint32_t i = 0; i < p->n_areas; i++)
		if (p->areas[i] && p->areas[i]->mapped && porch_ring_pending(&p->areas[i]->give))
			return true;
	return false;
}
