// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch deny IFACE add|del|show [PREFIX]...: sources whose SYNs are not answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/prefix.h"
#include "core/util.h"

struct prefixes {
	struct porch_prefix *prefix;
	size_t n;
};

static int collect(const struct porch_prefix *prefix, void *arg)
{
	struct prefixes *all = arg;
	struct porch_prefix *grown;

	grown = reallocarray(all->prefix, all->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	all->prefix = grown;
	all->prefix[all->n++] = *prefix;
	return 0;
}

static int show(struct cli *cli, const struct porch_namespace *ns)
{
	static const struct output_field fields[] = { { "prefix", "PREFIX", NULL }, {} };
	struct prefixes all = {};
	struct porch_err err;
	char text[PORCH_PREFIX_TEXT];
	json_t *rows;
	size_t i;
	int r;

	r = porch_deny_each(&ns->tables, collect, &all);
	rows = r ? NULL : json_array();
	if (all.n)
		qsort(all.prefix, all.n, sizeof(*all.prefix), porch_prefix_compare);
	for (i = 0; rows && i < all.n; i++)
		json_array_append_new(
			rows, json_pack("{s:s}", "prefix", porch_prefix_format(&all.prefix[i], text)));
	free(all.prefix);
	if (!r)
		r = output(stdout, &cli->output, fields, "nothing is denied", rows);
	if (r) {
		porch_err_set(&err, r, "deny list: %s", strerror(-r));
		return cli_fail(cli, &err);
	}
	return PORCH_EXIT_DONE;
}

static int change(struct cli *cli, const struct porch_namespace *ns, bool add, const struct prefixes *wanted)
{
	char text[PORCH_PREFIX_TEXT];
	struct porch_err err;
	size_t i, changed = 0;
	int r;

	for (i = 0; i < wanted->n; i++) {
		r = add ? porch_deny_add(&ns->tables, &wanted->prefix[i])
			: porch_deny_del(&ns->tables, &wanted->prefix[i]);
		if (r < 0) {
			porch_err_set(&err, r, "%s: %s", porch_prefix_format(&wanted->prefix[i], text),
				      r == -ENOSPC ? "the deny list is full; put neighbours together into "
						     "shorter prefixes"
						   : strerror(-r));
			return cli_fail(cli, &err);
		}
		changed += r;
	}
	if (!cli->output.json && !cli->output.pretty)
		return PORCH_EXIT_DONE;
	r = output(stdout, &cli->output, NULL, NULL, json_pack("{s:I}", "changed", (json_int_t)changed));
	return r ? PORCH_EXIT_FAILED : PORCH_EXIT_DONE;
}

int verb_deny(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct prefixes wanted = {};
	struct porch_err err;
	bool add, del;
	int r, i;

	if (argc < 3)
		return cli_usage(
			cli, "deny wants an interface and a verb, as in 'porch deny eth0 add 192.0.2.0/24'");
	add = !strcmp(argv[2], "add");
	del = !strcmp(argv[2], "del");
	if (!add && !del) {
		if (strcmp(argv[2], "show"))
			return cli_usage(cli, "deny knows add, del and show, not '%.32s'", argv[2]);
		if (argc > 3)
			return cli_usage(cli, "deny show takes no prefix");
		r = cli_open(cli, PORCH_READ, argv[1], &ns, NULL);
		return r ? r : show(cli, ns);
	}
	if (argc == 3)
		return cli_usage(cli, "deny %s wants a prefix, as in 192.0.2.0/24 or 2001:db8::1", argv[2]);
	/* all are understood before the first is changed */
	for (i = 3; i < argc; i++) {
		struct porch_prefix prefix;

		if (porch_prefix_parse(argv[i], &prefix, &err)) {
			free(wanted.prefix);
			return cli_usage(cli, "%s", err.text);
		}
		if (collect(&prefix, &wanted)) {
			free(wanted.prefix);
			porch_err_set(&err, -ENOMEM, "out of memory");
			return cli_fail(cli, &err);
		}
	}
	r = cli_open(cli, PORCH_WRITE, argv[1], &ns, NULL);
	if (!r)
		r = change(cli, ns, add, &wanted);
	free(wanted.prefix);
	return r;
}
