/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From frame to segment. Two ways: parse_usual_*() for plain IP headers, in
 * place; parse_general() for whatever else may be TCP (IPv4 options, IPv6
 * extension headers, lengths that do not fit), by copying.
 */
#ifndef PORCH_BPF_PARSE_H
#define PORCH_BPF_PARSE_H

enum parsed {
	PARSED_SEGMENT,	 /* TCP: the 20 octets of its header are readable and `seg` is filled */
	PARSED_OTHER,	 /* not TCP, a fragment, or to be forwarded by source route */
	PARSED_ICMP,	 /* an ICMP message, whole: may concern a flow, see icmp.h */
	PARSED_GENERAL,	 /* look again with parse_general() */
	PARSED_SHORT,	 /* TCP whose ports are readable and the rest is not; ports are filled */
};

INLINE void segment_from_tcp(struct segment *seg, const struct tcphdr *th)
{
	const __u16 *w = (const void *)th;

	seg->ports = *(const __be32 *)th;
	seg->sport = ntohs(th->source);
	seg->dport = ntohs(th->dest);
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->flags = ntohs(w[6]) & 0x1ff;
}

INLINE __u32 tcp_header_length(const struct tcphdr *th)
{
	return (((const __u8 *)th)[12] >> 4) * 4;
}

/* An IPv6 header that may stand in front of TCP, fragments aside. */
INLINE int is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_AH;
}

/* As maps.h has it. */
INLINE __u16 vlan_tag(__be16 tpid, __be16 tci)
{
	return (ntohs(tci) & ~PORCH_VLAN_8021AD) | (tpid == CONST_HTONS(ETH_P_8021AD) ? PORCH_VLAN_8021AD : 0);
}

/* Type of what follows Ethernet header and up to two tags; moves *l3 there. */
INLINE __be16 parse_tags(void *data, void *end, __u32 *l3)
{
	__be16 type = ((struct ethhdr *)data)->h_proto;

#pragma unroll
	for (int i = 1; i <= 2; i++) {
		if (likely(type != CONST_HTONS(ETH_P_8021Q) && type != CONST_HTONS(ETH_P_8021AD)))
			break;
		if (data + ETH_HLEN + i * VLAN_HLEN > end)
			return 0;
		type = *(__be16 *)(data + ETH_HLEN + i * VLAN_HLEN - 2);
		*l3 = ETH_HLEN + i * VLAN_HLEN;
	}
	return type;
}

/*
 * The usual packet, in place: no IPv4 options, no extension headers. `ip` is
 * Ethernet header and tags behind the frame's start. On PARSED_SEGMENT all of
 * the TCP header is known to lie in the frame, 20 octets of it to the
 * verifier's knowledge as well.
 */
INLINE enum parsed parse_usual_ipv4(struct iphdr *ip, void *end, struct segment *seg)
{
	struct tcphdr *th = (void *)(ip + 1);
	__u32 length;

	if (unlikely((void *)(ip + 1) > end))
		return PARSED_OTHER;
	if (ip->protocol != IPPROTO_TCP)
		return ip->protocol == IPPROTO_ICMP ? PARSED_ICMP : PARSED_OTHER;
	if (unlikely(*(__u8 *)ip != 0x45))
		return PARSED_GENERAL;
	if (unlikely(ip->frag_off & CONST_HTONS(IP_FRAGMENTED)))
		return PARSED_OTHER;
	if (unlikely((void *)(th + 1) > end))
		return PARSED_GENERAL;
	length = ntohs(ip->tot_len);
	BOUND(length, 0xffff);
	/* The general path counts what is wrong, if it concerns a listener. */
	if (unlikely(length < IPV4_HLEN + tcp_header_length(th) || (void *)ip + length > end ||
		     tcp_header_length(th) < TCP_HLEN || csum_fold(csum_5((void *)ip))))
		return PARSED_GENERAL;
	seg->v6 = 0;
	seg->s[0] = seg->d[0] = MAPPED_HIGH;
	seg->s[1] = MAPPED_LOW(ip->saddr);
	seg->d[1] = MAPPED_LOW(ip->daddr);
	seg->ect = ip->tos & 3;
	seg->payload = length - IPV4_HLEN - tcp_header_length(th);
	segment_from_tcp(seg, th);
	return PARSED_SEGMENT;
}

