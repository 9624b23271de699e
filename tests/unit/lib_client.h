/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client of the fake porchd's network: builds segments and puts them through
 * FILL into the RX ring as the kernel would, and reads what the worker sent.
 */
#ifndef PORCH_TESTS_LIB_CLIENT_H
#define PORCH_TESTS_LIB_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/lib_fake.h"

#define SEG_FIN 0x01
#define SEG_SYN 0x02
#define SEG_RST 0x04
#define SEG_PSH 0x08
#define SEG_ACK 0x10

struct client {
	struct fake *fake;
	uint32_t flow, serial, area;
	uint16_t port;
	uint32_t seq, ack;	/* next to send, next expected */
	uint16_t window;
};

static inline uint32_t client_sum(const void *data, size_t n, uint32_t sum)
{
	const uint8_t *d = data;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += d[i] << 8 | d[i + 1];
	if (n & 1)
		sum += d[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Over IPv4's pseudo-header and the segment: 0xffff when the checksum in it is right. */
static inline uint32_t client_tcp_sum(const uint8_t *ip, const uint8_t *tcp, uint32_t length)
{
	uint8_t rest[4] = { 0, 6, length >> 8, length };

	return client_sum(tcp, length, client_sum(rest, 4, client_sum(ip + 12, 8, 0)));
}

static inline uint32_t client_build(const struct client *c, uint8_t *frame, uint8_t flags, const void *data, uint32_t n)
{
	uint8_t *ip = frame + 14, *tcp = ip + 20;
	uint32_t words[2] = { htonl(c->seq), htonl(c->ack) }, sum;
	uint16_t total = htons(40 + n), port = htons(c->port), to = htons(80), window = htons(c->window);

	memset(frame, 0, 54);
	memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
	ip[0] = 0x45;
	memcpy(ip + 2, &total, 2);
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, "\12\0\0\2\12\0\0\1", 8);
	sum = ~client_sum(ip, 20, 0);
	ip[10] = sum >> 8;
	ip[11] = sum;
	memcpy(tcp, &port, 2);
	memcpy(tcp + 2, &to, 2);
	memcpy(tcp + 4, words, 8);
	tcp[12] = 0x50;
	tcp[13] = flags;
	memcpy(tcp + 14, &window, 2);
	memcpy(tcp + 20, data, n);
	sum = ~client_tcp_sum(ip, tcp, 20 + n);
	tcp[16] = sum >> 8;
	tcp[17] = sum;
	return 54 + n;
}

/* A frame into the RX ring of an area. False: FILL is empty, the kernel drops it. */
static inline bool fake_receive(struct fake *f, uint32_t area, const struct porch_record *r, const void *frame, uint32_t length)
{
	struct fake_area *a = &f->area[area];
	struct fake_ring *fill = &a->ring[XSK_FILL], *rx = &a->ring[XSK_RX];
	uint64_t address;

	if (fill->consumer == fill->producer || rx->producer - rx->consumer == FAKE_ENTRIES)
		return false;
	assert_true(fill->producer - fill->consumer <= FAKE_ENTRIES);
	address = fill->address[fill->consumer++ % FAKE_ENTRIES] / FAKE_FRAME * FAKE_FRAME + 256;
	assert_true(address < FAKE_RX_FRAMES * FAKE_FRAME);
	memcpy(a->umem + address - sizeof(*r), r, sizeof(*r));
	memcpy(a->umem + address, frame, length);
	rx->desc[rx->producer++ % FAKE_ENTRIES] = (struct xdp_desc){ .addr = address, .len = length };
	return true;
}

static inline struct porch_record client_record(const struct client *c, uint32_t n)
{
	return (struct porch_record){
		.magic = PORCH_RECORD_MAGIC,
		.flow = c->flow,
		.serial = c->serial,
		.kind = PORCH_RECORD_SEGMENT,
		.l3 = 14,
		.l4 = 34,
		.length = 20 + n,
	};
}

static inline bool client_send(struct client *c, uint8_t flags, const void *data, uint32_t n)
{
	struct porch_record r = client_record(c, n);
	uint8_t frame[FAKE_FRAME];
	uint32_t length = client_build(c, frame, flags, data, n);

	c->seq += n + !!(flags & SEG_FIN);
	return fake_receive(c->fake, c->area, &r, frame, length);
}

/* The same, by way of porchd. */
static inline void client_inject(struct client *c, uint8_t flags, const void *data, uint32_t n)
{
	int error;
	struct porch_inject_entry *e = porch_ring_fill(&c->fake->inject, &error);

	assert_non_null(e);
	*e = (struct porch_inject_entry){
		.flow = c->flow,
		.serial = c->serial,
		.l3 = 14,
		.l4 = 34,
		.segment = 20 + n,
		.kind = PORCH_RECORD_SEGMENT,
	};
	e->length = client_build(c, e->frame, flags, data, n);
	c->seq += n + !!(flags & SEG_FIN);
	porch_ring_publish(&c->fake->inject);
}

static inline struct porch_accept_entry client_entry(struct client *c, uint32_t handle)
{
	struct porch_accept_entry e = {
		.flow = c->flow,
		.serial = c->serial,
		.listener = handle,
		.area = c->area,
		.remote = { [10] = 0xff, 0xff, 10, 0, 0, 2 },
		.local = { [10] = 0xff, 0xff, 10, 0, 0, 1 },
		.remote_port = c->port,
		.local_port = 80,
		.irs = c->seq - 1,
		.iss = c->ack - 1,
		.mss = 1460,
		.window = c->window,
		.remote_mac = { 2, 0, 0, 0, 0, 2 },
		.local_mac = { 2, 0, 0, 0, 0, 1 },
		.tags = { 0xffff, 0xffff },
		.queued_ns = 4321,
	};

	return e;
}

static inline bool fake_hand(struct fake *f, const struct porch_accept_entry *entry)
{
	int error;
	struct porch_accept_entry *e = porch_ring_fill(&f->accept, &error);

	if (!e)
		return false;
	*e = *entry;
	porch_ring_publish(&f->accept);
	if (entry->listener < PORCH_WORKER_LISTENERS)
		f->session->listener[entry->listener].handed++;
	return true;
}

/* A new connection, handed to the worker for listener `handle`. */
static inline struct client client_new(struct fake *f, uint32_t flow, uint32_t handle)
{
	struct client c = {
		.fake = f,
		.flow = flow,
		.serial = flow * 7 + 1,
		.area = flow % FAKE_AREAS,
		.port = 1024 + flow % 60000,
		.seq = 1000 + flow,
		.ack = 5000 + flow,
		.window = 65535,
	};
	struct porch_accept_entry e = client_entry(&c, handle);

	assert_true(fake_hand(f, &e));
	return c;
}

/* Reads what was sent to this client; returns the payload's octets, *flags what they all carried. Checks every sum. */
static inline uint32_t client_read(struct client *c, uint8_t *flags, void *data, uint32_t size)
{
	uint32_t got = 0;

	*flags = 0;
	for (uint32_t i = 0; i < c->fake->n_sent; i++) {
		const struct fake_sent *s = &c->fake->sent[i];
		const uint8_t *ip = s->frame + 14, *tcp = ip + 20;
		uint32_t total = ip[2] << 8 | ip[3], head = (tcp[12] >> 4) * 4, n = total - 20 - head, seq;

		assert_true(s->length >= 54 && total + 14 <= s->length);
		assert_int_equal(client_sum(ip, 20, 0), 0xffff);
		assert_int_equal(client_tcp_sum(ip, tcp, total - 20), 0xffff);
		if ((tcp[2] << 8 | tcp[3]) != c->port)
			continue;
		assert_memory_equal(s->frame, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
		memcpy(&seq, tcp + 4, 4);
		*flags |= tcp[13];
		if (ntohl(seq) != c->ack)
			continue;
		assert_true(got + n <= size);
		memcpy((uint8_t *)data + got, tcp + head, n);
		got += n;
		c->ack += n + !!(tcp[13] & SEG_FIN);
	}
	return got;
}

static inline void fake_forget(struct fake *f)
{
	f->n_sent = 0;
}

/* Every RX frame of an area is in FILL, or in the RX ring, or in `back`, and nowhere twice. */
static inline void fake_account(struct fake *f)
{
	for (int n = 0; n < FAKE_AREAS; n++) {
		struct fake_area *a = &f->area[n];
		uint8_t seen[FAKE_RX_FRAMES] = {};
		uint32_t count = 0;
		struct fake_ring *fill = &a->ring[XSK_FILL], *rx = &a->ring[XSK_RX];

		for (uint32_t i = fill->consumer; i != fill->producer; i++, count++)
			assert_int_equal(seen[fill->address[i % FAKE_ENTRIES] / FAKE_FRAME]++, 0);
		for (uint32_t i = rx->consumer; i != rx->producer; i++, count++)
			assert_int_equal(seen[rx->desc[i % FAKE_ENTRIES].addr / FAKE_FRAME]++, 0);
		for (uint32_t i = a->back.own; i != a->back.ring->produced; i++, count++)
			assert_int_equal(seen[*(uint64_t *)porch_ring_at(&a->back, i) / FAKE_FRAME]++, 0);
		assert_int_equal(count, FAKE_RX_FRAMES);
	}
}

static inline int test_listen(struct porch *p, struct porch_listener **l)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(80) };

	return porch_listen(p, (struct sockaddr *)&in, sizeof(in), 16, l);
}

#endif /* PORCH_TESTS_LIB_CLIENT_H */
