/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A proven segment on its way to the kernel: XDP writes porch_meta in front of
 * the frame, the tc program (tc.h) reads it. A driver without room for metadata
 * raises a flag, and tc looks the flow up instead.
 */
#ifndef PORCH_BPF_DELIVER_H
#define PORCH_BPF_DELIVER_H

/* What a segment means to a flow that is proven and not yet delivered. */
INLINE __u8 meta_kind(const struct porch_flow *f, __u32 flags, __u32 seq, __u32 ack)
{
	if (flags & TCP_RST) /* exactly RCV.NXT, RFC 5961 3.2 */
		return seq == f->irs + 1 ? PORCH_META_RESET : PORCH_META_CHECK;
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_ACK && seq == f->irs + 1 && ack == f->iss + 1)
		return PORCH_META_PROOF;
	return PORCH_META_CHECK;
}

INLINE void deliver(struct xdp_md *ctx, const struct segment *seg, const struct proof *p, __u32 index,
		    struct porch_host *h)
{
	struct porch_meta *m;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*m))) {
		if (!(h->flags & PORCH_HOST_NO_META))
			__sync_fetch_and_or((__u32 *)&h->ttl, (__u32)PORCH_HOST_NO_META << 16);
		return;
	}
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 1) > (void *)(long)ctx->data)
		return;
	m->magic = PORCH_META_MAGIC;
	m->flow = p->flow;
	m->ts_val = p->ts_recent;
	m->ts_ecr = p->ts_ecr;
	m->mss = p->mss;
	m->options = p->options;
	m->wscale = p->wscale;
	m->kind = p->kind;
	m->listener = index;
	m->deferred = 0;
	m->tcp_offset = seg->l4 - seg->l3;
}

#endif /* PORCH_BPF_DELIVER_H */
