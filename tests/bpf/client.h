/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A client as the tables need it: its SYN, what it accepts as answer, its ACK. */
#ifndef PORCH_TESTS_CLIENT_H
#define PORCH_TESTS_CLIENT_H

#include "harness.h"
#include "offers.h"
#include "reference.h"

#define CLIENT_PORT 40000
#define CLIENT_ISN  0x11223344u

/* Rows are written once and run for both families. */
#define FAMILY(v6) ((v6) ? "IPv6" : "IPv4")

/* Client 7, port 40000, to server 1, port 80. */
struct packet client_syn(int v6, const char *offers);
/* The ACK that follows `synack`: next sequence number, echoed timestamps. */
struct packet client_ack(const struct packet *syn, const struct decoded *synack);

/* What a SYN-ACK should say, beside what follows from the SYN. */
struct answer {
	const char *options; /* as offers_text() says it; a bare M: the interface's MSS */
	__u16 window;	     /* 0: do not look */
	__u8 ecn;
	__u8 in_place; /* the frame keeps its length, whatever was behind the headers */
};

/* Build and run. */
int send_packet(const struct packet *p, struct frame *out);
/* Every field of the answer; 0 when it can not be read at all. */
bool expect_synack(const struct packet *syn, const struct frame *out, const struct answer *a,
		   struct decoded *d);
/* Send the SYN and expect an answer; false: none. */
bool connect_syn(const struct packet *syn, const struct answer *a, struct decoded *d);
/* SYN, SYN-ACK, ACK; the ACK must prove. Returns the record, or 0. */
const struct porch_meta *connect_whole(const struct packet *syn, struct packet *ack);
/* What the reference says the cookie of this SYN is. */
struct cookie expected_cookie(const struct packet *syn, const struct carried *c);
struct ends ends_of(const struct packet *p, __u32 irs);

#endif /* PORCH_TESTS_CLIENT_H */
