/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the namespace's addresses, links and routes say, taken over into maps. */
#ifndef PORCH_CORE_ADDRS_H
#define PORCH_CORE_ADDRS_H

#include <stddef.h>

#include <porch/maps.h>

struct porch_err;
struct porch_tables;

/* porch_addrs, the known interfaces of porch_ifaces, and porch_routes follow the kernel. */
int porch_addrs_refresh(const struct porch_tables *tables, struct porch_err *err);
/* Makes an interface known to porch_ifaces; -ENOSPC when another one has its place. */
int porch_addrs_add_interface(const struct porch_tables *tables, int ifindex, struct porch_err *err);
void porch_addrs_del_interface(const struct porch_tables *tables, int ifindex);

/*
 * Pure: an odd multiplier under which the n addresses meet in no slot, starting
 * the search at `first`. -ENOSPC when none was found in many tries.
 */
int porch_addrs_multiplier(const __u8 (*addresses)[16], size_t n, __u64 first, __u64 *ret);
/* Pure: announced MSS for an MTU and a route's advmss (0: none), as the kernel computes it. */
__u16 porch_mss(int family, __u32 mtu, __u32 advmss);

#endif /* PORCH_CORE_ADDRS_H */
