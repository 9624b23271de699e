// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls of a script: those that make and change sockets; what they return. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define FDS 64

static struct {
	long long script;
	int live;
	bool open;
} fds[FDS];

#define SO(call, ...) play.so.call(play.so.userdata, ##__VA_ARGS__)

void fd_is(long long script, int live)
{
	for (int i = 0; i < FDS; i++) {
		if (fds[i].open && fds[i].script != script)
			continue;
		fds[i].script = script;
		fds[i].live = live;
		fds[i].open = true;
		return;
	}
	fail(0, "more than %d descriptors", FDS);
}

/* A number that no call returned is itself, as with packetdrill. */
int fd_live(const struct expr *e)
{
	long long script = expr_int(e);

	for (int i = 0; i < FDS; i++) {
		if (fds[i].open && fds[i].script == script)
			return fds[i].live;
	}
	return (int)script < 0 ? (int)script : -1;
}

static void fd_closed(long long script)
{
	for (int i = 0; i < FDS; i++) {
		if (!fds[i].open || fds[i].script != script)
			continue;
		fds[i].open = false;
		if (fds[i].live == play.under_test)
			play.under_test = -1;
	}
}

long argument_int(const struct arguments *a, int n)
{
	if (n >= a->count)
		fail(a->line, "%s() has no argument %d", a->call->name, n + 1);
	return expr_int(a->e[n]);
}

static int family(const struct arguments *a)
{
	if (a->e[0]->kind == E_ANY)
		return play.settings.ipv6 ? AF_INET6 : AF_INET;
	return (int)expr_int(a->e[0]);
}

static long do_bind(const struct arguments *a)
{
	const struct expr *port = expr_field(a->e[1], "sin_port"), *address = expr_field(a->e[1], "sin_addr");
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(play.settings.port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(play.settings.port) };

	if (port)
		in.sin_port = in6.sin6_port = (in_port_t)expr_int(port);
	play.settings.port = ntohs(in.sin_port);
	if (address && !play.settings.ipv6 && address->kind != E_CALL)
		in.sin_addr.s_addr = (in_addr_t)expr_int(address);
	if (play.settings.ipv6)
		return SO(bind, fd_live(a->e[0]), (struct sockaddr *)&in6, sizeof(in6));
	return SO(bind, fd_live(a->e[0]), (struct sockaddr *)&in, sizeof(in));
}

static long do_listen(const struct arguments *a)
{
	int result = SO(listen, fd_live(a->e[0]), (int)argument_int(a, 1));

	if (!result)
		play.connection.listening = true;
	return result;
}

static long do_accept(const struct arguments *a)
{
	struct sockaddr_storage from = {};
	socklen_t n = sizeof(from);
	uint16_t port;
	long fd = SO(accept, fd_live(a->e[0]), (struct sockaddr *)&from, &n);

	if (fd < 0)
		return fd;
	port = ntohs(from.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&from)->sin6_port
						: ((struct sockaddr_in *)&from)->sin_port);
	if (port != play.connection.remote_port)
		fail(a->line, "accept() says port %u, the connection has %u", port,
		     play.connection.remote_port);
	play.under_test = (int)fd;
	return fd;
}

static long do_fcntl(const struct arguments *a)
{
	if (a->count < 3)
		return SO(fcntl, fd_live(a->e[0]), (int)argument_int(a, 1));
	return SO(fcntl, fd_live(a->e[0]), (int)argument_int(a, 1), (int)argument_int(a, 2));
}

static long do_ioctl(const struct arguments *a)
{
	bool in = a->count > 2 && argument_int(a, 1) == 0x5421; /* FIONBIO gives, all others take */
	int value = in ? (int)argument_int(a, 2) : 0;
	long result = SO(ioctl, fd_live(a->e[0]), (unsigned long)argument_int(a, 1), &value);

	if (!result && !in && a->count > 2 && a->e[2]->kind != E_ANY && value != argument_int(a, 2))
		fail(a->line, "ioctl() said %d, not %ld", value, argument_int(a, 2));
	return result;
}

static long do_setsockopt(const struct arguments *a)
{
	const struct expr *e = a->e[3];
	struct linger linger;
	int value;

	if (e->kind == E_STRING)
		return SO(setsockopt, fd_live(a->e[0]), (int)argument_int(a, 1), (int)argument_int(a, 2),
			  e->text, (socklen_t)strlen(e->text));
	if (expr_field(e, "onoff")) {
		linger.l_onoff = (int)expr_int(expr_field(e, "onoff"));
		linger.l_linger = (int)expr_int(expr_field(e, "linger"));
		return SO(setsockopt, fd_live(a->e[0]), (int)argument_int(a, 1), (int)argument_int(a, 2),
			  &linger, sizeof(linger));
	}
	value = (int)expr_int(e);
	return SO(setsockopt, fd_live(a->e[0]), (int)argument_int(a, 1), (int)argument_int(a, 2), &value,
		  (socklen_t)argument_int(a, 4));
}

