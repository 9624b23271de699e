// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Words and numbers of a script. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

void lexer_start(struct lexer *l, const char *input)
{
	*l = (struct lexer){ .at = input, .line = 1 };
	lexer_next(l);
}

static bool begins(const struct lexer *l, const char *with)
{
	return !strncmp(l->at, with, strlen(with));
}

static void advance(struct lexer *l, size_t n)
{
	while (n-- && *l->at) {
		if (*l->at++ == '\n')
			l->line++;
	}
}

static void blank(struct lexer *l)
{
	const char *end;

	for (;;) {
		if (isspace((unsigned char)*l->at)) {
			advance(l, 1);
		} else if (begins(l, "//") || (*l->at == '#' && (l->line == 1 || l->at[-1] == '\n'))) {
			while (*l->at && *l->at != '\n')
				l->at++;
		} else if (begins(l, "/*")) {
			end = strstr(l->at + 2, "*/");
			if (!end)
				fail(l->line, "a comment without end");
			advance(l, (size_t)(end + 2 - l->at));
		} else {
			return;
		}
	}
}

/* What lies between two delimiters; the lexer goes on behind the second. */
static char *between(struct lexer *l, const char *open, const char *close)
{
	const char *start = l->at + strlen(open), *end = start;
	size_t n = strlen(close);

	while (*end && strncmp(end, close, n)) {
		if (*end == '\\' && n == 1 && end[1])
			end++;
		end++;
	}
	if (!*end)
		fail(l->line, "%s without %s", open, close);
	advance(l, (size_t)(end + n - l->at));
	return strndup(start, (size_t)(end - start));
}

static void option(struct lexer *l)
{
	const char *start;

	l->type = T_OPTION;
	l->at += 2;
	for (start = l->at; isalnum((unsigned char)*l->at) || *l->at == '_'; l->at++)
		;
	l->text = strndup(start, (size_t)(l->at - start));
	l->value = NULL;
	if (*l->at != '=')
		return;
	l->at++;
	if (*l->at == '"') {
		l->value = between(l, "\"", "\"");
		return;
	}
	for (start = l->at; *l->at && !isspace((unsigned char)*l->at); l->at++) {
		if (*l->at == '"' || *l->at == '`') {
			char quote[2] = { *l->at };

			between(l, quote, quote);
			l->at--;
		}
	}
	l->value = strndup(start, (size_t)(l->at - start));
}

/* A number, or a word that begins with a digit: whichever is longer. */
static void number(struct lexer *l)
{
	const char *start = l->at, *p = start + (*start == '-'), *word;
	char *end;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2])) {
		l->type = T_INT;
		l->number = (long long)strtoull(p, &end, 16);
		l->text = strndup(start, (size_t)(end - start));
		l->at = end;
		return;
	}
	while (isdigit((unsigned char)*p))
		p++;
	if (*p == '.' && isdigit((unsigned char)p[1])) {
		l->type = T_FLOAT;
		for (p++; isdigit((unsigned char)*p); p++)
			;
		l->real = strtod(start, NULL);
	} else {
		l->type = T_INT;
		l->number = strtoll(start, NULL, 10);
		for (word = p; isalnum((unsigned char)*word) || *word == '_'; word++)
			;
		if (word > p && *start != '-') {
			l->type = T_WORD;
			p = word;
		}
	}
	l->text = strndup(start, (size_t)(p - start));
	l->at = p;
}

void lexer_next(struct lexer *l)
{
	const char *start;

	blank(l);
	l->token_line = l->line;
	l->c = *l->at;
	start = l->at;
	if (!*l->at) {
		l->type = T_END;
	} else if (begins(l, "...")) {
		l->type = T_ELLIPSIS;
		l->at += 3;
	} else if (begins(l, "--") && isalpha((unsigned char)l->at[2])) {
		option(l);
	} else if (begins(l, "%{")) {
		l->type = T_CODE;
		l->text = between(l, "%{", "}%");
	} else if (*l->at == '"') {
		l->type = T_STRING;
		l->text = between(l, "\"", "\"");
	} else if (*l->at == '`') {
		l->type = T_SHELL;
		l->text = between(l, "`", "`");
	} else if (isdigit((unsigned char)*l->at) || (*l->at == '-' && isdigit((unsigned char)l->at[1])) ||
		   (*l->at == '.' && isdigit((unsigned char)l->at[1]))) {
		number(l);
	} else if (isalpha((unsigned char)*l->at) || *l->at == '_') {
		l->type = T_WORD;
		while (isalnum((unsigned char)*l->at) || *l->at == '_')
			l->at++;
		l->text = strndup(start, (size_t)(l->at - start));
	} else {
		l->type = T_CHAR;
		l->at++;
	}
}

bool is_char(const struct lexer *l, char c)
{
	return l->type == T_CHAR && l->c == c;
}

bool is_word(const struct lexer *l, const char *word)
{
	return l->type == T_WORD && !strcmp(l->text, word);
}

bool take_char(struct lexer *l, char c)
{
	if (!is_char(l, c))
		return false;
	lexer_next(l);
	return true;
}

bool take_word(struct lexer *l, const char *word)
{
	if (!is_word(l, word))
		return false;
	lexer_next(l);
	return true;
}

void want_char(struct lexer *l, char c)
{
	if (!take_char(l, c))
		fail(l->token_line, "'%c' is missing before \"%.20s\"", c, l->at);
}

long long want_int(struct lexer *l, long long least, long long most, const char *what)
{
	long long n = l->number;

	if (l->type != T_INT)
		fail(l->token_line, "%s: no number before \"%.20s\"", what, l->at);
	if (n < least || n > most)
		fail(l->token_line, "%s: %lld is not within %lld and %lld", what, n, least, most);
	lexer_next(l);
	return n;
}
