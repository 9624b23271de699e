// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_xdp.h>

#include "xdp.h"

#include "handshake.skel.h"

#define TICK_NS		   (TCP_SECOND / PORCH_TICKS_PER_SEC)
#define ADDRESS_MULTIPLIER 0x9e3779b97f4a7c15ull
#define HALF_OPEN_SECONDS  64 /* porch.conf's default is as long as five SYN-ACKs take */

static const struct {
	size_t at;
	const char *name;
} mapped_maps[] = {
	{ offsetof(struct xdp, host), "porch_host" },
	{ offsetof(struct xdp, listeners), "porch_listeners" },
	{ offsetof(struct xdp, ports), "porch_ports" },
	{ offsetof(struct xdp, addrs), "porch_addrs" },
	{ offsetof(struct xdp, flows), "porch_flows" },
	{ offsetof(struct xdp, steer), "porch_steer" },
	{ offsetof(struct xdp, queues), "porch_queues" },
};
#define MAPPED (sizeof(mapped_maps) / sizeof(mapped_maps[0]))

static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), element = (bpf_map__value_size(map) + 7) & ~7u;

	return (element * bpf_map__max_entries(map) + page - 1) & ~(page - 1);
}

static int map_all(struct xdp *x)
{
	for (size_t i = 0; i < MAPPED; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(x->skel->obj, mapped_maps[i].name);
		void *at =
			mmap(NULL, mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

		if (at == MAP_FAILED)
			return -errno;
		*(void **)((char *)x + mapped_maps[i].at) = at;
	}
	return 0;
}

/* Who loads them wants to know why not; who asked for `auto` is told in one line. */
static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static int load(struct xdp *x)
{
	struct bpf_program *p;
	struct stat ns;
	int r;

	libbpf_set_print(quiet);
	x->skel = handshake__open();
	if (!x->skel || stat("/proc/self/ns/net", &ns))
		return -errno;
	x->skel->rodata->porch_test_clock = true;
	x->skel->rodata->netns_inum = (__u32)ns.st_ino;
	x->skel->rodata->flow_set_mask = XDP_SETS - 1;
	x->skel->rodata->flow_hash_mix = 0x9e3779b97f4a7c15ull;
	for (int i = 0; i < 16; i++)
		x->skel->rodata->flow_hash_key[i] = 0x85ebca6bu * (__u32)(i + 1);
	bpf_map__set_max_entries(x->skel->maps.porch_flow_tags, XDP_SETS);
	bpf_map__set_max_entries(x->skel->maps.porch_flows, XDP_SETS * PORCH_SET_WAYS);
	bpf_map__set_max_entries(x->skel->maps.porch_steer, XDP_SETS * PORCH_SET_WAYS);
	bpf_map__set_max_entries(x->skel->maps.porch_half_open, XDP_HALF_OPEN);
	bpf_object__for_each_program (p, x->skel->obj)
		bpf_program__set_autoload(p, p == x->skel->progs.porch_xdp ||
						     p == x->skel->progs.porch_tick_once);
	r = handshake__load(x->skel);
	return r ? r : map_all(x);
}

/* The map takes a socket that has an RX ring; it need not be bound. */
static int slots(struct xdp *x)
{
	int entries = 8, fd = bpf_map__fd(x->skel->maps.porch_xsks);

	for (__u32 slot = 0; slot < 2; slot++) {
		int s = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

		if (s < 0)
			return -errno;
		x->sockets[slot] = s;
		if (setsockopt(s, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)) ||
		    bpf_map_update_elem(fd, &slot, &s, BPF_ANY))
			return -errno;
	}
	return 0;
}

static void tick(struct xdp *x)
{
	struct porch_tick_args args = { .keep_time = 1 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = &args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(bpf_program__fd(x->skel->progs.porch_tick_once), &o))
		perror("porch_packetdrill: porch_tick_once");
}

static int furnish(struct drill *d)
{
	struct porch_iface i = { .ifindex = XDP_IFINDEX,
				 .mss4 = (__u16)(d->mtu - 40),
				 .mss6 = (__u16)(d->mtu - 60),
				 .xsk_queues = 1 };
	struct porch_keys keys = { .master[0] = { .key = { { 1, 2 } }, .id = 1 } };
	__u32 zero = 0, slot = XDP_IFINDEX % PORCH_IFACE_SLOTS;
	struct xdp *x = d->xdp;

	*x->host = (struct porch_host){ .tcp_timestamps = 1,
					.tcp_sack = 1,
					.tcp_window_scaling = 1,
					.tcp_ecn = 2,
					.ttl = 64,
					.hop_limit = 64,
					.rcv_wscale = PORCH_AFXDP_WSCALE,
					.rcv_space = 65536,
					.half_open_seconds = HALF_OPEN_SECONDS,
					.layout = PORCH_LAYOUT,
					.afxdp = 1 };
	x->addrs->multiplier = ADDRESS_MULTIPLIER;
	if (bpf_map_update_elem(bpf_map__fd(x->skel->maps.porch_ifaces), &slot, &i, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(x->skel->maps.porch_keys), &zero, &keys, BPF_ANY))
		return -errno;
	world_now(d);
	return 0;
}

