// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/umem.h"

#define SEALS	    (F_SEAL_SHRINK | F_SEAL_GROW)
#define FRAME_SMALL 2048u
#define FRAME_LARGE 4096u
#define LINK_HEADER 22u /* Ethernet and two tags */

static size_t pages(size_t n)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

uint32_t umem_round_up(uint32_t n)
{
	uint32_t r = 1;

	while (r < n && r < 0x80000000u)
		r <<= 1;
	return r;
}

int umem_geometry(const struct porch_daemon_config *config, uint32_t mtu, uint32_t queues,
		  struct umem_geometry *ret)
{
	struct umem_geometry g = {
		.rx_frames = config->rx_frames,
		.tx_frames = config->tx_frames,
		.slices = config->workers_per_queue,
	};

	if (mtu > UMEM_MTU_MAX)
		return -EMSGSIZE;
	if (!queues || !g.rx_frames || !g.tx_frames || !g.slices || g.slices > 64 || g.rx_frames > 1u << 20 ||
	    g.tx_frames > 1u << 20)
		return -EINVAL;
	g.frame_size = mtu + LINK_HEADER + UMEM_HEADROOM <= FRAME_SMALL ? FRAME_SMALL : FRAME_LARGE;
	g.head_size = pages(queues * sizeof(struct porch_area_head));
	g.area_size = pages((g.rx_frames + (size_t)g.slices * g.tx_frames) * g.frame_size);
	g.size = g.head_size + queues * g.area_size;
	*ret = g;
	return 0;
}

uint32_t umem_fill_entries(const struct umem_geometry *g)
{
	return umem_round_up(g->rx_frames);
}

uint32_t umem_completion_entries(const struct umem_geometry *g)
{
	return umem_round_up(g->tx_frames * g->slices);
}

uint32_t umem_rx_entries(const struct umem_geometry *g)
{
	uint32_t half = umem_round_up(g->rx_frames) / 2;

	return half ? half : 1;
}

uint32_t umem_tx_entries(const struct umem_geometry *g)
{
	return umem_round_up(g->tx_frames);
}

static int map(struct trust_group *g, int memfd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	g->memory = memory;
	g->size = size;
	return 0;
}

int umem_create(struct trust_group *g, const struct umem_geometry *geometry)
{
	_cleanup_close_ int fd = memfd_create("porch-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0 || ftruncate(fd, geometry->size) || fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL))
		return -errno;
	r = map(g, fd, geometry->size);
	if (r)
		return r;
	g->memfd = TAKE_FD(fd);
	return 0;
}

int umem_adopt(struct trust_group *g, const struct umem_geometry *geometry, int memfd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int seals, r;

	seals = fcntl(memfd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(memfd, &st) ||
	    (uint64_t)st.st_size != geometry->size)
		return -EPROTO;
	fd = fcntl(memfd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	r = map(g, fd, geometry->size);
	if (r)
		return r;
	g->memfd = TAKE_FD(fd);
	return 0;
}

void umem_release(struct trust_group *g)
{
	if (g->memory)
		munmap(g->memory, g->size);
	if (g->memfd >= 0)
		close(g->memfd);
	g->memory = NULL;
	g->size = 0;
	g->memfd = -1;
}

void umem_place(struct area *a, const struct umem_geometry *geometry)
{
	uint8_t *memory = a->group->memory;

	a->head = (struct porch_area_head *)memory + a->queue;
	a->umem = memory + geometry->head_size + a->queue * geometry->area_size;
	a->umem_size = geometry->area_size;
	a->frame_size = geometry->frame_size;
	a->rx_frames = geometry->rx_frames;
	a->tx_frames = geometry->tx_frames;
	a->slices = geometry->slices;
}

size_t umem_head_offset(const struct area *a)
{
	return (uint8_t *)a->head - (uint8_t *)a->group->memory;
}

size_t umem_offset(const struct area *a)
{
	return a->umem - (uint8_t *)a->group->memory;
}

#ifdef PORCH_DEBUG_FRAMES
void umem_own(struct area *a, uint32_t frame, enum umem_owner from, enum umem_owner to, int line)
{
	uint8_t was;

	if (!a->owners)
		a->owners = calloc(a->rx_frames, 1);
	if (!a->owners || frame >= a->rx_frames)
		abort();
	was = a->owners[frame];
	/* What a worker has had in its hands may come back from anywhere. */
	if (was != from && was != UMEM_UNKNOWN && from != UMEM_UNKNOWN) {
		fprintf(stderr, "frame %u of queue %u: owner %u where %u should be, line %d\n", frame,
			a->queue, was, from, line);
		abort();
	}
	a->owners[frame] = to;
}
#endif
