// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads `nft -j list ruleset` (libnftables-json(5)) into a list of rules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/doctor_rules.h"

struct reader {
	const json_t *objects; /* of "nftables" */
	json_t *reached;       /* "family table chain" -> true: a segment to this host can come there */
	bool skip_iptables;
	struct porch_rules *rules;
};

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static const char *chain_key(const json_t *object, const char *chain, char *buf, size_t size)
{
	snprintf(buf, size, "%s %s %s", text(object, "family"), text(object, "table"), chain);
	return buf;
}

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (!strcmp(word, *words))
			return true;
	}
	return false;
}

/* ---- which chains a segment to this host can reach ---- */

/* iptables-nft's own base chains: its table names, its capitals. */
static bool kept_by_iptables(const json_t *chain)
{
	static const char *const tables[] = { "filter", "nat", "mangle", "raw", "security", NULL };
	static const char *const chains[] = {
		"INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING", NULL
	};

	return (!strcmp(text(chain, "family"), "ip") || !strcmp(text(chain, "family"), "ip6")) &&
	       one_of(text(chain, "table"), tables) && one_of(text(chain, "name"), chains);
}

static void reach_base_chains(struct reader *r)
{
	static const char *const hooks[] = { "ingress", "prerouting", "input", NULL };
	const json_t *entry, *chain;
	char key[256];
	size_t i;

	json_array_foreach(r->objects, i, entry)
	{
		chain = json_object_get(entry, "chain");
		if (!chain || !one_of(text(chain, "hook"), hooks) ||
		    (r->skip_iptables && kept_by_iptables(chain)))
			continue;
		json_object_set_new(r->reached, chain_key(chain, text(chain, "name"), key, sizeof(key)),
				    json_true());
		if (!strcmp(text(chain, "policy"), "drop"))
			r->rules->policy_drop = true;
	}
}

static const json_t *named_map(const struct reader *r, const json_t *rule, const char *name)
{
	const json_t *entry, *map;
	size_t i;

	json_array_foreach(r->objects, i, entry)
	{
		map = json_object_get(entry, "map");
		if (map && !strcmp(text(map, "name"), name) &&
		    !strcmp(text(map, "table"), text(rule, "table")) &&
		    !strcmp(text(map, "family"), text(rule, "family")))
			return json_object_get(map, "elem");
	}
	return NULL;
}

/* Marks every chain that `value` jumps to; true when one was new. */
static bool reach_from(struct reader *r, const json_t *rule, const json_t *value, int depth)
{
	const char *name, *reference = json_string_value(value);
	const json_t *inner;
	char key[256];
	bool news = false;
	size_t i;

	if (depth > 16)
		return false;
	if (reference && *reference == '@') {
		inner = named_map(r, rule, reference + 1);
		return inner ? reach_from(r, rule, inner, depth + 1) : false;
	}
	if (json_is_array(value)) {
		json_array_foreach(value, i, inner) news |= reach_from(r, rule, inner, depth + 1);
		return news;
	}
	if (!json_is_object(value))
		return false;
	json_object_foreach((json_t *)value, name, inner)
	{
		if (!strcmp(name, "jump") || !strcmp(name, "goto")) {
			chain_key(rule, text(inner, "target"), key, sizeof(key));
			if (!json_object_get(r->reached, key)) {
				json_object_set_new(r->reached, key, json_true());
				news = true;
			}
		} else {
			news |= reach_from(r, rule, inner, depth + 1);
		}
	}
	return news;
}

static bool is_reached(const struct reader *r, const json_t *rule)
{
	char key[256];

	return json_object_get(r->reached, chain_key(rule, text(rule, "chain"), key, sizeof(key)));
}

static void reach_chains(struct reader *r)
{
	const json_t *entry, *rule;
	bool news = true;
	size_t i;

	reach_base_chains(r);
	while (news) {
		news = false;
		json_array_foreach(r->objects, i, entry)
		{
			rule = json_object_get(entry, "rule");
			if (rule && is_reached(r, rule))
				news |= reach_from(r, rule, json_object_get(rule, "expr"), 0);
		}
	}
}

/* ---- one rule ---- */

