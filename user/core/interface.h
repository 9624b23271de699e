/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says of XDP on an interface; struct porch_interface is in namespace.h. */
#ifndef PORCH_CORE_INTERFACE_H
#define PORCH_CORE_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct porch_interface;

struct porch_xdp_state {
	__u32 id;		/* program on the interface, 0: none */
	bool skb_mode;
};

/* 0 or -errno. */
int porch_xdp_query(int ifindex, struct porch_xdp_state *ret);
/* Why `lost` is set, and what to do. Returns `buf`. */
const char *porch_interface_lost_text(const struct porch_interface *interface, char *buf, size_t size);

#endif /* PORCH_CORE_INTERFACE_H */
