// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "core/listeners.h"
#include "core/names.h"
#include "core/seed.h"

json_t *report_endpoint(const __u8 address[16], __u16 port)
{
	struct porch_listen_spec spec = { .port = port };
	char text[PORCH_LISTEN_TEXT];

	memcpy(spec.address, address, sizeof(spec.address));
	return json_string(porch_listen_spec_format(&spec, text));
}

static int count_half_open(const struct porch_tuple *key, const struct porch_half_open *value, void *n)
{
	++*(json_int_t *)n;
	return 0;
}

static int count_flow(__u32 index, const struct porch_flow *flow, void *n)
{
	++*(json_int_t *)n;
	return 0;
}

json_int_t report_count_half_open(const struct porch_tables *tables)
{
	json_int_t n = 0;

	porch_tables_half_open(tables, count_half_open, &n);
	return n;
}

json_int_t report_count_flows(const struct porch_tables *tables)
{
	json_int_t n = 0;

	porch_tables_flows(tables, count_flow, &n);
	return n;
}

static bool is_sick(__u8 health)
{
	return health != PORCH_HEALTH_UNPROBED && health != PORCH_HEALTH_WELL;
}

/*
 * One word for both families: what ails one of them, except that a service of
 * one family lacks nothing for having no socket of the other.
 */
static __u8 health_of(const struct porch_listener_entry *l)
{
	static const __u8 v4[12] = { [10] = 0xff, [11] = 0xff };
	__u8 four = l->health[0], six = l->health[1];

	if (!l->any_address)
		return memcmp(l->address, v4, sizeof(v4)) ? six : four;
	if (is_sick(four) && four != PORCH_HEALTH_NO_SOCKET)
		return four;
	if (is_sick(six) && six != PORCH_HEALTH_NO_SOCKET)
		return six;
	if (four == PORCH_HEALTH_WELL || six == PORCH_HEALTH_WELL)
		return PORCH_HEALTH_WELL;
	return four > six ? four : six;
}

/* Nobody has looked at a socket yet: then its being there is all that is known. */
static bool healthy(__u8 health, bool has_socket)
{
	return health == PORCH_HEALTH_WELL || (health == PORCH_HEALTH_UNPROBED && has_socket);
}

/* What BPF runs a listener of this protection at, before anything has happened. */
static unsigned int regime(const struct porch_listener_entry *l)
{
	if (l->protect == PORCH_PROTECT_ALWAYS && l->regime == PORCH_REGIME_KERNEL)
		return PORCH_REGIME_TRACKED;
	return l->protect == PORCH_PROTECT_OFF ? PORCH_REGIME_KERNEL : l->regime;
}

/* The same column for a listener that has no kernel socket. */
static const char *afxdp_health(const struct porch_tables *tables, __u32 index)
{
	if (!report_daemon_runs(tables))
		return "no_daemon";
	return tables->queues[index].workers ? "well" : "no_application";
}

static json_t *report_listener(const struct porch_tables *tables, __u32 index,
			       const struct porch_listen_socket *sockets, size_t n_sockets,
			       struct porch_err *err)
{
	const struct porch_listener_entry *l = &tables->listeners[index];
	bool afxdp = l->deliver == PORCH_DELIVER_AFXDP;
	__u32 accept_queue = 0, backlog = 0;
	char address[PORCH_ADDRESS_TEXT];
	struct porch_stats stats;
	json_t *object;
	bool found;
	int r;

	r = porch_tables_stats(tables, index, &stats);
	if (r) {
		porch_err_set(err, r, "porch_stats: %s", strerror(-r));
		return NULL;
	}
	if (afxdp) {
		found = report_daemon_runs(tables) && tables->queues[index].workers;
		accept_queue = tables->queues[index].depth;
		backlog = found ? tables->queues[index].limit : l->backlog;
	} else {
		found = porch_listen_sockets_match(sockets, n_sockets, l, &accept_queue, &backlog);
	}
	/* clang-format off */
	object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:s, s:o, s:o}",
		"address", porch_listener_address(l, address),
		"port", (int)l->port,
		"deliver", porch_deliver_name(l->deliver),
		"protect", porch_protect_name(l->protect),
		"regime", porch_regime_name(regime(l)),
		"healthy", afxdp ? found : healthy(health_of(l), found),
		"health", afxdp ? afxdp_health(tables, index) : porch_health_name(health_of(l)),
		"backlog", found || afxdp ? json_integer(backlog) : json_null(),
		"accept_queue", found || afxdp ? json_integer(accept_queue) : json_null());
	/* clang-format on */
	if (object)
		r = json_object_update_new(
			object,
			/* clang-format off */
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:i, s:I, s:I}",
				"syn_received", (json_int_t)stats.syn_received,
				"syn_passed", (json_int_t)stats.syn_passed,
				"synack_sent", (json_int_t)stats.synack_sent,
				"proven", (json_int_t)stats.proven,
				"delivered", (json_int_t)(afxdp ? tables->queues[index].handed : stats.delivered),
				"refused", (json_int_t)stats.refused,
				"would_answer", (json_int_t)stats.would_answer,
				"overflow", porch_overflow_name(l->overflow),
				"mss", (int)l->mss,
				"syn_rate", (json_int_t)l->syn_rate,
				"syn_per_second", (json_int_t)l->syn_per_second));
			/* clang-format on */
	if (!object || r) {
		json_decref(object);
		porch_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	return object;
}

json_t *report_listeners(const struct porch_tables *tables, struct porch_err *err)
{
	struct porch_listen_socket *sockets = NULL;
	json_t *array = json_array(), *one;
	size_t n = 0;
	__u32 i;
	int r;

	r = porch_listen_sockets(&sockets, &n);
	if (r) {
		porch_err_set(err, r, "listening sockets: sock_diag: %s", strerror(-r));
		json_decref(array);
		return NULL;
	}
	for_each_listener (tables, i) {
		one = report_listener(tables, i, sockets, n, err);
		if (!one || json_array_append_new(array, one)) {
			json_decref(array);
			array = NULL;
			break;
		}
	}
	free(sockets);
	return array;
}

int report_totals(const struct porch_tables *tables, json_t *object, struct porch_err *err)
{
	json_t *counted = json_object(), *refused = json_object();
	struct porch_counters counters;
	size_t i;
	int r;

	r = porch_tables_counters(tables, &counters);
	for (i = 0; !r && i < porch_n_counter_names; i++) {
		const struct porch_counter_name *name = &porch_counter_names[i];
		__u64 value = *(const __u64 *)((const char *)&counters + name->offset);

		json_object_set_new(name->reason ? refused : counted, name->name, json_integer(value));
	}
	if (r) {
		json_decref(counted);
		json_decref(refused);
		return porch_err_set(err, r, "porch_counters: %s", strerror(-r));
	}
	if (json_object_set_new(object, "half_open", json_integer(report_count_half_open(tables))) ||
	    json_object_set_new(object, "flows", json_integer(report_count_flows(tables))) ||
	    json_object_set_new(object, "counters", counted) ||
	    json_object_set_new(object, "refused", refused))
		return porch_err_set(err, -ENOMEM, "out of memory");
	return 0;
}
