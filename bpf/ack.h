/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything that is not a SYN: segments of held flows pass, final ACKs are
 * proven, the rest is met by RFC 9293 3.10.7.2 (LISTEN) and 3.10.7.4
 * (SYN-RECEIVED). Nothing here ends a flow on the word of an unproven segment.
 */
#ifndef PORCH_BPF_ACK_H
#define PORCH_BPF_ACK_H

/* The kernel may still hold it although we do not know: a table that was full,
 * a handshake it began before the regime changed. */
#define GRACE_TICKS (2 * PORCH_TICKS_PER_SEC)

/* Within the budget: ask the kernel whose it is. */
INLINE enum verdict unknown_lookup(struct xdp_md *ctx, struct porch_scratch *scratch,
				   const struct porch_listener_entry *l, struct porch_host *h, __u32 spent)
{
	const struct flow_key *k = &scratch->key;
	__u32 index = scratch->general.listener;
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;
	long way;

	sk = LOOKUP_SOCKET(ctx, &t, socket_tuple(&t, k));
	if (sk && sk->state != TCP_LISTEN) {
		bpf_sk_release(sk);
		__builtin_memset(&scratch->flow, 0, sizeof(scratch->flow));
		scratch->flow.listener = index;
		way = flow_claim(k, h->tick);
		if (way >= 0)
			flow_publish(way, k, &scratch->flow, PORCH_FLOW_DELIVERED);
		COUNT(flows_lost);
		COUNT(unknown_passed);
		return PASS;
	}
	if (sk)
		bpf_sk_release(sk);
	/* Nobody's: the kernel answers with the reset RFC 9293 asks for, within
	 * an eighth of the budget; for deliver=afxdp it says nothing (guard.h). */
	if (l->deliver == PORCH_DELIVER_AFXDP || spent * 8 > h->unknown_rate)
		return refuse(index, scratch->general.reason);
	COUNT(unknown_passed);
	return PASS;
}

/* The segment, listener and reason are in scratch. Under a flood of ACKs this
 * runs for each, and hardly ever goes beyond the budget. */
INLINE enum verdict on_unknown(struct xdp_md *ctx, struct porch_scratch *scratch,
			       const struct porch_listener_entry *l, struct porch_host *h)
{
	__u32 spent;

	if (regime_of(l) == PORCH_REGIME_KERNEL ||
	    (l->left_kernel && h->tick - l->left_kernel < GRACE_TICKS)) {
		COUNT(unknown_passed);
		return PASS;
	}
	spent = budget_unknown(h->tick);
	if (spent > h->unknown_rate)
		return refuse(scratch->general.listener, scratch->general.reason);
	return unknown_lookup(ctx, scratch, l, h, spent);
}

/* Remember the proof. 0, or the reason why not. */
__noinline int proof_publish(const struct flow_key *k, struct proof *p, const struct porch_flow *like, __u32 tick)
{
	struct porch_flow *f;
	long way;

	if (!k || !p || !like)
		return PORCH_REASON_DUPLICATE_ACK;
	way = flow_claim(k, tick);
	if (way == FLOW_UNKNOWN) {
		/* Somebody is there already: a tombstone of another connection gives
		 * way, and so does an attempt the client has given up. */
		long found = flow_find(k);

		f = found >= 0 ? flow_at(found) : 0;
		if (!f || f->state == PORCH_FLOW_DELIVERED || f->state == PORCH_FLOW_CLOSING)
			return PORCH_REASON_DUPLICATE_ACK;
		if (f->state == PORCH_FLOW_HANDED && flow_is_alive(found))
			return PORCH_REASON_DUPLICATE_ACK;
		if (f->irs == like->irs)
			return f->state == PORCH_FLOW_PROVEN ? 0 : PORCH_REASON_REPLAYED;
		*(volatile __u8 *)&f->state = PORCH_FLOW_BUSY;
		way = found;
	}
	if (way == FLOW_BUSY_NOW)
		return PORCH_REASON_DUPLICATE_ACK;
	if (way < 0) {
		COUNT(flow_table_full);
		p->flow = PORCH_NO_FLOW;
		return 0;
	}
	flow_publish(way, k, like, PORCH_FLOW_PROVEN);
	p->flow = way;
	return 0;
}

INLINE enum verdict prove(const struct segment *seg, int undelivered, __u32 index, const struct porch_listener_entry *l,
			  const struct porch_host *h, struct porch_scratch *scratch)
{
	struct proof *p = &scratch->proof;
	enum verdict v;
	__u32 reason;
	int entry;

	v = final_ack(seg, undelivered, 1, index, l, h, scratch, &entry);
	if (v != GO_ON)
		return v;
	reason = proof_publish(&scratch->key, p, &scratch->flow, h->tick);
	if (reason)
		return refuse(index, reason);
	COUNT_BOTH(index, proven);
	return DELIVER;
}

