/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An area: one RX queue of one interface, its frames and this worker's rings.
 * porchd says where everything lies; nothing of it is believed before it has
 * been found to fit the memory that came with it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util.h"
#include "lib/lib.h"

#define RING_MAX   65536u
#define FRAMES_MAX (1u << 24)
#define HEADERS	   (14 + 8) /* Ethernet and two tags */

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

static bool fits(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

/* [offset, offset + size) of a memfd that nobody can shorten; page-aligned beneath. */
static int map_range(int fd, uint64_t offset, uint64_t size, void **map, size_t *map_size, void **ret)
{
	uint64_t before = offset & (uint64_t)(sysconf(_SC_PAGESIZE) - 1);
	void *m = mmap(NULL, size + before, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset - before);

	if (m == MAP_FAILED)
		return -errno;
	madvise(m, size + before, MADV_DONTFORK);
	*map = m;
	*map_size = size + before;
	*ret = (char *)m + before;
	return 0;
}

/* AREA: what it is; fds[0] its memory, fds[1] the socket that owns its FILL and COMPLETION. */
int area_told(struct porch *p, const struct porch_msg *msg, int fds[3])
{
	const __typeof__(msg->area) *m = &msg->area;
	struct area *a;
	struct stat st;
	uint32_t room;
	int seals;

	if (m->area >= PORCH_AREAS_MAX || p->areas[m->area] || fds[0] < 0 || fds[1] < 0)
		return -EPROTO;
	if (m->frame_size != 2048 && m->frame_size != 4096)
		return -EPROTO;
	if (!m->rx_frames || m->rx_frames > FRAMES_MAX || !power_of_two(m->fill_entries) ||
	    m->fill_entries > RING_MAX || !power_of_two(m->completion_entries) ||
	    m->completion_entries > RING_MAX)
		return -EPROTO;
	if (m->tx_metadata && m->tx_metadata != PORCH_TX_METADATA)
		return -EPROTO;
	if (!m->ifindex || m->mtu < 68 || m->mtu > 65535)
		return -EPROTO;
	if (!fits(m->head, sizeof(struct porch_area_head), m->group_size) || m->head % 64 ||
	    !fits(m->umem, m->umem_size, m->group_size) || m->umem % 64 ||
	    m->umem_size / m->frame_size < m->rx_frames)
		return -EPROTO;
	room = m->frame_size - HEADERS - m->tx_metadata;
	seals = fcntl(fds[0], F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fds[0], &st) ||
	    (uint64_t)st.st_size < m->group_size)
		return -EPROTO;

	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct area){
		.told = true,
		.number = m->area,
		.ifindex = m->ifindex,
		.queue = m->queue,
		.told_mtu = m->mtu,
		.mtu = m->mtu < room ? m->mtu : room,
		.frame_size = m->frame_size,
		.rx_frames = m->rx_frames,
		.fill_entries = m->fill_entries,
		.completion_entries = m->completion_entries,
		.tx_metadata = m->tx_metadata,
		.group = fds[0],
		.owner = fds[1],
		.xsk = -1,
		.place = { m->group_size, m->head, m->umem, m->umem_size },
	};
	fds[0] = fds[1] = -1;
	p->areas[a->number] = a;
	if (a->number >= p->n_areas)
		p->n_areas = a->number + 1;
	return 0;
}

/* The rings `give` and `back` of the session memory; its places were written before AREA was sent. */
static int join(struct porch *p, struct area *a)
{
	const struct porch_session_area *shared = &p->session->area[a->number];
	struct porch_ring_place place[2] = { shared->give, shared->back };
	struct porch_ring_end *end[2] = { &a->give, &a->back };
	int r;

	for (int i = 0; i < 2; i++) {
		if (!power_of_two(place[i].entries) || place[i].entries > FRAMES_MAX ||
		    place[i].entry_size != sizeof(uint64_t) || place[i].offset % 64 ||
		    !fits(place[i].offset, porch_ring_size(place[i].entries, place[i].entry_size),
			  p->session_size))
			return -EPROTO;
		r = porch_ring_join(end[i], (struct porch_ring *)((char *)p->session + place[i].offset),
				    place[i].entries, place[i].entry_size, i);
		if (r)
			return r;
	}
	return a->back.mask + 1 >= a->rx_frames ? 0 : -EPROTO;
}

