// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cli/cli.h"
#include "core/attach.h"

int verb_detach(struct cli *cli, int argc, char **argv)
{
	struct porch_attach_result result = {};
	struct porch_err err = {};

	if (argc != 2 || argv[1][0] == '-')
		return cli_usage(cli, "detach wants one interface, as in 'porch detach eth0'");
	if (porch_detach(argv[1], &result, &err))
		return cli_fail(cli, &err);
	if (*result.note)
		cli_warn(cli, "%s", result.note);
	if (!cli->output.json)
		return PORCH_EXIT_DONE;
	return output(stdout, &cli->output, NULL, NULL,
		      json_pack("{s:s, s:b}", "interface", argv[1], "changed", result.changed))
		       ? PORCH_EXIT_FAILED
		       : PORCH_EXIT_DONE;
}
