// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Garbage by seed in every message, and in everything a worker maps. After each
 * attack porchd is there, the other worker is what it was (or, where what all
 * share was hit, has its queue again), and nothing has leaked.
 */
#include "tests/unit/control_world.h"

#define ATTACKS 250

static uint64_t seed, first_seed = 20261121;

static uint32_t below(uint32_t n)
{
	return unit_random(&seed) % n;
}

static void scribble(void *memory, size_t n)
{
	uint8_t *p = memory;

	while (n--)
		*p++ = unit_random(&seed) >> 32;
}

static struct porch_ring *ring_at(struct client *c, const struct porch_ring_place *p)
{
	return (struct porch_ring *)((uint8_t *)c->session + p->offset);
}

/* As a library does at AREA: what lies in `give` is of the area's last life. */
static void throw_away(struct client *good, uint32_t area)
{
	struct porch_ring *ring = ring_at(good, &good->session->area[area].give);

	ring->consumed = ring->produced;
}

/* The worker that keeps to the protocol: answers what porchd tells it. */
static void keep_up(struct world *x, struct client *good)
{
	struct message m;
	const char *what;
	int r;

	good->session->beat++;
	while (!(r = message_receive(good->fd, &m, &what))) {
		uint32_t area = m.body.down.area;

		switch (m.body.type) {
		case PORCH_MSG_AREA_DOWN:
		case PORCH_MSG_AREA_NEW:
		case PORCH_MSG_BOUND:
		case PORCH_MSG_CAPTURE:
			break;
		case PORCH_MSG_AREA:
			good->area[m.body.area.area] = m.body;
			throw_away(good, m.body.area.area);
			break;
		case PORCH_MSG_SOCKET:
			area = m.body.socket.area;
			close_if(&good->xsk[area]);
			good->xsk[area] = m.fds[0];
			m.fds[0] = -1;
			client_say(good,
				   (struct porch_msg){ .type = PORCH_MSG_MAPPED,
						       .mapped.area = area,
						       .mapped.can_lease = 1ull << area },
				   NULL, 0);
			break;
		default:
			fail_msg("the good worker is told %u: %s", m.body.type,
				 m.body.type == PORCH_MSG_REFUSED ? m.body.text : "");
		}
		message_done(&m);
	}
	assert_int_equal(r, -EAGAIN);
}

static bool well(struct world *x, struct client *good)
{
	uint32_t i;

	if (!x->d.workers[good->number] || !x->d.workers[good->number]->ready)
		fail_msg("the good worker is gone");
	for (i = 0; i < WORLD_QUEUES; i++) {
		struct area *a = area_of(x, i);

		if (!a->bound || a->broken || a->down_ns || a->departed || a->workers != 1 ||
		    a->lease_owner != good->number)
			return false;
	}
	return true;
}

static void random_fds(int *fds, int *n, struct client *c)
{
	int i;

	*n = below(MESSAGE_FDS + 1);
	for (i = 0; i < *n; i++) {
		switch (below(5)) {
		case 0:
			fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
			break;
		case 1:
			fds[i] = eventfd(0, EFD_CLOEXEC);
			break;
		case 2:
			fds[i] = memfd_create("garbage", MFD_CLOEXEC | MFD_ALLOW_SEALING);
			break;
		case 3:
			fds[i] = c->fds[0] >= 0 ? dup(c->fds[0]) : dup(0);
			break;
		default:
			fds[i] = dup(c->xsk[0] >= 0 ? c->xsk[0] : 0);
		}
	}
}

