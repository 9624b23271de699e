/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard of deliver=afxdp, on tc ingress: a segment for such a listener that
 * XDP let through, because it is gone, replaced or told to pass, must not reach
 * a TCP that knows no socket for it, which would reset the connection. What has
 * a socket of its own goes on; a listening one serves where it is asked to:
 * protect=off and monitor, and SYNs with fallback=kernel.
 */
#ifndef PORCH_BPF_GUARD_H
#define PORCH_BPF_GUARD_H

#define TC_NEXT	    (-1) /* TCX_NEXT, TC_ACT_UNSPEC */
#define TC_DROP	    2	 /* TCX_DROP, TC_ACT_SHOT */

#define IP_OFFSET   0x1fff
#define IPV6_OFFSET 0xfff8

/* What the guard has to know of a segment. */
struct guarded {
	struct flow_key k;
	__u32 offset; /* of the TCP header, from the IP header */
	__u8 fragment;
};

INLINE int guard_ipv4(struct __sk_buff *skb, struct guarded *p)
{
	__be32 w[5];
	__u32 fragment;

	if (bpf_skb_load_bytes_relative(skb, 0, w, sizeof(w), BPF_HDR_START_NET))
		return -1;
	if (((w[2] >> 8) & 0xff) != IPPROTO_TCP)
		return -1;
	fragment = ntohs(w[1] >> 16);
	if (fragment & IP_OFFSET) /* no ports in it, and no good without the first */
		return -1;
	p->fragment = !!(fragment & IP_FRAGMENTED);
	p->offset = (w[0] & 15) * 4;
	p->k.s[0] = p->k.d[0] = MAPPED_HIGH;
	p->k.s[1] = MAPPED_LOW(w[3]);
	p->k.d[1] = MAPPED_LOW(w[4]);
	return 0;
}

INLINE int guard_ipv6(struct __sk_buff *skb, struct guarded *p)
{
	__u8 protocol, next[4];

	if (bpf_skb_load_bytes_relative(skb, 6, &protocol, 1, BPF_HDR_START_NET))
		return -1;
	p->offset = IPV6_HLEN;
	for (int i = 0; i < IPV6_HEADERS_MAX && protocol != IPPROTO_TCP; i++) {
		if (!is_extension(protocol) && protocol != IPPROTO_FRAGMENT)
			return -1;
		if (bpf_skb_load_bytes_relative(skb, p->offset, next, sizeof(next), BPF_HDR_START_NET))
			return -1;
		if (protocol == IPPROTO_FRAGMENT) {
			if (((__u32)next[2] << 8 | next[3]) & IPV6_OFFSET)
				return -1;
			p->fragment = 1;
			p->offset += 8;
		} else {
			p->offset += protocol == IPPROTO_AH ? (next[1] + 2) * 4 : (next[1] + 1) * 8;
		}
		protocol = next[0];
	}
	if (protocol != IPPROTO_TCP)
		return -1;
	return bpf_skb_load_bytes_relative(skb, 8, p->k.s, 16, BPF_HDR_START_NET) ||
	       bpf_skb_load_bytes_relative(skb, 24, p->k.d, 16, BPF_HDR_START_NET);
}

/* Is it TCP with readable ports? Fragments but the first are not. 0 or -1. */
INLINE int guard_parse(struct __sk_buff *skb, struct guarded *p)
{
	int r = -1;

	if (skb->protocol == CONST_HTONS(ETH_P_IP))
		r = guard_ipv4(skb, p);
	else if (skb->protocol == CONST_HTONS(ETH_P_IPV6))
		r = guard_ipv6(skb, p);
	return r || bpf_skb_load_bytes_relative(skb, p->offset, &p->k.ports, 4, BPF_HDR_START_NET);
}

/* May the socket, a listening one, have it? */
INLINE int guard_lets_listen(struct __sk_buff *skb, const struct guarded *p, const struct porch_listener_entry *l,
			     const struct porch_host *h)
{
	__u8 flags;

	if (l->protect != PORCH_PROTECT_ALWAYS)
		return 1;
	if (h->fallback != PORCH_FALLBACK_KERNEL ||
	    bpf_skb_load_bytes_relative(skb, p->offset + 13, &flags, 1, BPF_HDR_START_NET))
		return 0;
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* TC_NEXT, or TC_DROP. */
__noinline int guard(struct __sk_buff *skb)
{
	struct porch_host *h = host_settings();
	struct porch_listener_entry *l = 0;
	struct bpf_sock_tuple t = {};
	struct guarded p = {};
	struct bpf_sock *sk;
	__u32 index;
	int pass = 0;

	if (!h || guard_parse(skb, &p))
		return TC_NEXT;
	index = listener_find(p.k.d, ntohs(p.k.ports >> 16), &l);
	if (!index || l->deliver != PORCH_DELIVER_AFXDP)
		return TC_NEXT;
	sk = LOOKUP_SOCKET(skb, &t, socket_tuple(&t, &p.k));
	if (sk) {
		pass = sk->state != TCP_LISTEN || guard_lets_listen(skb, &p, l, h);
		bpf_sk_release(sk);
	}
	if (pass)
		return TC_NEXT;
	count_refusal(index, p.fragment ? PORCH_REASON_FRAGMENT : PORCH_REASON_GUARDED);
	return TC_DROP;
}

#endif /* PORCH_BPF_GUARD_H */
