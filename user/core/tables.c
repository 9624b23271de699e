// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/err.h"
#include "core/pins.h"
#include "core/tables.h"
#include "core/util.h"

#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))

static int open_map(const char *dir, const char *name, size_t value_size, struct bpf_map_info *info,
		    struct porch_err *err)
{
	char path[2 * PORCH_PIN_PATH];
	__u32 size = sizeof(*info);
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s%s", path, strerror(-r),
				     r == -EACCES ? "; run as root" : "");
	}
	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &size)) {
		r = -errno;
		close(fd);
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	if (info->value_size != value_size) {
		close(fd);
		return porch_err_set(err, -EPROTO,
				     "%s: made by another version of porch; detach, then attach again", path);
	}
	return fd;
}

static size_t map_bytes(size_t value_size, __u32 n)
{
	return ROUND_UP(ROUND_UP(value_size, 8) * n, (size_t)sysconf(_SC_PAGESIZE));
}

static int map_memory(const char *dir, const char *name, size_t value_size, bool writable, void **ret,
		      __u32 *n, struct porch_err *err)
{
	struct bpf_map_info info;
	_cleanup_close_ int fd = open_map(dir, name, value_size, &info, err);
	void *memory;
	int r;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, map_bytes(value_size, info.max_entries),
		      writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		r = -errno;
		return porch_err_set(err, r, "%s/%s: mmap: %s", dir, name, strerror(-r));
	}
	*ret = memory;
	*n = info.max_entries;
	return 0;
}

static void unmap(void *memory, size_t value_size, __u32 n)
{
	if (memory)
		munmap(memory, map_bytes(value_size, n));
}

