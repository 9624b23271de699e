// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cli/cli.h"
#include "cli/report.h"

static const char *milliseconds(const json_t *value, char *buf, size_t size)
{
	snprintf(buf, size, "%.3f ms", json_integer_value(value) / 1e6);
	return buf;
}

static const char *mode(const json_t *value, char *buf, size_t size)
{
	return json_is_true(value) ? "zero-copy" : "copy";
}

static const char *maker(const json_t *value, char *buf, size_t size)
{
	return json_is_true(value) ? "device" : "worker";
}

static const char *worker(const json_t *value, char *buf, size_t size)
{
	if (!json_integer_value(value))
		return "porchd";
	snprintf(buf, size, "%d", (int)json_integer_value(value));
	return buf;
}

static const struct output_field queue_fields[] = {
	{ "address", "ADDRESS", NULL },
	{ "port", "PORT", NULL },
	{ "depth", "DEPTH", NULL },
	{ "limit", "LIMIT", NULL },
	{ "peak", "PEAK", NULL },
	{ "parked", "PARKED", NULL },
	{ "finishing", "FINISHING", NULL },
	{ "workers", "WORKERS", NULL },
	{ "credit", "CREDIT", NULL },
	{ "admitted", "ADMITTED", NULL },
	{ "handed", "HANDED", NULL },
	{ "accepted", "ACCEPTED", NULL },
	{ "overflowed", "OVERFLOWED", NULL },
	{ "reset", "RESET", NULL },
	{ "aborted", "ABORTED", NULL },
	{ "wait_ns_avg", "WAIT", milliseconds },
	{ "wait_ns_max", "LONGEST", milliseconds },
	{},
};

static const struct output_field slot_fields[] = {
	{ "interface", "INTERFACE", NULL },
	{ "queue", "RX QUEUE", NULL },
	{ "worker", "WORKER", worker },
	{ "pid", "PID", NULL },
	{ "uid", "UID", NULL },
	{ "tx_checksum", "TX CHECKSUM", maker },
	{ "zero_copy", "MODE", mode },
	{ "lease", "RINGS", output_yes_no },
	{},
};

static void print(const json_t *object)
{
	const json_t *daemon = json_object_get(object, "porchd");
	const json_t *queues = json_object_get(object, "queues"), *slots = json_object_get(object, "slots");

	if (!json_is_true(json_object_get(daemon, "running")))
		printf("porchd is not running: nobody is admitted to these queues\n");
	if (json_array_size(queues))
		output_table(stdout, queue_fields, queues);
	else
		printf("no listener with deliver=afxdp; a kernel listener's queue is the kernel's, see porch "
		       "status\n");
	if (json_array_size(slots)) {
		putchar('\n');
		output_table(stdout, slot_fields, slots);
	}
}

/* From the maps alone: what porchd last wrote is there also when it is gone. */
int verb_queues(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct porch_err err = {};
	json_t *object;
	int r;

	if (argc > 1)
		return cli_usage(cli, "queues takes no argument");
	r = porch_namespace_open(PORCH_READ, &ns, &err);
	if (r)
		return cli_fail(cli, &err);
	/* clang-format off */
	object = json_pack("{s:o, s:o, s:o}",
		"porchd", report_daemon(&ns->tables),
		"queues", report_queues(&ns->tables),
		"slots", report_slots(&ns->tables));
	/* clang-format on */
	if (cli->output.json)
		return output(stdout, &cli->output, NULL, NULL, object) ? PORCH_EXIT_FAILED : PORCH_EXIT_DONE;
	if (!object)
		return cli_fail(cli, &(struct porch_err){ "out of memory" });
	print(object);
	json_decref(object);
	return PORCH_EXIT_DONE;
}
