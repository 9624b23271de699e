// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rule sets as `nft -j list ruleset` of Debian 12 prints them. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "core/doctor_rules.h"

#define CHAIN(name, hook, policy)                                                                            \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name                                   \
	"\",\"handle\":1,\"type\":\"filter\","                                                               \
	"\"hook\":\"" hook "\",\"prio\":0,\"policy\":\"" policy "\"}},"
#define RULE_IN(chain, expr)                                                                                 \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"" chain                                  \
	"\",\"handle\":7,\"expr\":[" expr "]}}"
#define RULE(expr)	       RULE_IN("in", expr)
#define MATCH(op, left, right) "{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}},"
#define FIELD(protocol, field) "{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}}"
#define DPORT(right)	       MATCH("==", FIELD("tcp", "dport"), right)
#define STATE(right)	       MATCH("in", "{\"ct\":{\"key\":\"state\"}}", right)
#define FLAGS(op, mask, right) MATCH(op, "{\"&\":[" FIELD("tcp", "flags") "," mask "]}", right)
#define DROP		       "{\"drop\":null}"
#define ACCEPT		       "{\"accept\":null}"

/* Reads one rule in a base chain `in`; the caller frees. */
static struct porch_rules read_text(const char *objects)
{
	struct porch_rules rules = {};
	char *text;

	assert_true(asprintf(&text, "{\"nftables\":[{\"metainfo\":{}},%s]}", objects) > 0);
	assert_int_equal(porch_rules_from_nft(text, strlen(text), false, &rules), 0);
	free(text);
	return rules;
}

static const struct {
	const char *sentence, *expr;
	__u32 is;
	int first, last; /* of the only port range; 0, 0: of any port */
} rows[] = {
	{ "DNAT of a port", DPORT("8080") "{\"dnat\":{\"addr\":\"10.0.0.2\",\"port\":80}}", PORCH_RULE_DNAT,
	  8080, 8080 },
	{ "DNAT by a map from ports",
	  "{\"dnat\":{\"addr\":{\"map\":{\"key\":" FIELD(
		  "tcp", "dport") ",\"data\":{\"set\":[[82,\"10.0.0.3\"]]}}}}}",
	  PORCH_RULE_DNAT, 82, 82 },
	{ "DNAT of everything", "{\"dnat\":{\"addr\":\"10.0.0.4\"}}", PORCH_RULE_DNAT, 0, 0 },
	{ "redirection", DPORT("81") "{\"redirect\":{\"port\":8081}}", PORCH_RULE_DNAT, 81, 81 },
	{ "TPROXY", DPORT("{\"range\":[80,90]}") "{\"tproxy\":{\"port\":1}}", PORCH_RULE_DNAT, 80, 90 },
	{ "drop what is new and no SYN",
	  FLAGS("!=", "[\"fin\",\"syn\",\"rst\",\"ack\"]", "\"syn\"") STATE("\"new\"") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_NOT_SYN | PORCH_RULE_CT | PORCH_RULE_CT_NEW, 0, 0 },
	{ "the same by 'tcp flags != syn'",
	  MATCH("!=", FIELD("tcp", "flags"), "\"syn\"") STATE("\"new\"") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_NOT_SYN | PORCH_RULE_CT | PORCH_RULE_CT_NEW, 0, 0 },
	{ "the same by 'tcp flags & syn == 0'", FLAGS("==", "\"syn\"", "0") STATE("\"new\"") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_NOT_SYN | PORCH_RULE_CT | PORCH_RULE_CT_NEW, 0, 0 },
	{ "accept by SYN", DPORT("80") STATE("\"new\"") FLAGS("==", "[\"syn\",\"ack\"]", "\"syn\"") ACCEPT,
	  PORCH_RULE_ACCEPT | PORCH_RULE_SYN | PORCH_RULE_CT | PORCH_RULE_CT_NEW, 80, 80 },
	{ "drop of odd flags is not about SYNs", FLAGS("==", "[\"fin\",\"syn\"]", "[\"fin\",\"syn\"]") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_OTHER, 0, 0 },
	{ "drop what is invalid", STATE("\"invalid\"") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_CT | PORCH_RULE_CT_INVALID, 0, 0 },
	{ "drop what is not established",
	  MATCH("!=", "{\"ct\":{\"key\":\"state\"}}", "[\"established\",\"related\"]") DROP,
	  PORCH_RULE_DROP | PORCH_RULE_CT | PORCH_RULE_CT_INVALID | PORCH_RULE_CT_NEW, 0, 0 },
	{ "drop by verdict map",
	  "{\"vmap\":{\"key\":{\"ct\":{\"key\":\"state\"}},\"data\":{\"set\":[[\"invalid\"," DROP "]]}}}",
	  PORCH_RULE_DROP | PORCH_RULE_CT | PORCH_RULE_CT_INVALID, 0, 0 },
	{ "drop of a port by verdict map",
	  "{\"vmap\":{\"key\":" FIELD("tcp", "dport") ",\"data\":{\"set\":[[91," DROP "]]}}}",
	  PORCH_RULE_DROP, 91, 91 },
	{ "rate of SYNs",
	  DPORT("80") MATCH("in", FIELD("tcp", "flags"), "\"syn\"") "{\"limit\":{\"rate\":10}}," DROP,
	  PORCH_RULE_DROP | PORCH_RULE_SYN | PORCH_RULE_RATE, 80, 80 },
	{ "a meter", DPORT("22") "{\"meter\":{\"name\":\"m\",\"stmt\":{\"limit\":{\"rate\":3}}}}," ACCEPT,
	  PORCH_RULE_ACCEPT | PORCH_RULE_RATE, 22, 22 },
	{ "a count",
	  DPORT("22") "{\"ct count\":{\"val\":3,\"inv\":true}},"
		      "{\"reject\":{\"type\":\"tcp reset\"}}",
	  PORCH_RULE_DROP | PORCH_RULE_RATE, 22, 22 },
	{ "a ban", MATCH("==", FIELD("ip", "saddr"), "\"@bad\"") DROP, PORCH_RULE_DROP | PORCH_RULE_SOURCE, 0,
	  0 },
	{ "a closed port", MATCH("==", FIELD("th", "dport"), "5") DROP, PORCH_RULE_DROP, 5, 5 },
	{ "a port that is excepted", MATCH("!=", FIELD("tcp", "dport"), "22") DROP, PORCH_RULE_DROP, 0,
	  65535 },
	{ "ports in a named set", MATCH("==", FIELD("tcp", "dport"), "\"@ports\"") DROP, PORCH_RULE_DROP, 0,
	  65535 },
	{ "synproxy", DPORT("6") "{\"synproxy\":{\"mss\":1460}}", PORCH_RULE_SYNPROXY, 6, 6 },
	{ "TCP by protocol", MATCH("==", "{\"meta\":{\"key\":\"l4proto\"}}", "\"tcp\"") DPORT("7") DROP,
	  PORCH_RULE_DROP, 7, 7 },
};

