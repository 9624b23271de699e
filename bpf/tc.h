/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Delivery to the kernel. A segment that XDP found proven, but that no socket
 * holds, comes by here on tc ingress, before IP and TCP see it:
 *
 *   a socket of its own  -> the flow is delivered; pass
 *   LISTEN, with room    -> bpf_sk_assign_tcp_reqsk(): the kernel makes the child; pass
 *   LISTEN, queue full   -> parked: dropped, each further segment tries again
 *   LISTEN, not ours to use, or no socket -> the listener is unhealthy; pass, the kernel resets
 *
 * tc runs for a whole list of packets before TCP runs for the first of them, so
 * a segment may meet LISTEN although the proof just before it has been given
 * to the kernel. Such a one is sent round once, to the end of this CPU's
 * backlog, where the child exists; only then is it decided.
 */
#ifndef PORCH_BPF_TC_H
#define PORCH_BPF_TC_H

/* Weak: before 6.9 all loads without it, and this program is the guard alone. */
extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *s, struct sock *sk, struct bpf_tcp_req_attrs *attrs,
				   int attrs__sz) __ksym __weak;

/* The tuple of the packet, read behind the network header. 0 or -1. */
INLINE int tc_key(struct __sk_buff *skb, struct flow_key *k, __u32 tcp_offset)
{
	__be32 v4[2];

	if (skb->protocol == CONST_HTONS(ETH_P_IP)) {
		if (bpf_skb_load_bytes_relative(skb, 12, v4, 8, BPF_HDR_START_NET))
			return -1;
		k->s[0] = k->d[0] = MAPPED_HIGH;
		k->s[1] = MAPPED_LOW(v4[0]);
		k->d[1] = MAPPED_LOW(v4[1]);
	} else if (skb->protocol == CONST_HTONS(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes_relative(skb, 8, k->s, 16, BPF_HDR_START_NET) ||
		    bpf_skb_load_bytes_relative(skb, 24, k->d, 16, BPF_HDR_START_NET))
			return -1;
	} else {
		return -1; /* an inner VLAN tag: the tc program of the VLAN device sees it again */
	}
	return bpf_skb_load_bytes_relative(skb, tcp_offset, &k->ports, 4, BPF_HDR_START_NET);
}

INLINE void tc_forget(const struct porch_meta *m)
{
	if (m->flow != PORCH_NO_FLOW)
		flow_free(m->flow);
}

/* Send it round once, behind the proof it follows; or say that this was done. */
INLINE int tc_defer(struct __sk_buff *skb, struct porch_meta *m)
{
	struct porch_meta *own = (void *)(long)skb->data_meta;

	if (m->deferred || (void *)(own + 1) > (void *)(long)skb->data)
		return 0;
	own->deferred = 1;
	COUNT(deferred);
	return 1;
}

/* How often a proof without a socket may send SYNs to the kernel. */
#define NO_SOCKET_TICKS (10 * PORCH_TICKS_PER_SEC)

/*
 * The client's connection cannot be; the kernel says so with a reset. A missing
 * socket may concern one address of `*` only: whoever connects there must not
 * turn the listener off for all, so that has an effect only now and then.
 * Sockets that come and go are seen by the tracepoint.
 */
INLINE int tc_refuse_listener(struct porch_listener_entry *l, const struct porch_meta *m, enum porch_health health,
			      __u32 reason, __u32 tick, int v6)
{
	if (health != PORCH_HEALTH_NO_SOCKET || l->health[v6 & 1] != PORCH_HEALTH_WELL ||
	    tick - l->probe_tick[v6 & 1] >= NO_SOCKET_TICKS) {
		l->health[v6 & 1] = health;
		l->probe_tick[v6 & 1] = tick;
	}
	tc_forget(m);
	count_refusal(m->listener, reason);
	return TC_NEXT;
}

/*
 * Hand the listener a request that is as good as a received final ACK. Options
 * that the host has ceased to allow since the SYN-ACK are left out where the
 * peer can live with that; without its scale a window would mean another thing.
 */