static long do_getsockopt(const struct arguments *a)
{
	const struct expr *e = a->e[3];
	uint8_t buffer[1024] = {};
	socklen_t n = sizeof(buffer);
	struct linger linger;
	long result;
	int value;

	if (a->e[4]->kind != E_ANY && argument_int(a, 4) < (long)n && e->kind != E_STRING)
		n = (socklen_t)argument_int(a, 4);
	result = SO(getsockopt, fd_live(a->e[0]), (int)argument_int(a, 1), (int)argument_int(a, 2), buffer,
		    &n);
	if (result || e->kind == E_ANY)
		return result;
	if (e->kind == E_STRING) {
		if (strcmp((char *)buffer, e->text))
			fail(a->line, "getsockopt() said \"%s\", not \"%s\"", (char *)buffer, e->text);
	} else if (expr_field(e, "onoff")) {
		memcpy(&linger, buffer, sizeof(linger));
		if (linger.l_onoff != expr_int(expr_field(e, "onoff")) ||
		    linger.l_linger != expr_int(expr_field(e, "linger")))
			fail(a->line, "getsockopt() said {onoff=%d, linger=%d}", linger.l_onoff,
			     linger.l_linger);
	} else {
		memcpy(&value, buffer, sizeof(value));
		if (value != (int)expr_int(e))
			fail(a->line, "getsockopt() said %d, not %lld", value, expr_int(e));
	}
	return result;
}

static long do_close(const struct arguments *a)
{
	long result = SO(close, fd_live(a->e[0]));

	if (!result)
		fd_closed(expr_int(a->e[0]));
	return result;
}

static long do_pipe(const struct arguments *a)
{
	const struct expr *list = a->e[0]->first;
	int live[2];
	long result = SO(pipe, live);

	if (!result && expr_count(list) == 2) {
		fd_is(expr_int(list), live[0]);
		fd_is(expr_int(list->next), live[1]);
	}
	return result;
}

static long perform(const struct arguments *a)
{
	const char *name = a->call->name;
	long result;

	if (!strcmp(name, "socket"))
		return SO(socket, family(a), (int)argument_int(a, 1), (int)argument_int(a, 2));
	if (!strcmp(name, "bind"))
		return do_bind(a);
	if (!strcmp(name, "listen"))
		return do_listen(a);
	if (!strcmp(name, "accept") || !strcmp(name, "accept4"))
		return do_accept(a);
	if (!strcmp(name, "fcntl"))
		return do_fcntl(a);
	if (!strcmp(name, "ioctl"))
		return do_ioctl(a);
	if (!strcmp(name, "shutdown"))
		return SO(shutdown, fd_live(a->e[0]), (int)argument_int(a, 1));
	if (!strcmp(name, "setsockopt") && a->count == 5)
		return do_setsockopt(a);
	if (!strcmp(name, "getsockopt") && a->count == 5)
		return do_getsockopt(a);
	if (!strcmp(name, "close"))
		return do_close(a);
	if (!strcmp(name, "pipe"))
		return do_pipe(a);
	if (call_io(a, &result) || call_ready(a, &result))
		return result;
	fail(a->line, "%s(...) of %d arguments is beyond this player", name, a->count);
}

static bool makes_fd(const char *name)
{
	return !strcmp(name, "socket") || !strncmp(name, "accept", 6) || !strncmp(name, "epoll_create", 12);
}

void call_run(int line, const struct call *c)
{
	struct arguments a = { .line = line, .call = c };
	const struct expr *e;
	long result, wanted;
	int error;

	for (e = c->arguments; e; e = e->next) {
		if (a.count == 8)
			fail(line, "%s() has more than 8 arguments", c->name);
		a.e[a.count++] = e;
	}
	if (!a.count)
		fail(line, "%s() has no argument", c->name);
	errno = 0;
	result = perform(&a);
	error = result < 0 ? errno : 0;
	if (c->result->kind == E_ANY)
		return;
	wanted = expr_int(c->result);
	if (makes_fd(c->name) && wanted >= 0 && result >= 0) {
		fd_is(wanted, (int)result);
		return;
	}
	if (result != wanted)
		fail(line, "%s() returned %ld (%s), not %ld", c->name, result, errno_name(error), wanted);
	if (c->error && strcmp(errno_name(error), c->error) &&
	    !(error == EAGAIN && !strcmp(c->error, "EWOULDBLOCK")))
		fail(line, "%s() failed with %s, not %s", c->name, errno_name(error), c->error);
}