static void rules_are_understood(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct porch_rules rules;
		char *text;
		bool any = !rows[i].first && !rows[i].last;

		assert_true(asprintf(&text,
				     CHAIN("in", "input",
					   "accept") "{\"rule\":{\"family\":\"inet\",\"table\":\"t\","
						     "\"chain\":\"in\",\"handle\":7,\"expr\":[%s]}}",
				     rows[i].expr) > 0);
		rules = read_text(text);
		free(text);
		if (rules.n != 1 || rules.rule[0].is != rows[i].is || rules.rule[0].n_ports != !any ||
		    (!any && (rules.rule[0].port[0].first != rows[i].first ||
			      rules.rule[0].port[0].last != rows[i].last)))
			fail_msg("%s: %zu rules, %x", rows[i].sentence, rules.n,
				 rules.n ? rules.rule[0].is : 0);
		assert_string_equal(rules.rule[0].where, "nft rule inet t in handle 7");
		porch_rules_free(&rules);
	}
}

static void what_does_not_concern_us_is_left_out(void **state)
{
	static const char *const objects[] = {
		/* other protocols, the host's own traffic, counters */
		CHAIN("in", "input", "accept") RULE(MATCH("==", FIELD("udp", "dport"), "53") DROP),
		CHAIN("in", "input", "accept")
			RULE(MATCH("==", "{\"meta\":{\"key\":\"l4proto\"}}", "\"udp\"") DROP),
		CHAIN("in", "input", "accept") RULE(MATCH("==", FIELD("ip", "protocol"), "\"icmp\"") DROP),
		CHAIN("in", "input", "accept")
			RULE(MATCH("==", "{\"meta\":{\"key\":\"iif\"}}", "\"lo\"") ACCEPT),
		CHAIN("in", "input", "accept") RULE("{\"counter\":{\"packets\":0,\"bytes\":0}}"),
		/* chains that a segment to this host does not meet */
		CHAIN("in", "forward", "drop") RULE(DPORT("80") DROP),
		CHAIN("in", "output", "accept") RULE(DPORT("80") "{\"dnat\":{\"addr\":\"10.0.0.2\"}}"),
		"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"in\",\"handle\":1}}," RULE(
			DPORT("80") DROP),
	};
	size_t i;

	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		struct porch_rules rules = read_text(objects[i]);

		if (rules.n || rules.policy_drop)
			fail_msg("%s", objects[i]);
		porch_rules_free(&rules);
	}
}

