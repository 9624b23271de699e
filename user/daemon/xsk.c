// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "core/util.h"
#include "daemon/opener.h"
#include "daemon/xsk.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

/* struct xdp_umem_reg since Linux 6.8. Older kernels read as much of it as they know. */
struct umem_reg {
	uint64_t addr, len;
	uint32_t chunk_size, headroom, flags, tx_metadata_len;
};
#define UMEM_TX_METADATA_LEN (1u << 2) /* XDP_UMEM_TX_METADATA_LEN */

static int set_ring(int fd, int option, uint32_t entries)
{
	if (!entries)
		return 0;
	return setsockopt(fd, SOL_XDP, option, &entries, sizeof(entries)) ? -errno : 0;
}

int xsk_open(struct daemon *d, const struct xsk_sizes *sizes)
{
	_cleanup_close_ int fd = opener_xsk(d);
	int r;

	if (fd < 0)
		return fd;
	r = set_ring(fd, XDP_RX_RING, sizes->rx);
	if (!r)
		r = set_ring(fd, XDP_TX_RING, sizes->tx);
	if (!r)
		r = set_ring(fd, XDP_UMEM_FILL_RING, sizes->fill);
	if (!r)
		r = set_ring(fd, XDP_UMEM_COMPLETION_RING, sizes->completion);
	return r ? r : TAKE_FD(fd);
}

int xsk_umem(int fd, void *memory, uint64_t size, uint32_t frame_size, uint32_t tx_metadata)
{
	struct umem_reg reg = {
		.addr = (uintptr_t)memory,
		.len = size,
		.chunk_size = frame_size,
		.flags = tx_metadata ? UMEM_TX_METADATA_LEN : 0,
		.tx_metadata_len = tx_metadata,
	};

	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ? -errno : 0;
}

int xsk_ring_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret)
{
	static const uint64_t pages[] = {
		[XSK_RX] = XDP_PGOFF_RX_RING,
		[XSK_TX] = XDP_PGOFF_TX_RING,
		[XSK_FILL] = XDP_UMEM_PGOFF_FILL_RING,
		[XSK_COMPLETION] = XDP_UMEM_PGOFF_COMPLETION_RING,
	};
	size_t entry = which == XSK_RX || which == XSK_TX ? sizeof(struct xdp_desc) : sizeof(uint64_t);
	const struct xdp_ring_offset *at;
	struct xdp_mmap_offsets offsets;
	socklen_t size = sizeof(offsets);
	struct xsk_ring ring = { .mask = entries - 1 };
	uint8_t *map;

	if (!entries || (entries & (entries - 1)))
		return -EINVAL;
	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size))
		return -errno;
	if (size != sizeof(offsets))
		return -EPROTO; /* before 5.4, without flags */
	at = which == XSK_RX	 ? &offsets.rx
	     : which == XSK_TX	 ? &offsets.tx
	     : which == XSK_FILL ? &offsets.fr
				 : &offsets.cr;
	ring.map_size = at->desc + entries * entry;
	map = mmap(NULL, ring.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, pages[which]);
	if (map == MAP_FAILED)
		return -errno;
	ring.map = map;
	ring.producer = (uint32_t *)(map + at->producer);
	ring.consumer = (uint32_t *)(map + at->consumer);
	ring.flags = (uint32_t *)(map + at->flags);
	ring.descs = map + at->desc;
	*ret = ring;
	return 0;
}

void xsk_ring_unmap(struct xsk_ring *ring)
{
	if (ring->map)
		munmap(ring->map, ring->map_size);
	memset(ring, 0, sizeof(*ring));
}

static int bind_to(int fd, uint32_t ifindex, uint32_t queue, uint16_t flags, int of)
{
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = flags,
		.sxdp_ifindex = ifindex,
		.sxdp_queue_id = queue,
		.sxdp_shared_umem_fd = of < 0 ? 0 : of,
	};

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

int xsk_bind(int fd, uint32_t ifindex, uint32_t queue, bool zero_copy)
{
	return bind_to(fd, ifindex, queue, XDP_USE_NEED_WAKEUP | (zero_copy ? XDP_ZEROCOPY : XDP_COPY), -1);
}

int xsk_bind_shared(int fd, uint32_t ifindex, uint32_t queue, int of)
{
	return bind_to(fd, ifindex, queue, XDP_SHARED_UMEM, of);
}

int xsk_mode(int fd, bool *zero_copy)
{
	struct xdp_options options;
	socklen_t size = sizeof(options), n = sizeof(int);
	int domain = 0, type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) || domain != AF_XDP || type != SOCK_RAW)
		return -EBADF;
	if (getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &size))
		return -errno;
	*zero_copy = options.flags & XDP_OPTIONS_ZEROCOPY;
	return 0;
}

int xsk_statistics(int fd, struct xdp_statistics *ret)
{
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getsockopt(fd, SOL_XDP, XDP_STATISTICS, ret, &size) ? -errno : 0;
}

void xsk_wake_fill(int fd, const struct xsk_ring *fill)
{
	if (*(volatile uint32_t *)fill->flags & XDP_RING_NEED_WAKEUP)
		recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

int xsk_slot_install(int map_fd, uint32_t slot, int fd)
{
	return bpf_map_update_elem(map_fd, &slot, &fd, BPF_ANY) ? -errno : 0;
}

int xsk_slot_remove(int map_fd, uint32_t slot)
{
	return bpf_map_delete_elem(map_fd, &slot) && errno != ENOENT ? -errno : 0;
}