INLINE enum parsed parse_usual_ipv6(struct ipv6hdr *ip6, void *end, struct segment *seg)
{
	struct tcphdr *th = (void *)(ip6 + 1);
	const __u64 *a = (void *)&ip6->saddr;
	__u32 length;

	if (unlikely((void *)(ip6 + 1) > end))
		return PARSED_OTHER;
	if (ip6->nexthdr != IPPROTO_TCP)
		return is_extension(ip6->nexthdr)	  ? PARSED_GENERAL :
		       ip6->nexthdr == IPPROTO_ICMPV6 ? PARSED_ICMP :
							PARSED_OTHER;
	/* A mapped address is an IPv4 address of ours in the tables, not on this wire. */
	if (unlikely((*(__u8 *)ip6 >> 4) != 6 || IS_MAPPED(a[2], a[3])))
		return PARSED_OTHER;
	if (unlikely((void *)(th + 1) > end))
		return PARSED_GENERAL;
	length = ntohs(ip6->payload_len);
	BOUND(length, 0xffff);
	if (unlikely(length < tcp_header_length(th) || (void *)th + length > end ||
		     tcp_header_length(th) < TCP_HLEN))
		return PARSED_GENERAL;
	seg->v6 = 1;
	seg->s[0] = a[0];
	seg->s[1] = a[1];
	seg->d[0] = a[2];
	seg->d[1] = a[3];
	seg->ect = (((__u8 *)ip6)[1] >> 4) & 3;
	seg->payload = length - tcp_header_length(th);
	segment_from_tcp(seg, th);
	return PARSED_SEGMENT;
}

INLINE __u32 frame_length(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	/* Packet pointers: the compiler must not cut them to 32 bits. */
	barrier_var(data);
	barrier_var(end);
	return end - data;
}

#define IPV6_HEADERS_MAX 8

/* Skip extension headers; 0 and *offset, *protocol, or 1: not for us. */
INLINE int skip_extensions(struct xdp_md *ctx, __u32 *offset, __u8 *protocol)
{
	for (int i = 0; i < IPV6_HEADERS_MAX; i++) {
		__u8 next[4];

		if (!is_extension(*protocol)) /* TCP, a fragment, or something else */
			return *protocol != IPPROTO_TCP;
		if (bpf_xdp_load_bytes(ctx, *offset, next, sizeof(next)))
			return 1;
		/* Segments left: this host is not the last (RFC 8200 4.4). */
		if (*protocol == IPPROTO_ROUTING && next[3])
			return 1;
		*offset += *protocol == IPPROTO_AH ? (next[1] + 2) * 4 : (next[1] + 1) * 8;
		*protocol = next[0];
	}
	return 1;
}

INLINE enum parsed general_ipv4(struct xdp_md *ctx, struct porch_scratch *scratch, struct segment *seg,
				struct general *g, __u32 *length)
{
	struct iphdr *ip = (void *)scratch->frame;
	__u32 header;
	__s64 sum;

