// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "daemon/answer.h"
#include "daemon/closing.h"
#include "daemon/early.h"

#define FLAG_SYN 0x02
#define FLAG_RST 0x04

/* Into one of the lists; each is in the order of since_ns. */
static void linger(struct daemon *d, uint32_t flow, uint32_t serial, enum closing_list list, uint64_t since)
{
	struct flow_row *row = &d->rows[flow];

	if (row->state != ROW_NONE)
		flow_detach(d, flow);
	row->state = ROW_CLOSING;
	row->serial = serial;
	row->turn = list;
	row->since_ns = since;
	flow_list_append(d, &d->connections->closing[list], flow);
}

void flow_reset(struct daemon *d, uint32_t flow, uint32_t serial)
{
	uint32_t rcv_nxt = early_rcv_nxt(d, flow);

	if (!flow_is(d, flow, serial)) {
		flow_detach(d, flow);
		return;
	}
	answer_send(d, flow, ANSWER_RESET, rcv_nxt);
	linger(d, flow, serial, CLOSING_ANSWERED, d->now);
	steer_store(d, flow, serial, PORCH_PHASE_CLOSING, 0);
}

void flow_orphan(struct daemon *d, uint32_t flow, uint32_t serial)
{
	if (!flow_is(d, flow, serial)) {
		flow_detach(d, flow);
		return;
	}
	linger(d, flow, serial, CLOSING_FIRST, d->now);
	steer_store(d, flow, serial, PORCH_PHASE_CLOSING, 0);
}

void closing_segment(struct daemon *d, uint32_t ifindex, uint32_t serial, uint8_t flags,
		     const struct porch_record *record, const uint8_t *frame, uint32_t length)
{
	struct flow_row *row = flow_row_of(d, record->flow, serial);

	if (flags & (FLAG_RST | FLAG_SYN)) {
		/* it has forgotten the connection, too; another SYN is answered as of nobody */
		flow_over(d, record->flow, serial, PORCH_PHASE_TOMBSTONE);
		return;
	}
	if (!answer_to(d, ifindex, record, frame, length))
		return;
	if (row->state != ROW_CLOSING || row->turn != CLOSING_ANSWERED)
		linger(d, record->flow, serial, CLOSING_ANSWERED, d->now);
}

/* Head of `list`, if it has been closing for so long. */
static uint32_t due(const struct daemon *d, enum closing_list list, uint32_t seconds)
{
	uint32_t flow = d->connections->closing[list].first;

	return flow != FLOW_NONE && d->now - d->rows[flow].since_ns >= seconds * NS_PER_SEC ? flow
											    : FLOW_NONE;
}

static uint32_t probe(struct daemon *d, enum closing_list list, uint32_t seconds, uint32_t most)
{
	uint32_t flow, n = 0;

	while (n < most && (flow = due(d, list, seconds)) != FLOW_NONE) {
		uint32_t serial = d->rows[flow].serial;

		if (flow_is(d, flow, serial)) {
			answer_send(d, flow, ANSWER_PROBE, d->tables.flows[flow].irs + 1);
			linger(d, flow, serial, list + 1, d->rows[flow].since_ns);
		} else {
			flow_detach(d, flow);
		}
		n++;
	}
	return n;
}

static void end(struct daemon *d, enum closing_list list, uint32_t seconds)
{
	uint32_t flow, n = 0;

	while (n++ < CLOSING_PROBES_PER_TICK && (flow = due(d, list, seconds)) != FLOW_NONE)
		flow_over(d, flow, d->rows[flow].serial, PORCH_PHASE_TOMBSTONE);
}

void closing_tick(struct daemon *d)
{
	uint32_t n = probe(d, CLOSING_FIRST, 0, CLOSING_PROBES_PER_TICK);

	probe(d, CLOSING_SECOND, CLOSING_SECOND_PROBE_SECONDS, CLOSING_PROBES_PER_TICK - n);
	end(d, CLOSING_LAST, CLOSING_SECONDS);
	end(d, CLOSING_ANSWERED, CLOSING_ANSWERED_SECONDS);
}