INLINE int tc_assign(struct __sk_buff *skb, struct tcp_sock *tp, const struct porch_meta *m,
		     const struct porch_host *h)
{
	struct bpf_tcp_req_attrs a;

	if (!bpf_sk_assign_tcp_reqsk)
		return -1; /* and such a kernel does not know the structure */
	a = (struct bpf_tcp_req_attrs){
		.rcv_tsval = m->ts_val,
		.rcv_tsecr = m->ts_ecr,
		.mss = m->mss,
		.rcv_wscale = m->wscale >> 4,
		.snd_wscale = m->wscale & 15,
		.ecn_ok = !!(m->options & PORCH_OPT_ECN),
		.wscale_ok = !!(m->options & PORCH_OPT_WSCALE),
		.sack_ok = (m->options & PORCH_OPT_SACK) && h->tcp_sack,
		.tstamp_ok = (m->options & PORCH_OPT_TIMESTAMPS) && h->tcp_timestamps,
	};

	return bpf_sk_assign_tcp_reqsk(skb, (struct sock *)tp, &a, sizeof(a));
}

/* The listening socket is there. Returns a tc verdict, or 1: send round. */
INLINE int tc_listening(struct __sk_buff *skb, struct bpf_sock *sk, struct porch_meta *m,
			struct porch_listener_entry *l, struct porch_host *h)
{
	struct porch_flow *f = m->flow != PORCH_NO_FLOW ? flow_at(m->flow) : 0;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	const struct sock *s = (const void *)tp;
	int v6 = skb->protocol == CONST_HTONS(ETH_P_IPV6);
	enum porch_health health;

	if (!tp)
		return tc_refuse_listener(l, m, PORCH_HEALTH_REFUSED, PORCH_REASON_LISTENER_REFUSED, h->tick, v6);
	health = health_of(tp, h);
	if (health != PORCH_HEALTH_WELL)
		return tc_refuse_listener(l, m, health, PORCH_REASON_LISTENER_REFUSED, h->tick, v6);
	/* Only behind a proof that was given to the kernel, and not without end: in
	 * skb mode XDP might write the record anew. */
	if (f && f->assigned && f->assigned < 255 && tc_defer(skb, m)) {
		f->assigned++;
		return 1;
	}
	if (m->kind == PORCH_META_RESET) {
		/* The client takes a parked connection back; its cookie stays spent. */
		if (f && f->state == PORCH_FLOW_PROVEN)
			*(volatile __u8 *)&f->state = PORCH_FLOW_TOMBSTONE;
		return TC_DROP;
	}
	if (m->kind == PORCH_META_CHECK) {
		count_refusal(m->listener, PORCH_REASON_UNDELIVERED);
		return TC_DROP;
	}
	if (s->sk_ack_backlog > s->sk_max_ack_backlog) {
		l->accept_queue_full = 1;
		count_refusal(m->listener, PORCH_REASON_PARKED);
		return TC_DROP;
	}
	if (tc_assign(skb, tp, m, h))
		return tc_refuse_listener(l, m, PORCH_HEALTH_REFUSED, PORCH_REASON_LISTENER_REFUSED, h->tick, v6);
	if (f)
		f->assigned = 1;
	/* This one takes the last place: SYNs behind it need not be answered. */
	if (s->sk_ack_backlog + 1 > s->sk_max_ack_backlog)
		l->accept_queue_full = 1;
	return TC_NEXT;
}