int porch_tables_open(struct porch_tables *ret, const char *dir, bool writable, struct porch_err *err)
{
	struct porch_tables t = PORCH_TABLES_INIT;
	struct bpf_map_info info;
	const struct {
		const char *name;
		size_t size;
		void **memory;
	} arrays[] = {
		{ "porch_host", sizeof(*t.host), (void **)&t.host },
		{ "porch_ports", sizeof(*t.ports), (void **)&t.ports },
		{ "porch_listeners", sizeof(*t.listeners), (void **)&t.listeners },
		{ "porch_addrs", sizeof(*t.addrs), (void **)&t.addrs },
		{ "porch_flow_tags", sizeof(*t.flow_tags), (void **)&t.flow_tags },
		{ "porch_flows", sizeof(*t.flows), (void **)&t.flows },
		{ "porch_steer", sizeof(*t.steer), (void **)&t.steer },
		{ "porch_queues", sizeof(*t.queues), (void **)&t.queues },
		{ "porch_slots", sizeof(*t.slots), (void **)&t.slots },
		{ "porch_ifaces", sizeof(*t.ifaces), (void **)&t.ifaces },
	};
	const struct {
		const char *name;
		size_t size;
		int *fd;
	} others[] = {
		{ "porch_keys", sizeof(struct porch_keys), &t.keys_fd },
		{ "porch_stats", sizeof(struct porch_stats), &t.stats_fd },
		{ "porch_counters", sizeof(struct porch_counters), &t.counters_fd },
		{ "porch_deny", sizeof(__u32), &t.deny_fd },
		{ "porch_routes", sizeof(struct porch_route), &t.routes_fd },
		{ "porch_half_open", sizeof(struct porch_half_open), &t.half_open_fd },
		{ "porch_xsks", sizeof(__u32), &t.xsks_fd },
	};
	__u32 n = 0;
	size_t i;
	int r = 0;

	t.writable = writable;
	t.cpus = libbpf_num_possible_cpus();
	if (t.cpus < 0)
		return porch_err_set(err, t.cpus, "/sys/devices/system/cpu/possible: %s", strerror(-t.cpus));
	for (i = 0; !r && i < ARRAY_SIZE(arrays); i++) {
		r = map_memory(dir, arrays[i].name, arrays[i].size, writable, arrays[i].memory, &n, err);
		if (!r && arrays[i].memory == (void **)&t.flows)
			t.n_flows = n;
	}
	for (i = 0; !r && i < ARRAY_SIZE(others); i++) {
		*others[i].fd = open_map(dir, others[i].name, others[i].size, &info, err);
		r = *others[i].fd < 0 ? *others[i].fd : 0;
		if (!r && others[i].fd == &t.half_open_fd)
			t.n_half_open = info.max_entries;
	}
	/* 0: attach is still filling it */
	if (!r && t.host->layout && t.host->layout != PORCH_LAYOUT)
		r = porch_err_set(err, -EPROTO,
				  "%s: made by a porch of layout %u, this one is of layout %u; detach, "
				  "then attach again",
				  dir, t.host->layout, PORCH_LAYOUT);
	if (r) {
		porch_tables_close(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void porch_tables_close(struct porch_tables *t)
{
	const int fds[] = { t->keys_fd, t->stats_fd,  t->counters_fd, t->half_open_fd,
			    t->deny_fd, t->routes_fd, t->xsks_fd };
	static const struct porch_tables none = PORCH_TABLES_INIT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	unmap(t->host, sizeof(*t->host), 1);
	unmap(t->ports, sizeof(*t->ports), 1);
	unmap(t->listeners, sizeof(*t->listeners), PORCH_LISTENERS_MAX);
	unmap(t->addrs, sizeof(*t->addrs), 1);
	unmap(t->flow_tags, sizeof(*t->flow_tags), t->n_flows / PORCH_SET_WAYS);
	unmap(t->flows, sizeof(*t->flows), t->n_flows);
	unmap(t->steer, sizeof(*t->steer), t->n_flows);
	unmap(t->queues, sizeof(*t->queues), PORCH_LISTENERS_MAX);
	unmap(t->slots, sizeof(*t->slots), PORCH_SLOTS);
	unmap(t->ifaces, sizeof(*t->ifaces), PORCH_IFACE_SLOTS);
	*t = none;
}

/* Sums the first `n` of the __u64 in a per-CPU value of `size` octets. */
static int sum_cpus(const struct porch_tables *t, int fd, __u32 key, size_t size, __u64 *sum, size_t n)
{
	size_t stride = ROUND_UP(size, 8), i;
	_cleanup_free_ char *values = calloc(t->cpus, stride);
	const __u64 *value;
	int cpu;

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, values))
		return -errno;
	memset(sum, 0, n * sizeof(*sum));
	for (cpu = 0; cpu < t->cpus; cpu++) {
		value = (const void *)(values + cpu * stride);
		for (i = 0; i < n; i++)
			sum[i] += value[i];
	}
	return 0;
}

int porch_tables_counters(const struct porch_tables *t, struct porch_counters *ret)
{
	return sum_cpus(t, t->counters_fd, 0, sizeof(*ret), (__u64 *)ret, sizeof(*ret) / sizeof(__u64));
}

int porch_tables_stats(const struct porch_tables *t, __u32 index, struct porch_stats *ret)
{
	struct porch_stats stats = {};
	int r;

	/* what follows is each CPU's own window */
	r = sum_cpus(t, t->stats_fd, index, sizeof(stats), (__u64 *)&stats,
		     offsetof(struct porch_stats, window_tick) / sizeof(__u64));
	if (!r)
		*ret = stats;
	return r;
}

int porch_tables_stats_clear(const struct porch_tables *t, __u32 index)
{
	_cleanup_free_ struct porch_stats *zero = calloc(t->cpus, ROUND_UP(sizeof(*zero), 8));

	if (!zero)
		return -ENOMEM;
	return bpf_map_update_elem(t->stats_fd, &index, zero, BPF_ANY) ? -errno : 0;
}

int porch_tables_half_open(const struct porch_tables *t,
			   int (*fn)(const struct porch_tuple *key, const struct porch_half_open *value,
				     void *arg),
			   void *arg)
{
	/* no smaller than the longest chain of a hash bucket, or the kernel says -ENOSPC */
	__u32 room = 4096, n, i, position = 0;
	_cleanup_free_ struct porch_tuple *keys = calloc(room, sizeof(*keys));
	_cleanup_free_ struct porch_half_open *values = calloc(room, sizeof(*values));
	bool first = true, last = false;
	int r = 0;

	if (!keys || !values)
		return -ENOMEM;
	while (!last) {
		n = room;
		if (bpf_map_lookup_batch(t->half_open_fd, first ? NULL : &position, &position, keys, values,
					 &n, NULL)) {
			if (errno != ENOENT)
				return -errno;
			last = true;
		}
		first = false;
		for (i = 0; i < n && !r; i++)
			r = fn(&keys[i], &values[i], arg);
		if (r)
			return r;
	}
	return 0;
}

int porch_tables_flows(const struct porch_tables *t,
		       int (*fn)(__u32 index, const struct porch_flow *flow, void *arg), void *arg)
{
	__u32 i;
	int r = 0;

	for (i = 0; i < t->n_flows && !r; i++) {
		struct porch_flow flow;

		if (!(t->flow_tags[i / PORCH_SET_WAYS] >> (i % PORCH_SET_WAYS * 16) & 0xffff))
			continue;
		flow = t->flows[i];
		if (flow.state != PORCH_FLOW_FREE && flow.state != PORCH_FLOW_BUSY)
			r = fn(i, &flow, arg);
	}
	return r;
}
