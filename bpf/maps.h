/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map: what it holds, how big, how long it lives, who writes and reads.
 *
 * All are pinned under /sys/fs/bpf/porch/<netns inode>/ by their own names and
 * live until the last interface of the namespace is detached. "porch" is the
 * CLI; "XDP", "tc", "tracepoint" and "timer" are the programs of this folder.
 * max_entries of the tables marked (sized) are set by porch before loading.
 */
#ifndef PORCH_BPF_MAPS_H
#define PORCH_BPF_MAPS_H

/* Clock and settings of the namespace. porch and the timer write, all read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_host);
} porch_host SEC(".maps");

/* Master keys (porch writes) and the epoch keys made of them (timer writes). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct porch_keys);
} porch_keys SEC(".maps");

/* Port -> first listener. porch writes, XDP, tc and tracepoint read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_ports);
} porch_ports SEC(".maps");

/* Configuration (porch writes) and run time (BPF writes) of each listener. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORCH_LISTENERS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_listener_entry);
} porch_listeners SEC(".maps");

/* Per listener and CPU: the counters of `porch status`. BPF writes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PORCH_LISTENERS_MAX);
	__type(key, __u32);
	__type(value, struct porch_stats);
} porch_stats SEC(".maps");

/* Per CPU: one counter per event and per refusal. BPF writes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct porch_counters);
} porch_counters SEC(".maps");

/* Addresses of this host. porch writes; the tracepoint adds. XDP reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_addrs);
} porch_addrs SEC(".maps");

/* What differs per interface. porch writes, porchd its two fields; XDP reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORCH_IFACE_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_iface);
} porch_ifaces SEC(".maps");

/* Fingerprints of flows, one word per set (sized). XDP, tc, tracepoint, timer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} porch_flow_tags SEC(".maps");

/* Flows, four per set (sized). XDP, tc and tracepoint write; people read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096 * PORCH_SET_WAYS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_flow);
} porch_flows SEC(".maps");

/* Where the segments of HANDED flows go, one entry per flow (sized). XDP writes
 * its half, porchd the other; entries of other flows are never touched. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096 * PORCH_SET_WAYS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_steer);
} porch_steer SEC(".maps");

/* Accept queues, by listener. porchd writes, XDP reads, people dump. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORCH_LISTENERS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_queue);
} porch_queues SEC(".maps");

/* AF_XDP sockets, by slot. porchd inserts, the kernel removes a closed one. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, PORCH_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} porch_xsks SEC(".maps");

/* What each slot of porch_xsks is, for people. porchd writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORCH_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct porch_slot);
} porch_slots SEC(".maps");

/*
 * Handshakes of the tracked regime (sized). XDP inserts and removes, the timer
 * sweeps. A plain hash: a full table refuses the newcomer, it never evicts.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct porch_tuple);
	__type(value, struct porch_half_open);
} porch_half_open SEC(".maps");

/* Sources whose SYNs are not answered. porch writes, XDP reads. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct porch_prefix);
	__type(value, __u32);
} porch_deny SEC(".maps");

/* Routes with an MSS of their own. porch writes, XDP reads. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct porch_prefix);
	__type(value, struct porch_route);
} porch_routes SEC(".maps");

/* SYN-ACKs per source prefix and second. XDP only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORCH_BUDGET_SLOTS);
	__type(key, __u32);
	__type(value, struct porch_budget);
} porch_budget SEC(".maps");

/* Unknown segments that each CPU has met in one tick. XDP only. */
struct unknown_window {
	__u32 tick;
	__u32 spent;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unknown_window);
} porch_unknown SEC(".maps");

/* Scratch of XDP: what would not fit its 512 octets of stack. */
struct porch_scratch {
	__u8 options[64 + 8];
	__u8 frame[128];
	struct flow_key key;
	struct segment segment;
	struct general general;
	struct reply reply;
	struct proof proof;
	struct porch_flow flow;
	struct porch_half_open half_open;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct porch_scratch);
} porch_scratch SEC(".maps");

/* The one periodic timer. It dies with the map. */
struct porch_tick_state {
	struct bpf_timer timer;
	__u32 armed;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct porch_tick_state);
} porch_timer SEC(".maps");

#endif /* PORCH_BPF_MAPS_H */
