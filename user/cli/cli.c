// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define TEXT 1024

int cli_fail(const struct cli *cli, const struct porch_err *err)
{
	output_error(stdout, stderr, &cli->output, "%s", *err->text ? err->text : "failed");
	return PORCH_EXIT_FAILED;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	char text[TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	output_error(stdout, stderr, &cli->output, "%s", text);
	return PORCH_EXIT_USAGE;
}

int cli_warn(const struct cli *cli, const char *format, ...)
{
	char text[TEXT];
	va_list args;

	if (cli->output.json || cli->output.pretty)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	output_error(stdout, stderr, &cli->output, "%s", text);
	return 0;
}

int cli_open(const struct cli *cli, enum porch_access access, const char *ifname,
	     struct porch_namespace **ret, struct porch_interface *iface)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct porch_interface found;
	struct porch_err err = {};

	if (porch_namespace_open(access, &ns, &err) ||
	    (ifname && porch_interface_get(ns, ifname, &found, &err)))
		return cli_fail(cli, &err);
	if (ifname && iface)
		*iface = found;
	*ret = ns;
	ns = NULL;
	return PORCH_EXIT_DONE;
}

int cli_list_args(const struct cli *cli, int argc, char **argv, const char **ifname, bool *count)
{
	bool first = argc == 3 && !strcmp(argv[1], "--count");
	bool counts = first || (argc == 3 && !strcmp(argv[2], "--count"));
	int at = first ? 2 : 1;

	if (argc != 2 + counts || argv[at][0] == '-')
		return cli_usage(cli, "%s wants one interface, and takes --count", argv[0]);
	*ifname = argv[at];
	*count = counts;
	return PORCH_EXIT_DONE;
}

int cli_count(const struct cli *cli, const char *key, json_int_t n)
{
	if (!cli->output.json) {
		printf("%" JSON_INTEGER_FORMAT "\n", n);
		return PORCH_EXIT_DONE;
	}
	return output(stdout, &cli->output, NULL, NULL, json_pack("{s:I}", key, n)) ? PORCH_EXIT_FAILED
										    : PORCH_EXIT_DONE;
}
