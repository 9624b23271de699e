// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks of what stands between porch and the socket.
 *
 * The kernel does not see a SYN that porch answers; it meets the connection
 * with the final ACK. Whatever was decided on SYNs is then not decided at all,
 * and whatever insists on having seen one drops a client that believes itself
 * connected.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "core/doctor.h"
#include "core/doctor_exec.h"
#include "core/netlink.h"
#include "core/doctor_rules.h"
#include "core/sysctl.h"
#include "core/util.h"

#define SECONDS 5 /* for nft or iptables-save to list everything */
#define SHOWN	5 /* rules named per finding kind; more are counted */

static bool concerns(const struct porch_doctor_target *target, const struct porch_rule *rule)
{
	size_t i;

	for (i = 0; i < rule->n_ports; i++) {
		if (porch_doctor_concerns(target, rule->port[i].first, rule->port[i].last))
			return true;
	}
	return !rule->n_ports && porch_doctor_needs_kernel(target);
}

/* A port of its own, as opposed to "any" or to ports that cannot be told. */
static bool names_port(const struct porch_rule *rule)
{
	return rule->n_ports && !(rule->port[0].first == 0 && rule->port[0].last == 65535);
}

/* ---- reading ---- */

static int count_message(const struct nlmsghdr *message, void *arg)
{
	(*(size_t *)arg)++;
	return 0;
}

/* How many tables nftables has, without its program; 0 also when the kernel has none of it. */
static int nft_tables(size_t *ret)
{
	struct porch_nl_request request;
	struct nfgenmsg *header;
	size_t n = 0;
	int r;

	header = porch_nl_request(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP,
				  sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	r = porch_nl_ask(NETLINK_NETFILTER, &request, count_message, &n);
	*ret = r ? 0 : n;
	return r == -EPERM || r == -ENOMEM ? r : 0;
}

/* Legacy iptables are read only when in use: asking would load their modules. */
static bool legacy_in_use(const char *names)
{
	FILE *file = fopen(names, "re");
	bool used = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return used;
}

static int read_iptables(const char *name, struct porch_rules *rules)
{
	const char *const argv[] = { name, NULL };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	r = porch_doctor_output_of(argv, SECONDS, &text, &len);
	return r ? r : porch_rules_from_iptables(text, name, rules);
}

/* All rules of all kinds; says itself what it could not read. */
static void read_rules(struct porch_rules *rules, struct porch_report *report)
{
	const char *const nft[] = { "nft", "-j", "list", "ruleset", NULL };
	_cleanup_free_ char *json = NULL;
	bool by_iptables;
	size_t len, tables;
	int r;

	by_iptables = !read_iptables("iptables-save", rules);
	by_iptables &= !read_iptables("ip6tables-save", rules);
	if (legacy_in_use("/proc/net/ip_tables_names"))
		(void)read_iptables("iptables-legacy-save", rules);
	if (legacy_in_use("/proc/net/ip6_tables_names"))
		(void)read_iptables("ip6tables-legacy-save", rules);
	r = nft_tables(&tables);
	if (r) {
		porch_find(report, PORCH_DOCTOR_WARN, "nftables cannot be looked at: %s", strerror(-r));
		porch_advise(report, "run doctor as root");
	}
	if (!tables)
		return;
	r = porch_doctor_output_of(nft, SECONDS, &json, &len);
	if (!r)
		r = porch_rules_from_nft(json, len, by_iptables, rules);
	if (!r)
		return;
	porch_find(report, PORCH_DOCTOR_WARN, "%zu nftables table%s could not be read: %s", tables,
		   tables == 1 ? "" : "s", r == -ENOENT ? "there is no nft" : strerror(-r));
	porch_advise(report, r == -ENOENT ? "apt-get install nftables, then run doctor again"
					  : "run 'nft -j list ruleset' by hand");
}

/* ---- judging ---- */

typedef bool (*chooser)(const struct porch_rule *rule);

struct verdict {
	const char *check;
	enum porch_doctor_result result;
	chooser applies;
	const char *text; /* follows the place of the rule */
	const char *advice;
};

/* Finds at most SHOWN rules of a kind, and says how many more there are. */
static size_t judge(const struct porch_doctor_target *target, const struct porch_rules *rules,
		    const struct verdict *v, struct porch_report *report)
{
	size_t i, n = 0, before = report->n;
	enum porch_doctor_result result = v->result;

	for (i = 0; i < rules->n; i++) {
		if (!v->applies(&rules->rule[i]) || !concerns(target, &rules->rule[i]))
			continue;
		if (n++ >= SHOWN)
			continue;
		/* nothing listed yet: what only concerns one port need not concern porch */
		result = !target->n_listeners && names_port(&rules->rule[i]) ? PORCH_DOCTOR_WARN : v->result;
		porch_find(report, result, "%s %s", rules->rule[i].where, v->text);
		porch_advise(report, "%s", v->advice);
	}
	if (n > SHOWN)
		porch_find(report, result, "%zu more rules like the last one", n - SHOWN);
	for (; before < report->n; before++)
		report->findings[before].check = v->check;
	return n;
}

static bool has(const struct porch_rule *rule, __u32 bits)
{
	return (rule->is & bits) == bits;
}

static bool diverts_port(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_DNAT) && names_port(rule);
}

