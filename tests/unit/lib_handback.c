// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch_close() and exit(): what is handed to porchd, what is reset, and that nobody waits for long. */
#include "tests/unit/lib_worker.h"

/* A porchd that takes things back: what it is told, and how it answers. */
static struct {
	uint64_t most;
	bool mute;
	_Atomic int messages, fds, connections, reset;
	uint64_t size;
	int seals;
	uint8_t memory[1 << 16];
} taker;

static void offer(struct fake *f, struct porch_msg *m, int *fds, unsigned int *n_fds)
{
	if (m->type == PORCH_MSG_WELCOME)
		m->welcome.handback = taker.most;
}

static void on_handback(struct fake *f, struct porch_msg *m, const int *fds, unsigned int n_fds)
{
	taker.size = m->handback.size;
	taker.reset = m->handback.reset;
	taker.fds = n_fds;
	if (n_fds == 1) {
		taker.seals = fcntl(fds[0], F_GET_SEALS);
		assert_true(m->handback.size <= sizeof(taker.memory));
		assert_int_equal(pread(fds[0], taker.memory, sizeof(taker.memory), 0), m->handback.size);
	}
	taker.connections = m->handback.connections;
	taker.messages++;
	if (!taker.mute)
		fake_send(f, m, NULL, 0);
}

static void start(uint64_t most)
{
	memset(&taker, 0, sizeof(taker));
	taker.most = most;
	memset(&fake, 0, sizeof(fake));
	fake.tamper = offer;
	fake.handback = on_handback;
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

/* Closes, and waits until porchd has heard the goodbye. Returns milliseconds of porch_close(). */
static uint32_t finish(void)
{
	uint64_t began = poll_clock();
	uint32_t ms;

	porch_close(p);
	ms = (poll_clock() - began) / 1000000;
	for (int i = 0; i < 2000 && !fake.goodbyes; i++)
		usleep(1000);
	return ms;
}

/* The n-th entry in what was handed back. */
static const struct porch_handback_entry *entry(uint32_t n)
{
	const uint8_t *at = taker.memory;

	while (n--)
		at += porch_handback_size((const void *)at);
	return (const void *)at;
}

static const struct tcp_handback *state_of(const struct porch_handback_entry *e)
{
	return (const void *)(e + 1);
}

/* Flags of everything that went to this client. */
static uint8_t flags_to(struct client *c)
{
	uint8_t flags, data[8192];

	client_read(c, &flags, data, sizeof(data));
	return flags;
}

static void octets(uint8_t *data, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		data[i] = i * 7 + i / 253;
}

/* One that the application has closed, one that it has left open, one that is over, one not accepted. */
static void all_of_it(void **state)
{
	const struct porch_handback_entry *e;
	struct client closed, open, over, waiting;
	struct porch_conn *c;
	struct porch_event event;
	uint8_t data[3000], flags;

	octets(data, sizeof(data));
	start(1 << 20);
	closed = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, data, 3000), 3000);
	porch_conn_close(c);
	open = client_new(&fake, 2, 0);
	c = take();
	assert_int_equal(porch_send(c, data, 1000), 1000);
	over = client_new(&fake, 3, 0);
	c = take();
	porch_conn_abort(c);
	poll_once(&event);
	waiting = client_new(&fake, 4, 0);
	poll_once(&event);
	fake_forget(&fake);
	finish();
	assert_int_equal(taker.messages, 1);
	assert_int_equal(taker.fds, 1);
	assert_int_equal(taker.seals & (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
			 F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	assert_int_equal(taker.connections, 2);
	assert_int_equal(fake.goodbyes, 1);
	e = entry(0);
	assert_int_equal(e->flow, 1);
	assert_int_equal(e->serial, closed.serial);
	assert_int_equal(e->state_size, sizeof(struct tcp_handback));
	assert_int_equal(e->octets, 3000);
	assert_memory_equal(state_of(e) + 1, data, 3000);
	assert_int_equal(state_of(e)->snd_una, closed.ack);
	assert_int_equal(state_of(e)->snd_end, closed.ack + 3000);
	assert_int_equal(state_of(e)->rcv_nxt, closed.seq);
	assert_true(state_of(e)->flags & TCP_HANDBACK_FIN_QUEUED);
	assert_true(state_of(e)->flags & TCP_HANDBACK_ORPHAN);
	e = entry(1);
	assert_int_equal(e->flow, 2);
	assert_int_equal(e->octets, 1000);
	assert_memory_equal(state_of(e) + 1, data, 1000);
	assert_true(state_of(e)->flags & TCP_HANDBACK_FIN_QUEUED);
	assert_int_equal((const uint8_t *)e + porch_handback_size(e) - taker.memory, taker.size);
	assert_int_equal(flags_to(&closed) & SEG_RST, 0);
	client_read(&open, &flags, data, sizeof(data)); /* the rest of it, and its FIN, before all */
	assert_int_equal(flags & (SEG_RST | SEG_FIN), SEG_FIN);
	assert_int_equal(flags_to(&over) & SEG_RST, 0); /* it had its own before */
	assert_int_equal(flags_to(&waiting) & SEG_FIN, 0);
	fake_end(&fake);
}

/* Acknowledged down to its FIN: FIN-WAIT-2 has nothing to say and is still not over. */
static void nothing_left_but_their_fin(void **state)
{
	struct client me;
	struct porch_conn *c;
	struct porch_event event;
	uint8_t flags, data[64];

	start(1 << 20);
	me = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, "bye", 3), 3);
	porch_conn_close(c);
	poll_once(&event);
	assert_int_equal(client_read(&me, &flags, data, sizeof(data)), 3);
	assert_true(flags & SEG_FIN);
	client_send(&me, SEG_ACK, "", 0);
	poll_once(&event);
	finish();
	assert_int_equal(taker.connections, 1);
	assert_int_equal(entry(0)->octets, 0);
	assert_int_equal(state_of(entry(0))->snd_una, me.ack);
	assert_true(state_of(entry(0))->flags & TCP_HANDBACK_FIN_SENT);
	fake_end(&fake);
}

