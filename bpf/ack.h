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
INLINE enum verdict unknown_lookup(struct xdp_md *ctx, struct porch_scratch *scratch, struct porch_host *h,
				   __u32 spent)
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
	 * an eighth of the budget. */
	if (spent * 8 > h->unknown_rate)
		return refuse(index, scratch->general.reason);
	COUNT(unknown_passed);
	return PASS;
}

/* The segment, listener and reason are in scratch. Under a flood of ACKs this
 * runs for each, and hardly ever goes beyond the budget. */
INLINE enum verdict on_unknown(struct xdp_md *ctx, struct porch_scratch *scratch,
			       const struct porch_listener *l, struct porch_host *h)
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
	return unknown_lookup(ctx, scratch, h, spent);
}

INLINE enum verdict unknown(struct porch_scratch *scratch, __u32 index, __u32 reason)
{
	scratch->general.listener = index;
	scratch->general.reason = reason;
	return UNKNOWN;
}

/* Does the cookie prove the segment? One SipHash. 1: right; fills `p`. */
INLINE int cookie_proves(const struct segment *seg, const struct porch_keys *keys, const struct porch_host *h,
			 struct proof *p)
{
	__u32 isn = seg->ack - 1, ts = seg->options & PORCH_OPT_TIMESTAMPS, fields, epoch, class;
	__u64 mac;

	if (ts) {
		fields = seg->tsecr >> COOKIE_TS_BITS;
		epoch = cookie_ts_epoch(seg->tsecr, h->epoch);
	} else {
		fields = isn & COOKIE_PLAIN_OPTIONS;
		epoch = cookie_plain_epoch(isn, h->epoch);
	}
	mac = cookie_mac(&keys->epoch_key[epoch & 3], seg->v6, seg->s, seg->d, seg->ports, seg->seq - 1,
			 ts ? fields | COOKIE_FORM_TS : fields, epoch);
	if (ts) {
		if ((__u32)mac != isn || ((mac >> 32 ^ seg->tsecr) & COOKIE_TS_MAC))
			return 0;
		p->mss = fields >> 6 & COOKIE_MSS_MAX;
		p->wscale = fields >> 2 & 15;
		p->options = PORCH_OPT_TIMESTAMPS | (fields & 2 ? PORCH_OPT_SACK : 0) |
			     (fields & 1 ? PORCH_OPT_ECN : 0);
		if (p->wscale == COOKIE_NO_WSCALE)
			p->wscale = 0;
		else
			p->options |= PORCH_OPT_WSCALE;
		return 1;
	}
	if (((__u32)mac ^ isn) >> COOKIE_PLAIN_BITS)
		return 0;
	class = fields >> 1 & 7;
	p->mss = cookie_class_mss(seg->v6, fields >> 4);
	p->options = (fields & 1 ? PORCH_OPT_SACK : 0) | (class ? PORCH_OPT_WSCALE : 0);
	p->wscale = class ? cookie_class_wscale(class) : 0;
	return 1;
}

/* The entry, if there is one, is exact where a cookie rounds, and it outlives
 * the epoch. 1: proven; 0: no entry; -1: the entry is of other numbers. */
