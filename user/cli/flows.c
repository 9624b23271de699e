// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "core/names.h"

static const struct output_field fields[] = {
	{ "remote", "REMOTE", NULL },
	{ "local", "LOCAL", NULL },
	{ "state", "STATE", NULL },
	{ "by_cookie", "BY COOKIE", output_yes_no },
	{ "mss", "MSS", NULL },
	{ "expires_seconds", "EXPIRES", NULL },
	{},
};

struct list {
	const struct porch_tables *tables;
	json_t *array;
};

static bool ends(const struct porch_flow *flow)
{
	return flow->state != PORCH_FLOW_DELIVERED && flow->expires;
}

static int add(const struct porch_flow *flow, void *arg)
{
	struct list *list = arg;
	__s32 left = flow->expires - list->tables->host->tick;
	json_t *one;

	/* clang-format off */
	one = json_pack("{s:o, s:o, s:s, s:b, s:o, s:b, s:b, s:b}",
		"remote", report_endpoint(flow->remote, flow->remote_port),
		"local", report_endpoint(flow->local, flow->local_port),
		"state", porch_flow_state_name(flow->state),
		"by_cookie", flow->by_cookie,
		"expires_seconds", ends(flow) ? json_integer(left < 0 ? 0 : left / PORCH_TICKS_PER_SEC) : json_null(),
		"timestamps", !!(flow->options & PORCH_OPT_TIMESTAMPS),
		"sack", !!(flow->options & PORCH_OPT_SACK),
		"ecn", !!(flow->options & PORCH_OPT_ECN));
	/* clang-format on */
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

int verb_flows(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	bool count = argc == 3 && !strcmp(argv[2], "--count");
	struct list list;
	int r;

	if (argc == 3 && !strcmp(argv[1], "--count")) {
		argv[1] = argv[2];
		count = true;
	}
	if (argc < 2 || argv[1][0] == '-' || argc > 2 + count)
		return cli_usage(cli, "flows wants one interface, and takes --count");
	r = cli_open(cli, PORCH_READ, argv[1], &ns, NULL);
	if (r)
		return r;
	if (count) {
		if (cli->output.json)
			return output(stdout, &cli->output, NULL, NULL,
				      json_pack("{s:I}", "flows", report_count_flows(&ns->tables)))
				       ? PORCH_EXIT_FAILED
				       : 0;
		printf("%" JSON_INTEGER_FORMAT "\n", report_count_flows(&ns->tables));
		return PORCH_EXIT_DONE;
	}
	list = (struct list){ &ns->tables, json_array() };
	if (porch_tables_flows(&ns->tables, add, &list)) {
		json_decref(list.array);
		return cli_fail(cli, &(struct porch_err){ "out of memory" });
	}
	return output(stdout, &cli->output, fields, "no flows", list.array) ? PORCH_EXIT_FAILED
									    : PORCH_EXIT_DONE;
}