/* What does not fit is reset, and said; what does goes on. */
static void too_much(void **state)
{
	struct client large, small;
	struct porch_conn *c;
	uint8_t data[5000];

	octets(data, sizeof(data));
	start(2000);
	large = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, data, 5000), 5000);
	small = client_new(&fake, 2, 0);
	c = take();
	assert_int_equal(porch_send(c, data, 1000), 1000);
	finish();
	assert_int_equal(taker.connections, 1);
	assert_int_equal(taker.reset, 1);
	assert_int_equal(entry(0)->flow, 2);
	assert_true(taker.size <= 2000);
	assert_int_equal(flags_to(&large) & SEG_RST, SEG_RST);
	assert_int_equal(flags_to(&small) & SEG_RST, 0);
	fake_end(&fake);

	start(2000); /* nothing fits: porchd is told, and nobody waits for it */
	taker.mute = true;
	large = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, data, 5000), 5000);
	assert_true(finish() < 1000);
	assert_int_equal(taker.messages, 1);
	assert_int_equal(taker.fds, 0);
	assert_int_equal(taker.connections, 0);
	assert_int_equal(taker.reset, 1);
	assert_int_equal(flags_to(&large) & SEG_RST, SEG_RST);
	fake_end(&fake);
}

/* Data that nobody has read: its sender must learn of it (RFC 1122 4.2.2.13, RFC 2525 2.17). */
static void unread(void **state)
{
	struct client me;
	struct porch_conn *c;
	struct porch_event event;

	start(1 << 20);
	me = client_new(&fake, 1, 0);
	c = take();
	client_send(&me, SEG_ACK | SEG_PSH, "unread", 6);
	poll_once(&event);
	assert_int_equal(porch_send(c, "answer", 6), 6);
	finish();
	assert_int_equal(taker.connections, 0);
	assert_int_equal(flags_to(&me) & SEG_RST, SEG_RST);
	fake_end(&fake);
}

/* No porchd, or one that takes nothing: resets, at once. */
static void nobody_takes_it(void **state)
{
	struct client me;
	struct porch_conn *c;

	start(0);
	me = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, "answer", 6), 6);
	assert_true(finish() < 1000);
	assert_int_equal(taker.connections, 0);
	assert_int_equal(taker.messages, 0);
	assert_int_equal(flags_to(&me) & SEG_RST, SEG_RST);
	fake_end(&fake);

	start(1 << 20);
	me = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, "answer", 6), 6);
	fake_die(&fake);
	assert_true(finish() < 1000 + 2000); /* the goodbye nobody hears */
	assert_int_equal(taker.messages, 0);
	fake_end(&fake);
}

/* A porchd that does not answer is waited for one step, no longer. */
static void no_answer(void **state)
{
	struct client me;
	struct porch_conn *c;
	uint32_t ms;

	start(1 << 20);
	taker.mute = true;
	me = client_new(&fake, 1, 0);
	c = take();
	assert_int_equal(porch_send(c, "answer", 6), 6);
	ms = finish();
	assert_in_range(ms, PORCH_STEP_MS - 100, PORCH_STEP_MS + 1500);
	assert_int_equal(taker.connections, 1);
	assert_int_equal(flags_to(&me) & SEG_RST, 0);
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it),	   cmocka_unit_test(nothing_left_but_their_fin),
		cmocka_unit_test(too_much),	   cmocka_unit_test(unread),
		cmocka_unit_test(nobody_takes_it), cmocka_unit_test(no_answer),
	};

	return unit_run("lib_handback", tests);
}
