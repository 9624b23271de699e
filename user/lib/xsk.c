/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xsk.h, with the kernel's own AF_XDP sockets. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/xsk.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#define XSK_MAX_TX_SKB_BUDGET 9 /* XDP_MAX_TX_SKB_BUDGET of newer headers */

int xsk_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret)
{
	static const off_t page[] = {
		[XSK_RX] = XDP_PGOFF_RX_RING,
		[XSK_TX] = XDP_PGOFF_TX_RING,
		[XSK_FILL] = XDP_UMEM_PGOFF_FILL_RING,
		[XSK_COMPLETION] = XDP_UMEM_PGOFF_COMPLETION_RING,
	};
	struct xdp_mmap_offsets offsets;
	const struct xdp_ring_offset *at[] = { &offsets.rx, &offsets.tx, &offsets.fr, &offsets.cr };
	socklen_t length = sizeof(offsets);
	const struct xdp_ring_offset *o = at[which];
	size_t entry = which == XSK_RX || which == XSK_TX ? sizeof(struct xdp_desc) : sizeof(uint64_t);
	size_t size;
	char *map;

	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length))
		return -errno;
	/* Kernels before 5.4 leave the flags out. */
	if (length != sizeof(offsets))
		return -EPROTO;
	size = o->desc + entries * entry;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page[which]);
	if (map == MAP_FAILED)
		return -errno;
	/* A mapping in a forked child would keep the socket bound. */
	madvise(map, size, MADV_DONTFORK);
	*ret = (struct xsk_ring){
		.producer = (uint32_t *)(map + o->producer),
		.consumer = (uint32_t *)(map + o->consumer),
		.flags = (uint32_t *)(map + o->flags),
		.entries = map + o->desc,
		.mask = entries - 1,
		.map = map,
		.map_size = size,
	};
	return 0;
}

void xsk_unmap(struct xsk_ring *ring)
{
	if (ring->map)
		munmap(ring->map, ring->map_size);
	*ring = (struct xsk_ring){};
}

int xsk_kick_tx(int fd)
{
	return sendto(fd, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) < 0 ? -errno : 0;
}

void xsk_kick_rx(int fd)
{
	recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

void xsk_budget(int fd, int frames)
{
	setsockopt(fd, SOL_XDP, XSK_MAX_TX_SKB_BUDGET, &frames, sizeof(frames));
}