/* A segment of a flow that is proven, but that no kernel socket holds yet. */
__noinline int on_undelivered(const struct flow_key *k, struct proof *p, __u32 seq, __u32 ack,
			      __u32 index_flags)
{
	__u32 index = index_flags & 0xff, flags = index_flags >> 8;
	struct porch_host *h = host_settings();
	struct porch_flow *f;
	__u32 tick;
	long found;

	if (!k || !p || !h)
		return GO_ON;
	tick = h->tick;
	found = flow_find(k);
	if (found == FLOW_BUSY_NOW)
		return count_refusal(index, PORCH_REASON_DUPLICATE_ACK);
	if (found < 0)
		return GO_ON;
	f = flow_at(found);
	if (!f)
		return GO_ON;
	if (f->state == PORCH_FLOW_DELIVERED || f->state == PORCH_FLOW_CLOSING)
		return PASS;
	/* From before the listener was set to deliver=kernel. */
	if (f->state == PORCH_FLOW_HANDED)
		return flow_is_alive(found) ? STEER : GO_ON;
	if (f->state != PORCH_FLOW_PROVEN)
		return GO_ON; /* a tombstone is nobody */
	/* It lives: five minutes from now, see flow_expired(). */
	f->expires = tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
	p->flow = found;
	p->mss = f->mss;
	p->options = f->options;
	p->wscale = f->wscale;
	p->ts_recent = f->ts_recent;
	p->ts_ecr = f->ts_ecr;
	p->kind = meta_kind(f, flags, seq, ack);
	return DELIVER;
}

/* SYN-RECEIVED: only an exact RST returns to LISTEN (RFC 9293 3.10.7.4, RFC 5961 3). */
__noinline int on_half_open_rst(const struct flow_key *k, __u32 seq, __u32 tick)
{
	struct porch_half_open *e;

	if (!k)
		return 0;
	e = half_open_find(k);
	if (!e || (__s32)(tick - e->expires) >= 0)
		return 0;
	if (seq != e->irs + 1)
		return -1;
	half_open_remove(k);
	return 1;
}

/* Who is it from? Fills scratch->key; the kernel's own segments need no more. */
INLINE enum known segment_known(const struct segment *seg, struct porch_scratch *scratch)
{
	flow_key_of(&scratch->key, seg);
	return flow_peek(&scratch->key);
}

/* No ACK, and of nothing that is held: LISTEN or SYN-RECEIVED. */
INLINE enum verdict on_stray(const struct segment *seg, __u32 flags, __u32 index, const struct porch_listener_entry *l,
			     const struct porch_host *h, struct porch_scratch *scratch)
{
	int rst;

	if (flags == (TCP_SYN | TCP_ACK))
		return unknown(scratch, index, PORCH_REASON_UNEXPECTED_SYNACK);
	if ((flags & TCP_RST) && !(flags & (TCP_SYN | TCP_FIN))) {
		rst = issued_within(l->issued_tracked, h->tick, h->half_open_seconds) ?
			      on_half_open_rst(&scratch->key, seg->seq, h->tick) :
			      0;
		if (rst > 0)
			return REFUSE; /* it did its work: back to LISTEN */
		if (rst < 0)
			return refuse(index, PORCH_REASON_BAD_RST);
		return unknown(scratch, index, PORCH_REASON_UNKNOWN_RST);
	}
	return refuse(index, PORCH_REASON_BAD_FLAGS);
}

/* A segment, no SYN, whose flow the kernel does not hold, as far as is known. */
INLINE enum verdict on_segment(const struct segment *seg, enum known known, __u32 index,
			       const struct porch_listener_entry *l, const struct porch_host *h,
			       struct porch_scratch *scratch)
{
	__u32 flags = seg->flags & FLAGS_OF_STATE;
	struct flow_key *k = &scratch->key;
	struct proof *p = &scratch->proof;
	int is_ack = is_final_ack(flags), undelivered = 0;
	enum verdict v;

	if (known == KNOWN_MAYBE) {
		v = on_undelivered(k, p, seg->seq, seg->ack, index | flags << 8);
		undelivered = v == DELIVER;
		if (v != GO_ON && !(undelivered && is_ack && p->kind == PORCH_META_CHECK))
			return v;
	}
	/* The kernel's own handshakes are the kernel's. */
	if (regime_of(l) == PORCH_REGIME_KERNEL && !listener_expects_proofs(l, h))
		return undelivered ? DELIVER : PASS;
	if (is_ack)
		return prove(seg, undelivered, index, l, h, scratch);
	return on_stray(seg, flags, index, l, h, scratch);
}

#endif /* PORCH_BPF_ACK_H */
