// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One script: its events, one after the other, at their times. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define SPIN 20 /* microseconds before an event that are waited out by asking for the time */

static const struct event *last;

static long long so_now(void)
{
	struct timeval tv;

	if (play.so.gettimeofday(play.so.userdata, &tv, NULL) < 0)
		fail(0, "gettimeofday: %s", errno_name(errno));
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

long long play_now(void)
{
	return so_now() - play.start;
}

void time_check(int line, const char *what, const struct event *e, long long at, long long wanted)
{
	long long tolerance = play.settings.tolerance, until = e->range ? e->until : wanted;

	if (e->when == TIME_ANY)
		return;
	if (last && (double)(wanted - last->at) * play.settings.tolerance_share > (double)tolerance)
		tolerance = (long long)((double)(wanted - last->at) * play.settings.tolerance_share);
	if (at < wanted - tolerance || at > until + tolerance)
		fail(line, "%s at %.6f, expected at %.6f%s%.6f (tolerance %.6f)%s%s", what, (double)at / 1e6,
		     (double)wanted / 1e6, e->range ? "~" : ", +",
		     (double)(e->range ? until : at - wanted) / 1e6, (double)tolerance / 1e6,
		     e->kind == EVENT_PACKET ? ": " : "",
		     e->kind == EVENT_PACKET ? packet_text(&e->packet) : "");
}

void play_wait(const struct event *e)
{
	long long left, now;

	while ((left = e->at - (now = play_now())) > 0) {
		if (left > SPIN)
			play.so.usleep(play.so.userdata, (useconds_t)(left - SPIN));
	}
	time_check(e->line, "event", e, now, e->at);
}

static bool is_inbound(const struct event *e)
{
	return e->kind == EVENT_PACKET && e->packet.inbound;
}

/* Inbound packets in a row are timed from each other, all else from now. */
static void make_absolute(struct event *e)
{
	long long from;

	if (e->when == TIME_ABSOLUTE)
		return;
	from = last && is_inbound(last) && is_inbound(e) ? last->at : play_now();
	e->at += from;
	e->until += from;
	if (e->call.blocks)
		e->call.ends += from;
}

static void event_play(struct event *e)
{
	switch (e->kind) {
	case EVENT_PACKET:
		if (!e->packet.inbound) {
			packet_expect(e);
			return;
		}
		play_wait(e);
		if (play.settings.verbose)
			fprintf(stderr, "%10.6f < %s\n", (double)e->at / 1e6, packet_text(&e->packet));
		packet_send(e->line, &e->packet);
		return;
	case EVENT_CALL:
		if (e->call.blocks) {
			thread_run(e);
			return;
		}
		play_wait(e);
		call_run(e->line, &e->call);
		return;
	case EVENT_CODE:
		play_wait(e);
		code_run(e->line, e->code);
		return;
	case EVENT_SHELL:
		play_wait(e); /* the machine's settings are not ours */
		return;
	}
}

static char *file_read(const char *name)
{
	FILE *f = fopen(name, "r");
	char *all = NULL;
	size_t room = 0;
	ssize_t n;

	if (!f)
		fail(0, "%s", errno_name(errno));
	n = getdelim(&all, &room, '\0', f);
	fclose(f);
	if (n <= 0)
		fail(0, "an empty file");
	return all;
}

void script_play(const char *so, const char *flags, const char *script)
{
	packetdrill_interface_init_t init;
	struct event *e = script_parse(file_read(script), &play.settings);
	void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_DEEPBIND);

	if (!handle)
		fail(0, "%s", dlerror());
	*(void **)&init = dlsym(handle, "packetdrill_interface_init");
	if (!init)
		fail(0, "%s", dlerror());
	init(flags, &play.so);
	play.start = so_now();
	for (; e; e = e->next) {
		thread_settle();
		make_absolute(e);
		event_play(e);
		last = e;
	}
	thread_end();
	play.so.free(play.so.userdata);
}
