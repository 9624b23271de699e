// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: who is admitted, who holds a flow, what TIME-WAIT says. */
#include "model_internal.h"

bool model_afxdp(const struct porch_listener_entry *l)
{
	return l->deliver == PORCH_DELIVER_AFXDP;
}

int model_door(const struct model *m, int index)
{
	const struct porch_queue *q = &m->queue[index];

	if (!m->host.daemon_tick || (__s32)(m->host.tick - m->host.daemon_tick) > PORCH_HEARTBEAT_TICKS)
		return PORCH_REASON_NO_DAEMON;
	if (!q->workers)
		return PORCH_REASON_NO_APPLICATION;
	return q->depth > q->limit ? PORCH_REASON_ACCEPT_QUEUE_FULL : 0;
}

static bool is_ack(const struct model_segment *s)
{
	__u16 flags = s->flags & (FIN | SYN | RST | ACK);

	return flags == ACK || flags == (ACK | FIN);
}

/* The frame with the record in front; flow, serial and time are the caller's to settle. */
static int redirect(struct model *m, const struct frame *in, const struct model_segment *s, int worker,
		    int index, int kind, struct frame *out)
{
	struct porch_record r = {
		.magic = PORCH_RECORD_MAGIC,
		.kind = kind,
		.listener = index,
		.l3 = s->l3,
		.l4 = s->l4,
		.length = 20 + s->options_length + s->payload,
	};

	if (!(m->slots & 1u << worker) && !(m->slots & 1))
		return -1;
	out->meta = sizeof(r);
	out->length = in->length + sizeof(r);
	memcpy(out->bytes, &r, sizeof(r));
	memcpy(out->bytes + sizeof(r), in->bytes, in->length);
	return XDP_REDIRECT;
}

/* NO_SLOT is no verdict of the listener's: `monitor` does not change it. */
static int no_slot(struct model *m, int index)
{
	model_refuse(m, index, PORCH_REASON_NO_SLOT);
	return XDP_DROP;
}

int model_steer(struct model *m, const struct frame *in, const struct model_segment *s, struct model_flow *f,
		int index, struct frame *out)
{
	int kind = PORCH_RECORD_SEGMENT, worker = 0, verdict;

	if (f->phase == PORCH_PHASE_PENDING) {
		f->flow.expires = m->host.tick + PORCH_COOKIE_LIFE_SECONDS * 10;
		if (is_ack(s) && s->seq == f->flow.irs + 1 && s->ack == f->flow.iss + 1)
			kind = PORCH_RECORD_PROOF;
	}
	if (f->phase == PORCH_PHASE_STEERED)
		worker = f->worker;
	verdict = redirect(m, in, s, worker, index, kind, out);
	return verdict < 0 ? no_slot(m, index) : verdict;
}

/* RFC 9293 3.10.7.4, TIME-WAIT. */
static int time_wait(struct model *m, const struct frame *in, const struct model_segment *s,
		     struct model_flow *f, int index, struct frame *out)
{
	__u16 flags = s->flags & (FIN | SYN | RST | ACK);
	bool ts = f->flow.options & PORCH_OPT_TIMESTAMPS;
	struct model_out o = {
		.seq = f->steer.snd_nxt,
		.ack = f->steer.rcv_nxt,
		.flags = ACK,
		.window = f->flow.options & PORCH_OPT_WSCALE ? PORCH_AFXDP_WINDOW >> PORCH_AFXDP_WSCALE : PORCH_AFXDP_WINDOW,
	};
	__u8 options[12] = { 1, 1, 8, 10 };

	if (flags != SYN && flags != (FIN | ACK) && !(flags == ACK && s->payload)) {
		model_refuse(m, index, PORCH_REASON_TIME_WAIT);
		return XDP_DROP;
	}
	if ((flags & FIN) && s->seq + s->payload + 1 == f->steer.rcv_nxt)
		f->flow.expires = m->host.tick + 600;
	put32(options + 4, m->seen_tsval);
	put32(options + 8, s->ts ? s->tsval : f->flow.ts_recent);
	model_write(m, in, s, &o, options, ts ? 12 : 0, out);
	return XDP_TX;
}

int model_syn_of_handed(struct model *m, const struct frame *in, const struct model_segment *s,
			struct model_flow *f, int index, struct frame *out)
{
	switch (f->phase) {
	case PORCH_PHASE_PENDING:
		if (f->flow.irs == s->seq)
			return model_refuse(m, index, PORCH_REASON_DUPLICATE_SYN);
		return model_steer(m, in, s, f, index, out);
	case PORCH_PHASE_STEERED:
		return model_steer(m, in, s, f, index, out);
	case PORCH_PHASE_TIME_WAIT:
		if ((__s32)(s->seq - f->steer.rcv_nxt) > 0)
			return -1;
		if (s->ts && (f->flow.options & PORCH_OPT_TIMESTAMPS) &&
		    (__s32)(s->tsval - f->flow.ts_recent) > 0)
			return -1;
		return time_wait(m, in, s, f, index, out);
	default:
		return -1;
	}
}

