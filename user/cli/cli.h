/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every verb gets, and what main gets from every verb.
 *
 * A verb is one file and one function. It returns an exit code and has said
 * why before it returns anything but PORCH_EXIT_DONE. argv[0] is the verb;
 * global options have been taken out of argv wherever they stood.
 */
#ifndef PORCH_CLI_CLI_H
#define PORCH_CLI_CLI_H

#include <stdbool.h>

#include "cli/output.h"
#include "core/err.h"
#include "core/namespace.h"

enum {
	PORCH_EXIT_DONE = 0,
	PORCH_EXIT_FAILED = 1,
	PORCH_EXIT_USAGE = 2,
	PORCH_EXIT_NOT_ATTACHED = 3,	/* `porch status` only */
};

struct cli {
	struct output_options output;
	int verbose;
};

struct verb {
	const char *name;
	const char *args;	/* behind the name in the usage line */
	const char *help;	/* one line */
	int (*run)(struct cli *cli, int argc, char **argv);
};

/* In the order of `porch --help`; ends with a NULL name. */
extern const struct verb verbs[];

int verb_attach(struct cli *cli, int argc, char **argv);
int verb_detach(struct cli *cli, int argc, char **argv);
int verb_listen(struct cli *cli, int argc, char **argv);
int verb_status(struct cli *cli, int argc, char **argv);
int verb_flows(struct cli *cli, int argc, char **argv);
int verb_half_open(struct cli *cli, int argc, char **argv);
int verb_queues(struct cli *cli, int argc, char **argv);
int verb_capture(struct cli *cli, int argc, char **argv);
int verb_monitor(struct cli *cli, int argc, char **argv);
int verb_key(struct cli *cli, int argc, char **argv);
int verb_deny(struct cli *cli, int argc, char **argv);
int verb_check(struct cli *cli, int argc, char **argv);
int verb_doctor(struct cli *cli, int argc, char **argv);

/* Say why, return the exit code. */
int cli_fail(const struct cli *cli, const struct porch_err *err);		/* 1 */
int cli_usage(const struct cli *cli, const char *format, ...)			/* 2 */
	__attribute__((format(printf, 2, 3)));
int cli_warn(const struct cli *cli, const char *format, ...)			/* 0; on stderr, nothing with -j */
	__attribute__((format(printf, 2, 3)));

/* `VERB IFACE [--count]`, in either order: 0 or an exit code. */
int cli_list_args(const struct cli *cli, int argc, char **argv, const char **ifname, bool *count);
/* What `--count` prints: the number, or an object of one key. Returns the exit code. */
int cli_count(const struct cli *cli, const char *key, json_int_t n);

/*
 * Opens the namespace and, unless `ifname` is NULL, finds the interface in it
 * (`iface` may be NULL). 0, or an exit code after having said why.
 */
int cli_open(const struct cli *cli, enum porch_access access, const char *ifname, struct porch_namespace **ret,
	     struct porch_interface *iface);

#endif /* PORCH_CLI_CLI_H */
