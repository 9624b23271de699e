// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What no library would write, into everything a worker can reach. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp/tcp.h"
#include "tests/net/tools/fake_app.h"

static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

static void scribble(void *memory, size_t n, uint64_t *seed)
{
	uint64_t word;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		word = next(seed);
		memcpy((uint8_t *)memory + i, &word, 8);
	}
}

static struct fake_area *first(struct fake *f)
{
	uint32_t i;

	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (f->areas[i].used)
			return &f->areas[i];
	}
	exit(1);
}

static void ring(struct porch_ring_end *e, int producer, uint64_t *seed)
{
	uint32_t *index = producer ? &e->ring->produced : &e->ring->consumed;

	if (producer)
		scribble(e->ring->entries, 4096, seed);
	__atomic_store_n(index, *index + (uint32_t)next(seed), __ATOMIC_RELEASE);
}

/*
 * Connections of others, of nobody and of its own, with states that cannot be. First
 * in a memfd as it has to be, then as it must not be, which ends the session.
 */
static void hand_back(struct fake *f, uint64_t *seed)
{
	struct {
		struct porch_handback_entry entry;
		uint64_t rest[64];
	} *e = calloc(1000, sizeof(*e));
	struct porch_msg m = { .type = PORCH_MSG_HANDBACK, .handback = { .connections = 1000 } };
	int fd = memfd_create("garbage", MFD_ALLOW_SEALING), i;

	if (!e || fd < 0)
		exit(1);
	scribble(e, 1000 * sizeof(*e), seed);
	for (i = 0; i < 1000; i++) {
		e[i].entry.flow %= i % 3 ? 64 : UINT32_MAX;
		e[i].entry.serial %= i % 2 ? 16 : UINT32_MAX;
		e[i].entry.state_size = sizeof(struct tcp_handback);
		e[i].entry.octets = sizeof(e->rest) - e[i].entry.state_size;
	}
	m.handback.size = 1000 * sizeof(*e);
	if (write(fd, e, m.handback.size) != (ssize_t)m.handback.size)
		exit(1);
	free(e);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	fake_send_fd(f, &m, fd);
	m.handback.connections = (uint32_t)next(seed);
	fake_send_fd(f, &m, fd);
	close(fd);
	usleep(50000);
	fd = memfd_create("garbage", MFD_ALLOW_SEALING); /* not sealed, and empty */
	fake_send_fd(f, &m, fd);
	close(fd);
}

bool fake_garbage(struct fake *f, const char *what, uint64_t seed)
{
	struct fake_area *a = first(f);
	uint64_t s = seed * 0x9e3779b97f4a7c15ull + 1, busy;
	uint32_t i;

	if (!strcmp(what, "fill")) { /* an index that cannot be */
		__atomic_store_n(a->fill.producer, *a->fill.producer + 0x10000000, __ATOMIC_RELEASE);
	} else if (!strcmp(what, "fill_rewind")) {
		__atomic_store_n(a->fill.producer, *a->fill.producer - 100, __ATOMIC_RELEASE);
	} else if (!strcmp(what, "fill_addresses")) {
		for (i = 0; i <= a->fill.mask; i++)
			((uint64_t *)a->fill.descs)[i] = next(&s);
	} else if (!strcmp(what, "completion")) {
		__atomic_store_n(a->completion.consumer, *a->completion.consumer + 0x10000000,
				 __ATOMIC_RELEASE);
	} else if (!strcmp(what, "lease")) {
		__atomic_store_n(&a->head->lease, next(&s), __ATOMIC_RELEASE);
	} else if (!strcmp(what, "frames")) {
		scribble(a->umem, (size_t)a->area.area.rx_frames * a->area.area.frame_size, &s);
	} else if (!strcmp(what, "finish")) {
		ring(&f->finish, 1, &s);
		fake_kick(f);
	} else if (!strcmp(what, "finish_entries")) {
		struct porch_finish_entry *e;
		int error;

		for (i = 0; i < 1000 && (e = porch_ring_fill(&f->finish, &error)); i++)
			scribble(e, sizeof(*e), &s);
		porch_ring_publish(&f->finish);
		fake_kick(f);
	} else if (!strcmp(what, "back")) {
		ring(&a->back, 1, &s);
		fake_kick(f);
	} else if (!strcmp(what, "give")) {
		ring(&a->give, 0, &s);
	} else if (!strcmp(what, "accept")) {
		ring(&f->accept, 0, &s);
	} else if (!strcmp(what, "inject")) {
		ring(&f->inject, 0, &s);
	} else if (!strcmp(what, "credit")) {
		for (i = 0; i < PORCH_WORKER_LISTENERS; i++)
			scribble(&f->session->listener[i], 16, &s);
		fake_kick(f);
	} else if (!strcmp(what, "session")) {
		scribble(f->session, sizeof(*f->session), &s);
	} else if (!strcmp(what, "messages")) {
		struct porch_msg m;

		scribble(&m, sizeof(m), &s);
		send(f->control, &m, next(&s) % (sizeof(m) + 1), MSG_NOSIGNAL);
	} else if (!strcmp(what, "handback")) {
		hand_back(f, &s);
	} else if (!strcmp(what, "stop_busy")) { /* stopped in the middle of its work on the rings */
		fake_lease(a, f->number, &busy);
		raise(SIGSTOP);
		fake_unlease(a, busy);
	} else {
		return false;
	}
	printf("wrote garbage: %s\n", what);
	usleep(100000); /* seen before it is overwritten */
	return true;
}