/* Of a tuple's last life, CLOSING or in TIME-WAIT. */
static int old_life(struct model *m, const struct frame *in, const struct model_segment *s,
		    struct model_flow *f, int index, struct frame *out)
{
	if (f->phase == PORCH_PHASE_CLOSING)
		return model_steer(m, in, s, f, index, out);
	return time_wait(m, in, s, f, index, out);
}

/* A new flow, PENDING, as the proving segment says. */
static void remember(struct model *m, const struct frame *in, const struct model_segment *s,
		     struct model_flow *f, const struct porch_flow *fresh)
{
	if (!f) {
		f = &m->flow[m->flows++];
		f->tuple = s->tuple;
	}
	f->flow = *fresh;
	f->held = f->noted = false;
	f->phase = PORCH_PHASE_PENDING;
	f->worker = 0;
	memset(&f->steer, 0, sizeof(f->steer));
	f->steer.ifindex = 1;
	f->steer.window = get16(in->bytes + s->l4 + 14);
	memcpy(f->steer.local_mac, in->bytes, 6);
	memcpy(f->steer.remote_mac, in->bytes + 6, 6);
	for (__u32 i = 0; i < 2; i++)
		f->steer.tags[i] = model_tag(in, s, i);
}

static int admit(struct model *m, const struct frame *in, const struct model_segment *s, struct model_flow *f,
		 int index, struct frame *out)
{
	const struct porch_listener_entry *l = &m->listener[index];
	bool old = f && f->flow.state == PORCH_FLOW_HANDED &&
		   (f->phase == PORCH_PHASE_CLOSING || f->phase == PORCH_PHASE_TIME_WAIT);
	struct porch_flow fresh = { .state = PORCH_FLOW_HANDED, .listener = index, .by_cookie = 1 };
	int entry = 0, closed = model_door(m, index);
	bool right, issued;

	if (old && (closed || f->flow.irs == s->seq - 1))
		return old_life(m, in, s, f, index, out);
	if (closed == PORCH_REASON_NO_DAEMON && m->host.fallback == PORCH_FALLBACK_KERNEL)
		return XDP_PASS;
	if (closed == PORCH_REASON_ACCEPT_QUEUE_FULL)
		closed = l->overflow == PORCH_OVERFLOW_RESET ? 0 : PORCH_REASON_PARKED;
	if (closed)
		return model_refuse(m, index, closed);
	right = model_cookie_proves(m, s, &fresh);
	if (model_within(l->issued_tracked, m->host.tick, m->host.half_open_seconds) &&
	    (model_regime(l) == PORCH_REGIME_TRACKED || (right && !s->ts)))
		entry = model_entry_proves(m, s, &fresh, false);
	issued = model_within(s->ts ? l->issued_ts : l->issued_plain, m->host.tick, PORCH_FORM_SECONDS);
	if (entry <= 0 && !(right && issued)) {
		if (old)
			return old_life(m, in, s, f, index, out);
		return model_unknown(m, index,
				     right	 ? PORCH_REASON_NOT_ISSUED
				     : entry < 0 ? PORCH_REASON_BAD_ACK
						 : PORCH_REASON_BAD_COOKIE);
	}
	if (!(m->slots & 1))
		return no_slot(m, index);
	if (f && f->flow.irs == s->seq - 1 &&
	    (f->flow.state == PORCH_FLOW_TOMBSTONE ||
	     (f->flow.state == PORCH_FLOW_HANDED && f->phase != PORCH_PHASE_FORGOTTEN)))
		return model_refuse(m, index, PORCH_REASON_REPLAYED);
	if (entry > 0)
		model_entry_proves(m, s, &fresh, true);
	fresh.wscale |= PORCH_AFXDP_WSCALE << 4;
	fresh.irs = s->seq - 1;
	fresh.iss = s->ack - 1;
	fresh.ts_recent = s->tsval;
	fresh.ts_ecr = s->tsecr;
	fresh.expires = m->host.tick + PORCH_COOKIE_LIFE_SECONDS * 10;
	remember(m, in, s, f, &fresh);
	m->counters.proven++;
	m->stats[index].proven++;
	return redirect(m, in, s, 0, index, PORCH_RECORD_PROOF, out);
}

int model_afxdp_arrives(struct model *m, const struct frame *in, const struct model_segment *s, int index,
			struct frame *out)
{
	const struct porch_listener_entry *l = &m->listener[index];
	struct model_flow *f = model_flow_of(m, &s->tuple);

	if (f && f->held)
		return XDP_PASS;
	if (f && f->flow.state == PORCH_FLOW_HANDED) {
		if (f->phase < PORCH_PHASE_CLOSING)
			return model_steer(m, in, s, f, index, out);
		if (f->phase <= PORCH_PHASE_TIME_WAIT && (!is_ack(s) || l->protect != PORCH_PROTECT_ALWAYS))
			return old_life(m, in, s, f, index, out);
	}
	if (l->protect != PORCH_PROTECT_ALWAYS)
		return XDP_PASS;
	return is_ack(s) ? admit(m, in, s, f, index, out) : model_stray(m, s, index);
}
