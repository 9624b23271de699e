/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The second half of the journey, for deliver=afxdp: whose is the segment; does
 * it begin something; or has the tuple's last connection the word? Global
 * functions in a row, as those of the first half.
 */
#ifndef PORCH_BPF_HANDED_H
#define PORCH_BPF_HANDED_H

/* deliver=afxdp: whose is it? */
__noinline int porch_holder(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct steering to = {};
	enum verdict v;

	if (!scratch || !h)
		return XDP_PASS;
	v = holder(ctx, scratch, h, &to);
	if (likely(v == STEER))
		return steer(ctx, &scratch->general, &to);
	if (v == GO_ON)
		return scratch->proof.flow == PORCH_NO_FLOW || next_life_is_possible(scratch)
			       ? LOOK_FOR_PROOF
			       : LOOK_AT_OLD_LIFE;
	return v == REFUSE ? XDP_DROP : XDP_PASS;
}

/* deliver=afxdp: nobody's. Is it the beginning of something? */
__noinline int porch_admit(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct steering to = {};
	struct porch_listener_entry *l;
	struct segment *seg;
	struct general *g;
	enum verdict v;
	__u32 flags;

	if (!scratch || !h)
		return XDP_PASS;
	seg = &scratch->segment;
	g = &scratch->general;
	l = listener_at(g->listener);
	if (!l || l->protect != PORCH_PROTECT_ALWAYS)
		return XDP_PASS;
	if (!g->options_known && porch_options(ctx))
		return XDP_DROP;
	flags = seg->flags & FLAGS_OF_STATE;
	if (is_final_ack(flags))
		v = admit(ctx, scratch, l, h, &to);
	else
		v = on_stray(seg, flags, g->listener, l, h, scratch);
	if (v == STEER)
		return steer(ctx, g, &to);
	if (v == UNKNOWN)
		return scratch->proof.flow == PORCH_NO_FLOW ? LOOK_UP : LOOK_AT_OLD_LIFE;
	return xdp_action(v, l);
}

/* deliver=afxdp: the tuple's last connection, CLOSING or in TIME-WAIT, has it. */
__noinline int porch_old_life(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct steering to = {};
	struct porch_steer *s;

	if (!scratch || !h)
		return XDP_PASS;
	s = steer_at(scratch->proof.flow);
	if (!s)
		return XDP_DROP;
	if (steer_phase(s) != PORCH_PHASE_TIME_WAIT)
		return steer_back(ctx, scratch, s, &to) == STEER ? steer(ctx, &scratch->general, &to)
								 : XDP_DROP;
	if (!scratch->general.options_known && porch_options(ctx))
		return XDP_DROP;
	return time_wait(ctx, scratch, h);
}

__noinline int porch_icmp(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();

	return scratch ? icmp(ctx, scratch, scratch->segment.v6) : XDP_PASS;
}

#endif /* PORCH_BPF_HANDED_H */
