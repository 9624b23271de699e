/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A porchd for the library's tests: speaks porch/wire.h over a real socket from a
 * thread of its own, while the test plays kernel and daemon on the memory from
 * its own thread. XSK rings cannot be faked by an fd alone, so xsk.c is replaced:
 * a pipe stands for a socket, and its inode says which rings are meant.
 */
#ifndef PORCH_TESTS_LIB_FAKE_H
#define PORCH_TESTS_LIB_FAKE_H

#include <fcntl.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/lib.h"
#include "tests/unit/unit.h"

#define FAKE_AREAS 2
#define FAKE_RX_FRAMES 64u
#define FAKE_TX_FRAMES 32u
#define FAKE_ENTRIES 128u	/* of every XSK ring */
#define FAKE_FRAME 2048u
#define FAKE_UMEM ((FAKE_RX_FRAMES + FAKE_TX_FRAMES) * FAKE_FRAME)
#define FAKE_WORKER 5
#define FAKE_IFINDEX 7
#define FAKE_ACCEPT 64u
#define FAKE_INJECT 64u
#define FAKE_FINISH 16u
#define FAKE_SENT_MAX 4096

struct fake_ring {
	_Alignas(64) uint32_t producer;
	_Alignas(64) uint32_t consumer;
	_Alignas(64) uint32_t flags;
	_Alignas(64) union {
		struct xdp_desc desc[FAKE_ENTRIES];
		uint64_t address[FAKE_ENTRIES];
	};
};

struct fake_area {
	int pipe[2];		/* [0] stands for the XSK */
	ino_t inode;
	struct fake_ring ring[4];	/* by enum xsk_which */
	uint8_t *umem;
	struct porch_area_head *head;
	struct porch_ring_end give, back;
	uint32_t kicks;
};

struct fake_sent {
	uint32_t area, length;
	uint8_t frame[FAKE_FRAME];
};

struct fake {
	char dir[32], path[64];
	int listening, control;
	pthread_t thread;
	bool running;
	_Atomic int stop;
	/* what the test wants to happen */
	void (*tamper)(struct fake *f, struct porch_msg *msg, int *fds, unsigned int *n_fds);
	void (*handback)(struct fake *f, struct porch_msg *msg, const int *fds, unsigned int n_fds);
	int refuse_hello, refuse_rejoin, refuse_listen;	/* -errno */
	bool silent, no_lease;	/* never answers; keeps the leases */
	uint32_t tx_metadata;	/* octets in front of frames for sending */
	uint32_t mtu;		/* 0: 1500 */
	uint32_t mutation;	/* for tamper */
	/* what has happened */
	_Atomic int hellos, rejoins, listens, unlistens, goodbyes, rejoin_messages;
	_Atomic int ready;
	/* what is shared */
	int session_fd, group_fd, wake_worker, wake_daemon;
	struct porch_session *session;
	size_t session_size;
	uint8_t *group;
	size_t group_size;
	struct porch_ring_end accept, inject, finish;
	uint32_t inject_size;
	struct fake_area area[FAKE_AREAS];
	/* the kernel */
	uint32_t budget;	/* frames per kick; 0: all */
	int kick_error;
	uint32_t n_sent;
	uint32_t sums_made;
	struct fake_sent *sent;
};

static struct fake *fake_current;

static inline struct fake_area *fake_area_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	for (int i = 0; i < FAKE_AREAS; i++)
		if (fake_current->area[i].inode == st.st_ino)
			return &fake_current->area[i];
	return NULL;
}

/* ---- instead of xsk.c ---- */

int xsk_map(int fd, enum xsk_which which, uint32_t entries, struct xsk_ring *ret)
{
	struct fake_area *a = fake_area_of(fd);

	if (!a || entries != FAKE_ENTRIES)
		return -EINVAL;
	*ret = (struct xsk_ring){
		.producer = &a->ring[which].producer,
		.consumer = &a->ring[which].consumer,
		.flags = &a->ring[which].flags,
		.entries = a->ring[which].desc,
		.mask = FAKE_ENTRIES - 1,
		.map = a,
	};
	return 0;
}

void xsk_unmap(struct xsk_ring *ring)
{
	*ring = (struct xsk_ring){};
}

/* A request in front of the frame: what it asks for is done, as the kernel does it. */
static inline void fake_make_sum(struct fake *f, const uint8_t *in_umem, uint8_t *frame, uint32_t length)
{
	const struct porch_tx_metadata *m = (const void *)(in_umem - f->tx_metadata);
	uint32_t sum = 0, i;

	assert_int_equal(f->tx_metadata, PORCH_TX_METADATA);
	assert_int_equal(m->flags, PORCH_TXMD_CHECKSUM);
	assert_true(m->csum_start + m->csum_offset + 2u <= length);
	for (i = m->csum_start; i < length; i++)
		sum += (i - m->csum_start) % 2 ? frame[i] : frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum;
	frame[m->csum_start + m->csum_offset] = sum >> 8;
	frame[m->csum_start + m->csum_offset + 1] = sum;
	f->sums_made++;
}

