/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel holds, as it happens: tp_btf/inet_sock_set_state. It keeps
 * the flow table true for handshakes of either party, for connections idle for
 * days and for those an application drops; segments alone could not.
 */
#ifndef PORCH_BPF_SOCK_STATE_H
#define PORCH_BPF_SOCK_STATE_H

const volatile __u32 netns_inum;

/* TIME-WAIT lasts 60 s, an orphan in FIN-WAIT-2 up to as long before it. */
#define CLOSING_TICKS (120 * PORCH_TICKS_PER_SEC)

/* 0, or -1: not a TCP socket with addresses. */
INLINE int sock_key(const struct sock *sk, struct flow_key *k, __u16 port)
{
	int v6 = sk->__sk_common.skc_family == AF_INET6;

	if (v6) {
		struct in6_addr remote = sk->__sk_common.skc_v6_daddr;
		struct in6_addr local = sk->__sk_common.skc_v6_rcv_saddr;

		__builtin_memcpy(k->s, &remote, 16);
		__builtin_memcpy(k->d, &local, 16);
		v6 = !IS_MAPPED(k->d[0], k->d[1]);
	} else {
		k->s[0] = k->d[0] = MAPPED_HIGH;
		k->s[1] = MAPPED_LOW(sk->__sk_common.skc_daddr);
		k->d[1] = MAPPED_LOW(sk->__sk_common.skc_rcv_saddr);
	}
	k->ports = sk->__sk_common.skc_dport | (__u32)htons(port) << 16;
	flow_hash(k, v6);
	return 0;
}

/* The kernel completed a connection on it: it is an address of this host. */
INLINE void address_learn(const __u64 d[2])
{
	__u32 zero = 0;
	struct porch_addrs *a = bpf_map_lookup_elem(&porch_addrs, &zero);
	__u64 *slot;

	if (!a)
		return;
	slot = (void *)&a->slot[porch_addr_slot(a->multiplier, d[0], d[1]) & (PORCH_ADDR_SLOTS - 1)];
	if (slot[0] | slot[1])
		return;
	slot[0] = d[0];
	slot[1] = d[1];
	COUNT(addresses_learned);
}

/* A socket began or ceased to listen: every listener of the port is looked at anew. */
INLINE void sock_listening(__u32 index)
{
	for (int i = 0; i < PORCH_CHAIN_MAX; i++) {
		struct porch_listener_entry *l = listener_at(index);

		if (!l)
			return;
		l->health[0] = l->health[1] = PORCH_HEALTH_UNPROBED;
		l->probe_tick[0] = l->probe_tick[1] = 0;
		l->accept_queue_full = 0;
		index = l->next;
		if (!index)
			return;
	}
}

INLINE void sock_established(const struct flow_key *k, __u32 index, __u32 tick)
{
	struct porch_flow like = { .listener = index }, *f;
	long way = flow_find(k);

	if (way >= 0) {
		f = flow_at(way);
		if (!f || f->state == PORCH_FLOW_HANDED) /* porchd's word counts */
			return;
		if (f->state == PORCH_FLOW_PROVEN)
			COUNT_BOTH(index, delivered);
		else
			f->by_cookie = 0; /* a new life, the kernel's own */
		*(volatile __u8 *)&f->state = PORCH_FLOW_DELIVERED;
		flow_hold(way, 1);
		return;
	}
	way = flow_claim(k, tick);
	if (way >= 0)
		flow_publish(way, k, &like, PORCH_FLOW_DELIVERED);
	else
		COUNT(flow_table_full);
}

INLINE void sock_closed(const struct flow_key *k, int oldstate, __u32 tick)
{
	long way = flow_find(k);
	struct porch_flow *f;

	if (way < 0)
		return;
	f = flow_at(way);
	if (!f || f->state != PORCH_FLOW_DELIVERED)
		return;
	if (oldstate == TCP_FIN_WAIT1 || oldstate == TCP_FIN_WAIT2 || oldstate == TCP_CLOSING) {
		f->expires = tick + CLOSING_TICKS;
		*(volatile __u8 *)&f->state = PORCH_FLOW_CLOSING;
	} else if (f->by_cookie && (__s32)(f->expires - tick) > 0) {
		*(volatile __u8 *)&f->state = PORCH_FLOW_TOMBSTONE;
		flow_hold(way, 0);
	} else {
		flow_free(way);
	}
}

INLINE int sock_state(const struct sock *sk, int oldstate, int newstate)
{
	const struct inet_sock *inet = (const void *)sk;
	struct porch_listener_entry *l = 0;
	struct porch_host *h;
	struct flow_key k;
	__u32 index, first;
	__u16 port;

	if (newstate != TCP_ESTABLISHED && newstate != TCP_CLOSE && newstate != TCP_LISTEN)
		return 0;
	if (sk->__sk_common.skc_net.net->ns.inum != netns_inum || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	/* skc_num is 0 already when a socket closes */
	port = sk->__sk_common.skc_num;
	if (!port)
		port = ntohs(BPF_CORE_READ(inet, inet_sport));
	first = port_listener(port);
	if (!first)
		return 0;
	if (newstate == TCP_LISTEN || oldstate == TCP_LISTEN) {
		sock_listening(first);
		return 0;
	}
	h = host_settings();
	if (!h || sock_key(sk, &k, port))
		return 0;
	if (newstate == TCP_ESTABLISHED) {
		index = listener_find(k.d, port, &l);
		if (!index) {
			l = listener_at(first);
			if (!l || !l->any_address)
				return 0;
			address_learn(k.d);
			index = first;
		}
		sock_established(&k, index, h->tick);
	} else {
		sock_closed(&k, oldstate, h->tick);
	}
	return 0;
}

#endif /* PORCH_BPF_SOCK_STATE_H */
