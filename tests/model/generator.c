// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "generator.h"

void generator_seed(struct generator *g, __u64 seed)
{
	memset(g, 0, sizeof(*g));
	g->state = seed;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
__u64 generator_next(struct generator *g)
{
	__u64 z = g->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* ---- worlds ---- */

/* To porchd, as porch would set it. */
static void hand_over(struct generator *g, struct porch_listener_entry *l)
{
	l->deliver = PORCH_DELIVER_AFXDP;
	l->protect = once_in(g, 12) ? below(g, 2) : PORCH_PROTECT_ALWAYS;
	l->overflow = once_in(g, 3);
}

static void queue(struct generator *g, struct model *m, int index)
{
	m->queue[index] = (struct porch_queue){
		.limit = below(g, 3),
		.depth = once_in(g, 6) ? 2 + below(g, 2) : below(g, 2),
		.workers = !once_in(g, 10),
	};
}

static void porchd(struct generator *g, struct model *m)
{
	m->host.daemon_tick = once_in(g, 12) ? 0 : m->host.tick - below(g, once_in(g, 8) ? 40 : 30) + once_in(g, 8);
	m->host.fallback = once_in(g, 3);
	m->slots = below(g, 1 << MODEL_WORKERS);
	m->slots |= !once_in(g, 8);
}

static void listener(struct generator *g, struct model *m, int index, __u16 port, const __u8 *address)
{
	static const __u32 rates[] = { 10, 60, 1000, 1000000 };
	struct porch_listener_entry *l = &m->listener[index];

	memset(l, 0, sizeof(*l));
	l->port = port;
	l->used = 1;
	l->any_address = !address;
	if (address)
		memcpy(l->address, address, 16);
	l->protect = once_in(g, 12) ? below(g, 2) : 2 + below(g, 2);
	l->regime = l->protect == PORCH_PROTECT_ALWAYS ? 1 + below(g, 2) : below(g, 2) * 2;
	l->health[0] = once_in(g, 8) ? below(g, 7) : PORCH_HEALTH_WELL;
	l->health[1] = once_in(g, 8) ? below(g, 7) : PORCH_HEALTH_WELL;
	l->user_mss = once_in(g, 6) ? 88 + below(g, 2000) : 0;
	l->syn_rate = rates[below(g, COUNT(rates))];
	l->calm_since = m->host.tick;
	l->mss = once_in(g, 4) ? 500 + below(g, 1000) : 0;
	l->rcv_space = once_in(g, 3) ? 300 + below(g, 200000) : 0;
	l->rcv_wscale = below(g, 15);
	l->accept_queue_full = once_in(g, 15);
	if (once_in(g, 3))
		hand_over(g, l);
}

void generator_world(struct generator *g, struct model *m)
{
	static const __u32 rates[] = { 0, 0, 3, 40 };
	struct porch_host *h = &m->host;
	__u8 address[16];

	*h = (struct porch_host){ .tick = once_in(g, 10) ? 0xffffff00 + below(g, 300)
							 : 1000 + below(g, 1000000),
				  .epoch = EPOCH_START + below(g, 8),
				  .tcp_timestamps = !once_in(g, 8),
				  .tcp_sack = !once_in(g, 8),
				  .tcp_window_scaling = !once_in(g, 8),
				  .tcp_ecn = below(g, 3),
				  .ttl = 1 + below(g, 255),
				  .hop_limit = 1 + below(g, 255),
				  .rcv_wscale = below(g, 15),
				  .rcv_space = 500 + below(g, 300000),
				  .reply_rate = rates[below(g, COUNT(rates))],
				  .unknown_rate = once_in(g, 2) ? below(g, 40) : 0,
				  .half_open_seconds = 3 + below(g, 60),
				  .layout = PORCH_LAYOUT };
	m->mss4 = 536 + below(g, 8000);
	m->mss6 = 1220 + below(g, 8000);
	memset(&m->keys, 0, sizeof(m->keys));
	for (int i = 0; i < 2; i++)
		m->keys.master[i] =
			(struct porch_master){ .key = { { generator_next(g), generator_next(g) } },
					       .from_epoch = h->epoch - 2 - i * 5 };
	m->locals = 0;
	for (int i = 0; i < 4; i++)
		address_server(m->local[m->locals++], i % 2, 1 + i / 2);
	listener(g, m, 1, 80, NULL);
	address_server(address, below(g, 2), 2);
	listener(g, m, 2, 80, address);
	listener(g, m, 3, 443, NULL);
	for (int i = 1; i < MODEL_LISTENERS; i++)
		queue(g, m, i);
	porchd(g, m);
	m->denies = once_in(g, 4);
	address_client(m->deny[0].address, below(g, 2), below(g, 6));
	m->deny[0].length = 128 - below(g, 3);
	m->routes = once_in(g, 4);
	address_client(m->route[0].address, below(g, 2), below(g, 6));
	m->route[0].length = 128 - below(g, 3);
	m->route[0].mss = once_in(g, 5) ? 0 : 300 + below(g, 2000);
	h->flags = (m->denies ? PORCH_HOST_DENY : 0) | (m->routes ? PORCH_HOST_ROUTES : 0);
}

/* ---- what else happens ---- */

/* What porchd, and the worker, do with it. */
static void change_handed(struct generator *g, struct model *m, struct model_flow *f)
{
	f->noted = true;
	f->phase = below(g, PORCH_PHASE_FORGOTTEN + 1);
	f->worker = f->phase == PORCH_PHASE_STEERED ? below(g, MODEL_WORKERS) : 0;
	f->steer.snd_nxt = f->flow.iss + 1 + below(g, 5000);
	f->steer.rcv_nxt = f->flow.irs + 2 + below(g, once_in(g, 2) ? 3000 : 3);
	f->steer.ts_offset = generator_next(g);
	f->steer.until = m->host.tick + below(g, 700);
}

static void change_flow(struct generator *g, struct model *m)
{
	struct model_flow *f;

	if (!m->flows)
		return;
	f = &m->flow[below(g, m->flows)];
	if (f->flow.state == PORCH_FLOW_HANDED) {
		change_handed(g, m, f);
		return;
	}
	switch (below(g, 4)) {
	case 0:
	case 1: /* the kernel has it */
		f->flow.state = PORCH_FLOW_DELIVERED;
		f->held = true;
		break;
	case 2: /* and lets go */
		f->flow.state = PORCH_FLOW_TOMBSTONE;
		f->held = false;
		break;
	default:
		f->flow.state = PORCH_FLOW_CLOSING;
		f->flow.expires = m->host.tick + 100 + below(g, 1200);
		f->held = true;
	}
}

static void change(struct generator *g, struct model *m)
{
	struct porch_listener_entry *l = &m->listener[1 + below(g, MODEL_LISTENERS - 1)];
	struct porch_host *h = &m->host;

	switch (below(g, 16)) {
	case 0:
		l->protect = below(g, 4);
		if (l->deliver == PORCH_DELIVER_AFXDP && l->protect == PORCH_PROTECT_ON_ATTACK)
			l->protect = PORCH_PROTECT_ALWAYS;
		break;
	case 1:
		l->regime = below(g, 3);
		l->calm_since = h->tick;
		break;
	case 2:
	case 3:
	case 4:
		l->health[below(g, 2)] = once_in(g, 4) ? below(g, 7) : PORCH_HEALTH_WELL;
		l->accept_queue_full = once_in(g, 6);
		break;
	case 5:
		h->tcp_timestamps = below(g, 3);
		h->tcp_sack = below(g, 2);
		h->tcp_window_scaling = below(g, 2);
		break;
	case 6: /* a new master key, from an epoch that is not derived yet */
		memmove(&m->keys.master[1], &m->keys.master[0], 2 * sizeof(m->keys.master[0]));
		m->keys.master[0] =
			(struct porch_master){ .key = { { generator_next(g), generator_next(g) } },
					       .from_epoch = h->epoch + 2 };
		break;
	case 7:
		if (m->entries)
			m->entry[below(g, m->entries)].entry.retransmits = 1;
		break;
	case 8:
	case 9:
		queue(g, m, 1 + below(g, MODEL_LISTENERS - 1));
		break;
	case 10:
	case 11:
		porchd(g, m);
		break;
	case 12:
		if (l->deliver == PORCH_DELIVER_KERNEL)
			hand_over(g, l);
		else if (once_in(g, 2))
			l->deliver = PORCH_DELIVER_KERNEL;
		break;
	default:
		change_flow(g, m);
	}
}

enum step generator_step(struct generator *g, struct model *m, struct frame *f)
{
	static const __u32 ticks[] = { 1, 1, 3, 10, 50, 300, 601, 2000 };
	struct packet p;
	__u32 roll = below(g, 100), n;

	if (roll < 4) {
		n = ticks[below(g, COUNT(ticks))];
		m->host.tick += n;
		if (m->host.daemon_tick && !once_in(g, 6))
			m->host.daemon_tick = m->host.tick;
		m->host.epoch += n >= 300 ? n / 300 : once_in(g, 10);
		return STEP_TICK;
	}
	if (roll < 9) {
		change(g, m);
		return STEP_CHANGE;
	}
	generator_packet(g, &p);
	packet_build(&p, f);
	if (once_in(g, 12))
		generator_mutate(g, f);
	return STEP_FRAME;
}

void generator_answered(struct generator *g, const struct decoded *d)
{
	struct attempt *a = &g->attempt[g->next];

	*a = (struct attempt){ g->last, d->seq, d->tsval, d->has_ts };
	/* what was answered may have been a mutation of it */
	a->syn.seq = d->ack - 1;
	a->syn.sport = d->dport;
	a->syn.dport = d->sport;
	memcpy(a->syn.source, d->dest, 16);
	memcpy(a->syn.dest, d->source, 16);
	a->syn.v6 = d->v6;
	g->next = (g->next + 1) % REMEMBERED;
	if (g->attempts < REMEMBERED)
		g->attempts++;
}