/* Ports of 80, {"range": [1, 9]}, {"set": [...]}, or the keys of a map. */
static void read_ports(const json_t *value, struct porch_rule *rule)
{
	const json_t *set = json_object_get(value, "set"), *range = json_object_get(value, "range"), *item;
	size_t i;

	if (json_is_integer(value)) {
		porch_rule_port(rule, json_integer_value(value), json_integer_value(value));
	} else if (range) {
		porch_rule_port(rule, json_integer_value(json_array_get(range, 0)),
				json_integer_value(json_array_get(range, 1)));
	} else if (set) {
		json_array_foreach(set, i, item)
			read_ports(json_is_array(item) ? json_array_get(item, 0) : item, rule);
	} else {
		porch_rule_port(rule, 0, 65535);
	}
}

static bool holds_word(const json_t *value, const char *word)
{
	const json_t *set = json_object_get(value, "set"), *item;
	size_t i;

	if (set)
		value = set;
	if (json_is_string(value))
		return !strcmp(json_string_value(value), word);
	json_array_foreach(value, i, item)
	{
		if (json_is_string(item) && !strcmp(json_string_value(item), word))
			return true;
	}
	return false;
}

static bool is_field(const json_t *value, const char *field)
{
	return !strcmp(text(json_object_get(value, "payload"), "field"), field);
}

/* `tcp flags ...`: does it pick segments that open a connection, or those that do not? */
static __u32 read_flags(const json_t *mask, const json_t *right, bool negated)
{
	bool syn_alone = json_is_string(right) ? !strcmp(json_string_value(right), "syn")
					       : json_array_size(right) == 1 && holds_word(right, "syn");

	if (syn_alone)
		return negated ? PORCH_RULE_NOT_SYN : PORCH_RULE_SYN;
	if (mask && holds_word(mask, "syn") && json_is_integer(right) && !json_integer_value(right))
		return negated ? PORCH_RULE_SYN : PORCH_RULE_NOT_SYN;
	return PORCH_RULE_OTHER;
}

static __u32 read_states(const json_t *right, bool negated)
{
	__u32 is = PORCH_RULE_CT;

	if (holds_word(right, "new") != negated)
		is |= PORCH_RULE_CT_NEW;
	if (holds_word(right, "invalid") != negated)
		is |= PORCH_RULE_CT_INVALID;
	return is;
}

/* false: the rule is about something that is not TCP to this host. */
static bool read_match(const json_t *match, struct porch_rule *rule)
{
	const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");
	const json_t *mask = json_object_get(left, "&"), *payload;
	const char *op = text(match, "op"), *protocol, *meta;
	bool negated = !strcmp(op, "!=") || !strcmp(op, "!");

	if (mask && is_field(json_array_get(mask, 0), "flags")) {
		rule->is |= read_flags(json_array_get(mask, 1), right, negated);
		return true;
	}
	payload = json_object_get(left, "payload");
	protocol = text(payload, "protocol");
	meta = text(json_object_get(left, "meta"), "key");
	if (!strcmp(text(json_object_get(left, "ct"), "key"), "state")) {
		rule->is |= read_states(right, negated);
	} else if (is_field(left, "flags") && !strcmp(protocol, "tcp")) {
		rule->is |= read_flags(NULL, right, negated);
	} else if (is_field(left, "dport") && (!strcmp(protocol, "tcp") || !strcmp(protocol, "th"))) {
		if (negated)
			porch_rule_port(rule, 0, 65535);
		else
			read_ports(right, rule);
	} else if (is_field(left, "saddr")) {
		rule->is |= PORCH_RULE_SOURCE;
	} else if (!strcmp(meta, "l4proto") || is_field(left, "protocol") || is_field(left, "nexthdr")) {
		return holds_word(right, "tcp") != negated;
	} else if (!strcmp(meta, "iif") || !strcmp(meta, "iifname")) {
		rule->is |= PORCH_RULE_OTHER;
		return !(holds_word(right, "lo") && !negated);
	} else if (payload && strcmp(protocol, "tcp") && strcmp(protocol, "th") && strcmp(protocol, "ip") &&
		   strcmp(protocol, "ip6") && *protocol) {
		return false;
	} else {
		rule->is |= PORCH_RULE_OTHER;
	}
	return true;
}

