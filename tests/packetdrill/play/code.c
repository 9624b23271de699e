// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * %{ code }%: packetdrill lets python run it, with the members of TCP_INFO as
 * variables. Here: assert EXPRESSION [, MESSAGE], name = EXPRESSION and print, with numbers, members,
 * or and not, comparisons, | ^ & << >> + - * / // % and parentheses.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <linux/tcp.h>

#include "play.h"

#define M(name)                                                                                              \
	{                                                                                                    \
#name, offsetof(struct tcp_info, name), sizeof(((struct tcp_info *)0)->name)                 \
	}

static const struct {
	const char *name;
	size_t offset, size;
} members[] = {
	M(tcpi_state),	       M(tcpi_ca_state),
	M(tcpi_retransmits),   M(tcpi_probes),
	M(tcpi_backoff),       M(tcpi_options),
	M(tcpi_rto),	       M(tcpi_ato),
	M(tcpi_snd_mss),       M(tcpi_rcv_mss),
	M(tcpi_unacked),       M(tcpi_sacked),
	M(tcpi_lost),	       M(tcpi_retrans),
	M(tcpi_fackets),       M(tcpi_last_data_sent),
	M(tcpi_last_ack_sent), M(tcpi_last_data_recv),
	M(tcpi_last_ack_recv), M(tcpi_pmtu),
	M(tcpi_rcv_ssthresh),  M(tcpi_rtt),
	M(tcpi_rttvar),	       M(tcpi_snd_ssthresh),
	M(tcpi_snd_cwnd),      M(tcpi_advmss),
	M(tcpi_reordering),    M(tcpi_rcv_rtt),
	M(tcpi_rcv_space),     M(tcpi_total_retrans),
	M(tcpi_pacing_rate),   M(tcpi_max_pacing_rate),
	M(tcpi_bytes_acked),   M(tcpi_bytes_received),
	M(tcpi_segs_out),      M(tcpi_segs_in),
	M(tcpi_notsent_bytes), M(tcpi_min_rtt),
	M(tcpi_data_segs_in),  M(tcpi_data_segs_out),
	M(tcpi_delivery_rate), M(tcpi_busy_time),
	M(tcpi_rwnd_limited),  M(tcpi_sndbuf_limited),
	M(tcpi_delivered),     M(tcpi_delivered_ce),
	M(tcpi_bytes_sent),    M(tcpi_bytes_retrans),
	M(tcpi_dsack_dups),    M(tcpi_reord_seen),
	M(tcpi_rcv_ooopack),   M(tcpi_snd_wnd),
};

#define VARIABLES 16

static struct {
	const char *name;
	long long value;
} variables[VARIABLES];

struct code {
	struct lexer l;
	int line; /* where it begins in the script */
	struct tcp_info info;
};

static long long either(struct code *c);

static bool take(struct code *c, const char *op)
{
	const char *at = c->l.at;

	if (!is_char(&c->l, op[0]))
		return false;
	if (op[1] && *at != op[1])
		return false;
	if (!op[1] && *at && (strchr("<>=", op[0]) || op[0] == '*' || op[0] == '/') &&
	    (*at == '=' || *at == op[0]))
		return false;
	lexer_next(&c->l);
	if (op[1])
		lexer_next(&c->l);
	return true;
}

static long long value(struct code *c)
{
	unsigned long long v = 0;
	long long n;
	char *name;

	if (take(c, "(")) {
		n = either(c);
		want_char(&c->l, ')');
		return n;
	}
	if (take(c, "-"))
		return -value(c);
	if (take(c, "~"))
		return ~value(c);
	if (c->l.type == T_INT || c->l.type == T_FLOAT) {
		n = c->l.type == T_INT ? c->l.number : (long long)c->l.real;
		lexer_next(&c->l);
		return n;
	}
	if (c->l.type != T_WORD)
		fail(c->line, "code: a value is missing before \"%.20s\"", c->l.at);
	name = c->l.text;
	lexer_next(&c->l);
	if (!strcmp(name, "tcpi_snd_wscale"))
		return c->info.tcpi_snd_wscale;
	if (!strcmp(name, "tcpi_rcv_wscale"))
		return c->info.tcpi_rcv_wscale;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].name, name))
			continue;
		memcpy(&v, (const char *)&c->info + members[i].offset, members[i].size);
		return (long long)v;
	}
	for (int i = 0; i < VARIABLES && variables[i].name; i++) {
		if (!strcmp(variables[i].name, name))
			return variables[i].value;
	}
	if (!name_value(name, &n))
		fail(c->line, "code: what is %s?", name);
	return n;
}

