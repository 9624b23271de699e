// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch check FILE: parse and validate a configuration, touch nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/config.h"

int verb_check(struct cli *cli, int argc, char **argv)
{
	_cleanup_config_ struct porch_config *config = NULL;
	struct porch_err err = {};
	size_t listeners;
	json_t *result;
	int r;

	if (argc != 2)
		return cli_usage(cli, "check wants one file, as in 'porch check /etc/porch.conf'");
	r = porch_config_read(argv[1], &config, &err);
	if (r) {
		cli_fail(cli, &err);
		return r == -EINVAL ? PORCH_EXIT_USAGE : PORCH_EXIT_FAILED;
	}
	listeners = porch_config_count_listeners(config);
	if (!cli->output.json && !cli->output.pretty) {
		printf("%s: ok, %zu interface%s, %zu listener%s\n", argv[1], config->n_interfaces,
		       config->n_interfaces == 1 ? "" : "s", listeners, listeners == 1 ? "" : "s");
		return PORCH_EXIT_DONE;
	}
	result = json_pack("{s:s%, s:b, s:I, s:I, s:I}", "file", argv[1], strlen(argv[1]), "ok", 1,
			   "interfaces", (json_int_t)config->n_interfaces, "listeners", (json_int_t)listeners,
			   "denied", (json_int_t)config->n_deny);
	r = output(stdout, &cli->output, NULL, NULL, result);
	if (r) {
		porch_err_set(&err, r, "%s is ok, but that could not be written: %s", argv[1], strerror(-r));
		return cli_fail(cli, &err);
	}
	return PORCH_EXIT_DONE;
}
