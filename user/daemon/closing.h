/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows that nobody holds any more: their worker is gone, or they were reset
 * while queued. Whatever the client still sends is answered with RST, from its
 * own numbers; after that, or CLOSING_SECONDS, the flow is a tombstone.
 *
 * A client that is silent would never learn. porchd knows neither what the
 * worker had sent nor what was acknowledged, so it asks: an old ACK, twice. The
 * client answers it (RFC 9293 3.10.7.4, first), and that answer gets the RST.
 */
#ifndef PORCH_DAEMON_CLOSING_H
#define PORCH_DAEMON_CLOSING_H

#include "daemon/flowtab.h"

#define CLOSING_SECONDS		     60
#define CLOSING_SECOND_PROBE_SECONDS 3
#define CLOSING_ANSWERED_SECONDS     4 /* the RST may be lost: the client's retransmission gets another */
#define CLOSING_PROBES_PER_TICK	     1000

/* RST now, for a flow on which nothing was sent but the SYN-ACK; it lingers a while. */
void flow_reset(struct daemon *d, uint32_t flow, uint32_t serial);
/* Its worker is gone. */
void flow_orphan(struct daemon *d, uint32_t flow, uint32_t serial);
/* A segment of a flow in phase CLOSING. flags: of its TCP header. */
void closing_segment(struct daemon *d, uint32_t ifindex, uint32_t serial, uint8_t flags,
		     const struct porch_record *record, const uint8_t *frame, uint32_t length);
/* Probes and ends, as far as due and CLOSING_PROBES_PER_TICK allows. */
void closing_tick(struct daemon *d);

#endif /* PORCH_DAEMON_CLOSING_H */
