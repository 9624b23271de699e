/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one periodic timer, ten times a second: reads the clocks so that packets
 * need not, derives epoch keys ahead of time, sums SYN rates over CPUs, lets
 * regimes fall, sweeps what has expired.
 */
#ifndef PORCH_BPF_TICK_H
#define PORCH_BPF_TICK_H

#define TICK_NS (1000000000ull / PORCH_TICKS_PER_SEC)
#define CLOCK_BOOTTIME 7
#define CPUS_MAX 256
#define SWEEP_SETS_MIN 256

/* Key of epoch e = SipHash(master, e|0), SipHash(master, e|1). */
INLINE void epoch_key_derive(struct porch_keys *keys, __u32 epoch)
{
	struct porch_key *key = &keys->epoch_key[epoch & (PORCH_EPOCH_KEYS - 1)];
	struct porch_master *m = &keys->master[PORCH_MASTERS - 1];

	for (int i = PORCH_MASTERS - 1; i >= 0; i--) {
		/* newest first in the table; the newest that has begun wins */
		if ((keys->master[i].key.k[0] | keys->master[i].key.k[1]) &&
		    (__s32)(epoch - keys->master[i].from_epoch) >= 0)
			m = &keys->master[i];
	}
#pragma unroll
	for (int half = 0; half < 2; half++) {
		struct sip s;

		sip_init(&s, &m->key);
		sip_word(&s, epoch);
		sip_word(&s, half);
		key->k[half] = sip_end(&s, 0, 16);
	}
	keys->derived[epoch & (PORCH_EPOCH_KEYS - 1)] = epoch;
}

/* Previous, present and next epoch; `all`: even those derived before. */
__noinline int epoch_keys(struct porch_keys *keys, __u32 epoch, int all)
{
	if (!keys)
		return 0;
	for (int i = 0; i < 3; i++) {
		__u32 e = epoch + i - 1;

		if (all || keys->derived[e & (PORCH_EPOCH_KEYS - 1)] != e)
			epoch_key_derive(keys, e);
	}
	return 0;
}

struct sum_syns {
	__u32 listener;
	__u64 total;
};

static long sum_cpu(__u32 cpu, void *ctx)
{
	struct sum_syns *sum = ctx;
	struct porch_stats *s = bpf_map_lookup_percpu_elem(&porch_stats, &sum->listener, cpu);

	if (!s)
		return 1;
	sum->total += s->syn_received;
	return 0;
}

struct listeners {
	struct porch_host *h;
	__u8 afxdp; /* some have deliver=afxdp */
};

static long tick_listener(__u32 i, void *ctx)
{
	struct listeners *all = ctx;
	struct porch_host *h = all->h;
	struct sum_syns sum = { .listener = i + 1 };
	struct porch_listener_entry *l = listener_at(sum.listener);
	__u32 tick, fresh;

	if (!h || !l)
		return 1;
	if (!l->used)
		return 0;
	all->afxdp |= l->deliver == PORCH_DELIVER_AFXDP;
	tick = h->tick;
	bpf_loop(CPUS_MAX, sum_cpu, &sum, 0);
	/* a moving second: nine tenths of the old figure, one tenth of ten times the new */
	fresh = (sum.total - l->syn_total) * PORCH_TICKS_PER_SEC;
	l->syn_total = sum.total;
	/* rounded towards the new figure, or a steady rate would never be reached */
	l->syn_per_second = (l->syn_per_second * 9ull + fresh + (fresh > l->syn_per_second ? 9 : 0)) / 10;
	if (l->protect == PORCH_PROTECT_OFF)
		return 0;
	if (l->syn_per_second > l->syn_rate)
		regime_arm(l, tick);
	if (l->regime != PORCH_REGIME_STATELESS)
		return 0;
	if (l->syn_per_second * 4 >= l->syn_rate) {
		l->calm_since = tick;
	} else if (tick - l->calm_since >= CALM_TICKS) {
		l->regime = l->protect == PORCH_PROTECT_ALWAYS ? PORCH_REGIME_TRACKED : PORCH_REGIME_KERNEL;
		COUNT(regime_down);
	}
	return 0;
}

struct sweep {
	struct porch_host *h;
	__u32 found;
};

static long sweep_half_open(void *map, const struct porch_tuple *t, struct porch_half_open *e,
			    struct sweep *sweep)
{
	struct porch_host *h = sweep->h;

	if (h && (__s32)(h->tick - e->expires) >= 0) {
		bpf_map_delete_elem(&porch_half_open, t);
		COUNT(half_open_expired);
	} else {
		sweep->found++;
	}
	return 0;
}

/* A HANDED flow may have a new owner between the look and the end, so it is
 * taken first and looked at again. */
