// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "core/listeners.h"
#include "core/seed.h"

enum act { ADD, SET, DEL };

static int parse(const struct cli *cli, int argc, char **argv, enum act *act, struct porch_listen_spec *spec)
{
	struct porch_err err = {};
	int i, r;

	if (argc < 4)
		return cli_usage(cli, "listen wants an interface, a verb and ADDR:PORT, as in 'porch listen "
				      "eth0 add *:80'");
	if (!strcmp(argv[2], "add"))
		*act = ADD;
	else if (!strcmp(argv[2], "set"))
		*act = SET;
	else if (!strcmp(argv[2], "del"))
		*act = DEL;
	else
		return cli_usage(cli, "listen knows add, set and del, not '%.32s'", argv[2]);
	r = porch_listen_spec_parse(argv[3], spec, &err);
	for (i = 4; i < argc && !r; i++)
		r = porch_listen_spec_set(spec, argv[i], &err);
	if (!r)
		r = porch_listen_spec_complete(spec, &err);
	if (r == -EOPNOTSUPP)
		return cli_fail(cli, &err);
	if (r)
		return cli_usage(cli, "%s", err.text);
	if (*act == DEL && spec->given)
		return cli_usage(cli, "listen del takes no key=value");
	if (*act == SET && !spec->given)
		return cli_usage(cli, "listen set wants a key=value, as in protect=always");
	return 0;
}

/* Only what is asked for is checked: `set mss=` must work whatever the kernel can do. */
static int check(enum act act, const struct porch_listen_spec *spec, struct porch_err *err)
{
	struct porch_listen_spec asked = *spec;

	if (act == DEL)
		return 0;
	if (act == SET && !(spec->given & PORCH_GIVEN_PROTECT))
		asked.protect = PORCH_PROTECT_OFF;
	return porch_listeners_check(&asked, 1, err);
}

/* 1 changed, 0 already so, -errno. */
static int change(const struct porch_namespace *ns, enum act act, const struct porch_listen_spec *spec,
		  struct porch_err *err)
{
	int r, seeded;

	if (act == SET)
		return porch_listener_set(&ns->tables, spec, err);
	if (act == DEL)
		return porch_listener_del(&ns->tables, spec, err);
	r = porch_listener_add(&ns->tables, spec, err);
	if (r <= 0)
		return r;
	/* nothing is answered in quiet times yet, and an unknown segment passes within the budget */
	seeded = porch_seed_connections(&ns->tables, ns->pins.dir, err);
	return seeded ? seeded : r;
}

int verb_listen(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct porch_listen_spec spec;
	char text[PORCH_LISTEN_TEXT];
	struct porch_err err = {};
	enum act act = ADD;
	int r;

	r = parse(cli, argc, argv, &act, &spec);
	if (r)
		return r;
	r = cli_open(cli, PORCH_WRITE, argv[1], &ns, NULL);
	if (r)
		return r;
	r = check(act, &spec, &err);
	if (!r)
		r = change(ns, act, &spec, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	if (!cli->output.json)
		return PORCH_EXIT_DONE;
	return output(stdout, &cli->output, NULL, NULL,
		      json_pack("{s:s, s:b}", "listener", porch_listen_spec_format(&spec, text), "changed",
				r))
		       ? PORCH_EXIT_FAILED
		       : PORCH_EXIT_DONE;
}
