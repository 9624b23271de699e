// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What porchd leaves in the maps: its heartbeat, accept queues, AF_XDP sockets. */
#include <errno.h>
#include <net/if.h>

#include "cli/report.h"
#include "core/listeners.h"
#include "core/liveness.h"

bool report_daemon_runs(const struct porch_tables *tables)
{
	struct porch_liveness porchd;

	porch_liveness(tables->host, &porchd);
	return porchd.running;
}

json_t *report_daemon(const struct porch_tables *tables)
{
	struct porch_liveness porchd;
	json_t *object;

	porch_liveness(tables->host, &porchd);
	object = json_pack("{s:b}", "running", porchd.running);
	if (!porchd.ever)
		return object;
	json_object_set_new(object, "pid", json_integer(porchd.pid));
	json_object_set_new(object, "heartbeat_age_ms", json_integer((json_int_t)porchd.age_ms));
	json_object_set_new(object, "fallback",
			    json_string(tables->host->fallback == PORCH_FALLBACK_KERNEL ? "kernel" : "drop"));
	return object;
}

static json_t *queue(const struct porch_tables *tables, __u32 index)
{
	const struct porch_listener_entry *l = &tables->listeners[index];
	const struct porch_queue q = tables->queues[index];
	char address[PORCH_ADDRESS_TEXT];
	json_t *object, *more;

	/* clang-format off */
	object = json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}",
		"address", porch_listener_address(l, address),
		"port", (int)l->port,
		"depth", (json_int_t)q.depth,
		"limit", (json_int_t)q.limit,
		"workers", (json_int_t)q.workers,
		"credit", (json_int_t)q.credit,
		"peak", (json_int_t)q.peak,
		"parked", (json_int_t)q.parked);
	more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"finishing", (json_int_t)q.finishing,
		"handed_back", (json_int_t)q.handed_back,
		"admitted", (json_int_t)q.admitted,
		"handed", (json_int_t)q.handed,
		"accepted", (json_int_t)q.accepted,
		"overflowed", (json_int_t)q.overflowed,
		"reset", (json_int_t)q.reset,
		"aborted", (json_int_t)q.aborted,
		"wait_ns_sum", (json_int_t)q.wait_ns_sum,
		"wait_ns_avg", (json_int_t)(q.handed ? q.wait_ns_sum / q.handed : 0),
		"wait_ns_max", (json_int_t)q.wait_ns_max);
	/* clang-format on */
	if (object)
		json_object_update_new(object, more);
	return object;
}

json_t *report_queues(const struct porch_tables *tables)
{
	json_t *array = json_array();
	__u32 i;

	for_each_listener (tables, i) {
		if (tables->listeners[i].deliver == PORCH_DELIVER_AFXDP)
			json_array_append_new(array, queue(tables, i));
	}
	return array;
}

json_t *report_slots(const struct porch_tables *tables)
{
	json_t *array = json_array();
	char name[IF_NAMESIZE];
	__u32 i;

	for (i = 0; i < PORCH_SLOTS; i++) {
		const struct porch_slot s = tables->slots[i];

		if (!s.ifindex)
			continue;
		/* clang-format off */
		json_array_append_new(array, json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:b, s:b, s:b}",
			"slot", (int)i,
			"interface", if_indextoname(s.ifindex, name) ? name : "?",
			"queue", (int)s.queue,
			"worker", (int)s.worker,
			"pid", (int)s.pid,
			"uid", (int)s.uid,
			"zero_copy", s.zero_copy,
			"tx_checksum", s.tx_checksum,
			"lease", s.lease));
		/* clang-format on */
	}
	return array;
}