int xsk_kick_tx(int fd)
{
	struct fake *f = fake_current;
	struct fake_area *a = fake_area_of(fd);
	struct fake_ring *tx = &a->ring[XSK_TX], *done = &a->ring[XSK_COMPLETION];

	a->kicks++;
	if (f->kick_error)
		return f->kick_error;
	for (uint32_t n = 0; tx->consumer != tx->producer; n++) {
		struct xdp_desc *d = &tx->desc[tx->consumer % FAKE_ENTRIES];

		if (f->budget && n == f->budget)
			return -EAGAIN;
		assert_true(d->addr >= FAKE_RX_FRAMES * FAKE_FRAME && d->addr + d->len <= FAKE_UMEM);
		assert_true(d->addr % FAKE_FRAME >= f->tx_metadata);
		assert_true(d->addr % FAKE_FRAME + d->len <= FAKE_FRAME);
		if (f->n_sent < FAKE_SENT_MAX) {
			struct fake_sent *s = &f->sent[f->n_sent++];

			s->area = a - f->area;
			s->length = d->len;
			memcpy(s->frame, a->umem + d->addr, d->len);
			if (d->options)
				fake_make_sum(f, a->umem + d->addr, s->frame, d->len);
		}
		assert_true(done->producer - done->consumer < FAKE_ENTRIES);
		done->address[done->producer++ % FAKE_ENTRIES] = d->addr;
		tx->consumer++;
	}
	return 0;
}

void xsk_kick_rx(int fd)
{
}

void xsk_budget(int fd, int frames)
{
}

/* ---- memory ---- */

static inline int fake_memfd(size_t size, int seals, void *map)
{
	int fd = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *m;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(m, MAP_FAILED);
	memcpy(map, &m, sizeof(m));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static inline void fake_place(struct fake *f, struct porch_ring_place *place, size_t *used, uint32_t entries, uint32_t size,
		       struct porch_ring_end *end, int producer)
{
	place->offset = *used = (*used + 63) & ~(size_t)63;
	place->entries = entries;
	place->entry_size = size;
	*used += porch_ring_size(entries, size);
	assert_true(*used <= f->session_size);
	assert_int_equal(porch_ring_join(end, (struct porch_ring *)((char *)f->session + place->offset), entries, size,
					 producer), 0);
}

/* A session and its memory anew, as at HELLO. */
static inline void fake_memory(struct fake *f)
{
	size_t used = sizeof(struct porch_session), area_size = 4096 + FAKE_UMEM;
	struct porch_session *s;

	f->session_size = 1 << 20;
	f->session_fd = fake_memfd(f->session_size, F_SEAL_SHRINK | F_SEAL_GROW, &f->session);
	f->group_size = area_size * FAKE_AREAS;
	f->group_fd = fake_memfd(f->group_size, F_SEAL_SHRINK | F_SEAL_GROW, &f->group);
	f->wake_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->wake_daemon = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s = f->session;
	s->magic = PORCH_SESSION_MAGIC;
	s->version = PORCH_WIRE_VERSION;
	s->worker = FAKE_WORKER;
	s->generation = 1;
	f->inject_size = sizeof(struct porch_inject_entry) + 2048;
	fake_place(f, &s->accept, &used, FAKE_ACCEPT, sizeof(struct porch_accept_entry), &f->accept, 1);
	fake_place(f, &s->inject, &used, FAKE_INJECT, f->inject_size, &f->inject, 1);
	fake_place(f, &s->finish, &used, FAKE_FINISH, sizeof(struct porch_finish_entry), &f->finish, 0);
	for (int i = 0; i < FAKE_AREAS; i++) {
		struct fake_area *a = &f->area[i];

		fake_place(f, &s->area[i].give, &used, 128, 8, &a->give, 1);
		fake_place(f, &s->area[i].back, &used, 128, 8, &a->back, 0);
		memset(a->ring, 0, sizeof(a->ring));
		a->head = (void *)(f->group + i * area_size);
		a->umem = f->group + i * area_size + 4096;
		a->head->lease = PORCH_LEASE(f->no_lease ? 0 : FAKE_WORKER, 0, 1);
		for (uint32_t n = 0; n < FAKE_RX_FRAMES; n++)
			a->ring[XSK_FILL].address[n] = n * FAKE_FRAME;
		a->ring[XSK_FILL].producer = FAKE_RX_FRAMES;
	}
}

static inline void fake_memory_drop(struct fake *f)
{
	munmap(f->session, f->session_size);
	munmap(f->group, f->group_size);
	close(f->session_fd);
	close(f->group_fd);
	close(f->wake_worker);
	close(f->wake_daemon);
}

#include "tests/unit/lib_fake_control.h"

#endif /* PORCH_TESTS_LIB_FAKE_H */
