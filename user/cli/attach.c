// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "core/attach.h"
#include "core/listeners.h"
#include "core/util.h"

/* What was asked for, from the command line and a file. */
struct request {
	struct porch_attach_opts opts;
	struct porch_listen_spec *listeners;
	size_t n_listeners;
};

static void request_free(struct request *request)
{
	free(request->listeners);
}

static int add_listener(const struct cli *cli, struct request *request, const struct porch_listen_spec *spec)
{
	struct porch_listen_spec *all;
	char text[PORCH_LISTEN_TEXT];
	size_t i;

	for (i = 0; i < request->n_listeners; i++) {
		if (porch_listen_spec_same(&request->listeners[i], spec))
			return cli_usage(cli, "%s: given twice", porch_listen_spec_format(spec, text));
	}
	all = reallocarray(request->listeners, request->n_listeners + 1, sizeof(*all));
	if (!all)
		return cli_fail(cli, &(struct porch_err){ "out of memory" });
	request->listeners = all;
	all[request->n_listeners++] = *spec;
	return 0;
}

static int parse_listener(const struct cli *cli, struct request *request, const char *text)
{
	struct porch_listen_spec spec;
	struct porch_err err = {};
	int r = porch_listen_spec_parse(text, &spec, &err);

	if (r == -EOPNOTSUPP)
		return cli_fail(cli, &err);
	return r ? cli_usage(cli, "%s", err.text) : add_listener(cli, request, &spec);
}

static int parse_mode(const struct cli *cli, struct request *request, const char *word)
{
	if (strcmp(word, "native") && strcmp(word, "skb"))
		return cli_usage(cli, "--mode is native or skb, not '%.32s'", word);
	request->opts.mode = strcmp(word, "skb") ? PORCH_MODE_NATIVE : PORCH_MODE_SKB;
	request->opts.mode_given = true;
	return 0;
}

/* The command line has the last word on the mode; listeners of both add up. */
static int apply_config(const struct cli *cli, struct request *request, const struct porch_config *config)
{
	const struct porch_config_interface *iface = porch_config_interface(config, request->opts.ifname);
	const struct porch_listen_spec *listeners = iface ? iface->listeners : config->listeners;
	size_t n = iface ? iface->n_listeners : config->n_listeners, i;
	struct porch_attach_opts *opts = &request->opts;
	int r = 0;

	for (i = 0; i < n && !r; i++)
		r = add_listener(cli, request, &listeners[i]);
	if (iface && iface->mode_given && !opts->mode_given) {
		opts->mode = iface->mode;
		opts->mode_given = true;
	}
	opts->flows = config->flows;
	opts->half_open = config->half_open;
	opts->reply_rate = config->reply_rate;
	opts->unknown_rate = config->unknown_rate;
	opts->given = config->given;
	opts->deny = config->deny;
	opts->n_deny = config->n_deny;
	return r;
}

/* 0, or an exit code after having said why. */
static int parse(const struct cli *cli, struct request *request, const char **config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "mode", required_argument, NULL, 'm' },
		{ "config", required_argument, NULL, 'c' },
		{},
	};
	int c, r;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":l:m:c:", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			r = parse_listener(cli, request, optarg);
			break;
		case 'm':
			r = parse_mode(cli, request, optarg);
			break;
		case 'c':
			*config = optarg;
			r = 0;
			break;
		case ':':
			return cli_usage(cli, "%s wants a value; see porch attach -h", argv[optind - 1]);
		default:
			return cli_usage(cli, "%s: unknown option; see porch attach -h", argv[optind - 1]);
		}
		if (r)
			return r;
	}
	if (argc - optind != 1)
		return cli_usage(cli,
				 "attach wants one interface, as in 'porch attach eth0 --listen \"*:80\"'");
	request->opts.ifname = argv[optind];
	return 0;
}

int verb_attach(struct cli *cli, int argc, char **argv)
{
	__attribute__((cleanup(request_free))) struct request request = {
		.opts = {
			.flows = PORCH_FLOWS_DEFAULT,
			.half_open = PORCH_HALF_OPEN_DEFAULT,
			.reply_rate = PORCH_REPLY_RATE_DEFAULT,
			.unknown_rate = PORCH_UNKNOWN_RATE_DEFAULT,
		},
	};
	_cleanup_config_ struct porch_config *config = NULL;
	struct porch_attach_result result = {};
	const char *path = NULL;
	struct porch_err err = {};
	int r;

	r = parse(cli, &request, &path, argc, argv);
	if (r)
		return r;
	if (path) {
		if (porch_config_read(path, &config, &err))
			return cli_usage(cli, "%s", err.text);
		r = apply_config(cli, &request, config);
		if (r)
			return r;
	}
	request.opts.listeners = request.listeners;
	request.opts.n_listeners = request.n_listeners;
	if (porch_attach(&request.opts, &result, &err))
		return cli_fail(cli, &err);
	if (*result.note)
		cli_warn(cli, "%s", result.note);
	if (!cli->output.json)
		return PORCH_EXIT_DONE;
	return output(stdout, &cli->output, NULL, NULL,
		      json_pack("{s:s, s:b, s:s*}", "interface", request.opts.ifname, "changed",
				result.changed, "note", *result.note ? result.note : NULL))
		       ? PORCH_EXIT_FAILED
		       : PORCH_EXIT_DONE;
}
