// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The state every row begins with, and the hands that change it. */
#include "harness.h"

#include <stdlib.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

#define LISTENERS_TOUCHED  16 /* listeners that a row may use */
#define ADDRESS_MULTIPLIER 0x9e3779b97f4a7c15ull

#define FD(map)		   bpf_map__fd(harness_skeleton()->maps.map)

static void zero_elements(struct bpf_map *map, __u32 count, size_t size)
{
	void *zeros = calloc(1, size);

	for (__u32 i = 0; i < count; i++)
		bpf_map_update_elem(bpf_map__fd(map), &i, zeros, BPF_ANY);
	free(zeros);
}

static void empty(struct bpf_map *map)
{
	__u8 key[64];

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		if (bpf_map_delete_elem(bpf_map__fd(map), key))
			break;
}

/* 2048 single updates would cost a millisecond a row. */
static void zero_budget(void)
{
	static struct porch_budget zeros[PORCH_BUDGET_SLOTS];
	static __u32 keys[PORCH_BUDGET_SLOTS];
	__u32 n = PORCH_BUDGET_SLOTS;

	for (__u32 i = 0; i < n; i++)
		keys[i] = i;
	bpf_map_update_batch(FD(porch_budget), keys, zeros, &n, NULL);
}

static void world_keys(void)
{
	struct porch_keys k = {};

	k.master[0] = (struct porch_master){ .key = { { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } },
					     .from_epoch = EPOCH_START - 10,
					     .id = 1 };
	keys_set(&k);
}

static __u32 wire;

void world_wire(__u32 ifindex)
{
	wire = ifindex;
}

void world_forget(void)
{
	int cpus = libbpf_num_possible_cpus();

	zero_elements(harness_skeleton()->maps.porch_counters, 1, sizeof(struct porch_counters) * cpus);
	zero_elements(harness_skeleton()->maps.porch_stats, LISTENERS_TOUCHED,
		      sizeof(struct porch_stats) * cpus);
}

void world_reset(void)
{
	int cpus = libbpf_num_possible_cpus();
	__u8 address[16];

	memset(world.host, 0, sizeof(*world.host));
	memset(world.listeners, 0, sizeof(*world.listeners) * LISTENERS_TOUCHED);
	memset(world.ports, 0, sizeof(*world.ports));
	memset(world.addrs, 0, sizeof(*world.addrs));
	memset(world.flows, 0, sizeof(*world.flows) * world.sets * PORCH_SET_WAYS);
	memset(world.steer, 0, sizeof(*world.steer) * world.sets * PORCH_SET_WAYS);
	memset(world.tags, 0, sizeof(*world.tags) * world.sets);
	memset(world.queues, 0, sizeof(*world.queues) * LISTENERS_TOUCHED);
	run_ifindex = 1;
	run_queue = 0;
	world_forget();
	zero_elements(harness_skeleton()->maps.porch_unknown, 1, 8 * cpus);
	zero_elements(harness_skeleton()->maps.porch_ifaces, 3, sizeof(struct porch_iface));
	zero_budget();
	empty(harness_skeleton()->maps.porch_half_open);
	empty(harness_skeleton()->maps.porch_deny);
	empty(harness_skeleton()->maps.porch_routes);
	*world.host = (struct porch_host){ .tick = TICK_START,
					   .epoch = EPOCH_START,
					   .tcp_timestamps = 1,
					   .tcp_sack = 1,
					   .tcp_window_scaling = 1,
					   .tcp_ecn = 2,
					   .ttl = 64,
					   .hop_limit = 64,
					   .rcv_wscale = SCALE,
					   .rcv_space = SPACE,
					   .half_open_seconds = 60,
					   .layout = PORCH_LAYOUT };
	world.addrs->multiplier = ADDRESS_MULTIPLIER;
	for (int v6 = 0; v6 < 2; v6++) {
		address_server(address, v6, 1);
		address_add(address);
	}
	iface_set(1, MSS4, MSS6);
	if (wire)
		iface_set(wire, MSS4, MSS6);
	world_keys();
	tick_once(); /* derives the epoch keys */
	listener_add(LISTENER, NULL, PORT, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_STATELESS);
}

void well(struct porch_listener_entry *l, int v6)
{
	l->health[v6] = PORCH_HEALTH_WELL;
	l->probe_tick[v6] = world.host->tick;
}

struct porch_listener_entry *listener_add(__u32 index, const __u8 *address, __u16 port, __u8 protect, __u8 regime)
{
	struct porch_listener_entry *l = &world.listeners[index];
	__u8 *first = &world.ports->listener[port];

	memset(l, 0, sizeof(*l));
	if (address)
		memcpy(l->address, address, 16);
	l->any_address = !address;
	l->port = port;
	l->protect = protect;
	l->regime = regime;
	for (int v6 = 0; v6 < 2; v6++)
		well(l, v6);
	l->syn_rate = 1000000;
	l->calm_since = world.host->tick;
	l->next = *first == index ? 0 : *first;
	l->used = 1;
	*first = index;
	return l;
}

