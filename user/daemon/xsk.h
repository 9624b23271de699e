/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_XDP sockets as the kernel's header has them, no library between: who shares
 * what with whom is this daemon's business (area.h), and a library that made the
 * socket in the same process would be in the way.
 *
 * The ring functions below are for the side named in their names; an index that
 * the other side cannot have written gives -EPROTO and nothing is touched.
 */
#ifndef PORCH_DAEMON_XSK_H
#define PORCH_DAEMON_XSK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if_xdp.h>

#include "daemon/daemon.h"

#define XSK_BIND_RETRY_NS 200000000ull	/* a queue that was just given up stays EBUSY for 15 to 30 ms */
#define XSK_BIND_PAUSE_NS 5000000ull

/* Entries of each ring, powers of two; 0: none. */
struct xsk_sizes {
	uint32_t rx, tx, fill, completion;
};

enum xsk_which {
	XSK_RX,
	XSK_TX,
	XSK_FILL,
	XSK_COMPLETION,
};

/* A socket of the opener's, with rings and not yet bound. The fd or -errno. */
int xsk_open(struct daemon *d, const struct xsk_sizes *sizes);
/* `memory` becomes the UMEM: address 0 is its start. `tx_metadata`: 0, or octets in front of frames for
 * sending; -EINVAL also from kernels that do not know that (before 6.11). */
int xsk_umem(int fd, void *memory, uint64_t size, uint32_t frame_size, uint32_t tx_metadata);
/* 0 or -errno. The indices are read: see xsk_producer_join(), xsk_consumer_join(). */
int xsk_ring_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret);
void xsk_ring_unmap(struct xsk_ring *ring);
/* The first socket of a queue. -EBUSY: somebody still holds the queue; -EOPNOTSUPP: not in this mode. */
int xsk_bind(int fd, uint32_t ifindex, uint32_t queue, bool zero_copy);
/* Another one of the same queue: only if `of` is bound to that very queue, which this proves. */
int xsk_bind_shared(int fd, uint32_t ifindex, uint32_t queue, int of);
/* Is it one, and in which mode is it bound? 0, -EBADF: not an AF_XDP socket. */
int xsk_mode(int fd, bool *zero_copy);
/* Descriptors that the kernel found impossible, frames it had no room for; all sockets of a queue share the first. */
int xsk_statistics(int fd, struct xdp_statistics *ret);
/* Tells a driver that asked for it (XDP_USE_NEED_WAKEUP) that FILL has new entries. */
void xsk_wake_fill(int fd, const struct xsk_ring *fill);

/* porch_xsks. 0 or -errno. */
int xsk_slot_install(int map_fd, uint32_t slot, int fd);
int xsk_slot_remove(int map_fd, uint32_t slot);

/* ---- rings ---- */

static inline int xsk_producer_join(struct xsk_ring *r)
{
	uint32_t p = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	uint32_t c = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);

	if (p - c > r->mask + 1)
		return -EPROTO;
	r->own = p;
	r->peer = c;
	return 0;
}

static inline int xsk_consumer_join(struct xsk_ring *r)
{
	int e = xsk_producer_join(r);
	uint32_t swap = r->own;

	if (e)
		return e;
	r->own = r->peer;
	r->peer = swap;
	return 0;
}

/* Entries to be read now, or -EPROTO. */
static inline int xsk_consumer_ready(struct xsk_ring *r)
{
	uint32_t p = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);

	if (p - r->own > r->mask + 1)
		return -EPROTO;
	r->peer = p;
	return p - r->own;
}

static inline void xsk_consumer_release(struct xsk_ring *r)
{
	__atomic_store_n(r->consumer, r->own, __ATOMIC_RELEASE);
}

/* Entries that can be written now, or -EPROTO. */
static inline int xsk_producer_room(struct xsk_ring *r)
{
	uint32_t c = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);

	if (r->own - c > r->mask + 1)
		return -EPROTO;
	r->peer = c;
	return r->mask + 1 - (r->own - c);
}

static inline void xsk_producer_publish(struct xsk_ring *r)
{
	__atomic_store_n(r->producer, r->own, __ATOMIC_RELEASE);
}

static inline struct xdp_desc xsk_desc(const struct xsk_ring *r, uint32_t index)
{
	return ((const volatile struct xdp_desc *)r->descs)[index & r->mask];
}

static inline uint64_t *xsk_address(const struct xsk_ring *r, uint32_t index)
{
	return (uint64_t *)r->descs + (index & r->mask);
}

#endif /* PORCH_DAEMON_XSK_H */
