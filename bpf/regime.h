/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who answers SYNs: the kernel, porch with a half-open entry, or porch with
 * nothing stored. Up at once, on one CPU's burst or the timer's sum over CPUs;
 * down only by the timer (tick.h), after ten calm seconds.
 */
#ifndef PORCH_BPF_REGIME_H
#define PORCH_BPF_REGIME_H

#define CALM_TICKS (10 * PORCH_TICKS_PER_SEC)

__noinline int regime_arm(struct porch_listener_entry *l, __u32 tick)
{
	if (!l || l->regime == PORCH_REGIME_STATELESS)
		return 0;
	if (l->regime == PORCH_REGIME_KERNEL && l->protect != PORCH_PROTECT_ALWAYS)
		l->left_kernel = tick;
	l->calm_since = tick;
	l->regime = PORCH_REGIME_STATELESS;
	COUNT(regime_up);
	return 1;
}

/* Count this SYN in its CPU's window of one tick; twice the rate arms. */
INLINE void regime_syn(struct porch_listener_entry *l, struct porch_stats *s, __u32 tick)
{
	if (s->window_tick != tick) {
		s->window_tick = tick;
		s->window_syns = 0;
	}
	s->window_syns++;
	if (unlikely((__u64)s->window_syns * (PORCH_TICKS_PER_SEC / 2) > l->syn_rate) &&
	    l->regime != PORCH_REGIME_STATELESS)
		regime_arm(l, tick);
}

#endif /* PORCH_BPF_REGIME_H */
