/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A SYN for one of our listeners: may it be answered, and with what?
 * (RFC 9293 3.10.7.2, third.) Nothing here touches the frame.
 */
#ifndef PORCH_BPF_SYN_H
#define PORCH_BPF_SYN_H

INLINE int source_is_impossible(const struct segment *seg)
{
	__u32 first;

	if (!seg->sport || (seg->s[0] == seg->d[0] && seg->s[1] == seg->d[1]))
		return 1;
	if (seg->v6) {
		if ((seg->s[0] & 0xff) == 0xff) /* multicast */
			return 1;
		return !seg->s[0] && (!seg->s[1] || seg->s[1] == 1ull << 56 || IS_MAPPED(seg->s[0], seg->s[1]));
	}
	first = (seg->s[1] >> 32) & 0xff;
	return first == 0 || first == 127 || first >= 224;
}

/* 1: listed. The flag spares the lookup while the list is empty. */
__noinline int source_is_denied(const struct flow_key *k)
{
	struct porch_prefix p = { .length = 128 };

	if (!k)
		return 0;
	__builtin_memcpy(p.address, k->s, 16);
	return bpf_map_lookup_elem(&porch_deny, &p) != 0;
}

__noinline __u32 route_mss(const struct flow_key *k)
{
	struct porch_prefix p = { .length = 128 };
	struct porch_route *r;

	if (!k)
		return 0;
	__builtin_memcpy(p.address, k->s, 16);
	r = bpf_map_lookup_elem(&porch_routes, &p);
	return r ? r->mss : 0;
}

/* The MSS to announce: the listener's, else the route's, else the interface's. */
INLINE __u16 announced_mss(struct xdp_md *ctx, const struct segment *seg, const struct flow_key *k,
			   const struct porch_listener_entry *l, const struct porch_host *h)
{
	__u32 ifindex = ctx->ingress_ifindex, slot = ifindex & (PORCH_IFACE_SLOTS - 1);
	struct porch_iface *i = bpf_map_lookup_elem(&porch_ifaces, &slot);
	__u32 mss = seg->v6 ? MSS_DEFAULT_V6 : MSS_DEFAULT_V4, route;

	if (l->mss)
		return l->mss;
	if (i && i->ifindex == ifindex)
		mss = seg->v6 ? i->mss6 : i->mss4;
	if (unlikely(h->flags & PORCH_HOST_ROUTES)) {
		route = route_mss(k);
		if (route)
			mss = route;
	}
	return unlikely(l->user_mss && l->user_mss < mss) ? l->user_mss : mss;
}

/* RFC 3168 6.1.1 as tcp_ecn_create_request() reads it. AccECN (AE set, RFC 9768)
 * is met as RFC 3168 ECN, which its client accepts. Plain cookies have no bit. */
INLINE int ecn_agreed(const struct segment *seg, const struct porch_host *h)
{
	return (seg->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) && !seg->ect && h->tcp_ecn &&
	       (seg->options & PORCH_OPT_TIMESTAMPS);
}

/*
 * A multiple of the client's MSS, as cookie_v4_check() will give the child by
 * tcp_select_initial_window(): announcing more would be a promise it breaks. A
 * handshake of the kernel's own takes its own MSS instead. A division costs a
 * sixth of all the program, so the two MSS of Ethernet are multiplied instead,
 * by 2^32 / mss rounded up: exact while space < 2^21.
 */
INLINE __u32 window_round(__u32 space, __u32 mss)
{
	if (unlikely(space <= mss))
		return space;
	if (mss == 1460 && space < 1 << 21)
		return (((__u64)space * 2941759) >> 32) * 1460;
	if (mss == 1440 && space < 1 << 21)
		return (((__u64)space * 2982617) >> 32) * 1440;
	if (space - mss >= 65535)
		return 65535; /* whatever the multiple, it is cut to this */
	return space - space % mss;
}

/* Window, options and scale of the reply, and the cookie that carries them.
 * seg->options shrinks to what both sides want. */
INLINE void reply_compose(struct xdp_md *ctx, struct segment *seg, const struct flow_key *k,
			  struct porch_listener_entry *l, const struct porch_host *h, struct reply *r)
{
	__u32 mss = seg->mss ? seg->mss : seg->v6 ? MSS_DEFAULT_V6 : MSS_DEFAULT_V4;
	__u32 space = l->rcv_space ? l->rcv_space : h->rcv_space;
	__u32 epoch = h->epoch, zero = 0;
	struct porch_keys *keys = bpf_map_lookup_elem(&porch_keys, &zero);
	__u32 ts, sack, scaled, ecn, fields;
	__u64 mac;

