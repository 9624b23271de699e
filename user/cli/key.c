// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch key show|rotate|import FILE: which master keys there are, never what they are. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/cli.h"
#include "core/keys.h"

/* Ids are random numbers: people compare them, so they get one width. */
static const char *format_id(const json_t *value, char *buf, size_t size)
{
	snprintf(buf, size, "%08llx", (unsigned long long)json_integer_value(value));
	return buf;
}

static const char *format_current(const json_t *value, char *buf, size_t size)
{
	return json_is_true(value) ? "in use" : "";
}

static const struct output_field fields[] = {
	{ "id", "ID", format_id },    { "from_epoch", "FROM EPOCH", NULL }, { "from", "FROM", output_utc },
	{ "age", "AGE", output_age }, { "current", "", format_current },    {},
};

static json_t *key_json(const struct porch_key_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "id", (json_int_t)info->id, "from_epoch",
			 (json_int_t)info->from_epoch, "from", (json_int_t)info->from_unix, "age",
			 (json_int_t)(time(NULL) - info->from_unix), "current", info->current);
}

static int print(const struct cli *cli, json_t *data)
{
	int r = output(stdout, &cli->output, fields, "there is no key", data);
	struct porch_err err;

	if (!r)
		return PORCH_EXIT_DONE;
	porch_err_set(&err, r, "keys: %s", strerror(-r));
	return cli_fail(cli, &err);
}

static int show(const struct cli *cli, const struct porch_namespace *ns)
{
	struct porch_key_info list[PORCH_MASTERS];
	struct porch_err err = {};
	size_t n = 0, i;
	json_t *rows;

	if (porch_keys_list(ns, list, &n, &err))
		return cli_fail(cli, &err);
	rows = json_array();
	for (i = 0; rows && i < n; i++)
		json_array_append_new(rows, key_json(&list[i]));
	return print(cli, rows);
}

/* A key that others can read is a key that others can have read. */
static void warn_of_readers(const struct cli *cli, const char *path)
{
	struct stat status;

	if (strcmp(path, "-") && !stat(path, &status) && S_ISREG(status.st_mode) && (status.st_mode & 077))
		cli_warn(cli, "%s can be read by others than its owner; chmod 600 it", path);
}

int verb_key(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	__u8 key[PORCH_KEY_BYTES];
	struct porch_key_info info;
	struct porch_err err = {};
	const char *what = argc > 1 ? argv[1] : "show";
	bool import = !strcmp(what, "import");
	int r;

	if (strcmp(what, "show") && strcmp(what, "rotate") && !import)
		return cli_usage(cli, "key knows show, rotate and import FILE, not '%.32s'", what);
	if (import && argc != 3)
		return cli_usage(
			cli,
			"key import wants one file, or - for stdin; a key never stands in the command line");
	if (!import && argc > 2)
		return cli_usage(cli, "key %s takes no argument", what);
	if (!strcmp(what, "show")) {
		r = cli_open(cli, PORCH_READ, NULL, &ns, NULL);
		return r ? r : show(cli, ns);
	}
	/* the file first: a wrong one shall change nothing, nor wait for a lock */
	if (import) {
		if (porch_key_read(argv[2], key, &err))
			return cli_fail(cli, &err);
		warn_of_readers(cli, argv[2]);
	}
	r = cli_open(cli, PORCH_WRITE, NULL, &ns, NULL);
	if (r)
		goto out;
	r = import ? porch_keys_import(ns, key, &info, &err) : porch_keys_rotate(ns, &info, &err);
	if (r)
		r = cli_fail(cli, &err);
	else
		r = print(cli, json_pack("[o]", key_json(&info)));
out:
	explicit_bzero(key, sizeof(key));
	return r;
}
