// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch check FILE: parse and validate a configuration, touch nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/config.h"

/* [porchd] as it would count, defaults included. */
static json_t *describe(const struct porch_daemon_config *d)
{
	json_t *uids = json_array(), *object;
	__u32 i;

	for (i = 0; i < d->n_allow_uid; i++)
		json_array_append_new(uids, json_integer(d->allow_uid[i]));
	/* clang-format off */
	object = json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I}",
		"socket", d->socket,
		"user", d->user,
		"allow_uid", uids,
		"backlog", (json_int_t)d->backlog,
		"accept_timeout", (json_int_t)d->accept_timeout,
		"workers", (json_int_t)d->workers,
		"workers_per_queue", (json_int_t)d->workers_per_queue,
		"rx_frames", (json_int_t)d->rx_frames);
	if (object)
		json_object_update_new(object, json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:s}",
			"tx_frames", (json_int_t)d->tx_frames,
			"early_frames", (json_int_t)d->early_frames,
			"early_memory", (json_int_t)d->early_memory,
			"handback_memory", (json_int_t)d->handback_memory,
			"synack_retries", (json_int_t)d->synack_retries,
			"zero_copy", d->zero_copy,
			"tx_checksum", d->tx_checksum == PORCH_TX_CHECKSUM_AUTO ? "auto" :
				d->tx_checksum == PORCH_TX_CHECKSUM_NO ? "no" : "yes",
			"fallback", d->fallback == PORCH_FALLBACK_KERNEL ? "kernel" : "drop"));
	/* clang-format on */
	return object;
}

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
	result = json_pack("{s:s%, s:b, s:I, s:I, s:I, s:o}", "file", argv[1], strlen(argv[1]), "ok", 1,
			   "interfaces", (json_int_t)config->n_interfaces, "listeners", (json_int_t)listeners,
			   "denied", (json_int_t)config->n_deny, "porchd", describe(&config->daemon));
	r = output(stdout, &cli->output, NULL, NULL, result);
	if (r) {
		porch_err_set(&err, r, "%s is ok, but that could not be written: %s", argv[1], strerror(-r));
		return cli_fail(cli, &err);
	}
	return PORCH_EXIT_DONE;
}
