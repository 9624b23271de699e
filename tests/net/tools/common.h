/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tools of the network stories share: words in, JSON lines out. */
#ifndef PORCH_NET_COMMON_H
#define PORCH_NET_COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

/* `1.2.3.4:80`, `[::1]:80`, and with port 0 also `1.2.3.4` and `::1`. 0 or -1. */
int address_parse(const char *text, struct address *ret);
uint16_t address_port(const struct address *a);
void address_set_port(struct address *a, uint16_t port);
/* Without the port; v4-mapped as IPv4. */
const char *address_text(const struct address *a, char *buf, size_t size);

/* One `key=value` of the command line and where its number or text goes. */
struct word {
	const char *key;
	long *number;
	const char **text;
};

/* Every argument must be one of `words` (which ends with a NULL key). 0, or -1 after having said which is not. */
int words_parse(const char *tool, const struct word *words, int argc, char **argv);

int64_t now_us(void);
/* Microseconds until `deadline` as poll() wants them: milliseconds, rounded up, 0 when over. */
int poll_time(int64_t deadline);

/* `,"options":7,"snd_wscale":7,...` of a socket, without braces; nothing when it has none any more. */
void print_tcp_info(int fd);
/* As a JSON string, at most `max` octets, with the quotes. */
void print_text(const char *bytes, size_t n, size_t max);

bool option(int fd, int level, int name, int value, const char *what);

#endif /* PORCH_NET_COMMON_H */
