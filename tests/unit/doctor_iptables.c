// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rule sets as iptables-save prints them: hand-made, docker's, kube-proxy's. */
#include "tests/unit/unit.h"

#include "core/doctor_rules.h"

#define FILTER "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define NAT                                                                                                  \
	"*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT "    \
	"[0:0]\n"
#define END "COMMIT\n"

static struct porch_rules read_text(const char *text)
{
	struct porch_rules rules = {};

	assert_int_equal(porch_rules_from_iptables(text, "iptables-save", &rules), 0);
	return rules;
}

static const struct {
	const char *line;
	__u32 is;
	int first, last;
} rows[] = {
	{ "-p tcp -m tcp --dport 80 -j DROP", PORCH_RULE_DROP, 80, 80 },
	{ "-p tcp -m tcp --dport 80:90 -j REJECT --reject-with tcp-reset", PORCH_RULE_DROP, 80, 90 },
	{ "-p tcp -m tcp ! --dport 22 -j DROP", PORCH_RULE_DROP, 0, 65535 },
	{ "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j DROP",
	  PORCH_RULE_DROP | PORCH_RULE_NOT_SYN | PORCH_RULE_CT | PORCH_RULE_CT_NEW, 0, 0 },
	{ "-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP", PORCH_RULE_DROP | PORCH_RULE_OTHER, 0, 0 },
	{ "-m conntrack --ctstate INVALID -j DROP", PORCH_RULE_DROP | PORCH_RULE_CT | PORCH_RULE_CT_INVALID,
	  0, 0 },
	{ "-m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP",
	  PORCH_RULE_DROP | PORCH_RULE_CT | PORCH_RULE_CT_INVALID | PORCH_RULE_CT_NEW, 0, 0 },
	{ "-p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -m limit --limit 10/sec -j ACCEPT",
	  PORCH_RULE_ACCEPT | PORCH_RULE_SYN | PORCH_RULE_RATE, 80, 80 },
	{ "-p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name DEFAULT --rsource -j "
	  "DROP",
	  PORCH_RULE_DROP | PORCH_RULE_RATE, 22, 22 },
	{ "-p tcp -m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr -j DROP",
	  PORCH_RULE_DROP | PORCH_RULE_RATE, 0, 0 },
	{ "-s 192.0.2.0/24 -j DROP", PORCH_RULE_DROP | PORCH_RULE_SOURCE, 0, 0 },
	{ "-m set --match-set f2b-sshd src -j REJECT", PORCH_RULE_DROP | PORCH_RULE_SOURCE, 0, 0 },
	{ "-p tcp -m comment --comment \"a -j ACCEPT \\\"trap\" -m tcp --dport 1 -j DROP", PORCH_RULE_DROP, 1,
	  1 },
	{ "-i eth0 -p tcp -m tcp --dport 5 -j ACCEPT", PORCH_RULE_ACCEPT | PORCH_RULE_OTHER, 5, 5 },
	{ "-p tcp -m tcp --dport 6 -m state --state INVALID,UNTRACKED -j SYNPROXY --sack-perm",
	  PORCH_RULE_SYNPROXY | PORCH_RULE_CT | PORCH_RULE_CT_INVALID, 6, 6 },
};

static void rules_are_understood(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool any = !rows[i].first && !rows[i].last;
		struct porch_rules rules;
		char *text;

		assert_true(asprintf(&text, FILTER "-A INPUT %s\n" END, rows[i].line) > 0);
		rules = read_text(text);
		free(text);
		if (rules.n != 1 || rules.rule[0].is != rows[i].is || rules.rule[0].n_ports != !any ||
		    (!any && (rules.rule[0].port[0].first != rows[i].first ||
			      rules.rule[0].port[0].last != rows[i].last)))
			fail_msg("%s: %zu rules, %x", rows[i].line, rules.n, rules.n ? rules.rule[0].is : 0);
		assert_non_null(strstr(rules.rule[0].where, "iptables-save, table filter: -A INPUT"));
		porch_rules_free(&rules);
	}
}

static void several_ports(void **state)
{
	struct porch_rules rules =
		read_text(FILTER "-A INPUT -p tcp -m multiport --dports 80,443,1000:2000 -j DROP\n" END);

	assert_int_equal(rules.n, 1);
	assert_int_equal(rules.rule[0].n_ports, 3);
	assert_int_equal(rules.rule[0].port[1].first, 443);
	assert_int_equal(rules.rule[0].port[2].first, 1000);
	assert_int_equal(rules.rule[0].port[2].last, 2000);
	porch_rules_free(&rules);
}

