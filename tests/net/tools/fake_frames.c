// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames: received, answered by turning them round, given back. TCP without state: what is in order is
 * echoed. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/net/tools/fake_app.h"

bool fake_lease(struct fake_area *a, uint32_t me, uint64_t *busy)
{
	uint64_t word = __atomic_load_n(&a->head->lease, __ATOMIC_ACQUIRE);

	if (!a->fill.map || PORCH_LEASE_OWNER(word) != me || PORCH_LEASE_BUSY(word))
		return false;
	*busy = PORCH_LEASE(me, 1, PORCH_LEASE_GENERATION(word));
	return __atomic_compare_exchange_n(&a->head->lease, &word, *busy, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

void fake_unlease(struct fake_area *a, uint64_t busy)
{
	uint64_t word = busy, idle = PORCH_LEASE(PORCH_LEASE_OWNER(busy), 0, PORCH_LEASE_GENERATION(busy));

	__atomic_compare_exchange_n(&a->head->lease, &word, idle, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool own_tx(const struct fake_area *a, uint64_t address)
{
	uint64_t frame = address / a->area.area.frame_size;

	return frame >= a->socket.socket.tx_first &&
	       frame < a->socket.socket.tx_first + a->socket.socket.tx_frames;
}

static void sent(struct fake_area *a, uint64_t address)
{
	if (own_tx(a, address) && a->n_free_tx < a->socket.socket.tx_frames)
		a->free_tx[a->n_free_tx++] = address;
}

static void give_back(struct fake *f, struct fake_area *a, const uint64_t *frames, uint32_t n)
{
	uint32_t i, p, c;
	uint64_t busy;
	int error;

	if (fake_lease(a, f->number, &busy)) {
		if (!a->leased)
			printf("leased %u\n", a->area.area.area);
		a->leased = true;
		p = *a->fill.producer;
		for (i = 0; i < n; i++)
			((uint64_t *)a->fill.descs)[p++ & a->fill.mask] = frames[i];
		__atomic_store_n(a->fill.producer, p, __ATOMIC_RELEASE);
		c = *a->completion.consumer;
		p = __atomic_load_n(a->completion.producer, __ATOMIC_ACQUIRE);
		if (p - c > a->completion.mask + 1)
			c = p; /* garbage of our own */
		for (; c != p; c++)
			sent(a, ((uint64_t *)a->completion.descs)[c & a->completion.mask]);
		__atomic_store_n(a->completion.consumer, c, __ATOMIC_RELEASE);
		fake_unlease(a, busy);
		return;
	}
	if (a->leased)
		printf("lease lost %u\n", a->area.area.area);
	a->leased = false;
	for (i = 0; i < n; i++) {
		uint64_t *entry = porch_ring_fill(&a->back, &error);

		if (entry)
			*entry = frames[i];
	}
	porch_ring_publish(&a->back);
	if (n)
		fake_kick(f);
}

static uint32_t add(const void *data, uint32_t n, uint32_t sum)
{
	const uint8_t *p = data;

	for (; n > 1; n -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return n ? sum + (p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void checksums(uint8_t *l3, struct tcphdr *tcp, uint32_t length)
{
	struct iphdr *v4 = (struct iphdr *)l3;
	struct ip6_hdr *v6 = (struct ip6_hdr *)l3;
	bool is4 = v4->version == 4;
	uint32_t sum = 6 + length;

	tcp->check = 0;
	sum = is4 ? add(&v4->saddr, 8, sum) : add(&v6->ip6_src, 32, sum);
	tcp->check = htons(fold(add(tcp, length, sum)));
	if (!is4)
		return;
	v4->check = 0;
	v4->check = htons(fold(add(v4, v4->ihl * 4, 0)));
}

static void swap(void *a, void *b, size_t n)
{
	uint8_t t[16];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static void finish(struct fake *f, const struct porch_record *r)
{
	struct porch_finish_entry *e;
	int error;

	e = porch_ring_fill(&f->finish, &error);
	if (e)
		*e = (struct porch_finish_entry){ .flow = r->flow,
						  .serial = r->serial,
						  .how = PORCH_FINISH_CLOSED };
	porch_ring_publish(&f->finish);
	fake_kick(f);
}

/* Builds the answer in a TX frame. False: none is due. */
static bool answer(struct fake *f, struct fake_area *a, const struct porch_record *r, const uint8_t *in,
		   uint32_t length)
{
	uint32_t end = r->l4 + r->length, header, data, mss_ok = a->area.area.frame_size - 256;
	const struct tcphdr *from = (const struct tcphdr *)(in + r->l4);
	struct tcphdr *tcp;
	uint8_t *out;
	uint64_t address;
	uint32_t p, seq, *last;

	if (r->kind == PORCH_RECORD_ICMP || end > length || end > mss_ok || !a->n_free_tx || f->mute)
		return false;
	header = from->doff * 4;
	data = r->length - header;
	last = &f->closing[r->flow % FAKE_FLOWS];
	if (from->rst || (!data && !from->fin && *last == r->serial)) {
		finish(f, r);
		*last = 0;
		return false;
	}
	if (!data && !from->fin)
		return false;
	if (from->fin)
		*last = r->serial;
	address = a->free_tx[--a->n_free_tx];
	out = a->umem + address;
	memcpy(out, in, r->l4 + 20);
	memcpy(out + r->l4 + 20, in + r->l4 + header, data);
	swap(out, out + 6, 6);
	if (out[r->l3] >> 4 == 4) {
		struct iphdr *v4 = (struct iphdr *)(out + r->l3);

		swap(&v4->saddr, &v4->daddr, 4);
		v4->tot_len = htons(r->l4 - r->l3 + 20 + data);
		v4->ttl = 64;
	} else {
		struct ip6_hdr *v6 = (struct ip6_hdr *)(out + r->l3);

		swap(&v6->ip6_src, &v6->ip6_dst, 16);
		v6->ip6_plen = htons(r->l4 - r->l3 - 40 + 20 + data);
	}
	tcp = (struct tcphdr *)(out + r->l4);
	swap(&tcp->source, &tcp->dest, 2);
	seq = ntohl(from->seq);
	tcp->seq = from->ack_seq;
	tcp->ack_seq = htonl(seq + data + from->fin);
	tcp->doff = 5;
	tcp->fin = from->fin;
	tcp->psh = 1;
	tcp->ack = 1;
	checksums(out + r->l3, tcp, 20 + data);
	p = *a->tx.producer;
	((struct xdp_desc *)a->tx.descs)[p & a->tx.mask] =
		(struct xdp_desc){ .addr = address, .len = r->l4 + 20 + data };
	__atomic_store_n(a->tx.producer, p + 1, __ATOMIC_RELEASE);
	return true;
}

static int take_give(struct fake *f, struct fake_area *a)
{
	uint64_t rx[256];
	uint32_t n = 0;
	const uint64_t *entry;
	int error, done = 0;

	while (n < 256 && (entry = porch_ring_take(&a->give, &error))) {
		done++;
		if (*entry / a->area.area.frame_size < a->area.area.rx_frames)
			rx[n++] = *entry;
		else
			sent(a, *entry);
	}
	porch_ring_release(&a->give);
	give_back(f, a, rx, n);
	return done;
}

static int receive(struct fake *f, struct fake_area *a)
{
	uint32_t c = *a->rx.consumer, p = __atomic_load_n(a->rx.producer, __ATOMIC_ACQUIRE), n = 0, tx = 0;
	uint64_t frames[64];

	for (; c != p && n < 64; c++, n++) {
		struct xdp_desc d = ((struct xdp_desc *)a->rx.descs)[c & a->rx.mask];
		struct porch_record r;

		memcpy(&r, a->umem + d.addr - sizeof(r), sizeof(r));
		tx += answer(f, a, &r, a->umem + d.addr, d.len);
		frames[n] = d.addr;
	}
	if (!n)
		return 0;
	__atomic_store_n(a->rx.consumer, c, __ATOMIC_RELEASE);
	f->segments += n;
	if (!f->keep)
		give_back(f, a, frames, n);
	if (tx)
		sendto(a->xsk, NULL, 0, MSG_DONTWAIT, NULL, 0);
	return n;
}

static int accepted(struct fake *f)
{
	const struct porch_accept_entry *e;
	int error, n = 0;

	while ((e = porch_ring_take(&f->accept, &error))) {
		struct porch_session_listener *l = &f->session->listener[e->listener];

		printf("accept flow=%u serial=%u port=%u early=%u\n", e->flow, e->serial, e->remote_port,
		       e->early);
		f->accepted++;
		__atomic_store_n(&l->accepted, l->accepted + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&l->granted, l->accepted + f->credit, __ATOMIC_RELEASE);
		n++;
	}
	porch_ring_release(&f->accept);
	if (n)
		fake_kick(f);
	return n;
}

static int injected(struct fake *f)
{
	const struct porch_inject_entry *e;
	uint32_t i;
	int error, n = 0;

	while ((e = porch_ring_take(&f->inject, &error))) {
		struct porch_record r = { .flow = e->flow,
					  .serial = e->serial,
					  .kind = e->kind,
					  .l3 = e->l3,
					  .l4 = e->l4,
					  .length = e->segment };

		for (i = 0; i < PORCH_AREAS_MAX; i++) {
			if (!f->areas[i].used)
				continue;
			if (answer(f, &f->areas[i], &r, e->frame, e->length))
				sendto(f->areas[i].xsk, NULL, 0, MSG_DONTWAIT, NULL, 0);
			break;
		}
		n++;
	}
	porch_ring_release(&f->inject);
	return n;
}

int fake_work(struct fake *f)
{
	int done = 0;
	uint32_t i;

	__atomic_add_fetch(&f->session->beat, 1, __ATOMIC_RELAXED);
	done += accepted(f);
	done += injected(f);
	for (i = 0; i < PORCH_AREAS_MAX; i++) {
		if (!f->areas[i].used)
			continue;
		done += take_give(f, &f->areas[i]);
		done += receive(f, &f->areas[i]);
	}
	return done;
}
