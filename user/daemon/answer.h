/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few segments that porchd sends of itself, through AF_PACKET: built from
 * the flow table, for flows that no engine holds. At most ANSWERS_PER_SECOND
 * of each kind, so that nobody makes us a reflector.
 */
#ifndef PORCH_DAEMON_ANSWER_H
#define PORCH_DAEMON_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct porch_record;

#define ANSWER_FRAME_MAX      128 /* Ethernet, two tags, IPv6, TCP with timestamps: 94 */
#define RESETS_PER_SECOND     50000
#define CHALLENGES_PER_SECOND 1000 /* RFC 5961 7 */
#define CHALLENGE_MS	      500  /* of one flow, as net.ipv4.tcp_invalid_ratelimit */

enum answer {
	ANSWER_RESET,	  /* RST: nothing was ever sent on it but the SYN-ACK */
	ANSWER_CHALLENGE, /* RFC 5961: a client that meant it answers with the right number */
	ANSWER_PROBE,	  /* an old ACK, as a keepalive's: the client's answer says where it stands */
};

/* Into `frame`; returns its length. `rcv_nxt`: what is expected of the client next. */
uint32_t answer_build(const struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt,
		      uint8_t frame[ANSWER_FRAME_MAX]);
/* Builds and sends it, if the rate allows. */
void answer_send(struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt);
/* RST for a segment received (RFC 9293 3.10.7.1), out of the interface it came from. false: it deserves none,
 * or there were too many. */
bool answer_to(struct daemon *d, uint32_t ifindex, const struct porch_record *record, const uint8_t *frame,
	       uint32_t length);

#endif /* PORCH_DAEMON_ANSWER_H */
