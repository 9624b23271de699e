/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time, where ticks are too coarse: CLOCK_MONOTONIC in nanoseconds. */
#ifndef PORCH_BPF_CLOCK_H
#define PORCH_BPF_CLOCK_H

/* Set before loading by tests whose time is not the kernel's. A constant else:
 * the verifier takes out what depends on it. */
const volatile bool porch_test_clock;

INLINE __u64 clock_ns(void)
{
	if (porch_test_clock) {
		const volatile struct porch_host *h = host_settings();

		return h ? h->test_clock_ms * 1000000ull : 0;
	}
	return bpf_ktime_get_ns();
}

#endif /* PORCH_BPF_CLOCK_H */
