/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How one path of porch_xdp hands a segment to the next: what is known is in scratch. */
#ifndef PORCH_BPF_FURTHER_H
#define PORCH_BPF_FURTHER_H

/*
 * What a path says when another one has to go on. No XDP actions.
 * LOOK_AGAIN: parse the frame with parse_general(); LOOK_AT_OPTIONS: segment
 * and listener are in scratch, only the options are unknown; LOOK_UP: it is
 * from nobody we know, key, listener and reason are in scratch.
 * For deliver=afxdp, with segment and listener in scratch: LOOK_FOR_HOLDER: a
 * HANDED flow may have it; LOOK_FOR_PROOF: none has, or one that is CLOSING or
 * in TIME-WAIT (scratch->proof.flow); LOOK_AT_OLD_LIFE: that one, for it proves
 * nothing.
 * LOOK_AT_ICMP: scratch->general.l3 is where its IP header is.
 */
#define LOOK_AGAIN (-1)
#define LOOK_AT_OPTIONS (-2)
#define LOOK_UP (-3)
#define LOOK_FOR_HOLDER (-4)
#define LOOK_FOR_PROOF (-5)
#define LOOK_AT_OLD_LIFE (-6)
#define LOOK_AT_ICMP (-7)

/* Leave what is known of a segment for a function that looks further: returns `look`. */
INLINE int look_further(struct xdp_md *ctx, const struct segment *seg, const struct tcphdr *th, __u32 index,
			int options_known, int look)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct general *g;

	if (!scratch)
		return XDP_PASS;
	g = &scratch->general;
	scratch->segment = *seg;
	g->frame = frame_length(ctx);
	g->l3 = seg->l3;
	g->l4 = seg->l4;
	g->header = tcp_header_length(th);
	g->length = g->header + seg->payload;
	g->listener = index;
	g->options_known = options_known;
	return look;
}

/* The options of the segment in scratch, whatever their layout. 0, or 1: it is
 * shorter than its header says, and refused. */
__noinline int porch_options(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return 1;
	if (!options_walk(ctx, scratch, &scratch->general, &scratch->segment)) {
		scratch->general.options_known = 1;
		return 0;
	}
	count_refusal(scratch->general.listener, PORCH_REASON_BAD_HEADER);
	return 1;
}

#endif /* PORCH_BPF_FURTHER_H */
