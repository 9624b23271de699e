/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Telling porchd that a connection is over. The ring can be full when porchd is
 * stopped or gone: then the connection waits, first come, first told, and its
 * memory with it.
 */
#include "lib/lib.h"

/* False: no room now. */
bool finish_entry(struct porch *p, const struct porch_finish_entry *entry)
{
	struct porch_finish_entry *e;
	int error = 0;

	if (!p->session)
		return false;
	e = porch_ring_fill(&p->finish, &error);
	if (!e) {
		if (error) {
			p->count.refused_ring++;
			p->lost_pending = true;
		}
		return false;
	}
	*e = *entry;
	p->finished_unkicked++;
	return true;
}

static bool post(struct porch_conn *c)
{
	struct porch_finish_entry entry = { .flow = c->flow,
					    .serial = c->serial,
					    .how = PORCH_FINISH_CLOSED };
	struct tcp_finish f;

	if (tcp_finish(&c->tcp, &f) == 1) {
		entry.how = PORCH_FINISH_TIME_WAIT;
		entry.snd_nxt = f.snd_nxt;
		entry.rcv_nxt = f.rcv_nxt;
		entry.ts_offset = f.ts_offset;
	}
	if (!finish_entry(c->porch, &entry))
		return false;
	flow_remove(c->porch, c);
	c->unposted = 0;
	if (c->state == CONN_DETACHED)
		lib_conn_free(c);
	return true;
}

/* Now, or behind those that wait already. */
void finish_post(struct porch_conn *c)
{
	struct porch *p = c->porch;
	uint32_t number = c - p->conns + 1;

	if (!p->unposted_head && post(c))
		return;
	c->unposted = 1;
	c->next = 0;
	if (p->unposted_tail)
		p->conns[p->unposted_tail - 1].next = number;
	else
		p->unposted_head = number;
	p->unposted_tail = number;
}

/* Those that wait, as far as there is room; then all of this turn are published at once. */
void finish_run(struct porch *p)
{
	while (p->unposted_head) {
		struct porch_conn *c = &p->conns[p->unposted_head - 1];
		uint32_t next = c->next;

		if (!post(c))
			break;
		p->unposted_head = next;
		if (!next)
			p->unposted_tail = 0;
	}
	if (!p->session || __atomic_load_n(&p->finish.ring->produced, __ATOMIC_RELAXED) == p->finish.own)
		return;
	porch_ring_publish(&p->finish);
	if (p->finished_unkicked >= LIB_BATCH) {
		p->finished_unkicked = 0;
		poll_wake_daemon(p);
	} else if (p->kick_at == LIB_NEVER) {
		p->kick_at = p->stack.now + LIB_KICK_NS;
	}
}