	if (mss > COOKIE_MSS_MAX)
		mss = COOKIE_MSS_MAX;
	seg->mss = mss;
	if (!h->tcp_timestamps)
		seg->options &= ~PORCH_OPT_TIMESTAMPS;
	if (!h->tcp_sack)
		seg->options &= ~PORCH_OPT_SACK;
	if (!h->tcp_window_scaling)
		seg->options &= ~PORCH_OPT_WSCALE;
	r->wscale = our_wscale(l, h);
	space = window_round(space, mss);
	r->window = space > 65535 ? 65535 : space;
	if (unlikely(l->deliver == PORCH_DELIVER_AFXDP))
		r->window = PORCH_AFXDP_WINDOW;
	r->mss = announced_mss(ctx, seg, k, l, h);
	r->iss = r->tsval = 0;
	if (!keys)
		return;
	ts = seg->options & PORCH_OPT_TIMESTAMPS;
	sack = !!(seg->options & PORCH_OPT_SACK);
	scaled = !!(seg->options & PORCH_OPT_WSCALE);
	if (ts) {
		ecn = ecn_agreed(seg, h);
		seg->options |= ecn * PORCH_OPT_ECN;
		fields = cookie_ts_fields(epoch, mss, scaled ? seg->wscale : COOKIE_NO_WSCALE, sack, ecn);
	} else {
		fields = cookie_plain_fields(seg->v6, mss, scaled, seg->wscale, sack);
	}
	mac = cookie_mac(&keys->epoch_key[epoch & 3], seg->v6, seg->s, seg->d, seg->ports, seg->seq,
			 ts ? fields | COOKIE_FORM_TS : fields, epoch);
	if (ts) {
		r->iss = mac;
		r->tsval = fields << COOKIE_TS_BITS | (mac >> 32 & COOKIE_TS_MAC);
	} else {
		r->iss = cookie_plain_isn(mac, epoch, fields);
	}
	r->options = seg->options;
}

/* "Issued now": 0 would say never. Read first: all CPUs share the line. */
INLINE void stamp(__u32 *issued, __u32 tick)
{
	__u32 now = tick ? tick : 1;

	if (*issued != now)
		*issued = now;
}

INLINE int same_offer(const struct porch_half_open *a, const struct porch_half_open *b)
{
	return a->irs == b->irs && a->options == b->options && a->wscale == b->wscale && a->mss == b->mss;
}

/* What syn_track() did with the SYN. */
enum tracked {
	TRACKED_NOT,   /* the table is full: the cookie has to do */
	TRACKED_NEW,
	TRACKED_AGAIN, /* the same SYN again: the answer is in scratch */
	TRACKED_OTHER, /* instead of an older attempt, whose cookie still counts */
};

/*
 * Tracked regime: answer from the entry if this is the same SYN again, else
 * make one. The table being full arms the stateless regime; the cookie in the
 * reply is good either way.
 */
__noinline int syn_track(struct xdp_md *ctx, const struct flow_key *k, __u32 index)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_listener_entry *l = listener_at(index);
	struct porch_host *h = host_settings();
	struct porch_half_open *e, *fresh;
	int live;

	if (!h || !l || !k || !scratch)
		return TRACKED_NOT;
	fresh = &scratch->half_open;
	e = half_open_find(k);
	live = e && (__s32)(e->expires - h->tick) > 0;
	if (live && same_offer(e, fresh)) {
		fresh->iss = e->iss;
		fresh->tsval = e->tsval;
		return TRACKED_AGAIN;
	}
	fresh->expires = h->tick + h->half_open_seconds * PORCH_TICKS_PER_SEC;
	if (half_open_insert(ctx, k, fresh)) {
		COUNT(half_open_full);
		regime_arm(l, h->tick);
		return TRACKED_NOT;
	}
	stamp(&l->issued_tracked, h->tick);
	h->half_open |= 1; /* at least one; the sweep counts */
	return live ? TRACKED_OTHER : TRACKED_NEW;
}

/* A tuple that is already held: whoever holds it answers. */
INLINE enum verdict syn_of_known(struct segment *seg, const struct flow_key *k, enum known known, __u32 index,
				 const struct porch_listener_entry *l)
{
	struct porch_flow *f;
	long found;

	if (likely(known == KNOWN_NOT))
		return GO_ON;
	/* HELD may be another's, see KNOWN_HELD: a HANDED flow must not lose a segment by that. */
	if (known == KNOWN_HELD && l->deliver != PORCH_DELIVER_AFXDP)
		return PASS;
	found = flow_find(k);
	if (found == FLOW_BUSY_NOW)
		return refuse(index, PORCH_REASON_DUPLICATE_SYN);
	if (found < 0)
		return GO_ON;
	f = flow_at(found);
	if (!f)
		return GO_ON;
	if (f->state == PORCH_FLOW_DELIVERED || f->state == PORCH_FLOW_CLOSING)
		return PASS;
	if (f->state == PORCH_FLOW_HANDED)
		return syn_of_handed(found, seg->seq, seg->options & PORCH_OPT_TIMESTAMPS, seg->tsval, index);
	if (f->state == PORCH_FLOW_PROVEN && f->irs == seg->seq)
		return refuse(index, PORCH_REASON_DUPLICATE_SYN);
	return GO_ON;
}