static void chains_are_followed(void **state)
{
	static const char *const objects[] = {
		CHAIN("in", "input", "accept") RULE("{\"jump\":{\"target\":\"a\"}}") "," RULE_IN(
			"a", "{\"goto\":{\"target\":\"b\"}}") "," RULE_IN("b", DPORT("80") DROP),
		CHAIN("in", "prerouting",
		      "accept") RULE("{\"vmap\":{\"key\":{},\"data\":{\"set\":[[1,{\"jump\":{\"target\":"
				     "\"b\"}}]]}}}") "," RULE_IN("b", DPORT("80") DROP),
		CHAIN("in", "input",
		      "accept") "{\"map\":{\"family\":\"inet\",\"name\":\"m\",\"table\":\"t\",\"map\":"
				"\"verdict\","
				"\"elem\":[[83,{\"jump\":{\"target\":\"b\"}}]]}}," RULE(
					"{\"vmap\":{\"key\":{},\"data\":\"@m\"}}") "," RULE_IN("b",
											       DPORT("80")
												       DROP),
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct porch_rules rules = read_text(objects[i]);

		assert_int_equal(rules.n, 1);
		assert_int_equal(rules.rule[0].port[0].first, 80);
		porch_rules_free(&rules);
	}
}

static void what_ends_a_chain_is_noticed(void **state)
{
	struct porch_rules rules = read_text(CHAIN("in", "input", "drop") RULE(DPORT("80") ACCEPT));

	assert_true(rules.policy_drop);
	porch_rules_free(&rules);
	rules = read_text(CHAIN("in", "input", "accept") RULE(DROP));
	assert_true(rules.policy_drop);
	assert_int_equal(rules.n, 0);
	porch_rules_free(&rules);
	rules = read_text(CHAIN("in", "input", "accept") RULE(DPORT("80") DROP));
	assert_false(rules.policy_drop);
	porch_rules_free(&rules);
}

static void more_ports_than_room_mean_any(void **state)
{
	char list[512] = "{\"set\":[1";
	struct porch_rules rules;
	char *text;
	int i;

	for (i = 2; i <= PORCH_RULE_PORTS_MAX + 1; i++)
		sprintf(list + strlen(list), ",%d", 2 * i);
	strcat(list, "]}");
	assert_true(asprintf(&text,
			     "%s{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"in\",\"expr\":["
			     "{\"match\":{\"op\":\"==\",\"left\":" FIELD(
				     "tcp", "dport") ",\"right\":%s}}," DROP "]}}",
			     CHAIN("in", "input", "accept"), list) > 0);
	rules = read_text(text);
	free(text);
	assert_int_equal(rules.n, 1);
	assert_int_equal(rules.rule[0].n_ports, 1);
	assert_int_equal(rules.rule[0].port[0].first, 0);
	assert_int_equal(rules.rule[0].port[0].last, 65535);
	porch_rules_free(&rules);
}

static void iptables_tables_can_be_left_out(void **state)
{
	static const char text[] = "{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"filter\","
				   "\"name\":\"INPUT\",\"hook\":\"input\","
				   "\"policy\":\"drop\"}},{\"rule\":{\"family\":\"ip\",\"table\":\"filter\","
				   "\"chain\":\"INPUT\",\"expr\":[" DPORT("80") DROP "]}}]}";
	struct porch_rules rules = {};

	assert_int_equal(porch_rules_from_nft(text, strlen(text), true, &rules), 0);
	assert_int_equal(rules.n, 0);
	assert_false(rules.policy_drop);
	assert_int_equal(porch_rules_from_nft(text, strlen(text), false, &rules), 0);
	assert_int_equal(rules.n, 1);
	assert_true(rules.policy_drop);
	porch_rules_free(&rules);
}

static void what_is_no_rule_set_is_refused(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"a\":1}", "null" };
	struct porch_rules rules = {};
	size_t i;

	for (i = 0; i < 5; i++)
		assert_int_equal(porch_rules_from_nft(texts[i], strlen(texts[i]), false, &rules), -EINVAL);
	assert_int_equal(rules.n, 0);
	/* odd, but JSON: nothing to find, nothing to crash on */
	rules = read_text(
		"1, null, {\"rule\":3}, {\"chain\":[]}, {\"rule\":{\"expr\":[1,{},{\"match\":7}]}}");
	assert_int_equal(rules.n, 0);
	porch_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_understood),
		cmocka_unit_test(what_does_not_concern_us_is_left_out),
		cmocka_unit_test(chains_are_followed),
		cmocka_unit_test(what_ends_a_chain_is_noticed),
		cmocka_unit_test(more_ports_than_room_mean_any),
		cmocka_unit_test(iptables_tables_can_be_left_out),
		cmocka_unit_test(what_is_no_rule_set_is_refused),
	};

	return unit_run("doctor_nft", tests);
}
