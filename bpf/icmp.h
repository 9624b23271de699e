/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors that quote a segment of a HANDED flow go to its holder: the
 * kernel has no socket for them. Whether the quoted sequence number was ever
 * sent is for the engine to say (RFC 5927). All other ICMP passes untouched.
 */
#ifndef PORCH_BPF_ICMP_H
#define PORCH_BPF_ICMP_H

/* Unreachable (too big among them), time exceeded, parameter problem. */
INLINE int icmp_is_error(int v6, __u8 type)
{
	return v6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

/* The outer header: 0 and g->l4, g->length; or 1: pass. */
INLINE int icmp_outer(struct xdp_md *ctx, struct porch_scratch *scratch, struct general *g, int v6)
{
	struct ipv6hdr *ip6 = (void *)scratch->frame;
	struct iphdr *ip = (void *)scratch->frame;
	__u32 header = v6 ? IPV6_HLEN : IPV4_HLEN, length;

	if (v6) {
		if (bpf_xdp_load_bytes(ctx, g->l3, ip6, IPV6_HLEN) || (*(__u8 *)ip6 >> 4) != 6)
			return 1;
		length = ntohs(ip6->payload_len);
	} else {
		if (bpf_xdp_load_bytes(ctx, g->l3, ip, IPV4_HLEN) || *(__u8 *)ip != 0x45 ||
		    (ip->frag_off & CONST_HTONS(IP_FRAGMENTED)) || csum_fold(csum_5((void *)ip)))
			return 1;
		length = ntohs(ip->tot_len);
		if (length < IPV4_HLEN)
			return 1;
		length -= IPV4_HLEN;
	}
	g->l4 = g->l3 + header;
	g->length = length;
	return g->l4 + length > frame_length(ctx);
}

/* The quoted segment, which we have sent: its flow's key. 0, or 1: pass. */
INLINE int icmp_quoted(struct xdp_md *ctx, struct porch_scratch *scratch, const struct general *g, int v6,
		       struct flow_key *k)
{
	__u32 at = g->l4 + ICMP_HLEN, header = IPV6_HLEN;
	struct ipv6hdr *ip6 = (void *)scratch->frame;
	struct iphdr *ip = (void *)scratch->frame;
	const __u64 *a = (void *)&ip6->saddr;
	__be16 ports[4]; /* and the sequence number: what every error quotes */

	if (bpf_xdp_load_bytes(ctx, at, scratch->frame, v6 ? IPV6_HLEN : IPV4_HLEN))
		return 1;
	if (v6) {
		if ((*(__u8 *)ip6 >> 4) != 6 || ip6->nexthdr != IPPROTO_TCP || IS_MAPPED(a[0], a[1]))
			return 1;
		k->d[0] = a[0];
		k->d[1] = a[1];
		k->s[0] = a[2];
		k->s[1] = a[3];
	} else {
		header = (*(__u8 *)ip & 15) * 4;
		if ((*(__u8 *)ip >> 4) != 4 || header < IPV4_HLEN || ip->protocol != IPPROTO_TCP ||
		    (ip->frag_off & CONST_HTONS(IP_FRAGMENTED & ~0x2000)))
			return 1;
		k->s[0] = k->d[0] = MAPPED_HIGH;
		k->d[1] = MAPPED_LOW(ip->saddr);
		k->s[1] = MAPPED_LOW(ip->daddr);
	}
	if (at + header + sizeof(ports) > g->l4 + g->length ||
	    bpf_xdp_load_bytes(ctx, at + header, ports, sizeof(ports)))
		return 1;
	k->ports = ports[1] | (__u32)ports[0] << 16;
	return 0;
}

/* An XDP action. scratch->general.l3 is set. */
INLINE int icmp(struct xdp_md *ctx, struct porch_scratch *scratch, int v6)
{
	struct general *g = &scratch->general;
	struct flow_key *k = &scratch->key;
	struct porch_listener_entry *l = 0;
	struct steering to = { .kind = PORCH_RECORD_ICMP };
	struct porch_steer *s;
	struct porch_flow *f;
	__u64 word;
	__u8 type;
	long found;

	if (icmp_outer(ctx, scratch, g, v6) || bpf_xdp_load_bytes(ctx, g->l4, &type, 1) ||
	    !icmp_is_error(v6, type) || icmp_quoted(ctx, scratch, g, v6, k))
		return XDP_PASS;
	g->listener = listener_find(k->d, ntohs(k->ports >> 16), &l);
	if (!g->listener)
		return XDP_PASS;
	flow_hash(k, v6);
	found = flow_find(k);
	f = found >= 0 ? flow_at(found) : 0;
	s = found >= 0 ? steer_at(found) : 0;
	if (!f || !s || f->state != PORCH_FLOW_HANDED)
		return XDP_PASS;
	to.flow = found;
	to.serial = steer_serial(s);
	word = steer_word(s, to.serial);
	if (phase_is_over(PORCH_STEER_PHASE(word)))
		return XDP_PASS;
	to.slot = steer_slot(ctx,
			     PORCH_STEER_PHASE(word) == PORCH_PHASE_STEERED ? PORCH_STEER_WORKER(word) : 0);
	return to.slot == NO_SLOT ? XDP_PASS : steer(ctx, g, &to);
}

#endif /* PORCH_BPF_ICMP_H */
