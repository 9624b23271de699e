// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "core/listeners.h"
#include "core/names.h"

static volatile sig_atomic_t stopped;

/* What was counted at one moment. */
struct sample {
	struct timespec when;
	struct porch_counters counters;
	struct porch_stats stats[PORCH_LISTENERS_MAX];
	__u64 accepted[PORCH_LISTENERS_MAX]; /* by applications, over AF_XDP */
};

static const struct output_field fields[] = {
	{ "listener", "LISTENER", NULL },
	{ "regime", "REGIME", NULL },
	{ "syn", "SYN/S", NULL },
	{ "passed", "PASSED/S", NULL },
	{ "synack", "SYN-ACK/S", NULL },
	{ "proven", "PROVEN/S", NULL },
	{ "delivered", "DELIVERED/S", NULL },
	{ "accepted", "ACCEPTED/S", NULL },
	{ "accept_queue", "QUEUE", NULL },
	{ "refused", "REFUSED/S", NULL },
	{},
};

static void stop(int signal)
{
	stopped = 1;
}

static int take(const struct porch_tables *tables, struct sample *ret)
{
	__u32 i;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &ret->when);
	r = porch_tables_counters(tables, &ret->counters);
	for_each_listener (tables, i) {
		if (!r)
			r = porch_tables_stats(tables, i, &ret->stats[i]);
		ret->accepted[i] = tables->queues[i].accepted;
	}
	return r;
}

static json_t *rate(__u64 before, __u64 now, double seconds)
{
	/* a listener that was replaced meanwhile counts from 0 again */
	return json_integer(now > before && seconds > 0 ? (json_int_t)((now - before) / seconds + 0.5) : 0);
}

static json_t *listener_rates(const struct porch_listener_entry *l, const struct porch_stats *before,
			      const struct porch_stats *now, double seconds)
{
	struct porch_listen_spec spec = { .any = l->any_address, .port = l->port };
	char text[PORCH_LISTEN_TEXT];

	memcpy(spec.address, l->address, sizeof(spec.address));
	/* clang-format off */
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"listener", porch_listen_spec_format(&spec, text),
		"regime", porch_regime_name(l->regime),
		"syn", rate(before->syn_received, now->syn_received, seconds),
		"passed", rate(before->syn_passed, now->syn_passed, seconds),
		"synack", rate(before->synack_sent, now->synack_sent, seconds),
		"proven", rate(before->proven, now->proven, seconds),
		"delivered", rate(before->delivered, now->delivered, seconds),
		"refused", rate(before->refused, now->refused, seconds));
	/* clang-format on */
}

static json_t *rates(const struct porch_tables *tables, const struct sample *before, const struct sample *now)
{
	double seconds =
		now->when.tv_sec - before->when.tv_sec + (now->when.tv_nsec - before->when.tv_nsec) / 1e9;
	json_t *listeners = json_array(), *refused = json_object(), *one;
	size_t k;
	__u32 i;

	for_each_listener (tables, i) {
		one = listener_rates(&tables->listeners[i], &before->stats[i], &now->stats[i], seconds);
		if (tables->listeners[i].deliver == PORCH_DELIVER_AFXDP) {
			json_object_set_new(one, "accepted",
					    rate(before->accepted[i], now->accepted[i], seconds));
			json_object_set_new(one, "accept_queue", json_integer(tables->queues[i].depth));
		}
		json_array_append_new(listeners, one);
	}
	for (k = 0; k < porch_n_counter_names; k++) {
		const struct porch_counter_name *name = &porch_counter_names[k];

		if (name->reason)
			json_object_set_new(
				refused, name->name,
				rate(*(const __u64 *)((const char *)&before->counters + name->offset),
				     *(const __u64 *)((const char *)&now->counters + name->offset), seconds));
	}
	/* clang-format off */
	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}",
		"time", (json_int_t)time(NULL),
		"half_open", report_count_half_open(tables),
		"flows", report_count_flows(tables),
		"porchd", report_daemon(tables),
		"listeners", listeners,
		"refused", refused);
	/* clang-format on */
}

static int show(const struct cli *cli, json_t *object)
{
	struct output_options line = { .json = true };
	const char *name;
	json_t *value;

	if (!object)
		return -ENOMEM;
	/* one object per line, or no reader could tell where one ends */
	if (cli->output.json)
		return output(stdout, &line, NULL, NULL, object);
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	output_table(stdout, fields, json_object_get(object, "listeners"));
	printf("half-open %" JSON_INTEGER_FORMAT "  flows %" JSON_INTEGER_FORMAT "\n",
	       json_integer_value(json_object_get(object, "half_open")),
	       json_integer_value(json_object_get(object, "flows")));
	json_object_foreach (json_object_get(object, "refused"), name, value) {
		if (json_integer_value(value))
			printf("refused %s %" JSON_INTEGER_FORMAT "/s\n", name, json_integer_value(value));
	}
	json_decref(object);
	return fflush(stdout) ? -EIO : 0;
}

static int watch(const struct cli *cli, const struct porch_namespace *ns, struct sample samples[2],
		 long count)
{
	int which = 0, r;

	r = take(&ns->tables, &samples[0]);
	while (!r && !stopped && count) {
		sleep(1);
		if (stopped)
			break;
		/* the tables stay mapped when porch is detached, and nothing counts any more */
		if (access(ns->pins.dir, F_OK))
			return cli_fail(cli, &(struct porch_err){ "porch was detached" });
		which = !which;
		r = take(&ns->tables, &samples[which]);
		if (!r)
			r = show(cli, rates(&ns->tables, &samples[!which], &samples[which]));
		if (count > 0)
			count--;
	}
	return r ? PORCH_EXIT_FAILED : PORCH_EXIT_DONE;
}

int verb_monitor(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "count", required_argument, NULL, 'n' }, {} };
	static struct sample samples[2];
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct sigaction action = { .sa_handler = stop };
	long count = -1;
	char *end;
	int c, r;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
		if (c != 'n')
			return cli_usage(cli, "%s: unknown option; monitor takes --count N",
					 argv[optind - 1]);
		count = strtol(optarg, &end, 10);
		if (*end || count < 1)
			return cli_usage(cli, "--count wants a number from 1 on, not '%.32s'", optarg);
	}
	if (argc - optind > 1)
		return cli_usage(cli, "monitor wants at most one interface, as in 'porch monitor eth0'");
	r = cli_open(cli, PORCH_READ, argv[optind], &ns, NULL);
	if (r)
		return r;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return watch(cli, ns, samples, count);
}
