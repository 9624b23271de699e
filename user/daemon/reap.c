// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/reap.h"

/* As many as there can be descriptors of ours: workers x queues, and porchd's own. */
#define QUEUE_MAX 8192u

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t threads[REAP_THREADS];
	unsigned int n_threads;
	int fds[QUEUE_MAX];
	uint32_t head, tail; /* modulo QUEUE_MAX when used */
	uint32_t closing;    /* taken out, not yet closed */
	bool stopping;
} reaper = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static void *run(void *arg)
{
	int fd;

	pthread_mutex_lock(&reaper.lock);
	for (;;) {
		while (reaper.head == reaper.tail && !reaper.stopping)
			pthread_cond_wait(&reaper.work, &reaper.lock);
		if (reaper.head == reaper.tail)
			break;
		fd = reaper.fds[reaper.head++ % QUEUE_MAX];
		reaper.closing++;
		pthread_mutex_unlock(&reaper.lock);
		close(fd);
		pthread_mutex_lock(&reaper.lock);
		reaper.closing--;
	}
	pthread_mutex_unlock(&reaper.lock);
	return NULL;
}

int reap_start(void)
{
	sigset_t all, was;
	int r = 0;

	/* signals are the daemon's thread's business */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	reaper.stopping = false;
	while (reaper.n_threads < REAP_THREADS && !r) {
		r = -pthread_create(&reaper.threads[reaper.n_threads], NULL, run, NULL);
		if (!r)
			reaper.n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return reaper.n_threads ? 0 : r;
}

void reap_stop(void)
{
	unsigned int i;

	pthread_mutex_lock(&reaper.lock);
	reaper.stopping = true;
	pthread_cond_broadcast(&reaper.work);
	pthread_mutex_unlock(&reaper.lock);
	for (i = 0; i < reaper.n_threads; i++)
		pthread_join(reaper.threads[i], NULL);
	reaper.n_threads = 0;
}

void reap_fd(int fd)
{
	bool queued = false;

	if (fd < 0)
		return;
	pthread_mutex_lock(&reaper.lock);
	if (reaper.n_threads && reaper.tail - reaper.head < QUEUE_MAX) {
		reaper.fds[reaper.tail++ % QUEUE_MAX] = fd;
		queued = true;
		pthread_cond_signal(&reaper.work);
	}
	pthread_mutex_unlock(&reaper.lock);
	if (!queued)
		close(fd);
}

uint32_t reap_left(void)
{
	uint32_t n;

	pthread_mutex_lock(&reaper.lock);
	n = reaper.tail - reaper.head + reaper.closing;
	pthread_mutex_unlock(&reaper.lock);
	return n;
}