INLINE int flow_is_over(struct porch_flow *f, __u32 index, __u32 tick)
{
	struct porch_steer *s;

	if (!flow_expired(f, index, tick))
		return 0;
	if (!flow_seize(f, PORCH_FLOW_HANDED))
		return f->state != PORCH_FLOW_HANDED && flow_expired(f, index, tick);
	s = steer_at(index);
	if (s && handed_expired(f, s, tick))
		return 1;
	flow_yield(f, PORCH_FLOW_HANDED);
	return 0;
}

/* One way of the table that somebody has. 1: it was over, and is free. */
__noinline int sweep_way(__u32 index, __u32 tick)
{
	struct porch_flow *f = flow_at(index);

	if (!f || !flow_is_over(f, index, tick))
		return 0;
	flow_free(index);
	COUNT(flows_expired);
	return 1;
}

static long sweep_set(__u32 i, void *ctx)
{
	struct sweep *sweep = ctx;
	struct porch_host *h = sweep->h;
	__u64 *w, ways;
	__u32 set;

	if (!h)
		return 1;
	set = (h->sweep_set + i) & flow_set_mask;
	w = bpf_map_lookup_elem(&porch_flow_tags, &set);
	ways = w ? *w : 0;
	if (!ways)
		return 0;
	/* no loop: 6.1 takes some that clang turns round for endless */
#pragma unroll
	for (int way = 0; way < PORCH_SET_WAYS; way++) {
		if (ways >> way * 16 & 0xffff)
			sweep->found += !sweep_way(set * PORCH_SET_WAYS + way, h->tick);
	}
	return 0;
}

/* The whole table once in about six seconds. */
INLINE void sweep_flows(struct porch_host *h)
{
	struct sweep sweep = { .h = h };
	__u32 sets = (flow_set_mask + 1) / 64;

	if (sets < SWEEP_SETS_MIN)
		sets = SWEEP_SETS_MIN;
	if (sets > flow_set_mask + 1)
		sets = flow_set_mask + 1;
	bpf_loop(sets, sweep_set, &sweep, 0);
	h->sweep_flows += sweep.found;
	h->sweep_set += sets;
	if (h->sweep_set > flow_set_mask) {
		h->sweep_set = 0;
		h->flows = h->sweep_flows;
		h->sweep_flows = 0;
	}
}

__noinline int tick_work(struct porch_host *h)
{
	struct listeners all = { .h = h };
	struct sweep sweep = { .h = h };

	if (!h)
		return 0;
	bpf_loop(PORCH_LISTENERS_MAX - 1, tick_listener, &all, 0);
	h->afxdp = all.afxdp;
	if (h->half_open && h->tick % PORCH_TICKS_PER_SEC == 0) {
		bpf_for_each_map_elem(&porch_half_open, sweep_half_open, &sweep, 0);
		h->half_open = sweep.found;
	}
	sweep_flows(h);
	return 0;
}

INLINE void tick_clocks(struct porch_host *h, struct porch_keys *keys, int all)
{
	__u32 tick = bpf_ktime_get_boot_ns() / TICK_NS;
	__u32 epoch = (bpf_ktime_get_tai_ns() + h->wall_offset) / (PORCH_EPOCH_SECONDS * 1000000000ull);

	epoch_keys(keys, epoch, all);
	h->epoch = epoch;
	h->tick = tick;
}

static int tick_fired(void *map, int *key, struct porch_tick_state *t)
{
	struct porch_host *h = host_settings();
	__u32 zero = 0;
	struct porch_keys *keys = bpf_map_lookup_elem(&porch_keys, &zero);

	if (h && keys) {
		tick_clocks(h, keys, 0);
		tick_work(h);
	}
	bpf_timer_start(&t->timer, TICK_NS, 0);
	return 0;
}

/* Set the clocks, derive all keys anew, start the timer unless it runs. */
INLINE int tick_arm(void)
{
	__u32 zero = 0;
	struct porch_tick_state *t = bpf_map_lookup_elem(&porch_timer, &zero);
	struct porch_keys *keys = bpf_map_lookup_elem(&porch_keys, &zero);
	struct porch_host *h = host_settings();
	int rc;

	if (!t || !h || !keys)
		return -2;
	tick_clocks(h, keys, 1);
	if (t->armed)
		return 0;
	rc = bpf_timer_init(&t->timer, &porch_timer, CLOCK_BOOTTIME);
	if (rc)
		return rc;
	bpf_timer_set_callback(&t->timer, tick_fired);
	rc = bpf_timer_start(&t->timer, TICK_NS, 0);
	t->armed = !rc;
	return rc;
}

#endif /* PORCH_BPF_TICK_H */
