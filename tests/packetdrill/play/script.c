// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Events of a script, and the options before them. */
#include <stdlib.h>
#include <string.h>

#include "play.h"

static long long time_value(struct lexer *l)
{
	long long usecs;

	if (l->type == T_FLOAT)
		usecs = (long long)(l->real * 1e6 + 0.5);
	else if (l->type == T_INT)
		usecs = l->number * 1000000;
	else
		fail(l->token_line, "a time is missing before \"%.20s\"", l->at);
	if (usecs < 0)
		fail(l->token_line, "a negative time");
	lexer_next(l);
	return usecs;
}

static void event_time(struct lexer *l, struct event *e)
{
	if (take_char(l, '*')) {
		e->when = TIME_ANY;
		return;
	}
	e->when = take_char(l, '+') ? TIME_RELATIVE : TIME_ABSOLUTE;
	e->at = e->until = time_value(l);
	if (!take_char(l, '~'))
		return;
	e->range = true;
	if (e->when == TIME_RELATIVE)
		want_char(l, '+');
	e->until = time_value(l);
	if (e->until < e->at)
		fail(e->line, "the range of time goes backward");
}

static void note(struct lexer *l)
{
	if (!take_char(l, '('))
		return;
	while (!take_char(l, ')')) {
		if (l->type == T_END)
			fail(l->token_line, "a note without end");
		lexer_next(l);
	}
}

static void call(struct lexer *l, struct event *e)
{
	struct call *c = &e->call;

	if (l->type == T_ELLIPSIS) {
		lexer_next(l);
		c->blocks = true;
		c->ends = time_value(l);
	}
	if (l->type != T_WORD)
		fail(l->token_line, "neither packet, call nor code before \"%.20s\"", l->at);
	c->name = l->text;
	lexer_next(l);
	want_char(l, '(');
	c->arguments = expr_list(l, ')');
	want_char(l, '=');
	c->result = expr_parse(l);
	if (l->type == T_WORD) {
		c->error = l->text;
		lexer_next(l);
	}
	note(l);
	if (c->blocks && c->ends < e->at)
		fail(e->line, "a call that ends before it begins");
	if (!strcmp(c->name, "connect"))
		skip(e->line, "opens actively");
}

static struct event *event_parse(struct lexer *l)
{
	struct event *e = zeroed(sizeof(*e));

	e->line = l->token_line;
	event_time(l, e);
	if (is_char(l, '<') || is_char(l, '>')) {
		e->kind = EVENT_PACKET;
		packet_parse(l, &e->packet);
	} else if (l->type == T_SHELL || l->type == T_CODE) {
		e->kind = l->type == T_SHELL ? EVENT_SHELL : EVENT_CODE;
		e->code = l->text;
		lexer_next(l);
	} else {
		e->kind = EVENT_CALL;
		call(l, e);
	}
	if ((e->when == TIME_ANY || e->range) && (e->kind != EVENT_PACKET || e->packet.inbound))
		fail(e->line, "such a time is for outbound packets");
	return e;
}

/* Those that change what is played; what is about devices and routes is not ours. */
static void option(struct lexer *l, struct settings *s)
{
	const char *value = l->value ? l->value : "";

	if (!strcmp(l->text, "ip_version"))
		s->ipv6 = !strcmp(value, "ipv6");
	else if (!strcmp(l->text, "tolerance_usecs"))
		s->tolerance = atoll(value);
	else if (!strcmp(l->text, "tolerance_percent"))
		s->tolerance_share = atof(value) / 100;
	else if (!strcmp(l->text, "tcp_ts_tick_usecs"))
		s->ts_tick = (uint32_t)atoi(value);
	else if (!strcmp(l->text, "tcp_ts_ecr_scaled"))
		s->ts_ecr_scaled = true;
	else if (!strcmp(l->text, "strict_segments"))
		s->strict_segments = true;
	else if (!strcmp(l->text, "bind_port"))
		s->port = (uint16_t)atoi(value);
	lexer_next(l);
}

struct event *script_parse(const char *input, struct settings *s)
{
	struct event *first = NULL, **tail = &first;
	struct lexer l;

	lexer_start(&l, input);
	while (l.type == T_OPTION)
		option(&l, s);
	while (l.type != T_END) {
		if (l.type == T_SHELL) { /* before the first event, or behind the last */
			lexer_next(&l);
			continue;
		}
		*tail = event_parse(&l);
		tail = &(*tail)->next;
	}
	if (!first)
		fail(l.token_line, "nothing happens");
	if (first->when == TIME_ABSOLUTE && first->at)
		fail(first->line, "the first event is to be at 0");
	return first;
}
