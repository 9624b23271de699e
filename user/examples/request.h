/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What http.c understands of a request (RFC 9112); no more than it needs, and nothing that is ambiguous. */
#ifndef PORCH_EXAMPLES_REQUEST_H
#define PORCH_EXAMPLES_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct request {
	char *method, *target, *path;
	bool head; /* HEAD */
	bool old;  /* HTTP/1.0 */
	bool host, persistent, body;
};

static inline int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The path of a target without its query, decoded in place; NULL: not one. */
static inline char *path_of(char *target)
{
	char *from = target, *to;

	if (!strncasecmp(target, "http://", 7)) {
		from = strchr(target + 7, '/');
		if (!from)
			return strcpy(target, "/");
	}
	if (*from != '/')
		return NULL;
	from[strcspn(from, "?#")] = 0;
	for (target = to = from; *from; to++) {
		if (*from != '%') {
			*to = *from++;
			continue;
		}
		if (digit(from[1]) < 0 || digit(from[2]) < 0)
			return NULL;
		*to = digit(from[1]) << 4 | digit(from[2]);
		if ((unsigned char)*to < 32)
			return NULL;
		from += 3;
	}
	*to = 0;
	return target;
}

/* The head of a request from `text`, which is cut up. False: it is not one. */
static inline bool parse_request(char *text, struct request *r)
{
	char *line = strsep(&text, "\n"), *version;

	r->method = strsep(&line, " ");
	r->target = strsep(&line, " ");
	version = line;
	if (!version || !*r->method || strncmp(version, "HTTP/1.", 7) || version[7] < '0' ||
	    version[7] > '9' || strcmp(version + 8, "\r"))
		return false;
	r->old = version[7] == '0';
	r->head = !strcmp(r->method, "HEAD");
	r->persistent = !r->old;
	while ((line = strsep(&text, "\n")) && *line && strcmp(line, "\r")) {
		char *name = strsep(&line, ":");
		size_t n;

		/* A name that ends with a blank, or begins with one, is somebody's attempt. */
		if (!line || !*name || strpbrk(name, " \t\r"))
			return false;
		line += strspn(line, " \t");
		for (n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
			line[n - 1] = 0;
		if (!strcasecmp(name, "Connection") && strcasestr(line, "close"))
			r->persistent = false;
		else if (!strcasecmp(name, "Connection") && strcasestr(line, "keep-alive"))
			r->persistent = true;
		else if (!strcasecmp(name, "Host"))
			r->host = true;
		else if (!strcasecmp(name, "Transfer-Encoding") ||
			 (!strcasecmp(name, "Content-Length") && strcmp(line, "0")))
			r->body = true;
	}
	return r->old || r->host;
}

#endif /* PORCH_EXAMPLES_REQUEST_H */
