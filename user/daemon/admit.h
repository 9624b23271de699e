/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What reaches porchd's own AF_XDP sockets: admit_frame() of daemon.h. By the
 * phase of the flow it is admitted, kept, forwarded to its worker, or answered.
 */
#ifndef PORCH_DAEMON_ADMIT_H
#define PORCH_DAEMON_ADMIT_H

#include "daemon/flowtab.h"

/* Of a segment's TCP header, read once: others may write into the frame. */
struct admit_segment {
	uint32_t seq, ack;
	uint32_t payload; /* octets */
	uint8_t flags;
};

#define SEGMENT_FIN 0x01
#define SEGMENT_SYN 0x02
#define SEGMENT_RST 0x04
#define SEGMENT_ACK 0x10

/*
 * A flow that is proven and has no row: into its listener's accept queue. false:
 * it met a full queue, or nobody who listens, and was parked, reset or let wait.
 */
bool admit_flow(struct daemon *d, uint32_t flow, uint32_t serial);

/* pending.c: a segment of a PENDING flow. */
void pending_segment(struct daemon *d, const struct porch_record *record, const struct admit_segment *seg,
		     const uint8_t *frame, uint32_t length);

#endif /* PORCH_DAEMON_ADMIT_H */