__noinline int entry_proves(const struct flow_key *k, __u32 seq, __u32 ack, struct proof *p, __u32 tick)
{
	struct porch_half_open *e;
	struct porch_counters *c;

	if (!k || !p)
		return 0;
	e = half_open_find(k);
	if (!e || (__s32)(tick - e->expires) >= 0)
		return 0;
	if (ack != e->iss + 1 || seq != e->irs + 1)
		return -1;
	p->mss = e->mss;
	p->options = e->options;
	p->wscale = e->wscale & 15;
	c = counters();
	if (c) {
		c->proven_by_entry++;
		if (!e->retransmits) {
			c->rtt_samples++;
			c->rtt_us_sum += (__u32)(bpf_ktime_get_ns() / 1000) - e->born_us;
		}
	}
	half_open_remove(k);
	return 1;
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
		if (f->irs == like->irs)
			return f->state == PORCH_FLOW_TOMBSTONE ? PORCH_REASON_REPLAYED : 0;
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

/*
 * `undelivered`: the tuple has a proven flow already, which this segment does
 * not prove again. It may prove a new attempt of the client; if not, it is a
 * later segment of that flow, as scratch->proof says.
 */
INLINE enum verdict prove(struct xdp_md *ctx, const struct segment *seg, int undelivered, __u32 index,
			  struct porch_listener *l, struct porch_host *h, struct porch_scratch *scratch)
{
	int ts = seg->options & PORCH_OPT_TIMESTAMPS, tracked, right, entry = 0;
	const struct flow_key *k = &scratch->key;
	struct porch_flow *like = &scratch->flow;
	struct proof *p = &scratch->proof;
	struct porch_keys *keys;
	__u32 zero = 0, reason;

	keys = bpf_map_lookup_elem(&porch_keys, &zero);
	if (!keys)
		return PASS;
	right = cookie_proves(seg, keys, h, p);
	/* A cookie with timestamps is exact: under attack its entry, if any, is left
	 * to the sweep, for a lookup costs more than all the rest of the proof. */
	tracked = issued_within(l->issued_tracked, h->tick, h->half_open_seconds);
	if (tracked && (regime_of(l) == PORCH_REGIME_TRACKED || (right && !ts)))
		entry = entry_proves(k, seg->seq, seg->ack, p, h->tick);
	if (undelivered && entry <= 0 &&
	    (!right || !issued_within(ts ? l->issued_ts : l->issued_plain, h->tick, PORCH_FORM_SECONDS)))
		return DELIVER;
	if (!right && entry <= 0)
		return unknown(scratch, index, entry ? PORCH_REASON_BAD_ACK : PORCH_REASON_BAD_COOKIE);
	if (entry <= 0 && !issued_within(ts ? l->issued_ts : l->issued_plain, h->tick, PORCH_FORM_SECONDS))
		return unknown(scratch, index, PORCH_REASON_NOT_ISSUED);

	p->wscale |= (l->rcv_space ? l->rcv_wscale : h->rcv_wscale) << 4;
	p->kind = PORCH_META_PROOF;
	p->ts_recent = seg->tsval;
	p->ts_ecr = seg->tsecr;
	like->listener = index;
	like->options = p->options;
	like->wscale = p->wscale;
	like->mss = p->mss;
	like->by_cookie = 1;
	like->irs = seg->seq - 1;
	like->iss = seg->ack - 1;
	like->ts_recent = seg->tsval;
	like->ts_ecr = seg->tsecr;
	like->expires = h->tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
	reason = proof_publish(k, p, like, h->tick);
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

/* A segment, no SYN, whose flow the kernel does not hold, as far as is known. */
INLINE enum verdict on_segment(struct xdp_md *ctx, struct segment *seg, enum known known, __u32 index,
			       struct porch_listener *l, struct porch_host *h, struct porch_scratch *scratch)
{
	__u32 flags = seg->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
	struct flow_key *k = &scratch->key;
	struct proof *p = &scratch->proof;
	int is_ack = flags == TCP_ACK || flags == (TCP_ACK | TCP_FIN), undelivered = 0, rst;
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
		return prove(ctx, seg, undelivered, index, l, h, scratch);
	if (flags == (TCP_SYN | TCP_ACK))
		return unknown(scratch, index, PORCH_REASON_UNEXPECTED_SYNACK);
	if ((flags & TCP_RST) && !(flags & (TCP_SYN | TCP_FIN))) {
		rst = issued_within(l->issued_tracked, h->tick, h->half_open_seconds) ?
			      on_half_open_rst(k, seg->seq, h->tick) :
			      0;
		if (rst > 0)
			return REFUSE; /* it did its work: back to LISTEN */
		if (rst < 0)
			return refuse(index, PORCH_REASON_BAD_RST);
		return unknown(scratch, index, PORCH_REASON_UNKNOWN_RST);
	}
	return refuse(index, PORCH_REASON_BAD_FLAGS);
}

#endif /* PORCH_BPF_ACK_H */
