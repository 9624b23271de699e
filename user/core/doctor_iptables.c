// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads the text of iptables-save and ip6tables-save into a list of rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor_rules.h"
#include "core/util.h"

#define LINE_MAX_LENGTH 4096
#define WORDS_MAX	256
#define CHAIN_NAME	64
#define CHAINS_MAX	4096 /* kube-proxy makes a few per service */

struct chain {
	char table[16];
	char name[CHAIN_NAME];
	bool reached;
};

struct reader {
	const char *name;
	struct chain *chain;
	size_t n_chains;
	char table[16];
	struct porch_rules *rules;
};

/* Splits in place; quotes and backslashes as iptables-save writes them. */
static int split(char *line, char **word)
{
	int n = 0;

	while (n < WORDS_MAX - 1) {
		char *to;
		bool quoted = false;

		line += strspn(line, " \t");
		if (!*line)
			break;
		word[n++] = to = line;
		while (*line && (quoted || (*line != ' ' && *line != '\t'))) {
			if (*line == '"') {
				quoted = !quoted;
				line++;
				continue;
			}
			if (*line == '\\' && line[1])
				line++;
			*to++ = *line++;
		}
		if (*line)
			line++;
		*to = '\0';
	}
	word[n] = NULL;
	return n;
}

static struct chain *find_chain(struct reader *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_chains; i++) {
		if (!strcmp(r->chain[i].name, name) && !strcmp(r->chain[i].table, r->table))
			return &r->chain[i];
	}
	return NULL;
}

static int add_chain(struct reader *r, const char *name, const char *policy)
{
	struct chain *grown, *chain;

	if (find_chain(r, name) || r->n_chains == CHAINS_MAX)
		return 0;
	grown = reallocarray(r->chain, r->n_chains + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	r->chain = grown;
	chain = &grown[r->n_chains++];
	memset(chain, 0, sizeof(*chain));
	snprintf(chain->table, sizeof(chain->table), "%s", r->table);
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	/* nat's INPUT rewrites sources only, its OUTPUT is for this host's own clients */
	chain->reached = !strcmp(name, "PREROUTING") || (!strcmp(name, "INPUT") && strcmp(r->table, "nat"));
	if (chain->reached && policy && !strcmp(policy, "DROP"))
		r->rules->policy_drop = true;
	return 0;
}

static void read_ports(const char *list, struct porch_rule *rule)
{
	char *end;

	do {
		long first = strtol(list, &end, 10), last = first;

		if (end == list) {
			porch_rule_port(rule, 0, 65535);
			return;
		}
		if (*end == ':')
			last = strtol(end + 1, &end, 10);
		porch_rule_port(rule, first, last);
		list = end + 1;
	} while (*end == ',');
}

/* A word among those of a comma-separated list. */
static bool lists(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, n) && (!list[n] || list[n] == ','))
			return true;
	}
	return false;
}

static bool is(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || (b && !strcmp(word, b));
}

static const struct {
	const char *target;
	__u32 is;
} targets[] = {
	{ "ACCEPT", PORCH_RULE_ACCEPT },     { "DROP", PORCH_RULE_DROP },   { "REJECT", PORCH_RULE_DROP },
	{ "TARPIT", PORCH_RULE_DROP },	     { "DNAT", PORCH_RULE_DNAT },   { "REDIRECT", PORCH_RULE_DNAT },
	{ "TPROXY", PORCH_RULE_DNAT },	     { "NETMAP", PORCH_RULE_DNAT }, { "CLUSTERIP", PORCH_RULE_DNAT },
	{ "SYNPROXY", PORCH_RULE_SYNPROXY },
};

static void read_target(const char *target, struct porch_rule *rule)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if (!strcmp(target, targets[i].target))
			rule->is |= targets[i].is;
	}
}

/*
 * One option and its argument; the number of words taken, or 0 when the rule
 * is about something that is not TCP from outside.
 */
