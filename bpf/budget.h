/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two budgets. Replies: SYN-ACKs per second to one source prefix, so that a
 * spoofed victim never gets more than host.reply_rate from us. Unknown
 * segments: how many the kernel may see per tick and CPU, so that a connection
 * we lost track of heals while a flood of ACKs cannot buy kernel time.
 */
#ifndef PORCH_BPF_BUDGET_H
#define PORCH_BPF_BUDGET_H

/* 0: over the budget. Racing CPUs may let a few more through. */
INLINE int budget_reply(const struct segment *seg, const struct porch_host *h)
{
	/* /24 and /64; the multiplier spreads neighbours over the table */
	__u64 prefix = seg->v6 ? seg->s[0] : (seg->s[1] >> 32) & 0xffffff;
	__u32 slot = (prefix * 0x9e3779b97f4a7c15ull) >> 53;
	__u32 second = h->tick / PORCH_TICKS_PER_SEC;
	struct porch_budget *b;

	if (!h->reply_rate)
		return 1;
	slot &= PORCH_BUDGET_SLOTS - 1;
	b = bpf_map_lookup_elem(&porch_budget, &slot);
	if (!b)
		return 1;
	if (b->second != second) {
		b->second = second;
		b->spent = 0;
	}
	return b->spent++ < h->reply_rate;
}

/* How many unknown segments this CPU has met in this tick, this one included. */
INLINE __u32 budget_unknown(__u32 tick)
{
	__u32 zero = 0;
	struct unknown_window *w = bpf_map_lookup_elem(&porch_unknown, &zero);

	if (!w)
		return ~0u;
	if (w->tick != tick) {
		w->tick = tick;
		w->spent = 0;
	}
	return ++w->spent;
}

#endif /* PORCH_BPF_BUDGET_H */
