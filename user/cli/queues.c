// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cli/cli.h"

int verb_queues(struct cli *cli, int argc, char **argv)
{
	struct porch_err err = {};

	if (argc > 1)
		return cli_usage(cli, "queues takes no argument");
	/* a kernel listener's queue is the kernel's: status shows its depth */
	porch_err_set(
		&err, 0,
		"porchd is not running, and only it keeps queues; 'porch status' shows those of the kernel");
	return cli_fail(cli, &err);
}
