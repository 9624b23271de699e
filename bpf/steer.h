/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * deliver=afxdp: segments of a flow that is HANDED, to the AF_XDP socket of
 * whoever holds it. Nothing here ends a flow: RST, FIN and SYN go to the holder.
 *
 *   PENDING           porchd's socket of this RX queue
 *   STEERED           the worker's socket of this RX queue; if there is none, porchd's
 *   CLOSING           porchd's, unless the segment proves the tuple's next life
 *   TIME_WAIT         time_wait.h, unless likewise
 *   TOMBSTONE         as if unknown, but the same handshake proves nothing any more
 *   FORGOTTEN         as if unknown
 */
#ifndef PORCH_BPF_STEER_H
#define PORCH_BPF_STEER_H

#define NO_SLOT PORCH_SLOTS

INLINE int slot_is_taken(__u32 slot)
{
	return bpf_map_lookup_elem(&porch_xsks, &slot) != 0;
}

/* The slot of a worker's socket for the queue this packet came by, or NO_SLOT.
 * A redirect to a socket of another queue would be lost without a word. */
INLINE __u32 steer_slot(struct xdp_md *ctx, __u32 worker)
{
	__u32 ifindex = ctx->ingress_ifindex, queue = ctx->rx_queue_index;
	__u32 at = ifindex & (PORCH_IFACE_SLOTS - 1), queues, base, slot;
	const struct porch_iface *i = bpf_map_lookup_elem(&porch_ifaces, &at);

	if (!i || i->ifindex != ifindex)
		return NO_SLOT;
	/* porchd writes the base first */
	queues = *(const volatile __u16 *)&i->xsk_queues;
	base = *(const volatile __u32 *)&i->xsk_base;
	if (queue >= queues)
		return NO_SLOT;
	slot = base + worker * queues + queue;
	if (worker && worker < PORCH_WORKERS_MAX && slot_is_taken(slot))
		return slot;
	slot = base + queue;
	return slot_is_taken(slot) ? slot : NO_SLOT;
}

/* Where a segment goes, and what its record says of it. */
struct steering {
	__u32 slot;
	__u32 flow;
	__u32 serial;
	__u8 kind; /* PORCH_RECORD_* */
};

/*
 * With the record in front, to the slot. The reader finds it below the frame,
 * so what somebody else has put there before us must go.
 */
INLINE int steer(struct xdp_md *ctx, const struct general *g, const struct steering *to)
{
	void *meta = (void *)(long)ctx->data_meta, *data = (void *)(long)ctx->data;
	struct porch_record *r;

	barrier_var(meta);
	barrier_var(data);
	if (bpf_xdp_adjust_meta(ctx, (int)(data - meta) - (int)sizeof(*r))) {
		count_refusal(g->listener, PORCH_REASON_NO_ROOM);
		return XDP_DROP;
	}
	r = (void *)(long)ctx->data_meta;
	if ((void *)(r + 1) > (void *)(long)ctx->data)
		return XDP_DROP;
	r->magic = PORCH_RECORD_MAGIC;
	r->flow = to->flow;
	r->serial = to->serial;
	r->kind = to->kind;
	r->listener = g->listener;
	r->l3 = g->l3;
	r->l4 = g->l4;
	r->length = g->length;
	r->rx_queue = ctx->rx_queue_index;
	r->reserved = 0;
	r->time_ns = to->kind == PORCH_RECORD_PROOF ? clock_ns() : 0;
	return bpf_redirect_map(&porch_xsks, to->slot, XDP_DROP);
}

/*
 * A SYN of a tuple that is HANDED. STEER: its holder answers, by RFC 9293
 * 3.10.7.4 and RFC 5961 4; in TIME-WAIT that is XDP. GO_ON: as any other SYN.
 * TIME-WAIT gives way to a SYN that cannot be a late one of the old connection:
 * beyond all it sent, or with a later timestamp (RFC 9293 3.6.1, RFC 6191).
 */
