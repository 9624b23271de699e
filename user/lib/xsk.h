/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An AF_XDP socket's four rings, seen from user space (linux/if_xdp.h): all that
 * the library asks the kernel for on the data path. Tests bring their own xsk.c.
 */
#ifndef PORCH_LIB_XSK_H
#define PORCH_LIB_XSK_H

#include <stddef.h>
#include <stdint.h>

enum xsk_which {
	XSK_RX,
	XSK_TX,
	XSK_FILL,
	XSK_COMPLETION,
};

struct xsk_ring {
	uint32_t *producer, *consumer, *flags;
	void *entries;		/* struct xdp_desc, of FILL and COMPLETION uint64_t */
	uint32_t mask;		/* entries - 1 */
	uint32_t own, peer;	/* our index; the kernel's as last read */
	void *map;		/* NULL: not mapped */
	size_t map_size;
};

/* 0 or -errno; -EINVAL also when the kernel does not map it at this time. */
int xsk_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret);
void xsk_unmap(struct xsk_ring *ring);
/* Sends what the TX ring holds: 0 or -errno. */
int xsk_kick_tx(int fd);
/* For drivers that have said (XDP_RING_NEED_WAKEUP) that they wait for FILL. */
void xsk_kick_rx(int fd);
/* More than 32 frames by one call, where the kernel lets (6.18). */
void xsk_budget(int fd, int frames);

#endif /* PORCH_LIB_XSK_H */
