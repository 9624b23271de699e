/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Firewall rules, reduced to what porch's handshake could fall foul of.
 *
 * Two readers (nftables' JSON, iptables-save's text) fill one list; what the
 * list means is decided in doctor_firewall.c alone. Readers are pure: text in,
 * list out. Only rules that a segment to this host can meet are kept.
 */
#ifndef PORCH_CORE_DOCTOR_RULES_H
#define PORCH_CORE_DOCTOR_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* What a rule does ... */
#define PORCH_RULE_ACCEPT   0x0001
#define PORCH_RULE_DROP	    0x0002 /* or reject */
#define PORCH_RULE_DNAT	    0x0004 /* sends it elsewhere: DNAT, REDIRECT, TPROXY */
#define PORCH_RULE_SYNPROXY 0x0008
/* ... to what. */
#define PORCH_RULE_SYN	      0x0010 /* segments that open a connection */
#define PORCH_RULE_NOT_SYN    0x0020 /* segments that do not */
#define PORCH_RULE_RATE	      0x0040 /* above or below a rate or a count */
#define PORCH_RULE_SOURCE     0x0080 /* of certain sources */
#define PORCH_RULE_CT_NEW     0x0100 /* conntrack state new */
#define PORCH_RULE_CT_INVALID 0x0200 /* conntrack state invalid */
#define PORCH_RULE_CT	      0x0400 /* looks at a conntrack state at all */
#define PORCH_RULE_OTHER      0x0800 /* further conditions */

#define PORCH_RULE_PORTS_MAX  16

struct porch_rule {
	__u32 is;	/* PORCH_RULE_* */
	size_t n_ports; /* 0: of any port */
	struct {
		__u16 first, last;
	} port[PORCH_RULE_PORTS_MAX];
	char where[200]; /* how its owner finds it */
};

struct porch_rules {
	struct porch_rule *rule;
	size_t n;
	bool policy_drop; /* a chain drops what nothing accepted */
};

void porch_rules_free(struct porch_rules *rules);
/* Appends a copy; -ENOMEM. A rule that does nothing of the above is left out. */
int porch_rules_add(struct porch_rules *rules, const struct porch_rule *rule);
/* Ports beyond the room make the rule one of any port: never missed, perhaps blamed. */
void porch_rule_port(struct porch_rule *rule, long first, long last);

/*
 * `nft -j list ruleset`. With `skip_iptables`, tables that iptables-nft keeps
 * are left to iptables-save, which alone can name their matches. 0, -EINVAL
 * when it is no such JSON, -ENOMEM.
 */
int porch_rules_from_nft(const char *json, size_t len, bool skip_iptables, struct porch_rules *rules);
/* `iptables-save` or `ip6tables-save`, whose name becomes part of `where`. */
int porch_rules_from_iptables(const char *text, const char *name, struct porch_rules *rules);

#endif /* PORCH_CORE_DOCTOR_RULES_H */