__noinline int syn_of_handed(__u32 flow, __u32 seq, __u32 has_ts, __u32 tsval, __u32 listener)
{
	struct porch_flow *f = flow_at(flow);
	struct porch_steer *s = steer_at(flow);

	if (!f || !s)
		return GO_ON;
	switch (steer_phase(s)) {
	case PORCH_PHASE_PENDING:
		return f->irs == seq ? count_refusal(listener, PORCH_REASON_DUPLICATE_SYN) : STEER;
	case PORCH_PHASE_STEERED:
		return STEER;
	case PORCH_PHASE_TIME_WAIT:
		if ((__s32)(seq - s->rcv_nxt) > 0)
			return GO_ON;
		if (has_ts && (f->options & PORCH_OPT_TIMESTAMPS) && (__s32)(tsval - f->ts_recent) > 0)
			return GO_ON;
		return STEER;
	default:
		return GO_ON;
	}
}

/* Does it say again what proved the flow? */
INLINE int proves_again(const struct porch_flow *f, const struct segment *seg)
{
	return is_final_ack(seg->flags & FLAGS_OF_STATE) && seg->seq == f->irs + 1 && seg->ack == f->iss + 1;
}

/*
 * Who holds the segment's flow? STEER: *to says; PASS: the kernel; REFUSE: it
 * has been counted; GO_ON: nobody. CLOSING and TIME_WAIT are nobody as well, for
 * the segment may prove the tuple's next life, but scratch->proof.flow names it.
 */
INLINE enum verdict holder(struct xdp_md *ctx, struct porch_scratch *scratch, const struct porch_host *h,
			   struct steering *to)
{
	const struct segment *seg = &scratch->segment;
	struct flow_key *k = &scratch->key;
	__u32 index = scratch->general.listener, worker = 0;
	struct porch_steer *s;
	struct porch_flow *f;
	__u64 word;
	long found;

	scratch->proof.flow = PORCH_NO_FLOW;
	flow_key_of(k, seg);
	if (flow_peek(k) == KNOWN_NOT)
		return GO_ON;
	found = flow_find(k);
	if (found == FLOW_BUSY_NOW)
		return refuse(index, PORCH_REASON_DUPLICATE_ACK);
	f = found >= 0 ? flow_at(found) : 0;
	s = found >= 0 ? steer_at(found) : 0;
	if (!f || !s)
		return GO_ON;
	if (unlikely(f->state != PORCH_FLOW_HANDED))
		return f->state == PORCH_FLOW_DELIVERED || f->state == PORCH_FLOW_CLOSING ? PASS : GO_ON;
	to->flow = found;
	to->kind = PORCH_RECORD_SEGMENT;
	to->serial = steer_serial(s);
	word = steer_word(s, to->serial);
	switch (PORCH_STEER_PHASE(word)) {
	case PORCH_PHASE_STEERED:
		worker = PORCH_STEER_WORKER(word);
		break;
	case PORCH_PHASE_PENDING:
		/* It lives, see handed_expired(). */
		f->expires = h->tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
		if (proves_again(f, seg))
			to->kind = PORCH_RECORD_PROOF;
		break;
	case PORCH_PHASE_CLOSING:
	case PORCH_PHASE_TIME_WAIT:
		scratch->proof.flow = found;
		return GO_ON;
	default:
		return GO_ON;
	}
	to->slot = steer_slot(ctx, worker);
	return to->slot == NO_SLOT ? refuse(index, PORCH_REASON_NO_SLOT) : STEER;
}

/* To porchd: a segment of scratch->proof.flow, which is CLOSING. */
INLINE enum verdict steer_back(struct xdp_md *ctx, const struct porch_scratch *scratch,
			       const struct porch_steer *s, struct steering *to)
{
	to->flow = scratch->proof.flow;
	to->serial = steer_serial(s);
	to->kind = PORCH_RECORD_SEGMENT;
	to->slot = steer_slot(ctx, 0);
	return to->slot == NO_SLOT ? refuse(scratch->general.listener, PORCH_REASON_NO_SLOT) : STEER;
}

#endif /* PORCH_BPF_STEER_H */