static bool diverts_any(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_DNAT) && !names_port(rule);
}

static bool insists_on_syn(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_DROP | PORCH_RULE_NOT_SYN) &&
	       (rule->is & (PORCH_RULE_CT_NEW | PORCH_RULE_CT_INVALID));
}

static bool admits_by_syn(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_ACCEPT | PORCH_RULE_SYN);
}

static bool drops_invalid(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_DROP | PORCH_RULE_CT_INVALID);
}

static bool answers_itself(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_SYNPROXY);
}

static bool limits_syns(const struct porch_rule *rule)
{
	return !insists_on_syn(rule) &&
	       ((rule->is & PORCH_RULE_RATE) || has(rule, PORCH_RULE_DROP | PORCH_RULE_SYN));
}

static bool bans(const struct porch_rule *rule)
{
	return has(rule, PORCH_RULE_DROP | PORCH_RULE_SOURCE) && !limits_syns(rule);
}

static bool closes_port(const struct porch_rule *rule)
{
	return names_port(rule) && (rule->is & ~PORCH_RULE_OTHER) == PORCH_RULE_DROP;
}

static const struct verdict dnats[] = {
	{ "dnat", PORCH_DOCTOR_FAIL, diverts_port,
	  "sends the port elsewhere: its connections are not this host's",
	  "attach where the service runs (in its container's namespace), or do not list the port" },
	{ "dnat", PORCH_DOCTOR_WARN, diverts_any, "rewrites destinations; which ports, it does not say",
	  "make sure that no listed port is among them" },
};

static const struct verdict trackings[] = {
	{ "conntrack", PORCH_DOCTOR_FAIL, insists_on_syn,
	  "drops connections whose SYN conntrack has not seen: all that porch delivers",
	  "exempt the listed ports from the rule, or delete it: porch has proven these clients" },
	{ "conntrack", PORCH_DOCTOR_WARN, answers_itself,
	  "answers SYNs itself, and wants to have answered those of porch",
	  "take the rule away while porch protects the port" },
};

static const struct verdict admissions = {
	"conntrack", PORCH_DOCTOR_FAIL, admits_by_syn,
	"is what admits the port, by its SYN; the rest is dropped, and porch's connections begin with an ACK",
	"leave the TCP flags out: 'tcp dport PORT ct state new accept' admits both"
};

static const struct verdict loose = {
	"conntrack", PORCH_DOCTOR_FAIL, drops_invalid,
	"meets net.netfilter.nf_conntrack_tcp_loose=0: the first ACK of porch's connections is invalid",
	"sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"
};

