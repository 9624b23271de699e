/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The beginning of a session: WELCOME, and the memory that came with it. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lib.h"

#define SESSION_MAX ((uint64_t)1 << 30)
#define RING_MAX    65536u
#define INJECT_MAX  (65536u + sizeof(struct porch_inject_entry))

static int ring(struct porch *p, const struct porch_ring_place *shared, uint32_t least, uint32_t most,
		int producer, struct porch_ring_end *ret)
{
	struct porch_ring_place place = *shared;
	uint64_t size;

	if (!place.entries || place.entries > RING_MAX || place.entry_size < least || place.entry_size > most)
		return -EPROTO;
	size = porch_ring_size(place.entries, place.entry_size);
	if (place.offset % 64 || place.offset < sizeof(struct porch_session) ||
	    place.offset > p->session_size || size > p->session_size - place.offset)
		return -EPROTO;
	return porch_ring_join(ret, (struct porch_ring *)((char *)p->session + place.offset), place.entries,
			       place.entry_size, producer);
}

static int map(struct porch *p, int fd, uint64_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *m;

	/* Memory that could shrink under us would be a SIGBUS at somebody's pleasure. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || size < sizeof(struct porch_session) ||
	    size > SESSION_MAX || fstat(fd, &st) || (uint64_t)st.st_size < size)
		return -EPROTO;
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		return -errno;
	madvise(m, size, MADV_DONTFORK);
	p->session = m;
	p->session_size = size;
	return 0;
}

/* fds: session memory, wake_worker, wake_daemon. Taken out of the array when kept. */
int hello_welcome(struct porch *p, const struct porch_msg *msg, int fds[3])
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = LIB_TAG_WAKE };
	const struct porch_session *s;
	int r;

	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || p->session)
		return -EPROTO;
	if (!msg->welcome.worker || msg->welcome.worker >= PORCH_WORKERS_MAX ||
	    msg->welcome.areas > PORCH_AREAS_MAX)
		return -EPROTO;
	r = map(p, fds[0], msg->welcome.session_size);
	if (r)
		return r;
	s = p->session;
	if (s->magic != PORCH_SESSION_MAGIC || s->version != PORCH_WIRE_VERSION)
		return -EPROTO;
	r = ring(p, &s->accept, sizeof(struct porch_accept_entry), sizeof(struct porch_accept_entry), 0,
		 &p->accept);
	if (!r)
		r = ring(p, &s->inject, sizeof(struct porch_inject_entry) + 64, INJECT_MAX, 0, &p->inject);
	if (!r)
		r = ring(p, &s->finish, sizeof(struct porch_finish_entry), sizeof(struct porch_finish_entry),
			 1, &p->finish);
	if (r)
		return r;
	/* A wake_worker that would block would stop the whole worker. */
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) || fcntl(fds[2], F_SETFL, O_NONBLOCK))
		return -EPROTO;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fds[1], &event))
		return -errno;
	p->session_fd = fds[0];
	p->wake_worker = fds[1];
	p->wake_daemon = fds[2];
	fds[0] = fds[1] = fds[2] = -1;
	p->worker = msg->welcome.worker;
	p->generation = msg->welcome.generation;
	p->handback = msg->welcome.handback;
	p->areas_expected = msg->welcome.areas;
	p->areas_told = 0;
	p->phase = PHASE_AREAS;
	if (!p->areas_expected)
		return -ENODEV;
	return session_expect(p);
}
