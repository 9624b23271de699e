// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is not a SYN: proofs, later segments of proven flows, resets, strangers. */
#include "model_internal.h"

int model_unknown(struct model *m, int index, int reason)
{
	const struct porch_listener_entry *l = &m->listener[index];

	if (model_regime(l) != PORCH_REGIME_KERNEL &&
	    !(l->left_kernel && m->host.tick - l->left_kernel < 20)) {
		if (m->unknown_tick != m->host.tick) {
			m->unknown_tick = m->host.tick;
			m->unknown_spent = 0;
		}
		if (++m->unknown_spent * 8 > m->host.unknown_rate || model_afxdp(l))
			return model_refuse(m, index, reason);
	}
	m->counters.unknown_passed++;
	return XDP_PASS;
}

/* The frame with the record in front. Which flow it names is looked up by the caller. */
static int deliver(const struct frame *in, const struct model_segment *s, const struct porch_flow *f,
		   int index, int kind, struct frame *out)
{
	struct porch_meta record = {
		.magic = PORCH_META_MAGIC,
		.flow = PORCH_NO_FLOW,
		.ts_val = f->ts_recent,
		.ts_ecr = f->ts_ecr,
		.mss = f->mss,
		.options = f->options,
		.wscale = f->wscale,
		.kind = kind,
		.listener = index,
		.tcp_offset = s->l4 - s->l3,
	};

	out->meta = sizeof(record);
	out->length = in->length + sizeof(record);
	memcpy(out->bytes, &record, sizeof(record));
	memcpy(out->bytes + sizeof(record), in->bytes, in->length);
	return XDP_PASS;
}

/* Does the entry of this tuple prove it? 1, 0: there is none, -1: of other numbers. */
int model_entry_proves(struct model *m, const struct model_segment *s, struct porch_flow *f, bool spend)
{
	struct model_entry *e = model_entry_of(m, &s->tuple);

	if (!e || (__s32)(m->host.tick - e->entry.expires) >= 0)
		return 0;
	if (s->seq != e->entry.irs + 1 || s->ack != e->entry.iss + 1)
		return -1;
	f->mss = e->entry.mss;
	f->options = e->entry.options;
	f->wscale = e->entry.wscale & 15;
	if (!spend)
		return 1;
	m->counters.proven_by_entry++;
	m->counters.rtt_samples += !e->entry.retransmits;
	model_entry_remove(m, e);
	return 1;
}

bool model_cookie_proves(struct model *m, const struct model_segment *s, struct porch_flow *f)
{
	struct ends e = { .v6 = s->v6,
			  .remote_port = s->tuple.remote_port,
			  .local_port = s->tuple.local_port,
			  .irs = s->seq - 1 };
	__u32 epoch = reference_epoch(m->host.epoch, s->ts, s->ack - 1, s->tsecr);
	struct carried c;

	memcpy(e.remote, s->tuple.remote, 16);
	memcpy(e.local, s->tuple.local, 16);
	if (!reference_check((const __u8 *)&m->keys.epoch_key[epoch % 4], epoch, &e, s->ts, s->ack - 1,
			     s->tsecr, &c))
		return false;
	f->mss = c.mss;
	f->wscale = c.wscale < 0 ? 0 : c.wscale;
	f->options = (c.ts ? PORCH_OPT_TIMESTAMPS : 0) | (c.sack ? PORCH_OPT_SACK : 0) |
		     (c.wscale >= 0 ? PORCH_OPT_WSCALE : 0) | (c.ecn ? PORCH_OPT_ECN : 0);
	return true;
}

/* `old`: the tuple has a proven flow already, which this segment does not prove
 * again; it may prove a new attempt, or be a later segment of that flow. */
static int prove(struct model *m, const struct frame *in, const struct model_segment *s,
		 struct porch_flow *old, int index, struct frame *out)
{
	const struct porch_listener_entry *l = &m->listener[index];
	struct porch_flow fresh = { .state = PORCH_FLOW_PROVEN, .listener = index, .by_cookie = 1 };
	struct model_flow *f;
	bool right = model_cookie_proves(m, s, &fresh), issued;
	int entry = 0;

	/* Under attack the entry is asked only where the cookie rounds. */
	if (model_within(l->issued_tracked, m->host.tick, m->host.half_open_seconds) &&
	    (model_regime(l) == PORCH_REGIME_TRACKED || (right && !s->ts)))
		entry = model_entry_proves(m, s, &fresh, true);
	issued = model_within(s->ts ? l->issued_ts : l->issued_plain, m->host.tick, PORCH_FORM_SECONDS);
	if (old && entry <= 0 && !(right && issued))
		return deliver(in, s, old, index, PORCH_META_CHECK, out);
	if (entry <= 0 && !right)
		return model_unknown(m, index, entry ? PORCH_REASON_BAD_ACK : PORCH_REASON_BAD_COOKIE);
	if (entry <= 0 && !issued)
		return model_unknown(m, index, PORCH_REASON_NOT_ISSUED);