INLINE int tc_deliver(struct __sk_buff *skb, struct porch_meta *m, struct porch_host *h)
{
	struct porch_listener_entry *l = listener_at(m->listener);
	struct bpf_sock_tuple t = {};
	struct porch_flow *f;
	struct bpf_sock *sk;
	struct flow_key k;
	int verdict;

	if (!l || tc_key(skb, &k, m->tcp_offset))
		return TC_NEXT;
	sk = LOOKUP_SOCKET(skb, &t, socket_tuple(&t, &k));
	if (!sk)
		return tc_refuse_listener(l, m, PORCH_HEALTH_NO_SOCKET, PORCH_REASON_NO_LISTENER, h->tick, key_is_ipv6(&k));
	if (sk->state == TCP_LISTEN) {
		verdict = tc_listening(skb, sk, m, l, h);
		bpf_sk_release(sk);
		return verdict == 1 ? bpf_redirect(skb->ifindex, BPF_F_INGRESS) : verdict;
	}
	verdict = sk->state;
	bpf_sk_release(sk);
	f = m->flow != PORCH_NO_FLOW ? flow_at(m->flow) : 0;
	if (!f || f->state != PORCH_FLOW_PROVEN)
		return TC_NEXT;
	if (verdict == TCP_TIME_WAIT) {
		/* An old life of the tuple is still there; the kernel has the word,
		 * and the next SYN will be its own. */
		f->expires = h->tick + 2 * PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
		*(volatile __u8 *)&f->state = PORCH_FLOW_CLOSING;
		flow_hold(m->flow, 1);
		count_refusal(m->listener, PORCH_REASON_HELD_ELSEWHERE);
		return TC_NEXT;
	}
	*(volatile __u8 *)&f->state = PORCH_FLOW_DELIVERED;
	flow_hold(m->flow, 1);
	COUNT_BOTH(m->listener, delivered);
	return TC_NEXT;
}

/* Without metadata: is this a segment of an undelivered flow? 0: filled in. */
INLINE int tc_find(struct __sk_buff *skb, struct porch_meta *m, struct porch_host *h)
{
	struct porch_listener_entry *l;
	struct porch_flow *f;
	__u8 first[20], tcp[TCP_HLEN];
	struct flow_key k = {};
	__u32 offset, index;
	long found;

	if (bpf_skb_load_bytes_relative(skb, 0, first, 20, BPF_HDR_START_NET))
		return -1;
	if (skb->protocol == CONST_HTONS(ETH_P_IP)) {
		if (first[9] != IPPROTO_TCP)
			return -1;
		offset = (first[0] & 15) * 4;
	} else {
		if (first[6] != IPPROTO_TCP) /* extension headers: only with metadata */
			return -1;
		offset = IPV6_HLEN;
	}
	if (tc_key(skb, &k, offset) || bpf_skb_load_bytes_relative(skb, offset, tcp, TCP_HLEN, BPF_HDR_START_NET))
		return -1;
	index = listener_find(k.d, ntohs(k.ports >> 16), &l);
	if (!index)
		return -1;
	flow_hash(&k, skb->protocol == CONST_HTONS(ETH_P_IPV6));
	if (flow_peek(&k) != KNOWN_MAYBE)
		return -1;
	found = flow_find(&k);
	f = found >= 0 ? flow_at(found) : 0;
	if (!f || f->state != PORCH_FLOW_PROVEN)
		return -1;
	m->flow = found;
	m->ts_val = f->ts_recent;
	m->ts_ecr = f->ts_ecr;
	m->mss = f->mss;
	m->options = f->options;
	m->wscale = f->wscale;
	m->listener = index;
	m->deferred = 1;
	m->tcp_offset = offset;
	m->kind = meta_kind(f, tcp[13], ntohl(*(__be32 *)(tcp + 4)), ntohl(*(__be32 *)(tcp + 8)));
	return 0;
}

INLINE int tc_ingress(struct __sk_buff *skb)
{
	struct porch_meta *m = (void *)(long)skb->data_meta, copy = {};
	struct porch_host *h = host_settings();
	int verdict;

	if (!h)
		return TC_NEXT;
	if ((void *)(m + 1) > (void *)(long)skb->data || m->magic != PORCH_META_MAGIC) {
		if (unlikely(h->flags & PORCH_HOST_NO_META) && !tc_find(skb, &copy, h))
			return tc_deliver(skb, &copy, h);
		return unlikely(h->afxdp) ? guard(skb) : TC_NEXT;
	}
	/* An inner VLAN tag: the tc program of the VLAN device above takes it. */
	if (skb->protocol != CONST_HTONS(ETH_P_IP) && skb->protocol != CONST_HTONS(ETH_P_IPV6))
		return TC_NEXT;
	copy = *m;
	verdict = tc_deliver(skb, &copy, h);
	/* Decided: the same program above must not decide again. */
	m = (void *)(long)skb->data_meta;
	if (verdict == TC_NEXT && (void *)(m + 1) <= (void *)(long)skb->data)
		m->magic = 0;
	return verdict;
}

#endif /* PORCH_BPF_TC_H */
