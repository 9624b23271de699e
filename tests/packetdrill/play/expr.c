// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Arguments of calls, and what they are worth. */
#include <arpa/inet.h>
#include <string.h>

#include "play.h"

static struct expr *expr_new(struct lexer *l, enum expr_kind kind)
{
	struct expr *e = zeroed(sizeof(*e));

	e->kind = kind;
	e->line = l->token_line;
	e->text = l->text;
	e->number = l->number;
	return e;
}

struct expr *expr_list(struct lexer *l, char end)
{
	struct expr *first = NULL, **tail = &first;

	while (!take_char(l, end)) {
		*tail = expr_parse(l);
		tail = &(*tail)->next;
		if (!is_char(l, end))
			want_char(l, ',');
	}
	return first;
}

static struct expr *word(struct lexer *l)
{
	struct expr *e = expr_new(l, E_WORD);

	lexer_next(l);
	if (take_char(l, '(')) {
		e->kind = E_CALL;
		e->first = expr_list(l, ')');
	}
	if (take_char(l, '=')) {
		e->arguments = e->kind == E_CALL ? e->first : NULL;
		e->kind = E_FIELD;
		e->first = expr_parse(l);
	}
	return e;
}

static struct expr *primary(struct lexer *l)
{
	struct expr *e;

	switch (l->type) {
	case T_ELLIPSIS:
		e = expr_new(l, E_ANY);
		break;
	case T_INT:
		e = expr_new(l, E_INT);
		break;
	case T_STRING:
		e = expr_new(l, E_STRING);
		lexer_next(l);
		while (l->type == T_STRING) {
			e->text = text("%s%s", e->text, l->text);
			lexer_next(l);
		}
		if (l->type == T_ELLIPSIS)
			lexer_next(l);
		return e;
	case T_WORD:
		return word(l);
	case T_CHAR:
		if (l->c == '[' || l->c == '{') {
			char end = l->c == '[' ? ']' : '}';

			e = expr_new(l, E_LIST);
			lexer_next(l);
			e->first = expr_list(l, end);
			return e;
		}
		/* fallthrough */
	default:
		fail(l->token_line, "an argument is missing before \"%.20s\"", l->at);
	}
	lexer_next(l);
	return e;
}

struct expr *expr_parse(struct lexer *l)
{
	struct expr *e = primary(l), *either;

	while (take_char(l, '|')) {
		either = expr_new(l, E_OR);
		either->first = e;
		e->next = primary(l);
		e = either;
	}
	return e;
}

static long long call_int(const struct expr *e)
{
	struct in_addr in;

	if (!strcmp(e->text, "htons") && e->first)
		return htons((uint16_t)expr_int(e->first));
	if (!strcmp(e->text, "htonl") && e->first)
		return htonl((uint32_t)expr_int(e->first));
	if (!strcmp(e->text, "inet_addr") && e->first && e->first->kind == E_STRING &&
	    inet_pton(AF_INET, e->first->text, &in) == 1)
		return in.s_addr;
	fail(e->line, "%s(...) is no number", e->text);
}

long long expr_int(const struct expr *e)
{
	long long value;

	if (!e)
		fail(0, "an argument is missing");
	switch (e->kind) {
	case E_INT:
		return e->number;
	case E_WORD:
		if (!name_value(e->text, &value))
			fail(e->line, "what is %s?", e->text);
		return value;
	case E_OR:
		return expr_int(e->first) | expr_int(e->first->next);
	case E_LIST:
		if (e->first && !e->first->next)
			return expr_int(e->first);
		break;
	case E_FIELD:
		return expr_int(e->first);
	case E_CALL:
		return call_int(e);
	default:
		break;
	}
	fail(e->line, "a number is missing");
}

const struct expr *expr_field(const struct expr *e, const char *name)
{
	const struct expr *field;

	if (!e || e->kind != E_LIST)
		return NULL;
	for (field = e->first; field; field = field->next) {
		if (field->kind == E_FIELD && !strcmp(field->text, name))
			return field->first;
	}
	return NULL;
}

int expr_count(const struct expr *list)
{
	int n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

const struct expr *expr_nth(const struct expr *list, int n)
{
	while (list && n--)
		list = list->next;
	return list;
}
