// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int address_parse(const char *text, struct address *ret)
{
	char host[64];
	const char *port = NULL, *end;
	struct address a = {};

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -1;
		port = end[1] ? end + 2 : NULL;
		text++;
	} else {
		end = strchr(text, ':');
		if (!end || strchr(end + 1, ':'))
			end = text + strlen(text); /* a bare address */
		else
			port = end + 1;
	}
	if ((size_t)(end - text) >= sizeof(host))
		return -1;
	memcpy(host, text, end - text);
	host[end - text] = '\0';
	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.len = sizeof(a.in);
	} else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.len = sizeof(a.in6);
	} else {
		return -1;
	}
	address_set_port(&a, port ? strtoul(port, NULL, 10) : 0);
	*ret = a;
	return 0;
}

uint16_t address_port(const struct address *a)
{
	return ntohs(a->in.sin_port); /* at the same place in both */
}

void address_set_port(struct address *a, uint16_t port)
{
	a->in.sin_port = htons(port);
}

const char *address_text(const struct address *a, char *buf, size_t size)
{
	if (a->sa.sa_family == AF_INET)
		return inet_ntop(AF_INET, &a->in.sin_addr, buf, size);
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], buf, size);
	return inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, size);
}

int words_parse(const char *tool, const struct word *words, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		const struct word *w = words;
		char *end;

		while (value && w->key && (strlen(w->key) != (size_t)(value - argv[i]) ||
					   strncmp(w->key, argv[i], value - argv[i])))
			w++;
		if (!value || !w->key) {
			fprintf(stderr, "%s: what is '%s'?\n", tool, argv[i]);
			return -1;
		}
		value++;
		if (w->text) {
			*w->text = value;
			continue;
		}
		*w->number = strtol(value, &end, 0);
		if (!*value || *end) {
			fprintf(stderr, "%s: '%s' is no number\n", tool, argv[i]);
			return -1;
		}
	}
	return 0;
}

int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

int poll_time(int64_t deadline)
{
	int64_t left = deadline - now_us();

	return left <= 0 ? 0 : left > 1000000000 ? 1000000 : (left + 999) / 1000;
}

void print_tcp_info(int fd)
{
	struct tcp_info i = {};
	socklen_t len = sizeof(i);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) || !i.tcpi_snd_mss)
		return;
	printf(",\"state\":%u,\"timestamps\":%s,\"sack\":%s,\"wscale\":%s,\"ecn\":%s,\"syn_data\":%s"
	       ",\"snd_wscale\":%u,\"rcv_wscale\":%u,\"snd_mss\":%u,\"advmss\":%u,\"rcv_space\":%u,\"retrans\":%u",
	       i.tcpi_state, i.tcpi_options & TCPI_OPT_TIMESTAMPS ? "true" : "false",
	       i.tcpi_options & TCPI_OPT_SACK ? "true" : "false",
	       i.tcpi_options & TCPI_OPT_WSCALE ? "true" : "false", i.tcpi_options & TCPI_OPT_ECN ? "true" : "false",
	       i.tcpi_options & TCPI_OPT_SYN_DATA ? "true" : "false", i.tcpi_snd_wscale, i.tcpi_rcv_wscale,
	       i.tcpi_snd_mss, i.tcpi_advmss, i.tcpi_rcv_space, i.tcpi_total_retrans);
}

void print_text(const char *bytes, size_t n, size_t max)
{
	putchar('"');
	for (size_t i = 0; i < n && i < max; i++)
		putchar(bytes[i] < ' ' || bytes[i] > '~' || strchr("\"\\", bytes[i]) ? '.' : bytes[i]);
	putchar('"');
}

bool option(int fd, int level, int name, int value, const char *what)
{
	if (!setsockopt(fd, level, name, &value, sizeof(value)))
		return true;
	fprintf(stderr, "%s=%d: %s\n", what, value, strerror(errno));
	return false;
}