/* From the loosest to the tightest. */
static const char *const operators[][3] = { { "|" },	    { "^" },	  { "&" },
					    { "<<", ">>" }, { "+", "-" }, { "*", "//", "/" } };

static long long apply(struct code *c, const char *op, long long a, long long b)
{
	switch (op[0]) {
	case '|':
		return a | b;
	case '^':
		return a ^ b;
	case '&':
		return a & b;
	case '<':
		return a << b;
	case '>':
		return a >> b;
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	default:
		if (!b)
			fail(c->line, "code: division by zero");
		return op[0] == '%' ? a % b : a / b;
	}
}

static long long binary(struct code *c, size_t level)
{
	long long v;
	bool again;

	if (level == sizeof(operators) / sizeof(operators[0]))
		return value(c);
	v = binary(c, level + 1);
	do {
		again = false;
		for (int i = 0; i < 3 && operators[level][i] && !again; i++) {
			if (!take(c, operators[level][i]))
				continue;
			v = apply(c, operators[level][i], v, binary(c, level + 1));
			again = true;
		}
		/* the lexer says a number has a sign */
		if (!again && level == 4 && c->l.type == T_INT && c->l.number < 0) {
			v += c->l.number;
			lexer_next(&c->l);
			again = true;
		}
	} while (again);
	return v;
}

/* a < b <= c is a < b and b <= c */
static long long compared(struct code *c)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">" };
	long long a = binary(c, 0), b, all = 1;
	bool any = false;
	size_t i;

	for (;;) {
		for (i = 0; i < 6 && !take(c, ops[i]); i++)
			;
		if (i == 6)
			return any ? all : a;
		any = true;
		b = binary(c, 0);
		all &= i == 0	? a == b
		       : i == 1 ? a != b
		       : i == 2 ? a <= b
		       : i == 3 ? a >= b
		       : i == 4 ? a < b
				: a > b;
		a = b;
	}
}

static long long negated(struct code *c)
{
	return take_word(&c->l, "not") ? !negated(c) : compared(c);
}

static long long both(struct code *c)
{
	long long v = negated(c), w;

	while (take_word(&c->l, "and")) {
		w = negated(c);
		v = v && w;
	}
	return v;
}

static long long either(struct code *c)
{
	long long v = both(c), w;

	while (take_word(&c->l, "or")) {
		w = both(c);
		v = v || w;
	}
	return v;
}

/* name = EXPRESSION, name += EXPRESSION */
static bool assignment(struct code *c)
{
	struct lexer before = c->l;
	const char *name = c->l.text;
	bool add = false;
	int i = 0;

	if (c->l.type != T_WORD)
		return false;
	lexer_next(&c->l);
	if (take(c, "+="))
		add = true;
	else if (!take(c, "=")) {
		c->l = before;
		return false;
	}
	while (i < VARIABLES && variables[i].name && strcmp(variables[i].name, name))
		i++;
	if (i == VARIABLES)
		fail(c->line, "code: more than %d variables", VARIABLES);
	variables[i].name = name;
	variables[i].value = either(c) + (add ? variables[i].value : 0);
	return true;
}

static void statement(struct code *c, const char *line, int number)
{
	long long a;

	lexer_start(&c->l, line);
	c->line = number;
	if (take_word(&c->l, "print") || c->l.type == T_END || take_word(&c->l, "pass") ||
	    take_word(&c->l, "import"))
		return;
	if (!is_word(&c->l, "assert") && assignment(c))
		return;
	if (!take_word(&c->l, "assert"))
		fail(number, "code: beyond this player: %s", line);
	a = either(c);
	if (c->l.type != T_END && !is_char(&c->l, ','))
		fail(number, "code: beyond this player: %s", c->l.at);
	if (!a) {
		char *got = strdup("");

		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			const char *at = strstr(line, members[i].name);
			unsigned long long v = 0;

			if (!at || isalnum((unsigned char)at[strlen(members[i].name)]) ||
			    at[strlen(members[i].name)] == '_')
				continue;
			memcpy(&v, (const char *)&c->info + members[i].offset, members[i].size);
			got = text("%s; %s is %llu", got, members[i].name, v);
		}
		fail(number, "%s%s", line, got);
	}
}

void code_run(int line, const char *code)
{
	struct code c = {};
	socklen_t n = sizeof(c.info);
	char *all = strdup(code), *one;

	if (play.under_test < 0 ||
	    play.so.getsockopt(play.so.userdata, play.under_test, 6, TCP_INFO, &c.info, &n) < 0)
		fail(line, "code: no TCP_INFO");
	while ((one = strsep(&all, "\n;"))) {
		one += strspn(one, " \t");
		if (*one && *one != '#')
			statement(&c, one, line);
	}
}
