// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments of a flow that no engine holds yet. Nothing is acknowledged: what is
 * kept goes to the worker with the connection, the rest the client sends again.
 */
#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/answer.h"
#include "daemon/early.h"
#include "daemon/packet.h"

#define CHALLENGE_UNIT_NS (8 * NS_PER_MS) /* so that the time of the last one fits 16 bits */

/*
 * A challenge ACK, no more than one in CHALLENGE_MS. It acknowledges no early frame:
 * those may still have to come again, when the worker they went to is gone.
 */
static void challenge(struct daemon *d, uint32_t flow, struct flow_row *row)
{
	uint16_t now = d->now / CHALLENGE_UNIT_NS;

	if (row->state != ROW_QUEUED ||
	    (row->challenged &&
	     (uint16_t)(now - row->challenged) < CHALLENGE_MS * NS_PER_MS / CHALLENGE_UNIT_NS))
		return;
	row->challenged = now ? now : 1;
	answer_send(d, flow, ANSWER_CHALLENGE, d->tables.flows[flow].irs + 1);
}

/* RFC 5961 3.2, in SYN-RECEIVED or ESTABLISHED. */
static void on_reset(struct daemon *d, const struct porch_record *r, struct flow_row *row,
		     const struct admit_segment *seg, const uint8_t *frame)
{
	uint32_t next = d->tables.flows[r->flow].irs + 1;

	if (!packet_sum_right(frame, r->l3, r->l4, r->length)) {
		d->count.bad_frame++;
		return;
	}
	/* early frames that were kept count as received, those dropped do not */
	if (seg->seq == next || seg->seq == early_rcv_nxt(d, r->flow)) {
		d->tables.queues[d->tables.flows[r->flow].listener].aborted++;
		parked_del(d, r->flow, r->serial);
		flow_over(d, r->flow, r->serial, PORCH_PHASE_TOMBSTONE);
		queue_unpark(d, d->tables.flows[r->flow].listener);
	} else if (seg->seq - next < PORCH_AFXDP_WINDOW) {
		challenge(d, r->flow, row);
	}
}

static void keep(struct daemon *d, const struct porch_record *r, struct flow_row *row,
		 const struct admit_segment *seg, const uint8_t *frame, uint32_t length)
{
	uint32_t end = seg->seq + seg->payload + (seg->flags & SEGMENT_FIN ? 1 : 0);

	if (end - (d->tables.flows[r->flow].irs + 1) > PORCH_AFXDP_WINDOW + 1)
		return; /* outside what our SYN-ACK announced */
	early_add(d, row, r, seg, frame, length);
}

void pending_segment(struct daemon *d, const struct porch_record *r, const struct admit_segment *seg,
		     const uint8_t *frame, uint32_t length)
{
	struct flow_row *row = flow_row_of(d, r->flow, r->serial);

	if (seg->flags & SEGMENT_RST) {
		on_reset(d, r, row, seg, frame);
		return;
	}
	if (seg->flags & SEGMENT_SYN) {
		challenge(d, r->flow, row); /* RFC 5961 4.2 */
		return;
	}
	if (!(seg->flags & SEGMENT_ACK))
		return;
	if (seg->ack != d->tables.flows[r->flow].iss + 1) {
		challenge(d, r->flow, row); /* RFC 5961 5.2: we have sent nothing but the SYN-ACK */
		return;
	}
	if (row->state == ROW_NONE || row->state == ROW_PARKED) {
		/* Parked: only another proof tries again. Not noted: its proof was lost on
		 * the way, or comes by another queue; XDP has seen it, so it is proven. */
		if (r->kind != PORCH_RECORD_PROOF && flow_noted(d, r->flow, r->serial))
			return;
		if (!admit_flow(d, r->flow, r->serial))
			return;
	}
	if (row->state == ROW_QUEUED && (seg->payload || (seg->flags & SEGMENT_FIN)))
		keep(d, r, row, seg, frame, length);
}