static const struct verdict blind[] = {
	{ "firewall", PORCH_DOCTOR_WARN, limits_syns,
	  "decides by rate or by SYN, and does not see SYNs that porch answers",
	  "reply-rate in porch.conf limits answers per source; under attack the rule counts final ACKs at "
	  "best" },
	{ "firewall", PORCH_DOCTOR_WARN, bans,
	  "bans sources whose SYNs porch answers: they hang where they were refused",
	  "porch deny IFACE add PREFIX, beside the rule" },
	{ "firewall", PORCH_DOCTOR_WARN, closes_port, "closes the port, yet porch would answer its SYNs",
	  "do not list the port, or open it" },
};

/* Of deliver=afxdp not even the rest of a connection comes by. */
static void judge_afxdp(const struct porch_doctor_target *target, const struct porch_rules *rules,
			struct porch_report *report)
{
	size_t i, j, k, n = 0, before = report->n;

	for (i = 0; i < target->n_listeners; i++) {
		const struct porch_doctor_listener *l = &target->listeners[i];

		for (j = 0; l->afxdp && j < rules->n; j++) {
			const struct porch_rule *rule = &rules->rule[j];

			for (k = 0; names_port(rule) && k < rule->n_ports; k++) {
				if (l->port < rule->port[k].first || l->port > rule->port[k].last ||
				    n++ >= SHOWN)
					continue;
				porch_find(report, PORCH_DOCTOR_WARN,
					   "%s names port %u, whose traffic goes to AF_XDP past it",
					   rule->where, l->port);
				porch_advise(report, "porch deny IFACE add PREFIX refuses sources; nothing "
						     "else of the rule "
						     "has an effect there");
			}
		}
	}
	if (n > SHOWN)
		porch_find(report, PORCH_DOCTOR_WARN, "%zu more rules name a port with deliver=afxdp",
			   n - SHOWN);
	for (; before < report->n; before++)
		report->findings[before].check = "firewall_afxdp";
}

static bool uses_conntrack(const struct porch_rules *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++) {
		if (rules->rule[i].is & PORCH_RULE_CT)
			return true;
	}
	return false;
}

static void judge_conntrack(const struct porch_doctor_target *target, const struct porch_rules *rules,
			    struct porch_report *report)
{
	size_t i, n = 0;
	long value;

	for (i = 0; i < ARRAY_SIZE(trackings); i++)
		n += judge(target, rules, &trackings[i], report);
	if (rules->policy_drop)
		n += judge(target, rules, &admissions, report);
	/* absent: conntrack is not in use */
	if (!porch_sysctl_get("netfilter/nf_conntrack_tcp_loose", 0, &value) && !value) {
		size_t dropped = judge(target, rules, &loose, report);

		if (!dropped && rules->policy_drop && uses_conntrack(rules)) {
			porch_find(report, PORCH_DOCTOR_FAIL,
				   "net.netfilter.nf_conntrack_tcp_loose is 0, and what conntrack calls "
				   "invalid is dropped in the end: "
				   "the first ACK of porch's connections");
			porch_advise(report, "%s", loose.advice);
			report->findings[report->n - 1].check = "conntrack";
			dropped = 1;
		}
		n += dropped;
	}
	if (!n) {
		porch_find(report, PORCH_DOCTOR_OK, "%s",
			   uses_conntrack(rules)
				   ? "conntrack picks up connections by their first ACK, and no rule minds"
				   : "no rule asks conntrack");
		report->findings[report->n - 1].check = "conntrack";
	}
}

static void check_rules(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_rules rules = {};
	size_t i, n;

	read_rules(&rules, report);
	for (n = 0, i = 0; i < ARRAY_SIZE(dnats); i++)
		n += judge(target, &rules, &dnats[i], report);
	if (!n) {
		porch_find(report, PORCH_DOCTOR_OK, "no rule sends a port elsewhere");
		report->findings[report->n - 1].check = "dnat";
	}
	judge_conntrack(target, &rules, report);
	for (n = 0, i = 0; i < ARRAY_SIZE(blind); i++)
		n += judge(target, &rules, &blind[i], report);
	if (!n)
		porch_find(report, PORCH_DOCTOR_OK, "no rule wants to see the SYN");
	judge_afxdp(target, &rules, report);
	porch_rules_free(&rules);
}

const struct porch_doctor_check porch_doctor_firewall_checks[] = {
	{ "firewall", check_rules },
	{},
};
