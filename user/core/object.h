/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF object: opened, sized, given its constants, loaded; and what this kernel can do with it. */
#ifndef PORCH_CORE_OBJECT_H
#define PORCH_CORE_OBJECT_H

#include <stdbool.h>
#include <linux/types.h>

struct handshake;
struct porch_err;
struct xdp_program;

/* Constants in .rodata: one set per namespace, the same for every interface. */
struct porch_rodata {
	__u32 flow_set_mask;
	__u32 flow_hash_key[16];
	__u64 flow_hash_mix;
	__u32 netns_inum;
};

struct porch_sizes {
	__u32 flows;		/* connections wanted; the table has room for about twice as many */
	__u32 half_open;
};

/* bpf_sk_assign_tcp_reqsk() is in this kernel's BTF (6.9 and newer). */
bool porch_kernel_can_deliver(void);
/* BPF_PROG_TYPE_EXT loads: without it libxdp's dispatcher cannot work. */
bool porch_kernel_can_freplace(void);

/* Sets of the flow table for that many connections: a power of two, loaded about half. */
__u32 porch_flow_sets(__u32 flows);
/* Random constants. */
int porch_rodata_make(__u32 flow_sets, __u32 netns_inum, struct porch_rodata *ret);

/* Loads everything; porch_tc only where the kernel can deliver. */
int porch_object_load(const struct porch_rodata *rodata, const struct porch_sizes *sizes, struct handshake **ret,
		      struct porch_err *err);
void porch_object_free(struct handshake *object);
/* Pins every map and every loaded program in `dir`. */
int porch_object_pin(struct handshake *object, const char *dir, struct porch_err *err);

/*
 * One more copy of the XDP program over the maps pinned in `dir`, opened and not
 * loaded: libxdp loads it itself, as an extension of its dispatcher.
 */
int porch_object_open_xdp(const char *dir, struct handshake **ret, struct porch_err *err);
/* libxdp's view of it; an error pointer on failure. The object must outlive it. */
struct xdp_program *porch_object_xdp_program(struct handshake *object);
/* Programs as file descriptors of the object, which keeps them. */
int porch_object_program(const struct handshake *object, const char *name);
/* Links with no interface: the tracepoint's, and the iterator that lists flows as text. Pinned in `dir`. */
int porch_object_links(struct handshake *object, const char *dir, struct porch_err *err);

/* What libbpf and libxdp say while loading, line by line; NULL (the default): nobody listens. */
void porch_object_set_log(void (*log)(const char *line));

#endif /* PORCH_CORE_OBJECT_H */
