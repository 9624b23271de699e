// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/loop.h"
#include "daemon/session.h"
#include "daemon/umem.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static size_t place(struct porch_ring_place *p, size_t offset, uint32_t entries, uint32_t entry_size)
{
	p->offset = offset;
	p->entries = entries;
	p->entry_size = entry_size;
	return (offset + porch_ring_size(entries, entry_size) + 63) & ~(size_t)63;
}

void session_layout(const struct porch_daemon_config *config, uint32_t frame_size, struct session_layout *ret)
{
	uint32_t inject = (sizeof(struct porch_inject_entry) + frame_size - UMEM_HEADROOM + 63) & ~63u;
	uint32_t give = umem_round_up(config->rx_frames + config->tx_frames),
		 back = umem_round_up(config->rx_frames);
	size_t at = (sizeof(struct porch_session) + 63) & ~(size_t)63, page = sysconf(_SC_PAGESIZE);
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	at = place(&ret->accept, at, SESSION_ACCEPT_ENTRIES, sizeof(struct porch_accept_entry));
	at = place(&ret->inject, at, SESSION_INJECT_ENTRIES, inject);
	at = place(&ret->finish, at, SESSION_FINISH_ENTRIES, sizeof(struct porch_finish_entry));
	/* Rings of areas that never come cost address space and no memory. */
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		at = place(&ret->area[i].give, at, give, sizeof(uint64_t));
		at = place(&ret->area[i].back, at, back, sizeof(uint64_t));
	}
	ret->size = (at + page - 1) / page * page;
}

static uint32_t largest_frame(const struct daemon *d)
{
	struct umem_geometry g;
	uint32_t i, n = 2048;

	for (i = 0; i < d->n_groups; i++) {
		if (d->groups[i].ifindex && !umem_geometry(&d->config, d->groups[i].mtu, 1, &g) &&
		    g.frame_size > n)
			n = g.frame_size;
	}
	return n;
}

static int join(struct worker *w, struct porch_ring_end *end, const struct porch_ring_place *p, int producer)
{
	return porch_ring_join(end, (struct porch_ring *)((uint8_t *)w->session + p->offset), p->entries,
			       p->entry_size, producer);
}

/* Places are taken from `layout`, never from the session itself. */
static int join_all(struct worker *w, const struct session_layout *layout)
{
	uint32_t i;
	int r = join(w, &w->accept, &layout->accept, true);

	if (!r)
		r = join(w, &w->inject, &layout->inject, true);
	if (!r)
		r = join(w, &w->finish, &layout->finish, false);
	for (i = 0; !r && i < PORCH_AREAS_MAX; i++) {
		r = join(w, &w->areas[i].give, &layout->area[i].give, true);
		if (!r)
			r = join(w, &w->areas[i].back, &layout->area[i].back, false);
	}
	return r;
}

int session_area_join(struct worker *w, struct worker_area *wa)
{
	int r = porch_ring_join(&wa->give, wa->give.ring, wa->give.mask + 1, wa->give.entry_size, true);

	return r ? r
		 : porch_ring_join(&wa->back, wa->back.ring, wa->back.mask + 1, wa->back.entry_size, false);
}

static int map(struct worker *w, int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	w->session = memory;
	w->session_size = size;
	return 0;
}

static void drain(struct daemon *d, uint32_t events, void *arg)
{
	struct worker *w = arg;
	uint64_t n;

	/* What it was written for is in the rings: the pollers see to it. */
	if (read(w->wake_daemon, &n, sizeof(n)) < 0 && errno != EAGAIN)
		loop_remove(d->loop, w->wake_daemon);
}

int session_create(struct daemon *d, struct worker *w)
{
	struct session_layout layout;
	int r;

	session_layout(&d->config, largest_frame(d), &layout);
	w->session_fd = memfd_create("porch-session", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	w->wake_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->wake_daemon = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->session_fd < 0 || w->wake_worker < 0 || w->wake_daemon < 0 ||
	    ftruncate(w->session_fd, layout.size) || fcntl(w->session_fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL)) {
		r = -errno;
		session_destroy(d, w);
		return r;
	}
	r = map(w, w->session_fd, layout.size);
	if (!r) {
		struct porch_session *s = w->session;

		s->magic = PORCH_SESSION_MAGIC;
		s->version = PORCH_WIRE_VERSION;
		s->worker = w->number;
		s->generation = d->generation;
		s->accept = layout.accept;
		s->inject = layout.inject;
		s->finish = layout.finish;
		memcpy(s->area, layout.area, sizeof(s->area));
		r = join_all(w, &layout);
	}
	if (!r)
		r = loop_add(d->loop, w->wake_daemon, EPOLLIN, drain, w);
	if (r)
		session_destroy(d, w);
	return r;
}

static bool is_eventfd(int fd)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, "anon_inode:[eventfd]");
}

int session_adopt(struct daemon *d, struct worker *w, int memfd, int wake_worker, int wake_daemon)
{
	static const uint32_t frame_sizes[] = { 2048, 4096 };
	struct session_layout layout;
	struct porch_session *s;
	int seals = fcntl(memfd, F_GET_SEALS), r;
	struct stat st;
	size_t i;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(memfd, &st) || !is_eventfd(wake_worker) ||
	    !is_eventfd(wake_daemon))
		return -EPROTO;
	for (i = 0; i < ARRAY_SIZE(frame_sizes); i++) {
		session_layout(&d->config, frame_sizes[i], &layout);
		if ((uint64_t)st.st_size == layout.size)
			break;
	}
	if (i == ARRAY_SIZE(frame_sizes))
		return -EPROTO;
	w->session_fd = fcntl(memfd, F_DUPFD_CLOEXEC, 3);
	w->wake_worker = fcntl(wake_worker, F_DUPFD_CLOEXEC, 3);
	w->wake_daemon = fcntl(wake_daemon, F_DUPFD_CLOEXEC, 3);
	if (w->session_fd < 0 || w->wake_worker < 0 || w->wake_daemon < 0 ||
	    fcntl(w->wake_worker, F_SETFL, O_NONBLOCK) || fcntl(w->wake_daemon, F_SETFL, O_NONBLOCK)) {
		r = -errno;
		session_destroy(d, w);
		return r;
	}
	r = map(w, w->session_fd, layout.size);
	s = w->session;
	if (!r && (s->magic != PORCH_SESSION_MAGIC || s->version != PORCH_WIRE_VERSION ||
		   s->worker != w->number || memcmp(&s->accept, &layout.accept, sizeof(s->accept)) ||
		   memcmp(&s->inject, &layout.inject, sizeof(s->inject)) ||
		   memcmp(&s->finish, &layout.finish, sizeof(s->finish)) ||
		   memcmp(s->area, layout.area, sizeof(s->area))))
		r = -EPROTO;
	if (!r)
		r = join_all(w, &layout);
	if (!r)
		r = loop_add(d->loop, w->wake_daemon, EPOLLIN, drain, w);
	if (r) {
		session_destroy(d, w);
		return r;
	}
	s->generation = d->generation;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void session_destroy(struct daemon *d, struct worker *w)
{
	if (w->wake_daemon >= 0)
		loop_remove(d->loop, w->wake_daemon);
	if (w->session)
		munmap(w->session, w->session_size);
	w->session = NULL;
	close_fd(&w->session_fd);
	close_fd(&w->wake_worker);
	close_fd(&w->wake_daemon);
}
