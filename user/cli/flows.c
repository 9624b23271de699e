// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "core/names.h"

static const char *milliseconds(const json_t *value, char *buf, size_t size)
{
	json_int_t ms = json_integer_value(value);

	snprintf(buf, size, "%" JSON_INTEGER_FORMAT ".%03d s", ms / 1000, (int)(ms % 1000));
	return buf;
}

static const struct output_field fields[] = {
	{ "remote", "REMOTE", NULL },
	{ "local", "LOCAL", NULL },
	{ "state", "STATE", NULL },
	{ "phase", "PHASE", NULL },
	{ "worker", "WORKER", NULL },
	{ "age_ms", "AGE", milliseconds },
	{ "by_cookie", "BY COOKIE", output_yes_no },
	{ "mss", "MSS", NULL },
	{ "expires_seconds", "EXPIRES", NULL },
	{},
};

struct list {
	const struct porch_tables *tables;
	json_t *array;
	__u64 now_ns;
};

static json_t *seconds_until(const struct list *list, __u32 tick)
{
	__s32 left = tick - list->tables->host->tick;

	return json_integer(left < 0 ? 0 : left / PORCH_TICKS_PER_SEC);
}

/* What the kernel, or XDP in its stead, holds ends at `expires`. */
static bool ends(const struct porch_flow *flow)
{
	return flow->state != PORCH_FLOW_DELIVERED && flow->state != PORCH_FLOW_HANDED && flow->expires;
}

/* What porchd has made of it; another owner's word counts for nothing. */
static void add_steering(const struct list *list, const struct porch_steer *place, json_t *one)
{
	__u64 word = __atomic_load_n(&place->word, __ATOMIC_ACQUIRE);
	const struct porch_steer s = *place;
	char ifname[IF_NAMESIZE] = "?";
	__u8 phase = PORCH_PHASE_PENDING;
	__u16 worker = 0;

	if (PORCH_STEER_SERIAL(word) == s.serial) {
		phase = PORCH_STEER_PHASE(word);
		worker = PORCH_STEER_WORKER(word);
	}
	if_indextoname(s.ifindex, ifname);
	/* clang-format off */
	json_object_update_new(one, json_pack("{s:s, s:i, s:I, s:s, s:i}",
		"phase", porch_phase_name(phase),
		"worker", (int)worker,
		"age_ms", (json_int_t)(list->now_ns > s.proven_ns ? (list->now_ns - s.proven_ns) / 1000000 : 0),
		"interface", ifname,
		"rx_queue", (int)s.rx_queue));
	/* clang-format on */
	if (phase == PORCH_PHASE_TIME_WAIT || phase == PORCH_PHASE_TOMBSTONE)
		json_object_set_new(one, "expires_seconds", seconds_until(list, s.until));
}

static int add(__u32 index, const struct porch_flow *flow, void *arg)
{
	struct list *list = arg;
	json_t *one;

	/* clang-format off */
	one = json_pack("{s:o, s:i, s:o, s:i, s:s, s:b, s:o, s:b, s:b, s:b}",
		"remote", report_endpoint(flow->remote, flow->remote_port),
		"remote_port", (int)flow->remote_port,
		"local", report_endpoint(flow->local, flow->local_port),
		"local_port", (int)flow->local_port,
		"state", porch_flow_state_name(flow->state),
		"by_cookie", flow->by_cookie,
		"expires_seconds", ends(flow) ? seconds_until(list, flow->expires) : json_null(),
		"timestamps", !!(flow->options & PORCH_OPT_TIMESTAMPS),
		"sack", !!(flow->options & PORCH_OPT_SACK),
		"ecn", !!(flow->options & PORCH_OPT_ECN));
	/* clang-format on */
	if (one && flow->state == PORCH_FLOW_HANDED)
		add_steering(list, &list->tables->steer[index], one);
	/* of connections that the kernel made, only the kernel knows these */
	if (one && flow->by_cookie) {
		json_object_set_new(one, "mss", json_integer(flow->mss));
		if (flow->options & PORCH_OPT_WSCALE) {
			json_object_set_new(one, "remote_wscale", json_integer(flow->wscale & 15));
			json_object_set_new(one, "local_wscale", json_integer(flow->wscale >> 4));
		}
	}
	return json_array_append_new(list->array, one);
}

static __u64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int verb_flows(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	const char *ifname;
	bool count;
	struct list list;
	int r;

	r = cli_list_args(cli, argc, argv, &ifname, &count);
	if (!r)
		r = cli_open(cli, PORCH_READ, ifname, &ns, NULL);
	if (r)
		return r;
	if (count)
		return cli_count(cli, "flows", report_count_flows(&ns->tables));
	list = (struct list){ &ns->tables, json_array(), monotonic_ns() };
	if (porch_tables_flows(&ns->tables, add, &list)) {
		json_decref(list.array);
		return cli_fail(cli, &(struct porch_err){ "out of memory" });
	}
	return output(stdout, &cli->output, fields, "no flows", list.array) ? PORCH_EXIT_FAILED
									    : PORCH_EXIT_DONE;
}