	if (bpf_xdp_load_bytes(ctx, g->l3, ip, sizeof(*ip)))
		return PARSED_OTHER;
	header = (*(__u8 *)ip & 15) * 4;
	if ((*(__u8 *)ip >> 4) != 4 || header < IPV4_HLEN || ip->protocol != IPPROTO_TCP ||
	    (ip->frag_off & CONST_HTONS(IP_FRAGMENTED)))
		return PARSED_OTHER;
	header &= 60; /* for the verifier: says what is known */
	if (header < IPV4_HLEN || bpf_xdp_load_bytes(ctx, g->l3, scratch->frame, header))
		return PARSED_OTHER;
	sum = bpf_csum_diff(0, 0, (__be32 *)scratch->frame, header, 0);
	g->bad_checksum = csum_fold(sum & 0xffffffff) != 0;
	seg->v6 = 0;
	seg->s[0] = seg->d[0] = MAPPED_HIGH;
	seg->s[1] = MAPPED_LOW(ip->saddr);
	seg->d[1] = MAPPED_LOW(ip->daddr);
	seg->ect = ip->tos & 3;
	*length = ntohs(ip->tot_len);
	g->l4 = g->l3 + header;
	return PARSED_SEGMENT;
}

INLINE enum parsed general_ipv6(struct xdp_md *ctx, struct porch_scratch *scratch, struct segment *seg,
				struct general *g, __u32 *length)
{
	struct ipv6hdr *ip6 = (void *)scratch->frame;
	const __u64 *a = (void *)&ip6->saddr;
	__u8 protocol;

	if (bpf_xdp_load_bytes(ctx, g->l3, ip6, sizeof(*ip6)))
		return PARSED_OTHER;
	if ((*(__u8 *)ip6 >> 4) != 6 || IS_MAPPED(a[2], a[3]))
		return PARSED_OTHER;
	seg->v6 = 1;
	seg->s[0] = a[0];
	seg->s[1] = a[1];
	seg->d[0] = a[2];
	seg->d[1] = a[3];
	seg->ect = (((__u8 *)ip6)[1] >> 4) & 3;
	*length = ntohs(ip6->payload_len) + IPV6_HLEN;
	protocol = ip6->nexthdr;
	g->l4 = g->l3 + IPV6_HLEN;
	return skip_extensions(ctx, &g->l4, &protocol) ? PARSED_OTHER : PARSED_SEGMENT;
}

INLINE enum parsed parse_general(struct xdp_md *ctx, struct porch_scratch *scratch, struct segment *seg,
				 struct general *g)
{
	struct tcphdr *th = (void *)scratch->frame;
	__u32 length = 0;
	enum parsed parsed;
	__be16 type;

	g->frame = frame_length(ctx);
	g->l3 = ETH_HLEN;
	g->bad_header = g->bad_checksum = g->options_known = 0; /* scratch holds the last packet's */
	if (bpf_xdp_load_bytes(ctx, g->l3 - 2, &type, 2))
		return PARSED_OTHER;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (type != CONST_HTONS(ETH_P_8021Q) && type != CONST_HTONS(ETH_P_8021AD))
			break;
		g->l3 += VLAN_HLEN;
		if (bpf_xdp_load_bytes(ctx, g->l3 - 2, &type, 2))
			return PARSED_OTHER;
	}
	if (type == CONST_HTONS(ETH_P_IP))
		parsed = general_ipv4(ctx, scratch, seg, g, &length);
	else if (type == CONST_HTONS(ETH_P_IPV6))
		parsed = general_ipv6(ctx, scratch, seg, g, &length);
	else
		return PARSED_OTHER;
	if (parsed != PARSED_SEGMENT)
		return parsed;

	if (bpf_xdp_load_bytes(ctx, g->l4, th, TCP_HLEN)) {
		if (bpf_xdp_load_bytes(ctx, g->l4, th, 4))
			return PARSED_OTHER;
		seg->ports = *(__be32 *)th;
		seg->sport = ntohs(th->source);
		seg->dport = ntohs(th->dest);
		return PARSED_SHORT;
	}
	segment_from_tcp(seg, th);
	seg->l3 = g->l3;
	seg->l4 = g->l4;
	g->header = tcp_header_length(th);
	g->length = g->l3 + length - g->l4;
	g->bad_header = g->header < TCP_HLEN || g->l4 + g->header > g->l3 + length || g->l3 + length > g->frame;
	return PARSED_SEGMENT;
}

#endif /* PORCH_BPF_PARSE_H */
