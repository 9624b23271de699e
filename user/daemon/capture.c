// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <sys/stat.h>
#include <syslog.h>

#include "daemon/capture.h"

void capture_begin(struct peer *p, struct message *m)
{
	struct daemon *d = p->d;
	struct porch_msg answer = { .type = PORCH_MSG_CAPTURE };
	struct stat st;
	uint32_t i, told = 0;

	if (m->n_fds != 1 || fstat(m->fds[0], &st) || !S_ISFIFO(st.st_mode)) {
		peer_refuse(p, -EINVAL, "capture needs one pipe");
		return;
	}
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		struct worker *w = d->workers[i];

		if (w && w->ready && w->peer && !message_send(w->peer->fd, &m->body, m->fds, 1))
			told++;
	}
	log_line(LOG_NOTICE, "pid %u (uid %u) captures the connections of %u workers", p->pid, p->uid, told);
	answer.capture = m->body.capture;
	if (!peer_send(p, &answer, NULL, 0))
		peer_close(p, "it was answered");
}