/* One message: nothing but noise, or one that is nearly right. */
static void noise(struct client *c)
{
	struct porch_msg m = {};
	int fds[MESSAGE_FDS], n, i;
	size_t length = sizeof(m);

	scribble(&m, sizeof(m));
	if (below(4))
		m.version = PORCH_WIRE_VERSION;
	if (below(4))
		m.type = below(20);
	if (below(3) == 0)
		memset((uint8_t *)&m + 16, 0, sizeof(m) - 16);
	if (m.type == PORCH_MSG_HELLO && below(2))
		m.hello.queue = below(2) ? PORCH_QUEUE_ANY : below(3);
	if (m.type == PORCH_MSG_LISTEN && below(2))
		m.listen.port = WORLD_PORT;
	if (m.type == PORCH_MSG_REJOIN && below(2))
		m.hello.worker = below(10);
	if (m.type == PORCH_MSG_AREA && below(2) && c->area[0].type) {
		m = c->area[below(2)];
		((uint8_t *)&m)[16 + below(64)] ^= 1 << below(8);
	}
	random_fds(fds, &n, c);
	if (below(8) == 0) {
		length = below(sizeof(m));
		(void)!send(c->fd, &m, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	} else if (m.version == PORCH_WIRE_VERSION) {
		message_send(c->fd, &m, fds, n);
	} else {
		(void)!send(c->fd, &m, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	for (i = 0; i < n; i++)
		close(fds[i]);
}

/* True once the attacker has been told that it is refused, or is cut off. */
static bool cut_off(struct client *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void a_ring(struct client *c, const struct porch_ring_place *p)
{
	struct porch_ring *ring;

	if (p->offset > c->size - 4096)
		return;
	ring = (struct porch_ring *)((uint8_t *)c->session + p->offset);
	if (below(2))
		scribble(ring->entries, below(1024));
	if (below(2))
		ring->produced += below(2) ? below(100) : (uint32_t)unit_random(&seed);
	if (below(2))
		ring->consumed += below(2) ? below(100) : (uint32_t)unit_random(&seed);
}

/* What only it shares with porchd. */
static void own_memory(struct client *c)
{
	struct porch_session *s = c->session;

	switch (below(8)) {
	case 0:
		a_ring(c, &s->accept);
		break;
	case 1:
		a_ring(c, &s->inject);
		break;
	case 2:
	case 3:
		a_ring(c, &s->finish);
		break;
	case 4:
		a_ring(c, &s->area[below(2)].give);
		break;
	case 5:
		a_ring(c, &s->area[below(2)].back);
		break;
	case 6:
		scribble(&s->listener[below(PORCH_WORKER_LISTENERS)], 40);
		break;
	default:
		scribble(s, sizeof(*s));
	}
	if (below(2))
		(void)!write(c->fds[below(2) + 1], &(uint64_t){ 1 }, 8);
}

/* What all of the queue share. */
static void shared_memory(struct world *x, struct client *c)
{
	struct area *a = area_of(x, below(2));
	struct xsk_ring rx;

	if (!a->bound)
		return;
	switch (below(6)) {
	case 0:
		a->head->lease = unit_random(&seed);
		break;
	case 1:
		*a->fill.producer += below(2) ? (uint32_t)unit_random(&seed) : below(200);
		break;
	case 2:
		*a->completion.consumer += (uint32_t)unit_random(&seed);
		break;
	case 3:
		scribble(a->umem, 64 * 2048);
		break;
	case 4:
		if (xsk_ring_map(c->xsk[0], XSK_RX, 32, &rx))
			break;
		scribble(rx.descs, 32 * sizeof(struct xdp_desc));
		*rx.producer += (uint32_t)unit_random(&seed);
		break;
	default:
		scribble(a->completion.descs, 64);
		*a->completion.producer += below(64); /* as if the kernel had */
	}
}

static void traffic(struct world *x)
{
	uint32_t i, q;

	for (i = 0; i < 8; i++) {
		q = below(2);
		deliver(x, q, slot_of(area_of(x, q), below(3)), below(WORLD_FLOWS), 1 + below(3));
	}
}

/* A frame that the good worker is done with: into FILL when it holds the lease, else `back`. */
static void done_with(struct world *x, struct client *good, struct area *a, uint64_t address)
{
	const struct porch_ring_place *p = &good->session->area[a->queue].back;
	struct porch_ring_end back;
	uint64_t *entry;
	int error;

	if (umem_rx_frame(a, address) == UMEM_NONE)
		return;
	if (PORCH_LEASE_OWNER(a->head->lease) == good->number) {
		*xsk_address(&a->fill, (*a->fill.producer)++) = address;
	} else if (!porch_ring_join(&back, ring_at(good, p), p->entries, 8, 1)) {
		entry = porch_ring_fill(&back, &error);
		if (entry)
			*entry = address;
		porch_ring_publish(&back);
	}
}

static void work(struct world *x, struct client *good)
{
	uint32_t q;

	for (q = 0; q < WORLD_QUEUES; q++) {
		const struct porch_ring_place *p = &good->session->area[q].give;
		struct area *a = area_of(x, q);
		struct porch_ring_end give;
		const uint64_t *entry;
		struct xsk_ring rx;
		int error;

		if (!a->bound || a->broken || a->workers == 0 || good->xsk[q] < 0)
			continue;
		if (!xsk_ring_map(good->xsk[q], XSK_RX, 32, &rx)) {
			while (*rx.consumer != *rx.producer)
				done_with(x, good, a, xsk_desc(&rx, (*rx.consumer)++).addr);
		}
		if (porch_ring_join(&give, ring_at(good, p), p->entries, 8, 0))
			continue;
		while ((entry = porch_ring_take(&give, &error)))
			done_with(x, good, a, *entry);
		porch_ring_release(&give);
	}
}

static bool quiet(const struct area *a)
{
	return a->bound && !a->departed && !a->broken && !a->down_ns;
}

static void others_are_unaffected(void **state)
{
	struct world *x = world_tables();
	struct client good, bad;
	uint32_t i, j, before;

	seed = first_seed;
	world_start(x);
	client_register(x, &good, 3);
	turn_until(x, well(x, &good));
	before = open_fds();
	for (i = 0; i < ATTACKS; i++) {
		bool registered = below(3), hits_all = registered && below(4) == 0;

		if (registered)
			client_register(x, &bad, below(4));
		else
			client_connect(x, &bad, 0);
		for (j = 1 + below(4); j > 0; j--) {
			if (hits_all)
				shared_memory(x, &bad);
			else if (registered && below(2))
				own_memory(&bad);
			else
				noise(&bad);
			traffic(x);
			turn(x);
			work(x, &good);
			keep_up(x, &good);
			if (cut_off(&bad))
				break;
		}
		client_end(&bad);
		for (j = 0; j < 20000 && !well(x, &good); j++) {
			traffic(x);
			turn(x);
			work(x, &good);
			keep_up(x, &good);
		}
		if (!well(x, &good))
			fail_msg("attack %u (%s): the good worker's queues are not back", i,
				 hits_all ? "on all" : "its own");
	}
	turn_until(x, !reap_left());
	assert_int_equal(open_fds(), before);
	client_end(&good);
	turn_until(x, !x->d.workers[good.number] && quiet(area_of(x, 0)) && quiet(area_of(x, 1)));
	for (i = 0; i < WORLD_QUEUES; i++) {
		struct umem_account n;

		assert_int_equal(umem_account(area_of(x, i), &n), 0);
		assert_int_equal(n.missing, 0);
	}
	world_free(x);
}

/* control_fuzz [SEED] */
int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_are_unaffected),
	};

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 0);
	return unit_run("control_fuzz", tests);
}