static int read_option(char **word, bool not, struct porch_rule *rule)
{
	const char *value = word[1] ? word[1] : "";

	if (is(word[0], "-p", "--protocol"))
		return (is(value, "tcp", "6") || is(value, "all", NULL)) == !not ? 2 : 0;
	if (is(word[0], "-i", "--in-interface")) {
		rule->is |= PORCH_RULE_OTHER;
		return !strcmp(value, "lo") && !not ? 0 : 2;
	}
	if (is(word[0], "--dport", "--dports") || is(word[0], "--ports", NULL)) {
		if (not )
			porch_rule_port(rule, 0, 65535);
		else
			read_ports(value, rule);
		return 2;
	}
	if (is(word[0], "-s", "--src-range") || is(word[0], "--mac-source", "--src-cc") ||
	    is(word[0], "--source-country", NULL)) {
		rule->is |= PORCH_RULE_SOURCE;
		return 2;
	}
	if (is(word[0], "--match-set", NULL)) {
		rule->is |=
			word[1] && word[2] && strstr(word[2], "src") ? PORCH_RULE_SOURCE : PORCH_RULE_OTHER;
		return word[1] && word[2] ? 3 : 2;
	}
	if (is(word[0], "--syn", NULL)) {
		rule->is |= not ? PORCH_RULE_NOT_SYN : PORCH_RULE_SYN;
		return 1;
	}
	if (is(word[0], "--tcp-flags", NULL) && word[1] && word[2]) {
		if (!strcmp(word[2], "SYN"))
			rule->is |= not ? PORCH_RULE_NOT_SYN : PORCH_RULE_SYN;
		else
			rule->is |= PORCH_RULE_OTHER;
		return 3;
	}
	if (is(word[0], "--state", "--ctstate")) {
		rule->is |= PORCH_RULE_CT;
		if (lists(value, "NEW") != not )
			rule->is |= PORCH_RULE_CT_NEW;
		if (lists(value, "INVALID") != not )
			rule->is |= PORCH_RULE_CT_INVALID;
		return 2;
	}
	if (is(word[0], "-m", "--match")) {
		if (is(value, "limit", "hashlimit") || is(value, "recent", "connlimit") ||
		    is(value, "quota", "rateest"))
			rule->is |= PORCH_RULE_RATE;
		/* these say nothing by being named: their options, or nobody, decide */
		else if (!lists("tcp,multiport,state,conntrack,comment,set,iprange,mac", value))
			rule->is |= PORCH_RULE_OTHER;
		return 2;
	}
	if (is(word[0], "-d", "-o"))
		rule->is |= PORCH_RULE_OTHER;
	return 1;
}

/* A -A line. First pass (`learn`): which chains are reached; second: the rules in them. */
static int read_rule(struct reader *r, char *line, bool learn, bool *news)
{
	struct porch_rule rule = {};
	char *word[WORDS_MAX];
	struct chain *own, *next = NULL;
	const char *target = "";
	bool not = false;
	int n, i, step;

	snprintf(rule.where, sizeof(rule.where), "%.16s, table %.15s: %.150s", r->name, r->table, line);
	n = split(line, word);
	if (n < 2)
		return 0;
	own = find_chain(r, word[1]);
	if (!own || !own->reached)
		return 0;
	for (i = 2; i < n; i += step) {
		step = 1;
		if (!strcmp(word[i], "!")) {
			not = true;
			continue;
		}
		if ((is(word[i], "-j", "-g") || is(word[i], "--jump", "--goto")) && word[i + 1]) {
			target = word[i + 1];
			step = 2;
		} else {
			step = read_option(&word[i], not, &rule);
			if (!step)
				return 0;
		}
		not = false;
	}
	if (learn) {
		next = find_chain(r, target);
		if (next && !next->reached)
			next->reached = *news = true;
		return 0;
	}
	read_target(target, &rule);
	/*
	 * kube-proxy names the port where it jumps to a service's chain, and
	 * rewrites the address three chains further on without naming it again.
	 */
	if (!strncmp(target, "KUBE-", 5) && rule.n_ports)
		rule.is |= PORCH_RULE_DNAT;
	else if ((rule.is & PORCH_RULE_DNAT) && !strncmp(own->name, "KUBE-", 5) && !rule.n_ports)
		return 0;
	return porch_rules_add(r->rules, &rule);
}

static int read_line(struct reader *r, char *line, bool learn, bool *news)
{
	char *word[WORDS_MAX];

	if (*line == '*') {
		snprintf(r->table, sizeof(r->table), "%.15s", line + 1);
		return 0;
	}
	if (*line == ':' && learn) {
		split(line + 1, word);
		return word[0] ? add_chain(r, word[0], word[1]) : 0;
	}
	if (!strncmp(line, "-A ", 3))
		return read_rule(r, line, learn, news);
	return 0;
}

static int read_all(struct reader *r, const char *text, bool learn, bool *news)
{
	char line[LINE_MAX_LENGTH];
	int ret = 0;

	*news = false;
	r->table[0] = '\0';
	while (*text && !ret) {
		size_t n = strcspn(text, "\n");
		/* what is longer than any rule that we understand is cut, not dropped */
		size_t kept = n < sizeof(line) ? n : sizeof(line) - 1;

		memcpy(line, text, kept);
		line[kept] = '\0';
		ret = read_line(r, line, learn, news);
		text += n + (text[n] == '\n');
	}
	return ret;
}

int porch_rules_from_iptables(const char *text, const char *name, struct porch_rules *rules)
{
	struct reader r = { .name = name, .rules = rules };
	bool news = true;
	int ret = 0;

	while (news && !ret)
		ret = read_all(&r, text, true, &news);
	if (!ret)
		ret = read_all(&r, text, false, &news);
	free(r.chain);
	return ret;
}
