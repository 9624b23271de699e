// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* poll and epoll: what is asked, and what is to come back. */
#include <string.h>

#include "play.h"

#define SO(call, ...) play.so.call(play.so.userdata, ##__VA_ARGS__)
#define MOST	      32

static long do_poll(const struct arguments *a)
{
	const struct expr *e, *want;
	struct pollfd fds[MOST];
	long result;
	int n = 0;

	for (e = a->e[0]->first; e; e = e->next) {
		if (n == MOST || !expr_field(e, "fd") || !expr_field(e, "events"))
			fail(a->line, "poll([{fd=, events=, revents=}, ...], n, timeout)");
		fds[n++] = (struct pollfd){ .fd = fd_live(expr_field(e, "fd")),
					    .events = (short)expr_int(expr_field(e, "events")) };
	}
	result = SO(poll, fds, (nfds_t)argument_int(a, 1), (int)argument_int(a, 2));
	n = 0;
	for (e = a->e[0]->first; e && result >= 0; e = e->next, n++) {
		want = expr_field(e, "revents");
		if (fds[n].revents != (want ? expr_int(want) : 0))
			fail(a->line, "poll() said revents=%#x, not %#llx", fds[n].revents,
			     want ? expr_int(want) : 0);
	}
	return result;
}

static void event_of(const struct expr *e, struct epoll_event *ret)
{
	const struct expr *fd = expr_field(e, "fd"), *data = expr_field(e, "ptr");

	ret->events = (uint32_t)expr_int(expr_field(e, "events"));
	ret->data.u64 = 0;
	if (!data)
		data = expr_field(e, "u32");
	if (!data)
		data = expr_field(e, "u64");
	if (fd)
		ret->data.fd = fd_live(fd);
	else if (data)
		ret->data.u64 = (uint64_t)expr_int(data);
}

static long do_epoll_ctl(const struct arguments *a)
{
	struct epoll_event event = {};

	if (a->count > 3 && expr_field(a->e[3], "events"))
		event_of(a->e[3], &event);
	return SO(epoll_ctl, fd_live(a->e[0]), (int)argument_int(a, 1), fd_live(a->e[2]), &event);
}

static long do_epoll_wait(const struct arguments *a)
{
	const struct expr *e =
		a->e[1]->kind == E_LIST && !expr_field(a->e[1], "events") ? a->e[1]->first : a->e[1];
	struct epoll_event events[MOST] = {}, want;
	int most = (int)argument_int(a, 2);
	long result;

	if (most > MOST)
		most = MOST;
	result = SO(epoll_wait, fd_live(a->e[0]), events, most, (int)argument_int(a, 3));
	for (long i = 0; i < result && e && expr_field(e, "events"); i++, e = e == a->e[1] ? NULL : e->next) {
		event_of(e, &want);
		if (events[i].events != want.events)
			fail(a->line, "epoll_wait() said events=%#x, not %#x", events[i].events, want.events);
		if (events[i].data.u64 != want.data.u64)
			fail(a->line, "epoll_wait() said data of another descriptor");
	}
	return result;
}

bool call_ready(const struct arguments *a, long *result)
{
	const char *name = a->call->name;

	if (!strcmp(name, "poll") && a->count == 3)
		*result = do_poll(a);
	else if (!strncmp(name, "epoll_create", 12))
		*result = SO(epoll_create, !strcmp(name, "epoll_create1") ? 1 : (int)argument_int(a, 0));
	else if (!strcmp(name, "epoll_ctl") && a->count >= 3)
		*result = do_epoll_ctl(a);
	else if (!strcmp(name, "epoll_wait") && a->count == 4)
		*result = do_epoll_wait(a);
	else
		return false;
	return true;
}
