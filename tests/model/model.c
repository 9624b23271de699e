// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The decisions: who answers a SYN, what proves a handshake, what is refused. */
#include "model_internal.h"

#include <string.h>

/* ---- memory ---- */

struct model_flow *model_flow_of(struct model *m, const struct porch_tuple *t)
{
	for (int i = 0; i < m->flows; i++)
		if (!memcmp(&m->flow[i].tuple, t, sizeof(*t)))
			return &m->flow[i];
	return NULL;
}

struct model_entry *model_entry_of(struct model *m, const struct porch_tuple *t)
{
	for (int i = 0; i < m->entries; i++)
		if (!memcmp(&m->entry[i].tuple, t, sizeof(*t)))
			return &m->entry[i];
	return NULL;
}

void model_flow_remove(struct model *m, struct model_flow *f)
{
	*f = m->flow[--m->flows];
}

void model_entry_remove(struct model *m, struct model_entry *e)
{
	*e = m->entry[--m->entries];
}

/* ---- listeners ---- */

static bool is_local(const struct model *m, const __u8 address[16])
{
	for (int i = 0; i < m->locals; i++)
		if (!memcmp(m->local[i], address, 16))
			return true;
	return false;
}

/* An exact address comes before `*`. */
static int listener_of(const struct model *m, const struct porch_tuple *t)
{
	int any = 0;

	for (int i = 1; i < MODEL_LISTENERS; i++) {
		const struct porch_listener_entry *l = &m->listener[i];

		if (!l->used || l->port != t->local_port)
			continue;
		if (l->any_address) {
			if (is_local(m, t->local))
				any = i;
		} else if (!memcmp(l->address, t->local, 16)) {
			return i;
		}
	}
	return any;
}

int model_regime(const struct porch_listener_entry *l)
{
	if (l->protect == PORCH_PROTECT_OFF)
		return PORCH_REGIME_KERNEL;
	if (l->protect == PORCH_PROTECT_ALWAYS && l->regime == PORCH_REGIME_KERNEL)
		return PORCH_REGIME_TRACKED;
	return l->regime;
}

bool model_within(__u32 stamp, __u32 tick, __u32 seconds)
{
	return stamp && tick - stamp <= seconds * 10;
}

void model_arm(struct model *m, struct porch_listener_entry *l)
{
	if (l->regime == PORCH_REGIME_STATELESS)
		return;
	if (l->regime == PORCH_REGIME_KERNEL && l->protect != PORCH_PROTECT_ALWAYS)
		l->left_kernel = m->host.tick;
	l->calm_since = m->host.tick;
	l->regime = PORCH_REGIME_STATELESS;
	m->counters.regime_up++;
}

/* ---- verdicts ---- */

int model_refuse(struct model *m, int index, int reason)
{
	m->stats[index].refused++;
	(&m->counters.refused_bad_header)[reason - 1]++;
	return m->listener[index].protect == PORCH_PROTECT_MONITOR ? XDP_PASS : XDP_DROP;
}

#define REFUSE(reason) model_refuse(m, index, PORCH_REASON_##reason)

static bool impossible(const struct model_segment *s)
{
	static const __u8 zero[16], prefix[12] = { [10] = 0xff, [11] = 0xff };
	const __u8 *a = s->tuple.remote;

	if (!s->tuple.remote_port || !memcmp(a, s->tuple.local, 16))
		return true;
	if (!s->v6)
		return a[12] == 0 || a[12] == 127 || a[12] >= 224;
	return a[0] == 0xff || (!memcmp(a, zero, 15) && a[15] < 2) || !memcmp(a, prefix, 12);
}