/* A verdict map says several things; each row that drops is a rule of its own. */
static int read_vmap(struct reader *r, const json_t *vmap, const json_t *owner,
		     const struct porch_rule *so_far)
{
	const json_t *key = json_object_get(vmap, "key"), *data = json_object_get(vmap, "data"), *row;
	const json_t *rows = json_is_string(data) && *json_string_value(data) == '@'
				     ? named_map(r, owner, json_string_value(data) + 1)
				     : json_object_get(data, "set");
	bool state = !strcmp(text(json_object_get(key, "ct"), "key"), "state");
	size_t i;
	int ret;

	json_array_foreach(rows, i, row)
	{
		const json_t *verdict = json_array_get(row, 1);
		struct porch_rule rule = *so_far;

		if (json_object_get(verdict, "drop"))
			rule.is |= PORCH_RULE_DROP;
		else if (json_object_get(verdict, "accept"))
			rule.is |= PORCH_RULE_ACCEPT;
		else
			continue;
		if (state)
			rule.is |= read_states(json_array_get(row, 0), false);
		else if (is_field(key, "dport"))
			read_ports(json_array_get(row, 0), &rule);
		else if (is_field(key, "saddr"))
			rule.is |= PORCH_RULE_SOURCE;
		else
			rule.is |= PORCH_RULE_OTHER;
		ret = porch_rules_add(r->rules, &rule);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_rule(struct reader *r, const json_t *object)
{
	static const char *const rates[] = { "limit",	  "meter", "ct count", "ctcount",
					     "connlimit", "quota", NULL };
	static const char *const diversions[] = { "dnat", "redirect", "tproxy", NULL };
	struct porch_rule rule = {};
	const json_t *statement, *value;
	const char *name;
	size_t i;
	int ret;

	snprintf(rule.where, sizeof(rule.where), "nft rule %s %s %s handle %lld", text(object, "family"),
		 text(object, "table"), text(object, "chain"),
		 (long long)json_integer_value(json_object_get(object, "handle")));
	json_array_foreach(json_object_get(object, "expr"), i, statement)
	{
		name = json_object_iter_key(json_object_iter((json_t *)statement));
		value = name ? json_object_get(statement, name) : NULL;
		if (!name)
			continue;
		if (!strcmp(name, "match")) {
			if (!read_match(value, &rule))
				return 0;
		} else if (!strcmp(name, "vmap")) {
			ret = read_vmap(r, value, object, &rule);
			if (ret)
				return ret;
		} else if (one_of(name, rates)) {
			rule.is |= PORCH_RULE_RATE;
		} else if (!strcmp(name, "set") && json_object_get(value, "stmt")) {
			rule.is |= PORCH_RULE_RATE;
		} else if (one_of(name, diversions)) {
			const json_t *map = json_object_get(json_object_get(value, "addr"), "map");

			rule.is |= PORCH_RULE_DNAT;
			if (map && is_field(json_object_get(map, "key"), "dport"))
				read_ports(json_object_get(map, "data"), &rule);
		} else if (!strcmp(name, "synproxy")) {
			rule.is |= PORCH_RULE_SYNPROXY;
		} else if (!strcmp(name, "drop") || !strcmp(name, "reject")) {
			rule.is |= PORCH_RULE_DROP;
		} else if (!strcmp(name, "accept")) {
			rule.is |= PORCH_RULE_ACCEPT;
		} else if (!strcmp(name, "xt")) {
			/* a match of iptables that only iptables-save can show */
			rule.is |= PORCH_RULE_OTHER;
		}
	}
	return porch_rules_add(r->rules, &rule);
}

int porch_rules_from_nft(const char *json, size_t len, bool skip_iptables, struct porch_rules *rules)
{
	struct reader r = { .skip_iptables = skip_iptables, .rules = rules };
	const json_t *entry, *rule;
	json_t *root;
	size_t i;
	int ret = 0;

	root = json_loadb(json, len, 0, NULL);
	r.objects = json_object_get(root, "nftables");
	r.reached = json_object();
	if (!r.objects || !r.reached)
		ret = r.objects ? -ENOMEM : -EINVAL;
	if (!ret)
		reach_chains(&r);
	json_array_foreach(ret ? NULL : r.objects, i, entry)
	{
		rule = json_object_get(entry, "rule");
		if (!rule || !is_reached(&r, rule))
			continue;
		ret = read_rule(&r, rule);
		if (ret)
			break;
	}
	json_decref(r.reached);
	json_decref(root);
	return ret;
}
