// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch: a table of verbs and a loop over it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/object.h"

const struct verb verbs[] = {
	{ "attach", "IFACE [--listen ADDR:PORT[,key=value...]]... [--mode native|skb] [--config FILE]",
	  "protect listeners on an interface", verb_attach },
	{ "detach", "IFACE", "take porch off an interface", verb_detach },
	{ "listen", "IFACE add|set|del ADDR:PORT [key=value...]",
	  "change what is protected; keys: deliver protect backlog mss overflow syn-rate", verb_listen },
	{ "status", "[IFACE]", "listeners, regimes, counters (the default verb)", verb_status },
	{ "half-open", "IFACE [--count]", "handshakes between SYN and final ACK", verb_half_open },
	{ "flows", "IFACE [--count]", "connections proven, delivered, handed over and closing", verb_flows },
	{ "queues", "", "accept queues of deliver=afxdp, and the AF_XDP sockets behind them", verb_queues },
	{ "capture", "IFACE [-w FILE] [-s SNAPLEN] [-c COUNT]",
	  "frames of deliver=afxdp, which tcpdump does not see; FILE in pcap format, - for stdout", verb_capture },
	{ "deny", "IFACE add|del|show [PREFIX]...", "sources whose SYNs are not answered", verb_deny },
	{ "key", "show|rotate|import FILE", "cookie keys; never printed, FILE may be - for stdin", verb_key },
	{ "monitor", "[IFACE] [--count N]", "live view, a line of numbers per second", verb_monitor },
	{ "doctor", "IFACE", "what will not work here, and what to do about it", verb_doctor },
	{ "check", "FILE", "parse and validate a configuration, touch nothing", verb_check },
	{ NULL, NULL, NULL, NULL },
};

enum request { RUN, HELP, VERSION };

static void usage(FILE *out, const struct verb *only)
{
	const struct verb *verb;

	if (only) {
		fprintf(out, "porch %s%s%s\n    %s\n", only->name, *only->args ? " " : "", only->args,
			only->help);
		return;
	}
	fprintf(out, "porch answers TCP handshakes in XDP, for an unmodified service or for a program that links libporch.\n\n");
	for (verb = verbs; verb->name; verb++)
		fprintf(out, "  porch %s%s%s\n      %s\n", verb->name, *verb->args ? " " : "", verb->args,
			verb->help);
	fprintf(out,
		"\n  -j, --json     print JSON          -p, --pretty   print indented JSON\n"
		"  -v, --verbose  what libbpf says    -V, --version  -h, --help\n"
		"\nADDR is an IPv4 address, an [IPv6] address or * (every address of this host).\n"
		"Exit status: 0 done, 1 failed, 2 usage, 3 status of an interface that is not attached.\n");
}

static void log_line(const char *line)
{
	fprintf(stderr, "porch: %s\n", line);
}

/* 1: `c` is a global option. */
static int take_letter(struct cli *cli, enum request *request, char c)
{
	switch (c) {
	case 'j':
		cli->output.json = true;
		return 1;
	case 'p':
		cli->output.json = cli->output.pretty = true;
		return 1;
	case 'v':
		cli->verbose++;
		return 1;
	case 'V':
		*request = VERSION;
		return 1;
	case 'h':
		*request = HELP;
		return 1;
	}
	return 0;
}

static int take_option(struct cli *cli, enum request *request, const char *arg)
{
	static const char *const names[] = { "json", "pretty", "verbose", "Version", "help" };
	struct cli before = *cli;
	enum request asked = *request;
	size_t i;

	if (!strncmp(arg, "--", 2)) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (!strcasecmp(names[i], arg + 2) && arg[2] >= 'a')
				return take_letter(cli, request, names[i][0]);
		}
		return 0;
	}
	if (arg[0] != '-' || !arg[1])
		return 0;
	for (i = 1; arg[i]; i++) {
		if (!take_letter(cli, request, arg[i])) {
			/* a verb's own option, perhaps */
			*cli = before;
			*request = asked;
			return 0;
		}
	}
	return 1;
}

/* Takes the global options out of argv, wherever they stand before a "--". Returns the new argc. */
static int take_options(struct cli *cli, enum request *request, int argc, char **argv)
{
	bool literal = false;
	int i, n = 1;

	for (i = 1; i < argc; i++) {
		literal = literal || !strcmp(argv[i], "--");
		if (literal || !take_option(cli, request, argv[i]))
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

/* By its name, or by a beginning that only one verb has. */
static const struct verb *find(const struct cli *cli, const char *word)
{
	const struct verb *verb, *found = NULL;
	size_t n = strlen(word);

	for (verb = verbs; verb->name; verb++) {
		if (strncmp(verb->name, word, n))
			continue;
		if (!verb->name[n])
			return verb;
		if (found) {
			cli_usage(cli, "%s: %s or %s? porch -h lists the verbs", word, found->name,
				  verb->name);
			return NULL;
		}
		found = verb;
	}
	if (!found || !n) {
		cli_usage(cli,
			  word[0] == '-' ? "%s: unknown option; porch -h lists them"
					 : "%s: unknown verb; porch -h lists them",
			  word);
		return NULL;
	}
	return found;
}

int main(int argc, char **argv)
{
	enum request request = RUN;
	const struct verb *verb = NULL;
	struct cli cli = {};
	char *status[] = { "status", NULL };

	argc = take_options(&cli, &request, argc, argv);
	if (request == VERSION) {
		if (cli.output.json)
			return output(stdout, &cli.output, NULL, NULL,
				      json_pack("{s:s}", "version", PORCH_VERSION))
				       ? 1
				       : 0;
		printf("porch %s\n", PORCH_VERSION);
		return PORCH_EXIT_DONE;
	}
	if (argc > 1) {
		verb = find(&cli, argv[1]);
		if (!verb)
			return PORCH_EXIT_USAGE;
	}
	if (request == HELP) {
		usage(stdout, verb);
		return PORCH_EXIT_DONE;
	}
	porch_object_set_log(cli.verbose ? log_line : NULL);
	return verb ? verb->run(&cli, argc - 1, argv + 1) : verb_status(&cli, 1, status);
}
