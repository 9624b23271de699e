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
