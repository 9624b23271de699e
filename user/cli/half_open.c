// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/report.h"

#define NO_TAG 0xffff

static const struct output_field fields[] = {
	{ "remote", "REMOTE", NULL },
	{ "local", "LOCAL", NULL },
	{ "interface", "INTERFACE", NULL },
	{ "age_ms", "AGE MS", NULL },
	{ "expires_seconds", "EXPIRES", NULL },
	{ "mss", "MSS", NULL },
	{ "timestamps", "TS", output_yes_no },
	{ "sack", "SACK", output_yes_no },
	{},
};

struct list {
	const struct porch_tables *tables;
	json_t *array;
	__u32 now_us;
};

static int add(const struct porch_tuple *key, const struct porch_half_open *entry, void *arg)
{
	struct list *list = arg;
	__s32 left = entry->expires - list->tables->host->tick;
	char ifname[IF_NAMESIZE] = "";
	json_t *one, *tags;
	int i;

	if_indextoname(entry->ifindex, ifname);
	/* clang-format off */
	one = json_pack("{s:o, s:o, s:s, s:I, s:I, s:i, s:b, s:b, s:b, s:i}",
		"remote", report_endpoint(key->remote, key->remote_port),
		"local", report_endpoint(key->local, key->local_port),
		"interface", ifname,
		"age_ms", (json_int_t)((list->now_us - entry->born_us) / 1000),
		"expires_seconds", (json_int_t)(left < 0 ? 0 : left / PORCH_TICKS_PER_SEC),
		"mss", (int)entry->mss,
		"timestamps", !!(entry->options & PORCH_OPT_TIMESTAMPS),
		"sack", !!(entry->options & PORCH_OPT_SACK),
		"ecn", !!(entry->options & PORCH_OPT_ECN),
		"retransmits", (int)entry->retransmits);
	/* clang-format on */
	if (one && (entry->options & PORCH_OPT_WSCALE)) {
		json_object_set_new(one, "remote_wscale", json_integer(entry->wscale & 15));
		json_object_set_new(one, "local_wscale", json_integer(entry->wscale >> 4));
	}
	tags = json_array();
	for (i = 0; i < 2; i++) {
		if (entry->tags[i] != NO_TAG)
			json_array_append_new(tags, json_integer(entry->tags[i] & ~PORCH_VLAN_8021AD));
	}
	if (one)
		json_object_set_new(one, "vlan_tags", tags);
	else
		json_decref(tags);
	return json_array_append_new(list->array, one);
}

static __u32 monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000u + now.tv_nsec / 1000;
}

int verb_half_open(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	const char *ifname;
	bool count;
	struct porch_err err = {};
	struct list list;
	int r;

	r = cli_list_args(cli, argc, argv, &ifname, &count);
	if (!r)
		r = cli_open(cli, PORCH_READ, ifname, &ns, NULL);
	if (r)
		return r;
	if (count)
		return cli_count(cli, "half_open", report_count_half_open(&ns->tables));
	list = (struct list){ &ns->tables, json_array(), monotonic_us() };
	r = porch_tables_half_open(&ns->tables, add, &list);
	if (r) {
		json_decref(list.array);
		porch_err_set(&err, r, "porch_half_open: %s", strerror(r < 0 ? -r : 0));
		return cli_fail(cli, &err);
	}
	return output(stdout, &cli->output, fields, "no half-open handshakes", list.array) ? PORCH_EXIT_FAILED
											   : PORCH_EXIT_DONE;
}
