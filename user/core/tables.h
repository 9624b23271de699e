/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Typed access to the maps of a namespace. Arrays that BPF declares mmapable
 * are plain memory here; the others are read and written by calls.
 */
#ifndef PORCH_CORE_TABLES_H
#define PORCH_CORE_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include <porch/maps.h>

struct porch_err;
struct porch_pins;

struct porch_tables {
	/* mmapped; read-only without write access */
	struct porch_host *host;
	struct porch_ports *ports;
	struct porch_listener_entry *listeners;	/* PORCH_LISTENERS_MAX; 0 is never used */
	struct porch_addrs *addrs;
	struct porch_flow *flows;
	__u64 *flow_tags;
	struct porch_steer *steer;	/* n_flows */
	struct porch_queue *queues;	/* PORCH_LISTENERS_MAX */
	struct porch_slot *slots;	/* PORCH_SLOTS */
	struct porch_iface *ifaces;	/* PORCH_IFACE_SLOTS */
	__u32 n_flows;		/* ways */
	__u32 n_half_open;	/* max_entries */
	bool writable;
	int cpus;
	int keys_fd, stats_fd, counters_fd, half_open_fd, deny_fd, routes_fd, xsks_fd;
};

#define PORCH_TABLES_INIT                                                                                    \
	{                                                                                                    \
		.keys_fd = -1, .stats_fd = -1, .counters_fd = -1, .half_open_fd = -1, .deny_fd = -1,         \
		.routes_fd = -1, .xsks_fd = -1                                                               \
	}

/* -EPROTO: pinned by a porch of another layout. `dir` holds the pinned maps. */
int porch_tables_open(struct porch_tables *tables, const char *dir, bool writable, struct porch_err *err);
void porch_tables_close(struct porch_tables *tables);

#define for_each_listener(tables, index)                                                                     \
	for ((index) = 1; (index) < PORCH_LISTENERS_MAX; (index)++)                                          \
		if (!(tables)->listeners[index].used) {                                                      \
		} else

/* Summed over all CPUs. 0 or -errno. */
int porch_tables_counters(const struct porch_tables *tables, struct porch_counters *ret);
int porch_tables_stats(const struct porch_tables *tables, __u32 index, struct porch_stats *ret);
int porch_tables_stats_clear(const struct porch_tables *tables, __u32 index);

/* Each entry until `fn` returns non-zero, which is returned then. */
int porch_tables_half_open(const struct porch_tables *tables,
			   int (*fn)(const struct porch_tuple *key, const struct porch_half_open *value, void *arg),
			   void *arg);
int porch_tables_flows(const struct porch_tables *tables,
		       int (*fn)(__u32 index, const struct porch_flow *flow, void *arg), void *arg);

/*
 * The deny list. Adding what is there and deleting what is not are told apart
 * from changes: 1 changed, 0 nothing to do, -errno (-ENOSPC: the list is full).
 */
int porch_deny_add(const struct porch_tables *tables, const struct porch_prefix *prefix);
int porch_deny_del(const struct porch_tables *tables, const struct porch_prefix *prefix);
int porch_deny_each(const struct porch_tables *tables, int (*fn)(const struct porch_prefix *prefix, void *arg),
		    void *arg);

#endif /* PORCH_CORE_TABLES_H */
