// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>

#include "daemon/finishing.h"
#include "daemon/flowtab.h"
#include "daemon/handback.h"
#include "daemon/log.h"
#include "daemon/worker.h"

/* Is it the connection that the flow table says it is? */
static bool same_connection(const struct porch_flow *f, const struct tcp_start *start)
{
	return !memcmp(start->remote, f->remote, 16) && !memcmp(start->local, f->local, 16) &&
	       start->remote_port == f->remote_port && start->local_port == f->local_port;
}

/* 0; -ESTALE: not a connection of this worker; or as finishing_add(). */
static int take(struct daemon *d, struct worker *w, const struct porch_handback_entry *e)
{
	const struct flow_row *row;
	struct tcp_handback state;

	if (e->flow >= d->tables.n_flows)
		return -EINVAL;
	row = &d->rows[e->flow];
	if (row->state != ROW_STEERED || row->worker != w->number || row->serial != e->serial ||
	    !flow_is(d, e->flow, e->serial))
		return -ESTALE;
	memcpy(&state, e + 1, sizeof(state));
	if (!same_connection(&d->tables.flows[e->flow], &state.start))
		return -EINVAL;
	return finishing_add(d, e->flow, &state, (const uint8_t *)(e + 1) + sizeof(state), e->octets);
}

uint32_t handback_take(struct daemon *d, struct worker *w, const void *memory, uint64_t size,
		       uint32_t connections, uint32_t *bad)
{
	const uint8_t *at = memory, *end = at + size;
	uint32_t i, taken = 0;

	*bad = 0;
	for (i = 0; i < connections; i++) {
		const struct porch_handback_entry *e = (const void *)at;
		int r;

		if ((size_t)(end - at) < sizeof(*e) || porch_handback_size(e) > (uint64_t)(end - at) ||
		    e->state_size != sizeof(struct tcp_handback)) {
			*bad += connections - i;
			break;
		}
		r = take(d, w, e);
		taken += !r;
		*bad += r == -EINVAL;
		at += porch_handback_size(e);
	}
	d->count.handed_back += taken;
	d->count.bad_handback += *bad;
	return taken;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* Maps what nobody can change any more. 0 or -errno, and why. */
static int map(const struct daemon *d, const struct message *m, void **ret, const char **why)
{
	uint64_t size = m->body.handback.size;
	struct stat st;
	int seals;

	*why = "handing back needs one memfd, sealed, of the size it says";
	if (m->n_fds != 1)
		return -EPROTO;
	seals = fcntl(m->fds[0], F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(m->fds[0], &st) || !size ||
	    (uint64_t)st.st_size < size)
		return -EPROTO;
	*why = "more than handback-memory of porch.conf";
	if (size > d->config.handback_memory)
		return -EMSGSIZE;
	*ret = mmap(NULL, size, PROT_READ, MAP_PRIVATE, m->fds[0], 0);
	*why = "it cannot be mapped";
	return *ret == MAP_FAILED ? -errno : 0;
}

/* What it says of its own resets is for people: no more than there can be. */
static uint32_t reset_by(const struct daemon *d, const struct message *m)
{
	uint32_t n = m->body.handback.reset;

	return n < d->tables.n_flows ? n : d->tables.n_flows;
}

void handback_message(struct peer *p, struct message *m)
{
	struct porch_msg answer = { .type = PORCH_MSG_HANDBACK };
	struct daemon *d = p->d;
	uint32_t bad = 0, reset = reset_by(d, m);
	const char *why;
	void *memory;

	d->count.not_handed_back += reset;
	if (!m->n_fds && !m->body.handback.connections && !m->body.handback.size) {
		log_limited(d->now, LOG_INFO,
			    "worker %u hands nothing back: %u connections had too much to say, and are reset",
			    p->worker->number, reset);
		return;
	}
	answer.result = map(d, m, &memory, &why);
	if (answer.result == -EPROTO) {
		d->count.bad_handback++;
		peer_refuse(p, answer.result, "%s", why);
		return;
	}
	if (!answer.result) {
		answer.handback.connections = handback_take(d, p->worker, memory, m->body.handback.size,
							    m->body.handback.connections, &bad);
		munmap(memory, m->body.handback.size);
	}
	log_limited(d->now, answer.result || bad ? LOG_WARNING : LOG_INFO,
		    "worker %u hands back %u connections: %u are finished for it, %u had too much to say%s%s",
		    p->worker->number, m->body.handback.connections, answer.handback.connections, reset,
		    answer.result ? "; " : "",
		    answer.result ? why
		    : bad	  ? "; the rest it was not to have"
				  : "");
	peer_send(p, &answer, NULL, 0);
}