static bool in_prefix(const __u8 a[16], const struct model_prefix *p)
{
	for (__u32 bit = 0; bit < p->length; bit++)
		if ((a[bit / 8] ^ p->address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* No socket listens in the test's namespace. */
static void probe(struct model *m, struct porch_listener_entry *l, bool v6)
{
	/* whoever has been seen listening is not ended by a look */
	if (l->health[v6] != PORCH_HEALTH_WELL)
		l->health[v6] = PORCH_HEALTH_NO_SOCKET;
	m->probed = true;
	l->probe_tick[v6] = m->host.tick;
	m->counters.probes++;
}

/* Once a second while well, ten seconds after a refusal, else once per tick. */
static bool probe_due(const struct model *m, const struct porch_listener_entry *l, bool v6)
{
	__u32 last = l->probe_tick[v6], passed = m->host.tick - last;

	if (l->health[v6] == PORCH_HEALTH_WELL)
		return passed >= 10;
	return !last || passed >= (l->health[v6] == PORCH_HEALTH_REFUSED ? 100 : 1);
}

static bool budget(struct model *m, const struct model_segment *s)
{
	__u64 prefix = 0;
	struct porch_budget *b;

	if (!m->host.reply_rate)
		return true;
	if (s->v6)
		memcpy(&prefix, s->tuple.remote, 8);
	else
		memcpy(&prefix, s->tuple.remote + 12, 3);
	b = &m->budget[prefix * 0x9e3779b97f4a7c15ull >> 53];
	if (b->second != m->host.tick / 10) {
		b->second = m->host.tick / 10;
		b->spent = 0;
	}
	return b->spent++ < m->host.reply_rate;
}

/* Somebody may hold the tuple already. -1: nobody who minds. */
static int syn_known(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		     struct frame *out)
{
	struct model_flow *f = model_flow_of(m, &s->tuple);

	if (!f)
		return -1;
	if (f->flow.state == PORCH_FLOW_HANDED)
		return model_syn_of_handed(m, in, s, f, index, out);
	if (f->held)
		return XDP_PASS;
	if (f->flow.state == PORCH_FLOW_PROVEN && f->flow.irs == s->seq)
		return REFUSE(DUPLICATE_SYN);
	return -1;
}

/* -1: to be answered. */
static int syn_admit(struct model *m, const struct model_segment *s, int index, int regime)
{
	struct porch_listener_entry *l = &m->listener[index];

	for (int i = 0; i < m->denies; i++)
		if (in_prefix(s->tuple.remote, &m->deny[i]))
			return REFUSE(DENIED);
	if (regime == PORCH_REGIME_KERNEL)
		return XDP_PASS;
	if (model_afxdp(l)) {
		int closed = model_door(m, index);

		if (closed == PORCH_REASON_NO_DAEMON && m->host.fallback == PORCH_FALLBACK_KERNEL)
			return XDP_PASS;
		if (closed)
			return model_refuse(m, index, closed);
		return budget(m, s) ? -1 : REFUSE(REPLY_BUDGET);
	}
	if (probe_due(m, l, s->v6))
		probe(m, l, s->v6);
	if (l->health[s->v6] != PORCH_HEALTH_WELL)
		return XDP_PASS;
	if (l->accept_queue_full) {
		if (l->probe_tick[s->v6] != m->host.tick)
			probe(m, l, s->v6);
		return REFUSE(ACCEPT_QUEUE_FULL);
	}
	if (s->foreign || (s->mss && s->mss < (s->v6 ? 1220 : 536)))
		return XDP_PASS;
	if (!budget(m, s))
		return REFUSE(REPLY_BUDGET);
	return -1;
}

static int on_syn(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		  struct frame *out)
{
	struct porch_listener_entry *l = &m->listener[index];
	struct porch_stats *st = &m->stats[index];
	__u64 refused = st->refused;
	int regime, verdict;

	m->probed = false;
	m->counters.syn_received++;
	st->syn_received++;
	if (s->flags & (FIN | RST))
		return REFUSE(BAD_FLAGS);
	if (impossible(s))
		return REFUSE(BAD_SOURCE);
	if (st->window_tick != m->host.tick) {
		st->window_tick = m->host.tick;
		st->window_syns = 0;
	}
	/* twice the share of one tick, on one CPU */
	if ((__u64)++st->window_syns * 10 > 2ull * l->syn_rate)
		model_arm(m, l);
	regime = model_regime(l);
	verdict = syn_known(m, in, s, index, out);
	if (verdict < 0)
		verdict = syn_admit(m, s, index, regime);
	if (verdict >= 0) {
		if (st->refused == refused && verdict == XDP_PASS) {
			m->counters.syn_passed++;
			st->syn_passed++;
		}
		return verdict;
	}
	if (l->protect == PORCH_PROTECT_MONITOR) {
		st->would_answer++;
		return XDP_PASS;
	}
	model_answer(m, in, s, index, regime, out);
	m->counters.synack_sent++;
	st->synack_sent++;
	return XDP_TX;
}

int model_xdp(struct model *m, const struct frame *in, struct frame *out)
{
	struct model_segment s;
	int index;

	*out = *in;
	if (!model_parse(in, &s))
		return XDP_PASS;
	index = listener_of(m, &s.tuple);
	if (!index)
		return XDP_PASS;
	if (m->listener[index].protect == PORCH_PROTECT_OFF) {
		/* flows that porchd was given go on, if they look as usual */
		if (!model_afxdp(&m->listener[index]) || (s.flags & (SYN | ACK)) == SYN || !s.plain_ip ||
		    s.bad_checksum || s.short_header || s.bad_header)
			return XDP_PASS;
		return model_afxdp_arrives(m, in, &s, index, out);
	}
	if (s.bad_checksum)
		return REFUSE(BAD_CHECKSUM);
	if (s.short_header || s.bad_header)
		return REFUSE(BAD_HEADER);
	if ((s.flags & (SYN | ACK)) == SYN)
		return on_syn(m, in, &s, index, out);
	if (model_afxdp(&m->listener[index]))
		return model_afxdp_arrives(m, in, &s, index, out);
	return model_segment_arrives(m, in, &s, index, out);
}
