// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that a script says will block are made from a second thread, which waits
 * for its event's time, calls, and then asks for the time once. The main thread
 * goes on when that thread sleeps or has nothing to do.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "play.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static const struct event *work;
static pid_t tid;

static void *serve(void *arg)
{
	const struct event *e;
	struct event end;

	pthread_mutex_lock(&lock);
	tid = (pid_t)syscall(SYS_gettid);
	for (;;) {
		while (!work)
			pthread_cond_wait(&given, &lock);
		e = work;
		pthread_mutex_unlock(&lock);
		play_wait(e);
		call_run(e->line, &e->call);
		end = *e;
		time_check(e->line, "the call's end", &end, play_now(), e->call.ends);
		pthread_mutex_lock(&lock);
		work = NULL;
	}
	return arg;
}

static bool idle(void)
{
	bool none;

	pthread_mutex_lock(&lock);
	none = !work;
	pthread_mutex_unlock(&lock);
	return none;
}

static bool sleeps(void)
{
	char path[64], stat[256] = "", *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	state = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
	fclose(f);
	return state && state[1] && state[2] == 'S';
}

void thread_settle(void)
{
	int asleep = 0;

	while (tid && !idle() && asleep < 3) { /* three looks: it may only be in passing */
		asleep = sleeps() ? asleep + 1 : 0;
		sched_yield();
	}
}

void thread_run(const struct event *e)
{
	pthread_t thread;

	thread_settle();
	if (!idle())
		fail(e->line, "%s(): the call before it still blocks", e->call.name);
	if (!tid) {
		if (pthread_create(&thread, NULL, serve, NULL))
			fail(e->line, "no thread");
		for (bool there = false; !there; sched_yield()) {
			pthread_mutex_lock(&lock);
			there = tid != 0;
			pthread_mutex_unlock(&lock);
		}
	}
	pthread_mutex_lock(&lock);
	work = e;
	pthread_cond_signal(&given);
	pthread_mutex_unlock(&lock);
	thread_settle();
}

/* At the end of the script: what still blocks is given until its time. */
void thread_end(void)
{
	struct event until = { .when = TIME_ABSOLUTE };

	thread_settle();
	if (idle())
		return;
	until.line = work->line;
	until.at = work->call.ends;
	play_wait(&until);
	thread_settle();
	if (!idle())
		fail(until.line, "the call never ended");
}
