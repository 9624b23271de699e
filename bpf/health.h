/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Would the kernel take this listener's connections? Asked with the tuple of
 * the SYN at hand: once a second while the answer is "well", once per tick
 * while it is not. What the socket and its namespace say is taken over on the
 * way: sysctls that changed since attach, the MSS and window to announce.
 */
#ifndef PORCH_BPF_HEALTH_H
#define PORCH_BPF_HEALTH_H

#define SOCK_RCVBUF_LOCK 2
#define WELL_TICKS PORCH_TICKS_PER_SEC
#define REFUSED_TICKS (10 * PORCH_TICKS_PER_SEC)

INLINE int probe_is_due(const struct porch_listener_entry *l, int v6, __u32 tick)
{
	__u32 last = l->probe_tick[v6 & 1], health = l->health[v6 & 1];

	if (likely(health == PORCH_HEALTH_WELL))
		return tick - last >= WELL_TICKS;
	return !last || tick - last >= (health == PORCH_HEALTH_REFUSED ? REFUSED_TICKS : 1);
}

INLINE void host_refresh(struct porch_host *h, const struct net *net)
{
	h->tcp_timestamps = net->ipv4.sysctl_tcp_timestamps;
	h->tcp_sack = net->ipv4.sysctl_tcp_sack;
	h->tcp_window_scaling = net->ipv4.sysctl_tcp_window_scaling;
	h->tcp_ecn = net->ipv4.sysctl_tcp_ecn;
}

/* tcp_win_from_space(), net/ipv4/tcp_input.c: half of it before 6.6. */
INLINE __u32 window_of(const struct tcp_sock *tp, __u32 space)
{
	if (bpf_core_field_exists(tp->scaling_ratio))
		return ((__u64)space * tp->scaling_ratio) >> 8;
	return space / 2;
}

/* The part of tcp_select_initial_window() that depends on the socket. */
INLINE void window_refresh(struct porch_listener_entry *l, const struct porch_host *h, const struct tcp_sock *tp)
{
	const struct sock *sk = (const void *)tp;
	__u32 space = window_of(tp, sk->sk_rcvbuf);
	__u8 wscale = h->rcv_wscale;

	/* four bits of a shared octet on older kernels */
	if (BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_RCVBUF_LOCK)
		for (wscale = 0; wscale < TCP_MAX_WSCALE && (space >> wscale) > 65535; wscale++)
			;
	l->rcv_wscale = wscale;
	l->rcv_space = space;
	l->user_mss = tp->rx_opt.user_mss;
}

INLINE int has_secrets(const struct tcp_sock *tp)
{
	if (bpf_core_field_exists(tp->md5sig_info) && tp->md5sig_info)
		return 1;
	return bpf_core_field_exists(tp->ao_info) && tp->ao_info;
}

/* What can be said of a listening socket without trying. */
INLINE enum porch_health health_of(const struct tcp_sock *tp, struct porch_host *h)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;

	if (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		return PORCH_HEALTH_MPTCP;
	if (has_secrets(tp))
		return PORCH_HEALTH_MD5;
	if (!net->ipv4.sysctl_tcp_syncookies)
		return PORCH_HEALTH_SYNCOOKIES_OFF;
	host_refresh(h, net);
	return PORCH_HEALTH_WELL;
}

INLINE int queue_has_room(const struct tcp_sock *tp)
{
	const struct sock *sk = (const void *)tp;

	return sk->sk_ack_backlog <= sk->sk_max_ack_backlog;
}

INLINE int key_is_ipv6(const struct flow_key *k)
{
	return !IS_MAPPED(k->d[0], k->d[1]);
}

INLINE __u32 socket_tuple(struct bpf_sock_tuple *t, const struct flow_key *k)
{
	if (!key_is_ipv6(k)) {
		t->ipv4.saddr = k->s[1] >> 32;
		t->ipv4.daddr = k->d[1] >> 32;
		t->ipv4.sport = k->ports & 0xffff;
		t->ipv4.dport = k->ports >> 16;
		return sizeof(t->ipv4);
	}
	__builtin_memcpy(t->ipv6.saddr, k->s, 16);
	__builtin_memcpy(t->ipv6.daddr, k->d, 16);
	t->ipv6.sport = k->ports & 0xffff;
	t->ipv6.dport = k->ports >> 16;
	return sizeof(t->ipv6);
}

/* The socket that would get this tuple; to be released. Size must be constant
 * for the verifier, hence the two calls. */
#define LOOKUP_SOCKET(ctx, tuple, size)                                                                      \
	((size) == sizeof((tuple)->ipv4) ?                                                                   \
		 bpf_skc_lookup_tcp(ctx, tuple, sizeof((tuple)->ipv4), BPF_F_CURRENT_NETNS, 0) :             \
		 bpf_skc_lookup_tcp(ctx, tuple, sizeof((tuple)->ipv6), BPF_F_CURRENT_NETNS, 0))

__noinline int health_probe(struct xdp_md *ctx, const struct flow_key *k, struct porch_listener_entry *l,
			  struct porch_host *h)
{
	struct bpf_sock_tuple t = {};
	enum porch_health health = PORCH_HEALTH_NO_SOCKET;
	struct tcp_sock *tp;
	struct bpf_sock *sk;
	int v6;

	if (!l || !h || !k)
		return 0;
	v6 = key_is_ipv6(k);
	l->probe_tick[v6] = h->tick;
	sk = LOOKUP_SOCKET(ctx, &t, socket_tuple(&t, k));
	if (sk && sk->state != TCP_LISTEN) {
		/* The tuple has a socket of its own, a request or a TIME-WAIT. Nobody
		 * comes from port 0, so that finds the listener. */
		bpf_sk_release(sk);
		if (v6)
			t.ipv6.sport = 0;
		else
			t.ipv4.sport = 0;
		sk = v6 ? LOOKUP_SOCKET(ctx, &t, sizeof(t.ipv6)) : LOOKUP_SOCKET(ctx, &t, sizeof(t.ipv4));
	}
	if (sk) {
		tp = sk->state == TCP_LISTEN ? bpf_skc_to_tcp_sock(sk) : 0;
		if (tp) {
			health = health_of(tp, h);
			if (health == PORCH_HEALTH_WELL) {
				window_refresh(l, h, tp);
				if (queue_has_room(tp))
					l->accept_queue_full = 0;
			}
		}
		bpf_sk_release(sk);
	}
	/* `*` may have addresses without a socket. What has been seen listening is
	 * ended by the tracepoint, not by whoever asks for such an address. */
	if (health != PORCH_HEALTH_NO_SOCKET || l->health[v6] != PORCH_HEALTH_WELL)
		l->health[v6] = health;
	COUNT(probes);
	return 0;
}

#endif /* PORCH_BPF_HEALTH_H */
