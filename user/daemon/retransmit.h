/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN-ACKs sent again, so that no handshake hangs on a lost packet: not one whose
 * SYN-ACK was lost, and not one whose final ACK was, which matters where the
 * server speaks first (RFC 9293 3.8.1; RFC 6298 5.5, as tcp_synack_retries has it:
 * 1, 2, 4, 8 and 16 s after the one before).
 *
 *   half-open   porch_half_open is walked, a batch at a time. XDP writes those
 *               entries and userspace could only overwrite them whole, so how often
 *               each was repeated is kept here (struct retransmit_rows).
 *   parked      flows that were proven and met a full accept queue: the client
 *               believes it is connected. Each SYN-ACK has it prove again; after
 *               the last the flow is forgotten.
 *
 * No client makes it keep more than RETRANSMIT_ROWS_MAX rows, or
 * send more than RETRANSMIT_PER_SECOND frames.
 */
#ifndef PORCH_DAEMON_RETRANSMIT_H
#define PORCH_DAEMON_RETRANSMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "daemon/known.h"

#define RETRANSMIT_ROWS_MAX    131072 /* a power of two */
#define RETRANSMIT_PARKED_MAX  65536
#define RETRANSMIT_PER_SECOND  10000
#define RETRANSMIT_RETRIES_MAX 8

int retransmit_start(struct daemon *d, const struct known_hash *hash);
void retransmit_stop(struct daemon *d);
/* The configuration has changed. */
void retransmit_reload(struct daemon *d);
/* The listener's accept queue was full, and is no longer: see retransmit_room.c. */
void retransmit_room(struct daemon *d, uint32_t listener);
/* Spends one of this second's frames, if any is left. */
bool retransmit_may_send(struct daemon *d);

/* ---- the parts, for tests: no clock, no kernel ---- */

/* Nanoseconds after the first SYN-ACK at which number `n` (1, 2, ...) is repeated: 1, 3, 7, 15, 31 s. */
uint64_t retransmit_after(uint32_t n);

/* How many of those lie within `age`: an entry met late is not repeated for each it has missed. */
uint32_t retransmit_passed(uint64_t age);

/* How often at most: `retries`, but down to two while the table is over half full of handshakes most of which
 * have been repeated already (reqsk_timer_handler(), net/ipv4/inet_connection_sock.c). young: never repeated.
 */
uint32_t retransmit_limit(uint32_t retries, uint32_t entries, uint32_t young, uint32_t max);

/* One per handshake older than a second, or asked because there was room. */
struct retransmit_row {
	uint64_t name; /* 0: unused */
	uint32_t pass; /* last walk that met it */
	uint32_t sent;
	uint64_t asked; /* when last, CLOCK_MONOTONIC ns */
};

struct retransmit_rows {
	struct retransmit_row *at;
	uint32_t size; /* a power of two, or 0 */
	uint32_t used;
};

/* The row of `name`, made if there is none; NULL: no room. */
struct retransmit_row *retransmit_row(struct retransmit_rows *rows, uint64_t name, uint32_t pass);
/* Drops the rows that walk `pass` has not met. */
void retransmit_rows_purge(struct retransmit_rows *rows, uint32_t pass);
void retransmit_rows_free(struct retransmit_rows *rows);

/* Is the handshake over, as the flow table says? Then nobody waits for its SYN-ACK. */
bool retransmit_proven(const struct porch_flow *flow, const struct porch_steer *steer, uint32_t irs);

#endif /* PORCH_DAEMON_RETRANSMIT_H */
