// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loading, running, and the state of the world; rows.c has the sentences. */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

struct world world;

static struct handshake *skel;

/* A verifier log is megabytes long; what went wrong stands at its end. */
static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text = NULL;
	int n;

	if (level != LIBBPF_WARN)
		return 0;
	n = vasprintf(&text, format, args);
	if (n > 0)
		fprintf(stderr, "%s", n > 1500 ? text + n - 1500 : text);
	free(text);
	return n;
}

void harness_must(int ok, const char *what)
{
	if (ok)
		return;
	printf("# %s: %s\nnot ok 1 - the object loads\n0 passed, 1 failed\n", what, strerror(errno));
	exit(1);
}

static void *map_memory(struct bpf_map *map)
{
	size_t page = sysconf(_SC_PAGESIZE), element = (bpf_map__value_size(map) + 7) & ~7u;
	size_t size = (element * bpf_map__max_entries(map) + page - 1) & ~(page - 1);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	harness_must(at != MAP_FAILED, bpf_map__name(map));
	return at;
}

static void own_namespace(void)
{
	static int done;

	if (done++)
		return;
	if (geteuid()) {
		printf("# needs root: loads BPF programs\n0 passed, 0 failed, 1 skipped\n");
		exit(0);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(quiet);
	harness_must(!unshare(CLONE_NEWNET), "a network namespace of its own");
}

void harness_load(const struct harness_options *o)
{
	struct stat ns;

	own_namespace();
	if (skel)
		handshake__destroy(skel); /* mappings of the old maps stay until exit */
	skel = handshake__open();
	harness_must(!!skel, "open");
	harness_must(!stat("/proc/self/ns/net", &ns), "/proc/self/ns/net");
	skel->rodata->netns_inum = ns.st_ino;
	skel->rodata->flow_set_mask = o->flow_sets - 1;
	skel->rodata->flow_hash_mix = 0x9e3779b97f4a7c15ull;
	for (int i = 0; i < 16; i++)
		skel->rodata->flow_hash_key[i] = 0x85ebca6bu * (i + 1);
	bpf_map__set_max_entries(skel->maps.porch_flow_tags, o->flow_sets);
	bpf_map__set_max_entries(skel->maps.porch_flows, o->flow_sets * PORCH_SET_WAYS);
	bpf_map__set_max_entries(skel->maps.porch_steer, o->flow_sets * PORCH_SET_WAYS);
	bpf_map__set_max_entries(skel->maps.porch_half_open, o->half_open_max);
	harness_must(!handshake__load(skel), "load");
	world = (struct world){
		.host = map_memory(skel->maps.porch_host),
		.listeners = map_memory(skel->maps.porch_listeners),
		.ports = map_memory(skel->maps.porch_ports),
		.addrs = map_memory(skel->maps.porch_addrs),
		.flows = map_memory(skel->maps.porch_flows),
		.steer = map_memory(skel->maps.porch_steer),
		.queues = map_memory(skel->maps.porch_queues),
		.ifaces = map_memory(skel->maps.porch_ifaces),
		.tags = map_memory(skel->maps.porch_flow_tags),
		.sets = o->flow_sets,
	};
}

struct handshake *harness_skeleton(void)
{
	return skel;
}

int probe_well_listeners;
__u32 run_ifindex = 1, run_queue;

static void keep_well(void)
{
	for (int i = 1; i < PORCH_LISTENERS_MAX; i++) {
		struct porch_listener_entry *l = &world.listeners[i];

		for (int v6 = 0; l->used && v6 < 2; v6++)
			if (l->health[v6] == PORCH_HEALTH_WELL && !l->accept_queue_full)
				l->probe_tick[v6] = world.host->tick;
	}
}

int run_xdp(const struct frame *in, struct frame *out)
{
	struct xdp_md md = { .data = in->meta,
			     .data_end = in->length,
			     .ingress_ifindex = run_ifindex,
			     .rx_queue_index = run_queue };
	struct frame copy;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in->bytes, .data_size_in = in->length,
		    .data_out = copy.bytes, .data_size_out = sizeof(copy.bytes), .ctx_in = &md,
		    .ctx_size_in = sizeof(md), .ctx_out = &md, .ctx_size_out = sizeof(md));

	if (!probe_well_listeners)
		keep_well();
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.porch_xdp), &o))
		return -errno;
	out->length = o.data_size_out;
	out->meta = md.data;
	memcpy(out->bytes, copy.bytes, o.data_size_out);
	return o.retval;
}

int run_tc(const struct frame *in, struct frame *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in->bytes, .data_size_in = in->length,
		    .data_out = out->bytes, .data_size_out = sizeof(out->bytes));

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.porch_tc), &o))
		return RUN_FAILED;
	out->length = o.data_size_out;
	out->meta = 0;
	return o.retval;
}

int run_syscall(const char *program, void *args, __u32 size)
{
	struct bpf_program *p = bpf_object__find_program_by_name(skel->obj, program);
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = size);

	if (!p || bpf_prog_test_run_opts(bpf_program__fd(p), &o))
		return -errno;
	return (int)o.retval;
}
