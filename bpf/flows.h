/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: who is known, decided from one or two 64-bit words.
 *
 * A tuple has two candidate sets (porch_flow_tags words) and a fingerprint of
 * 15 bits. porch_flows holds the whole tuple behind each fingerprint; it is
 * read only when the word says "known, but not held by the kernel".
 *
 * The index must not be predictable (an attacker would fill one set with real
 * connections), so it is a keyed universal hash: NH (Black et al., UMAC) with
 * secret words, then multiply-shift. Cheaper than a second SipHash, and its
 * output never leaves the machine.
 */
#ifndef PORCH_BPF_FLOWS_H
#define PORCH_BPF_FLOWS_H

const volatile __u32 flow_set_mask;	 /* sets - 1; sets: a power of two */
const volatile __u32 flow_hash_key[16];	 /* random */
const volatile __u64 flow_hash_mix = 1; /* random, odd */

#define LANES 0x0001000100010001ull
#define LANE_TOPS 0x8000800080008000ull

#define FLOW_BUSY_NOW (-1) /* another CPU is writing it */
#define FLOW_NO_ROOM (-2)
#define FLOW_UNKNOWN (-3)

INLINE __u64 nh(__u32 a, __u32 b, int i)
{
	return (__u64)(__u32)(a + flow_hash_key[i]) * (__u32)(b + flow_hash_key[i + 1]);
}

INLINE void flow_hash(struct flow_key *k, int v6)
{
	__u64 h;

	if (v6)
		h = nh(k->s[0], k->s[0] >> 32, 2) + nh(k->s[1], k->s[1] >> 32, 4) +
		    nh(k->d[0], k->d[0] >> 32, 6) + nh(k->d[1], k->d[1] >> 32, 8) + nh(k->ports, 0, 10);
	else
		h = nh(k->s[1] >> 32, k->d[1] >> 32, 12) + nh(k->ports, 0, 14);
	h *= flow_hash_mix;
	h ^= h >> 29;
	k->fingerprint = h >> 49;
	k->fingerprint |= !k->fingerprint;
	k->set1 = (h >> 16) & flow_set_mask;
	k->set2 = (k->set1 ^ (k->fingerprint * 0x9e3779b1u >> 7)) & flow_set_mask;
}

INLINE void flow_key_of(struct flow_key *k, const struct segment *seg)
{
	k->s[0] = seg->s[0];
	k->s[1] = seg->s[1];
	k->d[0] = seg->d[0];
	k->d[1] = seg->d[1];
	k->ports = seg->ports;
	flow_hash(k, seg->v6);
}

/* Top bit of every lane of `word` whose fingerprint matches. The lowest one is
 * exact; a borrow may add false ones above it, which the callers tolerate. */
INLINE __u64 flow_match(__u64 word, __u32 fingerprint)
{
	__u64 x = (word & ~LANE_TOPS) ^ (fingerprint * LANES);

	return (x - LANES) & ~x & LANE_TOPS;
}

enum known {
	KNOWN_NOT,
	KNOWN_MAYBE, /* somebody with this fingerprint whom the kernel does not hold */
	KNOWN_HELD,  /* the kernel answers for it; once in 2^-12 for a stranger too */
};

INLINE enum known flow_peek(const struct flow_key *k)
{
	__u32 set1 = k->set1, set2 = k->set2;
	__u64 *w1 = bpf_map_lookup_elem(&porch_flow_tags, &set1);
	__u64 *w2 = bpf_map_lookup_elem(&porch_flow_tags, &set2);
	__u64 m1, m2;

	if (!w1 || !w2)
		return KNOWN_NOT;
	m1 = flow_match(*w1, k->fingerprint);
	m2 = flow_match(*w2, k->fingerprint);
	if (likely(!(m1 | m2)))
		return KNOWN_NOT;
	return ((*w1 & m1) | (*w2 & m2)) ? KNOWN_HELD : KNOWN_MAYBE;
}

INLINE struct porch_flow *flow_at(__u32 index)
{
	return bpf_map_lookup_elem(&porch_flows, &index);
}

INLINE int flow_is(const struct porch_flow *f, const struct flow_key *k)
{
	const __u64 *a = (const void *)f->remote, *b = (const void *)f->local;

	return a[0] == k->s[0] && a[1] == k->s[1] && b[0] == k->d[0] && b[1] == k->d[1] &&
	       f->remote_port == ntohs(k->ports & 0xffff) && f->local_port == ntohs(k->ports >> 16);
}

/*
 * The functions below are global, not static: the verifier looks at each once,
 * with arguments it knows nothing of, instead of anew at every call.
 */

/* Is way `way` of `set`, whose word is `word`, this tuple's? Its index, or < 0. */
INLINE long flow_try(const struct flow_key *k, __u32 set, __u64 word, __u32 way)
{
	struct porch_flow *f;
	__u8 state;

	if (((word >> way * 16) & PORCH_TAG_MASK) != k->fingerprint)
		return FLOW_UNKNOWN;
	f = flow_at(set * PORCH_SET_WAYS + way);
	if (!f)
		return FLOW_UNKNOWN;
	state = *(volatile __u8 *)&f->state;
	if (state == PORCH_FLOW_FREE || state == PORCH_FLOW_BUSY)
		return FLOW_BUSY_NOW;
	return flow_is(f, k) ? (long)(set * PORCH_SET_WAYS + way) : FLOW_UNKNOWN;
}

INLINE long flow_search(const struct flow_key *k)
{
	long busy = FLOW_UNKNOWN;

#pragma nounroll
	for (int i = 0; i < 2 * PORCH_SET_WAYS; i++) {
		__u32 set = i < PORCH_SET_WAYS ? k->set1 : k->set2;
		__u64 *w = bpf_map_lookup_elem(&porch_flow_tags, &set);
		long found;

		if (!w)
			return FLOW_UNKNOWN;
		found = flow_try(k, set, *(volatile __u64 *)w, i % PORCH_SET_WAYS);
		if (found >= 0)
			return found;
		if (found == FLOW_BUSY_NOW)
			busy = found;
	}
	return busy;
}

/* Index of the flow; FLOW_BUSY_NOW or FLOW_UNKNOWN. */
__noinline long flow_find(const struct flow_key *k)
{
	return k ? flow_search(k) : FLOW_UNKNOWN;
}

#endif /* PORCH_BPF_FLOWS_H */