/* The frames for sending and the memory to remember who has which. */
static int account(struct area *a)
{
	a->tx_free = calloc(a->tx_frames, sizeof(*a->tx_free));
	a->tx_out = calloc(a->tx_frames, 1);
	a->spent = calloc(a->rx_frames, sizeof(*a->spent));
	if (!a->tx_free || !a->tx_out || !a->spent)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->tx_frames; i++)
		a->tx_free[i] = a->tx_first + a->tx_frames - 1 - i;
	a->n_tx_free = a->tx_frames;
	return 0;
}

static int map_rings(struct area *a)
{
	int r = xsk_map(a->xsk, XSK_RX, a->rx_entries, &a->rx);

	if (!r)
		r = xsk_map(a->xsk, XSK_TX, a->tx_entries, &a->tx);
	if (r)
		return r;
	/* Before 6.4 these can be mapped only while the owner is unbound; without
	 * them porchd keeps the lease, and everything works a little slower. */
	a->can_lease = !xsk_map(a->owner, XSK_FILL, a->fill_entries, &a->fill) &&
		       !xsk_map(a->owner, XSK_COMPLETION, a->completion_entries, &a->completion);
	if (!a->can_lease) {
		xsk_unmap(&a->fill);
		xsk_unmap(&a->completion);
	}
	return 0;
}

/* SOCKET: fds[0] our own XSK there. Afterwards all is mapped. */
int area_socket(struct porch *p, const struct porch_msg *msg, int fds[3])
{
	const __typeof__(msg->socket) *m = &msg->socket;
	struct epoll_event event = { .events = EPOLLIN };
	struct area *a;
	void *head, *umem;
	uint64_t frames;
	int r;

	if (m->area >= PORCH_AREAS_MAX || fds[0] < 0)
		return -EPROTO;
	a = p->areas[m->area];
	if (!a || a->mapped || a->xsk >= 0)
		return -EPROTO;
	frames = a->place.umem_size / a->frame_size;
	if (!power_of_two(m->rx_entries) || m->rx_entries > RING_MAX || !power_of_two(m->tx_entries) ||
	    m->tx_entries > RING_MAX || !m->tx_frames || m->tx_first < a->rx_frames ||
	    !fits(m->tx_first, m->tx_frames, frames))
		return -EPROTO;
	a->xsk = fds[0];
	fds[0] = -1;
	a->rx_entries = m->rx_entries;
	a->tx_entries = m->tx_entries;
	a->tx_first = m->tx_first;
	a->tx_frames = m->tx_frames;
	a->zero_copy = m->zero_copy;

	r = map_range(a->group, a->place.head, sizeof(*a->head), &a->head_map, &a->head_map_size, &head);
	if (!r)
		r = map_range(a->group, a->place.umem, a->place.umem_size, &a->umem_map, &a->umem_map_size,
			      &umem);
	if (r)
		return r;
	a->head = head;
	a->umem = umem;
	r = join(p, a);
	if (!r)
		r = account(a);
	if (!r)
		r = map_rings(a);
	if (r)
		return r;
	xsk_budget(a->xsk, 128);
	event.data.u32 = a->number;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, a->xsk, &event))
		return -errno;
	a->mapped = true;
	return 0;
}

/* Everything of it goes, the memory too: a mapping left behind keeps the queue busy for everybody. */
void area_drop(struct porch *p, uint32_t number)
{
	struct area *a = p->areas[number];

	if (!a)
		return;
	p->areas[number] = NULL;
	while (p->n_areas && !p->areas[p->n_areas - 1])
		p->n_areas--;
	if (a->mapped)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, a->xsk, NULL);
	xsk_unmap(&a->rx);
	xsk_unmap(&a->tx);
	xsk_unmap(&a->fill);
	xsk_unmap(&a->completion);
	if (a->head_map)
		munmap(a->head_map, a->head_map_size);
	if (a->umem_map)
		munmap(a->umem_map, a->umem_map_size);
	porch_closep(&a->xsk);
	porch_closep(&a->owner);
	porch_closep(&a->group);
	free(a->tx_free);
	free(a->tx_out);
	free(a->spent);
	free(a);
}

/*
 * The area its latest segment came from; while that is gone, or is another's by
 * now, any area of the same interface.
 */
struct area *area_of(struct porch *p, struct porch_conn *c)
{
	uint32_t n = c->tcp.area;
	struct area *a = n < PORCH_AREAS_MAX ? p->areas[n] : NULL;

	if (__builtin_expect(a && a->bound && a->ifindex == c->ifindex, 1))
		return a;
	for (n = 0; n < p->n_areas; n++) {
		a = p->areas[n];
		if (a && a->bound && a->ifindex == c->ifindex && a->mtu >= c->tcp.mtu_link) {
			c->tcp.area = n;
			return a;
		}
	}
	return NULL;
}
