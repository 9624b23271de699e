/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process that calls exit() closes its connections in order, as it would close
 * sockets: every context that this thread used last. Those of other threads may
 * be in use at this moment; theirs end as a killed process's do.
 */
#include <pthread.h>

#include "lib/lib.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct porch *open_ones;

void exit_add(struct porch *p)
{
	p->thread = pthread_self();
	pthread_mutex_lock(&lock);
	p->next_open = open_ones;
	open_ones = p;
	pthread_mutex_unlock(&lock);
}

void exit_remove(struct porch *p)
{
	struct porch **at;

	pthread_mutex_lock(&lock);
	for (at = &open_ones; *at; at = &(*at)->next_open) {
		if (*at == p) {
			*at = p->next_open;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

__attribute__((destructor)) static void at_exit(void)
{
	struct porch *p = open_ones, *next;

	for (; p; p = next) {
		next = p->next_open;
		if (porch_is_ours(p) && pthread_equal(p->thread, pthread_self()))
			porch_close(p);
	}
}