int xdp_open(struct drill *d)
{
	int r;

	d->xdp = calloc(1, sizeof(*d->xdp));
	if (!d->xdp)
		return -ENOMEM;
	d->xdp->sockets[0] = d->xdp->sockets[1] = -1;
	r = load(d->xdp);
	if (!r)
		r = slots(d->xdp);
	if (!r)
		r = furnish(d);
	if (r)
		xdp_close(d);
	return r;
}

void xdp_close(struct drill *d)
{
	struct xdp *x = d->xdp;

	if (!x)
		return;
	for (size_t i = 0; i < MAPPED; i++) {
		void *at = *(void **)((char *)x + mapped_maps[i].at);

		if (at)
			munmap(at,
			       mapped_size(bpf_object__find_map_by_name(x->skel->obj, mapped_maps[i].name)));
	}
	for (int i = 0; i < 2; i++) {
		if (x->sockets[i] >= 0)
			close(x->sockets[i]);
	}
	handshake__destroy(x->skel);
	free(x);
	d->xdp = NULL;
}

void world_now(struct drill *d)
{
	uint32_t now = (uint32_t)(d->now / TICK_NS);
	struct xdp *x = d->xdp;

	x->host->test_clock_ms = (uint32_t)(d->now / TCP_MS);
	x->host->daemon_tick = now;
	if (x->host->tick != now) {
		/* what half-open table and flow table sweep at the full second, and the epoch's keys */
		x->host->epoch = (uint32_t)((DRILL_WALL + d->now / TCP_SECOND) / PORCH_EPOCH_SECONDS);
		x->host->tick = now - now % PORCH_TICKS_PER_SEC;
		tick(x);
		x->host->tick = now;
	}
	for (uint32_t i = 1; i <= d->listeners_used; i++) {
		const struct sock *s = d->listeners[i].sock;
		struct porch_queue *q = &x->queues[i];

		q->workers = !!s;
		q->depth = s ? s->depth : 0;
		q->limit = s ? s->backlog : 0;
		x->listeners[i].mss = 0;
		if (s && s->o.maxseg && s->o.maxseg < d->mtu - 60u)
			x->listeners[i].mss = (uint16_t)s->o.maxseg;
	}
}

void world_address(struct xdp *x, const uint8_t address[16])
{
	uint64_t half[2];

	memcpy(half, address, sizeof(half));
	memcpy(x->addrs->slot[porch_addr_slot(x->addrs->multiplier, half[0], half[1])].address, address, 16);
}

/* Those of one port in a chain, an address in front of `*`. */
void xdp_listeners(struct drill *d)
{
	struct xdp *x = d->xdp;

	for (uint32_t i = 1; i <= d->listeners_used; i++)
		x->ports->listener[d->listeners[i].port] = 0;
	for (int any = 1; any >= 0; any--) {
		for (uint32_t i = 1; i <= d->listeners_used; i++) {
			const struct listener *l = &d->listeners[i];
			struct porch_listener_entry *e = &x->listeners[i];

			if (l->any != any)
				continue;
			if (!e->used)
				*e = (struct porch_listener_entry){ .port = l->port,
								    .used = 1,
								    .any_address = l->any,
								    .deliver = PORCH_DELIVER_AFXDP,
								    .protect = PORCH_PROTECT_ALWAYS,
								    .regime = PORCH_REGIME_TRACKED,
								    .syn_rate = 1000000,
								    .rcv_space = 65536,
								    .rcv_wscale = PORCH_AFXDP_WSCALE };
			memcpy(e->address, l->address, sizeof(e->address));
			e->next = x->ports->listener[l->port];
			x->ports->listener[l->port] = (__u8)i;
		}
	}
}

int world_run(struct xdp *x, const uint8_t *frame, uint32_t length, uint8_t out[4096], uint32_t *n,
	      uint32_t *meta)
{
	struct xdp_md md = { .data_end = length, .ingress_ifindex = XDP_IFINDEX };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = length, .data_out = out,
		    .data_size_out = 4096, .ctx_in = &md, .ctx_size_in = sizeof(md), .ctx_out = &md,
		    .ctx_size_out = sizeof(md));

	if (bpf_prog_test_run_opts(bpf_program__fd(x->skel->progs.porch_xdp), &o))
		return -errno;
	*n = o.data_size_out;
	*meta = md.data;
	return (int)o.retval;
}

int world_half_open(struct xdp *x, const struct porch_tuple *t, struct porch_half_open *ret)
{
	return bpf_map_lookup_elem(bpf_map__fd(x->skel->maps.porch_half_open), t, ret) ? -errno : 0;
}
