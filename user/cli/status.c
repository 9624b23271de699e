// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "core/interface.h"
#include "core/util.h"

static const struct output_field listener_fields[] = {
	{ "address", "ADDRESS", NULL },	     { "port", "PORT", NULL },
	{ "deliver", "DELIVER", NULL },	     { "protect", "PROTECT", NULL },
	{ "regime", "REGIME", NULL },	     { "health", "HEALTH", NULL },
	{ "accept_queue", "QUEUE", NULL },   { "backlog", "BACKLOG", NULL },
	{ "syn_per_second", "SYN/S", NULL }, { "syn_received", "SYN", NULL },
	{ "syn_passed", "PASSED", NULL },    { "synack_sent", "SYN-ACK", NULL },
	{ "proven", "PROVEN", NULL },	     { "delivered", "DELIVERED", NULL },
	{ "refused", "REFUSED", NULL },	     {},
};

/* One object for one interface; NULL with `err` set. */
static json_t *report(const struct porch_namespace *ns, const struct porch_interface *i,
		      struct porch_err *err)
{
	json_t *listeners = report_listeners(&ns->tables, err), *object;
	char text[320];

	if (!listeners)
		return NULL;
	/* clang-format off */
	object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:o, s:o}",
		"interface", i->name,
		"ifindex", i->ifindex,
		"pin_path", ns->pins.dir,
		"mode", i->skb_mode ? "skb" : "native",
		"attached_by", i->by == PORCH_BY_LIBXDP ? "libxdp" : "bpf_link",
		"tc", i->tc,
		"porchd", report_daemon(&ns->tables),
		"listeners", listeners);
	/* clang-format on */
	if (!object) {
		porch_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	if (report_totals(&ns->tables, object, err)) {
		json_decref(object);
		return NULL;
	}
	/* the guard counts on, and that is when somebody looks */
	if (i->lost)
		json_object_set_new(object, "error",
				    json_string(porch_interface_lost_text(i, text, sizeof(text))));
	return object;
}

/* "name 12, other 3": what has happened at all. */
static void print_counts(const char *title, const json_t *counts)
{
	const char *name, *separator = "";
	json_t *value;

	printf("%s: ", title);
	json_object_foreach ((json_t *)counts, name, value) {
		if (!json_integer_value(value))
			continue;
		printf("%s%s %" JSON_INTEGER_FORMAT, separator, name, json_integer_value(value));
		separator = ", ";
	}
	printf("%s\n", *separator ? "" : "none");
}

/* What is missing without it, if anything is. */
static void print_daemon(const json_t *daemon, const json_t *listeners)
{
	const json_t *listener;
	bool tracked = false, afxdp = false;
	size_t i;

	json_array_foreach (listeners, i, listener) {
		tracked |= !strcmp(json_string_value(json_object_get(listener, "protect")), "always");
		afxdp |= !strcmp(json_string_value(json_object_get(listener, "deliver")), "afxdp");
	}
	if (json_is_true(json_object_get(daemon, "running")))
		printf("porchd: running, process %" JSON_INTEGER_FORMAT "\n",
		       json_integer_value(json_object_get(daemon, "pid")));
	else if (afxdp)
		printf("porchd: not running, so nobody is admitted where deliver=afxdp and no SYN-ACK is "
		       "sent "
		       "again; start it\n");
	else if (tracked)
		printf("porchd: not running, so no SYN-ACK is sent again where protect=always\n");
}

static void print(const struct cli *cli, const json_t *object)
{
	const json_t *listeners = json_object_get(object, "listeners");
	const char *error = json_string_value(json_object_get(object, "error"));

	if (error)
		cli_warn(cli, "%s", error);
	printf("%s: %s mode, by %s, pins in %s%s\n", json_string_value(json_object_get(object, "interface")),
	       json_string_value(json_object_get(object, "mode")),
	       json_string_value(json_object_get(object, "attached_by")),
	       json_string_value(json_object_get(object, "pin_path")),
	       json_is_true(json_object_get(object, "tc"))
		       ? ""
		       : "; no tc program: nothing is delivered or guarded; porch attach puts it back");
	if (json_array_size(listeners))
		output_table(stdout, listener_fields, listeners);
	else
		printf("no listener; see porch listen\n");
	print_daemon(json_object_get(object, "porchd"), listeners);
	printf("half-open: %" JSON_INTEGER_FORMAT "  flows: %" JSON_INTEGER_FORMAT "\n",
	       json_integer_value(json_object_get(object, "half_open")),
	       json_integer_value(json_object_get(object, "flows")));
	print_counts("counters", json_object_get(object, "counters"));
	print_counts("refused", json_object_get(object, "refused"));
}

static int finish(const struct cli *cli, json_t *data)
{
	const json_t *object;
	size_t i;

	if (cli->output.json)
		return output(stdout, &cli->output, NULL, NULL, data) ? PORCH_EXIT_FAILED : PORCH_EXIT_DONE;
	if (!json_is_array(data))
		print(cli, data);
	json_array_foreach (data, i, object) {
		if (i)
			putchar('\n');
		print(cli, object);
	}
	json_decref(data);
	return PORCH_EXIT_DONE;
}

static int not_attached(const struct cli *cli, const struct porch_err *err)
{
	cli_fail(cli, err);
	return PORCH_EXIT_NOT_ATTACHED;
}

static int status_of(const struct cli *cli, const struct porch_namespace *ns, const char *ifname)
{
	struct porch_interface found;
	struct porch_err err = {};
	json_t *object;
	int r;

	r = porch_interface_get(ns, ifname, &found, &err);
	if (r == -ENOENT)
		return not_attached(cli, &err);
	if (r)
		return cli_fail(cli, &err);
	object = report(ns, &found, &err);
	if (!object)
		return cli_fail(cli, &err);
	r = finish(cli, object);
	return found.lost ? PORCH_EXIT_NOT_ATTACHED : r;
}

static int status_of_all(const struct cli *cli, const struct porch_namespace *ns)
{
	_cleanup_free_ struct porch_interface *all = NULL;
	struct porch_err err = {};
	json_t *array = json_array(), *one;
	size_t n, i;
	int r;

	r = porch_interface_list(ns, &all, &n);
	if (r)
		porch_err_set(&err, r, "%s: %s", ns->pins.dir, strerror(-r));
	for (i = 0; !r && i < n; i++) {
		one = report(ns, &all[i], &err);
		r = one ? json_array_append_new(array, one) : -EIO;
	}
	if (!r)
		return finish(cli, array);
	json_decref(array);
	return cli_fail(cli, &err);
}

int verb_status(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	const char *ifname = argc > 1 ? argv[1] : NULL;
	struct porch_err err = {};
	int r;

	if (argc > 2 || (ifname && *ifname == '-'))
		return cli_usage(cli, "status wants at most one interface, as in 'porch status eth0'");
	if (ifname && !if_nametoindex(ifname)) {
		porch_err_set(&err, 0, "%s: no such interface; 'ip link' lists those of this namespace",
			      ifname);
		return cli_fail(cli, &err);
	}
	/* write access, because looking is also the occasion to follow what has changed */
	r = porch_namespace_open(PORCH_WRITE, &ns, &err);
	if (r == -ENOENT && !ifname && cli->output.json) {
		finish(cli, json_array());
		return PORCH_EXIT_NOT_ATTACHED;
	}
	if (r == -ENOENT)
		return not_attached(cli, &err);
	if (r)
		return cli_fail(cli, &err);
	return ifname ? status_of(cli, ns, ifname) : status_of_all(cli, ns);
}