/* Is there a reason to leave this SYN to the kernel, or to drop it? */
INLINE enum verdict syn_admit(struct xdp_md *ctx, struct segment *seg, const struct flow_key *k, __u32 index,
			      struct porch_listener_entry *l, struct porch_host *h, __u8 regime)
{
	if (unlikely(h->flags & PORCH_HOST_DENY) && source_is_denied(k))
		return refuse(index, PORCH_REASON_DENIED);
	if (regime == PORCH_REGIME_KERNEL)
		return PASS;
	if (unlikely(l->deliver == PORCH_DELIVER_AFXDP))
		return syn_admit_afxdp(seg, index, h);
	if (unlikely(probe_is_due(l, seg->v6, h->tick)))
		health_probe(ctx, k, l, h);
	if (unlikely(l->health[seg->v6 & 1] != PORCH_HEALTH_WELL))
		return PASS;
	if (unlikely(l->accept_queue_full)) {
		if (h->tick != l->probe_tick[seg->v6 & 1])
			health_probe(ctx, k, l, h);
		if (l->accept_queue_full)
			return refuse(index, PORCH_REASON_ACCEPT_QUEUE_FULL);
	}
	/* What the kernel must answer itself: keyed segments, an MSS the kfunc refuses. */
	if (unlikely(seg->foreign || (seg->mss && seg->mss < (seg->v6 ? MSS_MIN_V6 : MSS_MIN_V4))))
		return PASS;
	if (unlikely(!budget_reply(seg, h)))
		return refuse(index, PORCH_REASON_REPLY_BUDGET);
	return GO_ON;
}

INLINE enum verdict on_syn(struct xdp_md *ctx, struct segment *seg, __u32 index, struct porch_listener_entry *l,
			   struct porch_host *h, struct reply *r)
{
	struct porch_counters *c = counters();
	struct porch_stats *s = stats_of(index);
	struct porch_scratch *scratch = scratch_of_cpu();
	enum tracked tracked = TRACKED_NOT;
	struct porch_half_open *e;
	struct flow_key *k;
	enum verdict v;
	__u8 regime;

	if (!c || !s || !scratch)
		return PASS;
	k = &scratch->key;
	c->syn_received++;
	s->syn_received++;
	if (unlikely(seg->flags & (TCP_FIN | TCP_RST)))
		return refuse(index, PORCH_REASON_BAD_FLAGS);
	if (unlikely(source_is_impossible(seg)))
		return refuse(index, PORCH_REASON_BAD_SOURCE);
	regime_syn(l, s, h->tick);
	regime = regime_of(l);

	flow_key_of(k, seg);
	v = syn_of_known(seg, k, flow_peek(k), index, l);
	if (v == GO_ON)
		v = syn_admit(ctx, seg, k, index, l, h, regime);
	if (v == PASS) {
		c->syn_passed++;
		s->syn_passed++;
	}
	if (v != GO_ON)
		return v;
	if (unlikely(l->protect == PORCH_PROTECT_MONITOR)) {
		s->would_answer++;
		return PASS;
	}
	reply_compose(ctx, seg, k, l, h, r);
	if (regime == PORCH_REGIME_TRACKED) {
		e = &scratch->half_open;
		__builtin_memset(e, 0, sizeof(*e));
		e->irs = seg->seq;
		e->iss = r->iss;
		e->tsval = r->tsval;
		e->ts_recent = seg->tsval;
		e->mss = seg->mss;
		e->options = r->options;
		e->wscale = (seg->wscale & 15) | r->wscale << 4;
		e->listener = index;
		tracked = syn_track(ctx, k, index);
		if (tracked == TRACKED_AGAIN) {
			r->iss = e->iss;
			r->tsval = e->tsval;
		}
	}
	/* Where only entries count, the bound of a blind ACK is 2^-64. */
	if (tracked == TRACKED_NOT || tracked == TRACKED_OTHER)
		stamp(r->options & PORCH_OPT_TIMESTAMPS ? &l->issued_ts : &l->issued_plain, h->tick);
	c->synack_sent++; /* reply_general() takes it back where there is no room */
	s->synack_sent++;
	return ANSWER;
}

#endif /* PORCH_BPF_SYN_H */