	fresh.wscale |= (l->rcv_space ? l->rcv_wscale : m->host.rcv_wscale) << 4;
	fresh.irs = s->seq - 1;
	fresh.iss = s->ack - 1;
	fresh.ts_recent = s->tsval;
	fresh.ts_ecr = s->tsecr;
	fresh.expires = m->host.tick + PORCH_COOKIE_LIFE_SECONDS * 10;
	f = model_flow_of(m, &s->tuple);
	if (f && f->flow.irs == fresh.irs &&
	    (f->flow.state == PORCH_FLOW_TOMBSTONE || f->flow.state == PORCH_FLOW_HANDED))
		return model_refuse(m, index, PORCH_REASON_REPLAYED);
	if (!f) {
		f = &m->flow[m->flows++];
		f->tuple = s->tuple;
		f->held = false;
		f->flow.state = PORCH_FLOW_FREE;
	}
	/* the same attempt, proven by another of its answers: what is there stays */
	if (f->flow.irs != fresh.irs || f->flow.state != PORCH_FLOW_PROVEN)
		f->flow = fresh;
	m->counters.proven++;
	m->stats[index].proven++;
	return deliver(in, s, &fresh, index, PORCH_META_PROOF, out);
}

/* A segment of a flow that is proven and that nobody holds yet. */
static int undelivered(struct model *m, const struct model_segment *s, struct porch_flow *f)
{
	int kind = PORCH_META_CHECK;

	if (s->flags & RST) {
		if (s->seq == f->irs + 1)
			kind = PORCH_META_RESET;
	} else if ((s->flags & (SYN | ACK)) == ACK && s->seq == f->irs + 1 && s->ack == f->iss + 1) {
		kind = PORCH_META_PROOF;
	}
	f->expires = m->host.tick + PORCH_COOKIE_LIFE_SECONDS * 10;
	return kind;
}

static int on_reset(struct model *m, const struct model_segment *s, int index)
{
	const struct porch_listener_entry *l = &m->listener[index];
	struct model_entry *e = model_entry_of(m, &s->tuple);

	if (!e || !model_within(l->issued_tracked, m->host.tick, m->host.half_open_seconds) ||
	    (__s32)(m->host.tick - e->entry.expires) >= 0)
		return model_unknown(m, index, PORCH_REASON_UNKNOWN_RST);
	if (s->seq != e->entry.irs + 1)
		return model_refuse(m, index, PORCH_REASON_BAD_RST);
	model_entry_remove(m, e);
	return XDP_DROP;
}

int model_stray(struct model *m, const struct model_segment *s, int index)
{
	switch (s->flags & (FIN | SYN | RST | ACK)) {
	case SYN | ACK:
		return model_unknown(m, index, PORCH_REASON_UNEXPECTED_SYNACK);
	case RST:
	case RST | ACK:
		return on_reset(m, s, index);
	default:
		return model_refuse(m, index, PORCH_REASON_BAD_FLAGS);
	}
}

int model_segment_arrives(struct model *m, const struct frame *in, const struct model_segment *s, int index,
			  struct frame *out)
{
	const struct porch_listener_entry *l = &m->listener[index];
	struct model_flow *f = model_flow_of(m, &s->tuple);
	__u32 tick = m->host.tick, flags = s->flags & (FIN | SYN | RST | ACK);
	struct porch_flow *old = NULL;
	int kind = PORCH_META_CHECK;

	if (l->protect == PORCH_PROTECT_MONITOR || (f && f->held))
		return XDP_PASS;
	/* from before the listener was set to deliver=kernel */
	if (f && f->flow.state == PORCH_FLOW_HANDED && f->phase < PORCH_PHASE_CLOSING)
		return model_steer(m, in, s, f, index, out);
	if (f && f->flow.state == PORCH_FLOW_PROVEN) {
		old = &f->flow;
		kind = undelivered(m, s, old);
		if (kind != PORCH_META_CHECK || (flags != ACK && flags != (ACK | FIN)))
			return deliver(in, s, old, index, kind, out);
	}
	if (model_regime(l) == PORCH_REGIME_KERNEL && !model_within(l->issued_ts, tick, PORCH_FORM_SECONDS) &&
	    !model_within(l->issued_plain, tick, PORCH_FORM_SECONDS) &&
	    !model_within(l->issued_tracked, tick, m->host.half_open_seconds))
		return old ? deliver(in, s, old, index, kind, out) : XDP_PASS;
	if (flags == ACK || flags == (ACK | FIN))
		return prove(m, in, s, old, index, out);
	return model_stray(m, s, index);
}
