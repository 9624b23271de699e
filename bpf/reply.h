/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SYN-ACK. reply_in_place() turns a SYN of a usual layout into its answer
 * without moving a byte: same length, same option layout, other values.
 * reply_general() writes any other: it sets the length at the head of the
 * frame (growing at the tail fails where a driver leaves no room there) and
 * writes every octet.
 */
#ifndef PORCH_BPF_REPLY_H
#define PORCH_BPF_REPLY_H

#define FLAGS_SYNACK (TCP_SYN | TCP_ACK)

/* Octets 12 to 15 of the TCP header as one word: offset, flags, window. */
INLINE __u32 tcp_word3(__u32 header, __u8 options, __u16 window)
{
	__u32 flags = FLAGS_SYNACK | (options & PORCH_OPT_ECN ? TCP_ECE : 0);

	return htonl((header / 4) << 28 | flags << 16 | window);
}

INLINE void swap_macs(void *data)
{
	__u32 *w = data;
	__u16 *h = data;
	__u32 d0 = w[0], s1 = *(__u32 *)(data + 8);
	__u16 d2 = h[2], s0 = h[3];

	h[0] = s0;
	*(__u32 *)(data + 2) = s1;
	*(__u32 *)(data + 6) = d0;
	h[5] = d2;
}

INLINE void write_ipv4(struct iphdr *ip, const struct segment *seg, const struct porch_host *h, __u32 length)
{
	__u32 *w = (void *)ip;

	w[0] = CONST_HTONL(0x45000000) | (__u32)htons(length) << 16;
	w[1] = CONST_HTONL(IP_DF);
	w[2] = (__u32)IPPROTO_TCP << 8 | h->ttl;
	w[3] = seg->d[1] >> 32;
	w[4] = seg->s[1] >> 32;
	ip->check = csum_fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

INLINE void write_ipv6(struct ipv6hdr *ip6, const struct segment *seg, const struct porch_host *h, __u32 payload)
{
	__u32 *w = (void *)ip6;
	__u64 *a = (void *)&ip6->saddr;

	w[0] = CONST_HTONL(0x60000000);
	w[1] = (__u32)htons(payload) | (__u32)IPPROTO_TCP << 16 | (__u32)h->hop_limit << 24;
	a[0] = seg->d[0];
	a[1] = seg->d[1];
	a[2] = seg->s[0];
	a[3] = seg->s[1];
}

/* The fixed 20 octets; returns their sum, checksum field being zero. */
INLINE __u64 write_tcp(void *th, const struct segment *seg, const struct reply *r, __u32 header)
{
	__u32 *w = th;

	w[0] = seg->ports >> 16 | seg->ports << 16;
	w[1] = htonl(r->iss);
	w[2] = htonl(seg->seq + 1);
	w[3] = tcp_word3(header, r->options, r->window);
	w[4] = 0;
	return csum_4(w);
}

/* `data`, `ip`: the pointers that were parsed; new ones would have to be checked again. */
INLINE enum verdict reply_in_place(void *data, void *ip, const struct segment *seg, const struct porch_host *h,
				   const struct reply *r, enum layout layout)
{
	struct tcphdr *th = ip + (seg->v6 ? IPV6_HLEN : IPV4_HLEN);
	__u32 header = tcp_header_length(th); /* 32, 40 or 44: options_usual() saw to it */
	__u32 mss = OPT_MSS_WORD(r->mss), scale = OPT_WSCALE_WORD(r->wscale);
	__u32 *o = (void *)(th + 1);
	__u64 sum = csum_pseudo(seg, header);

	swap_macs(data);
	if (seg->v6)
		write_ipv6(ip, seg, h, header);
	else
		write_ipv4(ip, seg, h, IPV4_HLEN + header);
	sum += write_tcp(th, seg, r, header);
	o[0] = mss;
	sum += mss;
	sum += scale; /* stands on a word boundary in every layout */
	switch (layout) {
	case LAYOUT_WINDOWS:
		o[1] = scale;
		sum += OPT_NOP_NOP_SACK;
		break;
	case LAYOUT_LINUX_PLAIN:
		o[2] = scale;
		sum += OPT_NOP_NOP_SACK;
		break;
	case LAYOUT_LINUX:
		o[3] = o[2];
		o[2] = htonl(r->tsval);
		o[4] = scale;
		sum += (__u64)OPT_SACK_TS + o[2] + o[3];
		break;
	case LAYOUT_BSD:
		o[1] = scale;
		o[4] = o[3];
		o[3] = htonl(r->tsval);
		sum += (__u64)OPT_SACK_TS + o[3] + o[4];
		break;
	default: /* LAYOUT_APPLE */
		o[1] = scale;
		o[4] = o[3];
		o[3] = htonl(r->tsval);
		sum += (__u64)OPT_NOP_NOP_TS + OPT_SACK_EOL + o[3] + o[4];
		break;
	}
	th->check = csum_fold(sum);
	return ANSWER;
}

/* Canonical options into `o`: at most 20 octets. Returns their number. */
INLINE __u32 write_options(__u32 *o, const struct segment *seg, const struct reply *r)
{
	__u32 n = 1;

	o[0] = OPT_MSS_WORD(r->mss);
	if (r->options & PORCH_OPT_TIMESTAMPS) {
		o[1] = r->options & PORCH_OPT_SACK ? OPT_SACK_TS : OPT_NOP_NOP_TS;
		o[2] = htonl(r->tsval);
		o[3] = htonl(seg->tsval);
		n = 4;
	} else if (r->options & PORCH_OPT_SACK) {
		o[1] = OPT_NOP_NOP_SACK;
		n = 2;
	}
	if (r->options & PORCH_OPT_WSCALE) {
		o[n & 7] = OPT_WSCALE_WORD(r->wscale);
		n++;
	}
	return n * 4;
}

INLINE enum verdict no_room(__u32 index)
{
	struct porch_counters *c = counters();
	struct porch_stats *s = stats_of(index);

	if (c && s) {
		c->synack_sent--;
		s->synack_sent--;
	}
	return refuse(index, PORCH_REASON_NO_ROOM);
}

/*
 * Give the packet the length of a reply whose TCP header takes `header` octets,
 * and write Ethernet, tags and IP. Where TCP begins, or 0: no room.
 */
INLINE void *reply_begin(struct xdp_md *ctx, const struct segment *seg, const struct porch_host *h,
			 struct porch_scratch *scratch, const struct general *g, __u32 header)
{
	__u32 l3 = g->l3, length = l3 + (seg->v6 ? IPV6_HLEN : IPV4_HLEN) + header;
	void *data, *end;

	/* Ethernet and tags move with the head. */
	if (bpf_xdp_load_bytes(ctx, 0, scratch->frame, ETH_HLEN + 2 * VLAN_HLEN) ||
	    bpf_xdp_adjust_head(ctx, (int)g->frame - (int)length))
		return 0;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN + 2 * VLAN_HLEN > end)
		return 0;
	__builtin_memcpy(data, scratch->frame, ETH_HLEN + 2 * VLAN_HLEN);
	swap_macs(data);
	BOUND(l3, 31); /* 14, 18 or 22 */
	data += l3;
	if (seg->v6) {
		if (data + IPV6_HLEN > end)
			return 0;
		write_ipv6(data, seg, h, header);
		data += IPV6_HLEN;
	} else {
		if (data + IPV4_HLEN > end)
			return 0;
		write_ipv4(data, seg, h, IPV4_HLEN + header);
		data += IPV4_HLEN;
	}
	return data + TCP_HLEN > end ? 0 : data;
}

INLINE enum verdict reply_general(struct xdp_md *ctx, const struct segment *seg, const struct porch_host *h,
				  const struct reply *r, struct porch_scratch *scratch, const struct general *g,
				  __u32 index)
{
	__u32 options[8] = {}, header;
	void *th, *end;
	__u64 sum;

	header = TCP_HLEN + write_options(options, seg, r);
	th = reply_begin(ctx, seg, h, scratch, g, header);
	if (!th)
		return no_room(index);
	end = (void *)(long)ctx->data_end;
	if (th + TCP_HLEN > end) /* checked, but the verifier has forgotten */
		return no_room(index);
	sum = csum_pseudo(seg, header);
	sum += write_tcp(th, seg, r, header);
	sum += csum_5(options);
	((struct tcphdr *)th)->check = csum_fold(sum);
	th += TCP_HLEN;
#pragma unroll
	for (int i = 0; i < 5; i++) {
		if (th + 4 * i + 4 > end)
			break;
		((__u32 *)th)[i] = options[i];
	}
	COUNT(synack_slow);
	return ANSWER;
}

#endif /* PORCH_BPF_REPLY_H */
