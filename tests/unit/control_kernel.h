/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xsk.h without a kernel: a socket is an inode, its rings are memory of this process. */
#ifndef PORCH_TESTS_CONTROL_KERNEL_H
#define PORCH_TESTS_CONTROL_KERNEL_H

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/xsk.h"
#include "tests/unit/unit.h"

#define WORLD_IFINDEX 7
#define WORLD_QUEUES 2
#define FAKE_SOCKETS 65536
#define FAKE_RING 8192u		/* octets per ring */

struct fake_socket {
	ino_t inode;
	uint8_t *pages;
	uint32_t rx_entries, fill_entries;
	bool bound;
	uint32_t queue;
};

static struct {
	struct fake_socket sockets[FAKE_SOCKETS];
	uint32_t n;
	ino_t owner[WORLD_QUEUES];	/* of the queue's FILL; 0: the queue is free */
	ino_t slots[PORCH_SLOTS];
	uint32_t busy;			/* so many more binds find the queue busy */
	bool before_6_11;		/* knows no requests in front of frames */
} kernel;

static inline struct fake_socket *fake_of(int fd)
{
	struct stat st;
	uint32_t i;

	if (fstat(fd, &st))
		return NULL;
	for (i = kernel.n; i-- > 0;) {
		if (kernel.sockets[i].inode == st.st_ino)
			return &kernel.sockets[i];
	}
	return NULL;
}

int xsk_open(struct daemon *d, const struct xsk_sizes *sizes)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* has an inode of its own, and can be polled */
	struct fake_socket *s = &kernel.sockets[kernel.n];
	struct stat st;

	assert_true(fd >= 0 && kernel.n < FAKE_SOCKETS && !fstat(fd, &st));
	*s = (struct fake_socket){ .inode = st.st_ino, .rx_entries = sizes->rx, .fill_entries = sizes->fill };
	s->pages = calloc(4, FAKE_RING);
	assert_non_null(s->pages);
	kernel.n++;
	return fd;
}

int xsk_umem(int fd, void *memory, uint64_t size, uint32_t frame_size, uint32_t tx_metadata)
{
	return tx_metadata && kernel.before_6_11 ? -EINVAL : 0;
}

static inline struct xsk_ring ring_in(uint8_t *pages, uint32_t entries)
{
	return (struct xsk_ring){ .producer = (uint32_t *)pages, .consumer = (uint32_t *)(pages + 64),
				  .flags = (uint32_t *)(pages + 128), .descs = pages + 192, .mask = entries - 1,
				  .map = pages, .map_size = FAKE_RING };
}

int xsk_ring_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret)
{
	struct fake_socket *s = fake_of(fd);

	if (!s || 192 + entries * sizeof(struct xdp_desc) > FAKE_RING)
		return -EBADF;
	*ret = ring_in(s->pages + which * FAKE_RING, entries);
	return 0;
}

void xsk_ring_unmap(struct xsk_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
}

int xsk_bind(int fd, uint32_t ifindex, uint32_t queue, bool zero_copy)
{
	struct fake_socket *s = fake_of(fd);

	if (zero_copy)
		return -EOPNOTSUPP;
	if (kernel.busy) {
		kernel.busy--;
		return -EBUSY;
	}
	s->bound = true;
	s->queue = queue;
	kernel.owner[queue] = s->inode;
	return 0;
}

int xsk_bind_shared(int fd, uint32_t ifindex, uint32_t queue, int of)
{
	struct fake_socket *s = fake_of(fd), *other = fake_of(of);

	if (!other || !other->bound || other->queue != queue || ifindex != WORLD_IFINDEX)
		return -EINVAL;
	s->bound = true;
	s->queue = queue;
	return 0;
}

int xsk_mode(int fd, bool *zero_copy)
{
	if (!fake_of(fd))
		return -EBADF;
	*zero_copy = false;
	return 0;
}

int xsk_statistics(int fd, struct xdp_statistics *ret)
{
	memset(ret, 0, sizeof(*ret));
	return 0;
}

void xsk_wake_fill(int fd, const struct xsk_ring *fill)
{
}

int xsk_slot_install(int map_fd, uint32_t slot, int fd)
{
	kernel.slots[slot] = fake_of(fd)->inode;
	return 0;
}

int xsk_slot_remove(int map_fd, uint32_t slot)
{
	kernel.slots[slot] = 0;
	return 0;
}

static inline struct fake_socket *fake_by_inode(ino_t inode)
{
	uint32_t i;

	for (i = kernel.n; inode && i-- > 0;) {
		if (kernel.sockets[i].inode == inode)
			return &kernel.sockets[i];
	}
	return NULL;
}

#endif /* PORCH_TESTS_CONTROL_KERNEL_H */
