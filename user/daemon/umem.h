/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory of a trust group: one memfd per interface.
 *
 *   head page(s)   a struct porch_area_head per RX queue
 *   area 0         its UMEM: rx_frames frames to receive, then a slice of
 *   area 1 ...     tx_frames to send for each worker there may be
 *
 * Each area is a UMEM of its own (the kernel allows one per queue), whose
 * address 0 is the area's start. Sealed against resizing, so that nobody who
 * maps it can be made to fault.
 *
 * What comes from a ring is an address anybody may have written: it counts only
 * after umem_rx_frame() or umem_slice() has said whose it is.
 */
#ifndef PORCH_DAEMON_UMEM_H
#define PORCH_DAEMON_UMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/daemon.h"

#define UMEM_NONE UINT32_MAX
#define UMEM_HEADROOM 256u	/* XDP_PACKET_HEADROOM: the kernel leaves it in front of each frame */
#define UMEM_MTU_MAX 3506u	/* what fits 4096 octets beside headroom and the kernel's own tail */

struct umem_geometry {
	uint32_t frame_size, rx_frames, tx_frames, slices;
	size_t head_size;	/* of the head pages */
	size_t area_size;	/* of one area's UMEM */
	size_t size;		/* of the memfd */
};

/* 0; -EMSGSIZE: an MTU that one frame cannot hold; -EINVAL: a limit of the configuration that makes no sense. */
int umem_geometry(const struct porch_daemon_config *config, uint32_t mtu, uint32_t queues, struct umem_geometry *ret);

/* Entries of the rings of an area, powers of two. */
uint32_t umem_round_up(uint32_t n);
uint32_t umem_fill_entries(const struct umem_geometry *geometry);
uint32_t umem_completion_entries(const struct umem_geometry *geometry);
/* A worker that stops reading keeps so many frames at most: half, so that the others go on. */
uint32_t umem_rx_entries(const struct umem_geometry *geometry);
uint32_t umem_tx_entries(const struct umem_geometry *geometry);

/* The memfd, sealed and mapped; fills group->memfd, memory, size. 0 or -errno. */
int umem_create(struct trust_group *g, const struct umem_geometry *geometry);
/* A worker's memfd after a restart, if it has the size and the seals. The caller keeps `memfd`. */
int umem_adopt(struct trust_group *g, const struct umem_geometry *geometry, int memfd);
void umem_release(struct trust_group *g);
/* Points an area at its part. */
void umem_place(struct area *a, const struct umem_geometry *geometry);
size_t umem_head_offset(const struct area *a);
size_t umem_offset(const struct area *a);

/* The RX frame an address lies in, or UMEM_NONE. */
static inline uint32_t umem_rx_frame(const struct area *a, uint64_t address)
{
	uint64_t frame = address / a->frame_size;

	return frame < a->rx_frames ? (uint32_t)frame : UMEM_NONE;
}

/* The slice that an address for sending lies in, or UMEM_NONE. */
static inline uint32_t umem_slice(const struct area *a, uint64_t address)
{
	uint64_t frame = address / a->frame_size;

	if (frame < a->rx_frames || frame >= a->rx_frames + (uint64_t)a->slices * a->tx_frames)
		return UMEM_NONE;
	return (uint32_t)((frame - a->rx_frames) / a->tx_frames);
}

static inline uint64_t umem_address(const struct area *a, uint32_t frame)
{
	return (uint64_t)frame * a->frame_size;
}

/*
 * The owner table of debug builds (-DPORCH_DEBUG_FRAMES): what porchd knows of
 * each RX frame. A transition from a state that the frame cannot be in ends
 * porchd at once, with the frame's number.
 */
enum umem_owner {
	UMEM_UNKNOWN = 0,	/* a worker's, or told by nobody */
	UMEM_PORCHD = 1,	/* between porchd's RX ring, or `back`, and where it goes next */
	UMEM_FILL = 2,		/* FILL, or the kernel */
	UMEM_GIVEN = 3,		/* in somebody's `give` */
};

#ifdef PORCH_DEBUG_FRAMES
void umem_own(struct area *a, uint32_t frame, enum umem_owner from, enum umem_owner to, int line);
#define UMEM_OWN(a, frame, from, to) umem_own(a, frame, from, to, __LINE__)
#else
#define UMEM_OWN(a, frame, from, to) ((void)0)
#endif

#endif /* PORCH_DAEMON_UMEM_H */