void address_add(const __u8 address[16])
{
	__u64 half[2];
	struct porch_addr *slot;

	memcpy(half, address, 16);
	slot = &world.addrs->slot[porch_addr_slot(world.addrs->multiplier, half[0], half[1])];
	harness_must(!slot->address[15] && !slot->address[12], "two test addresses share a slot");
	memcpy(slot->address, address, 16);
}

void deny_add(const __u8 address[16], __u32 length)
{
	struct porch_prefix p = { .length = length };
	__u32 one = 1;

	memcpy(p.address, address, 16);
	harness_must(!bpf_map_update_elem(FD(porch_deny), &p, &one, BPF_ANY), "porch_deny");
	world.host->flags |= PORCH_HOST_DENY;
}

void route_add(const __u8 address[16], __u32 length, __u16 mss)
{
	struct porch_prefix p = { .length = length };
	struct porch_route r = { .mss = mss };

	memcpy(p.address, address, 16);
	harness_must(!bpf_map_update_elem(FD(porch_routes), &p, &r, BPF_ANY), "porch_routes");
	world.host->flags |= PORCH_HOST_ROUTES;
}

void iface_set(__u32 ifindex, __u16 mss4, __u16 mss6)
{
	struct porch_iface i = { .ifindex = ifindex, .mss4 = mss4, .mss6 = mss6 };
	__u32 slot = ifindex & (PORCH_IFACE_SLOTS - 1);

	bpf_map_update_elem(FD(porch_ifaces), &slot, &i, BPF_ANY);
}

void keys_get(struct porch_keys *k)
{
	__u32 zero = 0;

	bpf_map_lookup_elem(FD(porch_keys), &zero, k);
}

void keys_set(const struct porch_keys *k)
{
	__u32 zero = 0;

	bpf_map_update_elem(FD(porch_keys), &zero, k, BPF_ANY);
}

void tick_once(void)
{
	struct porch_tick_args args = { .keep_time = 1 };

	harness_must(run_syscall("porch_tick_once", &args, sizeof(args)) == 0, "porch_tick_once");
}

/* Time that only cookies feel: regimes do not fall in it. */
void clock_epoch(__u32 epoch)
{
	world.host->epoch = epoch;
	for (int i = 1; i < LISTENERS_TOUCHED; i++)
		world.listeners[i].calm_since = world.host->tick;
	tick_once();
}

void clock_forward(__u32 ticks)
{
	__u32 per_epoch = PORCH_EPOCH_SECONDS * PORCH_TICKS_PER_SEC;
	__u32 since = world.host->tick - TICK_START + ticks;

	world.host->tick += ticks;
	clock_epoch(EPOCH_START + since / per_epoch);
}

int half_open_get(const struct porch_tuple *t, struct porch_half_open *e)
{
	return bpf_map_lookup_elem(FD(porch_half_open), t, e);
}

void half_open_put(const struct porch_tuple *t, const struct porch_half_open *e)
{
	bpf_map_update_elem(FD(porch_half_open), t, e, BPF_ANY);
}

void half_open_forget(const struct porch_tuple *t)
{
	bpf_map_delete_elem(FD(porch_half_open), t);
}

__u32 half_open_count(void)
{
	struct porch_tuple key, next;
	__u32 n = 0;
	int rc = bpf_map_get_next_key(FD(porch_half_open), NULL, &next);

	while (!rc) {
		n++;
		key = next;
		rc = bpf_map_get_next_key(FD(porch_half_open), &key, &next);
	}
	return n;
}

void stats_get(__u32 listener, struct porch_stats *s)
{
	int cpus = libbpf_num_possible_cpus();
	struct porch_stats *all = calloc(cpus, sizeof(*all));

	memset(s, 0, sizeof(*s));
	bpf_map_lookup_elem(FD(porch_stats), &listener, all);
	for (int i = 0; i < cpus; i++) {
		const __u64 *from = (const void *)&all[i];
		__u64 *to = (void *)s;

		for (size_t w = 0; w < offsetof(struct porch_stats, window_tick) / 8; w++)
			to[w] += from[w];
	}
	free(all);
}

__u32 flows_in_state(int state)
{
	__u32 n = 0;

	for (__u32 i = 0; i < world.sets * PORCH_SET_WAYS; i++)
		n += world.flows[i].state == state;
	return n;
}

struct porch_flow *flow_of(const struct porch_tuple *t)
{
	for (__u32 i = 0; i < world.sets * PORCH_SET_WAYS; i++) {
		struct porch_flow *f = &world.flows[i];

		if (f->state != PORCH_FLOW_FREE && !memcmp(f->remote, t->remote, 16) &&
		    !memcmp(f->local, t->local, 16) && f->remote_port == t->remote_port &&
		    f->local_port == t->local_port)
			return f;
	}
	return NULL;
}

struct porch_tuple tuple_of(const struct packet *p)
{
	struct porch_tuple t = { .remote_port = p->sport, .local_port = p->dport };

	memcpy(t.remote, p->source, 16);
	memcpy(t.local, p->dest, 16);
	return t;
}
