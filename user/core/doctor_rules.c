// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor_rules.h"

#define DOES (PORCH_RULE_ACCEPT | PORCH_RULE_DROP | PORCH_RULE_DNAT | PORCH_RULE_SYNPROXY)

void porch_rules_free(struct porch_rules *rules)
{
	free(rules->rule);
	memset(rules, 0, sizeof(*rules));
}

int porch_rules_add(struct porch_rules *rules, const struct porch_rule *rule)
{
	struct porch_rule *grown;

	/* a rule that only counts or jumps decides nothing; where it jumps to is read too */
	if (!(rule->is & DOES))
		return 0;
	/* "drop" without any condition ends a chain as a policy does */
	if ((rule->is & PORCH_RULE_DROP) && rule->is == PORCH_RULE_DROP && !rule->n_ports) {
		rules->policy_drop = true;
		return 0;
	}
	grown = reallocarray(rules->rule, rules->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rules->rule = grown;
	grown[rules->n++] = *rule;
	return 0;
}

void porch_rule_port(struct porch_rule *rule, long first, long last)
{
	if (rule->n_ports == 1 && rule->port[0].first == 0 && rule->port[0].last == 65535)
		return;
	if (first < 0 || last > 65535 || first > last || rule->n_ports == PORCH_RULE_PORTS_MAX) {
		rule->n_ports = 1;
		first = 0;
		last = 65535;
	} else {
		rule->n_ports++;
	}
	rule->port[rule->n_ports - 1].first = first;
	rule->port[rule->n_ports - 1].last = last;
}