static void what_does_not_concern_us_is_left_out(void **state)
{
	static const char *const texts[] = {
		FILTER "-A INPUT -p udp -m udp --dport 53 -j DROP\n" END,
		FILTER "-A INPUT -p icmp -j DROP\n" END,
		FILTER "-A INPUT ! -p tcp -j DROP\n" END,
		FILTER "-A INPUT -i lo -j ACCEPT\n" END,
		FILTER "-A FORWARD -p tcp -m tcp --dport 80 -j DROP\n" END,
		FILTER ":other - [0:0]\n-A other -p tcp -m tcp --dport 80 -j DROP\n" END,
		FILTER "-A INPUT -p tcp -m tcp --dport 80\n" END,
		NAT "-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2\n" END,
		"",
		"-A INPUT -j DROP\n",
		"*filter\n-A\n-A INPUT\n:\n",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct porch_rules rules = read_text(texts[i]);

		if (rules.n || rules.policy_drop)
			fail_msg("%s", texts[i]);
		porch_rules_free(&rules);
	}
}

static void published_by_docker(void **state)
{
	struct porch_rules rules =
		read_text(NAT ":DOCKER - [0:0]\n"
			      "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
			      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\n"
			      "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n"
			      "-A DOCKER -i docker0 -j RETURN\n"
			      "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
			      "172.17.0.2:80\n" END);

	assert_int_equal(rules.n, 1);
	assert_true(rules.rule[0].is & PORCH_RULE_DNAT);
	assert_int_equal(rules.rule[0].port[0].first, 8080);
	porch_rules_free(&rules);
}

static void node_port_of_kube_proxy(void **state)
{
	struct porch_rules rules = read_text(
		NAT
		":KUBE-SERVICES - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-EXT-AAA - [0:0]\n:KUBE-SVC-AAA - "
		"[0:0]\n"
		":KUBE-SEP-AAA - [0:0]\n"
		"-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n"
		"-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n"
		"-A KUBE-NODEPORTS -p tcp -m comment --comment \"default/web\" -m tcp --dport 30080 -j "
		"KUBE-EXT-AAA\n"
		"-A KUBE-EXT-AAA -j KUBE-SVC-AAA\n"
		"-A KUBE-SVC-AAA -m comment --comment \"default/web -> 10.244.0.5:80\" -j KUBE-SEP-AAA\n"
		"-A KUBE-SEP-AAA -p tcp -m comment --comment \"default/web\" -m tcp -j DNAT --to-destination "
		"10.244.0.5:80\n" END);

	assert_int_equal(rules.n, 1);
	assert_true(rules.rule[0].is & PORCH_RULE_DNAT);
	assert_int_equal(rules.rule[0].port[0].first, 30080);
	porch_rules_free(&rules);
}

static void what_ends_a_chain_is_noticed(void **state)
{
	struct porch_rules rules = read_text("*filter\n:INPUT DROP [0:0]\n" END);

	assert_true(rules.policy_drop);
	porch_rules_free(&rules);
	rules = read_text(FILTER "-A INPUT -j DROP\n" END);
	assert_true(rules.policy_drop);
	assert_int_equal(rules.n, 0);
	porch_rules_free(&rules);
	rules = read_text("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n" END);
	assert_false(rules.policy_drop);
	porch_rules_free(&rules);
}

static void long_lines_and_many_words(void **state)
{
	char *text = calloc(1, 100000);
	struct porch_rules rules;
	int i;

	strcpy(text, FILTER "-A INPUT");
	for (i = 0; i < 5000; i++)
		strcat(text, " -m comment");
	strcat(text, " -j DROP\n-A INPUT -p tcp -m tcp --dport 9 -j DROP\n" END);
	rules = read_text(text);
	assert_in_range(rules.n, 1, 2);
	assert_int_equal(rules.rule[rules.n - 1].port[0].first, 9);
	porch_rules_free(&rules);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_understood),
		cmocka_unit_test(several_ports),
		cmocka_unit_test(what_does_not_concern_us_is_left_out),
		cmocka_unit_test(published_by_docker),
		cmocka_unit_test(node_port_of_kube_proxy),
		cmocka_unit_test(what_ends_a_chain_is_noticed),
		cmocka_unit_test(long_lines_and_many_words),
	};

	return unit_run("doctor_iptables", tests);
}
