/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The half-open table (tracked regime): what exactly was agreed with whom, for
 * the final ACK, for porchd's retransmissions and for people. Its ISN is a
 * cookie too, so a lost entry loses no handshake.
 */
#ifndef PORCH_BPF_HALF_OPEN_H
#define PORCH_BPF_HALF_OPEN_H

INLINE void half_open_key(struct porch_tuple *t, const struct flow_key *k)
{
	__builtin_memcpy(t->remote, k->s, 16);
	__builtin_memcpy(t->local, k->d, 16);
	t->remote_port = ntohs(k->ports & 0xffff);
	t->local_port = ntohs(k->ports >> 16);
}

INLINE struct porch_half_open *half_open_find(const struct flow_key *k)
{
	struct porch_tuple t;

	half_open_key(&t, k);
	return bpf_map_lookup_elem(&porch_half_open, &t);
}

INLINE int half_open_remove(const struct flow_key *k)
{
	struct porch_tuple t;

	half_open_key(&t, k);
	return bpf_map_delete_elem(&porch_half_open, &t);
}

/* The sender's MAC and tags, for a SYN-ACK that is sent later. */
INLINE void half_open_link(struct xdp_md *ctx, struct porch_half_open *e)
{
	__be16 w[2] = {};

	bpf_xdp_load_bytes(ctx, 6, e->remote_mac, 6);
	e->tags[0] = e->tags[1] = NO_TAG;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (bpf_xdp_load_bytes(ctx, 12 + i * VLAN_HLEN, w, 4))
			return;
		if (w[0] != CONST_HTONS(ETH_P_8021Q) && w[0] != CONST_HTONS(ETH_P_8021AD))
			return;
		e->tags[i] = vlan_tag(w[0], w[1]);
	}
}

/* -E2BIG: the table is full, and a full table is a sign of attack. */
INLINE int half_open_insert(struct xdp_md *ctx, const struct flow_key *k, struct porch_half_open *e)
{
	struct porch_tuple t;

	half_open_key(&t, k);
	half_open_link(ctx, e);
	e->ifindex = ctx->ingress_ifindex;
	e->born_us = clock_ns() / 1000;
	return bpf_map_update_elem(&porch_half_open, &t, e, BPF_ANY);
}

#endif /* PORCH_BPF_HALF_OPEN_H */
