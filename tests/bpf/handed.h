/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A world for deliver=afxdp: porchd's signs, its sockets, and flows it was given. */
#ifndef PORCH_TESTS_HANDED_H
#define PORCH_TESTS_HANDED_H

#include "client.h"

#define XSK_BASE    8 /* the first slot of the row's interface */
#define XSK_QUEUE   1 /* RX queues of it; more in rows that say so */
#define QUEUE_LIMIT 4
#define MORE_SYNS   "syn_received synack_sent "

/* The listener becomes *:80 deliver=afxdp protect=always, stateless, and never
 * looked at; porchd lives and has a socket in slot XSK_BASE; one worker listens. */
void world_afxdp(void);
static inline struct porch_queue *queue_of_listener(void)
{
	return &world.queues[LISTENER];
}

/* An AF_XDP socket in a slot; or none. */
void slot_fill(__u32 slot);
void slots_empty(void);
/* What porchd writes of the row's interface. */
void slots_of(__u32 ifindex, __u32 base, __u16 queues);
/* An interface of the test's namespace with four RX queues; 0: there is none. */
__u32 four_queues(void);

/* A whole handshake; its flow, HANDED and PENDING, or 0. */
struct porch_flow *handed(int v6, const char *offers, struct packet *syn, struct packet *ack);
struct porch_steer *steer_of(const struct porch_flow *f);
/* As porchd would; the serial is the entry's own. */
void phase_set(const struct porch_flow *f, __u8 phase, __u16 worker);

/* Redirected, with a record of this kind in front of an unchanged frame. Its
 * fields but time_ns are compared with what `p`, from which `in` was built,
 * says; 0: there is none. */
const struct porch_record *expect_record(const struct packet *p, const struct frame *in,
					 const struct frame *out, int kind, const struct porch_flow *f);
/* Build, run, and that. */
const struct porch_record *expect_steered(const struct packet *p, int kind, const struct porch_flow *f);
/* Which slot it was redirected to is not said by a test run; this tells: with
 * that slot emptied the frame goes elsewhere, or nowhere. */
void expect_refused(const struct packet *p, const char *what);

#endif /* PORCH_TESTS_HANDED_H */
