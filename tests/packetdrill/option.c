// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Socket options: those that mean something to this engine; ENOPROTOOPT to all others. */
#include <netinet/in.h>
#include <stdlib.h>

#include <linux/tcp.h>
#undef TCP_MSS_DEFAULT /* the engine has its own */

#include "drill.h"

#define BUFFER_LEAST 2048

static void apply(struct drill *d, struct sock *s)
{
	if (s->kind != SOCK_CONN || !s->flow || !s->flow->opened)
		return;
	s->flow->stack.now = d->now;
	conn_settings(s->flow, &s->o);
	drill_changed(d);
}

/* socket(7): it is doubled, for half is thought to be overhead. Of what is sent all counts, as scripts reckon
 * with; of what is received half, as the window does. */
static uint32_t buffer_of(int value)
{
	uint32_t v = value < 0 ? 0 : min_u32((uint32_t)value, 32u << 20);

	return max_u32(v, BUFFER_LEAST);
}

static int set_socket(struct drill *d, struct sock *s, int name, const void *value, socklen_t n)
{
	int v;

	if (name == SO_LINGER) {
		if (n < sizeof(struct linger))
			return -EINVAL;
		memcpy(&s->o.linger, value, sizeof(s->o.linger));
		return 0;
	}
	if (n < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	switch (name) {
	case SO_REUSEADDR:
	case SO_REUSEPORT:
		s->o.reuse = v;
		return 0;
	case SO_RCVBUF:
		s->o.rcvbuf = buffer_of(v);
		break;
	case SO_SNDBUF:
		s->o.sndbuf = 2 * buffer_of(v);
		break;
	case SO_KEEPALIVE:
		s->o.keepalive = !!v;
		break;
	default:
		return -ENOPROTOOPT;
	}
	apply(d, s);
	return 0;
}

static int set_congestion(struct sock *s, const char *name, socklen_t n)
{
	if (n >= 5 && !strncmp(name, "cubic", 5))
		s->o.congestion = TCP_CONGESTION_CUBIC;
	else if (n >= 4 && !strncmp(name, "reno", 4))
		s->o.congestion = TCP_CONGESTION_NEWRENO;
	else
		return -ENOENT;
	return 0;
}

/* tcp(7): not kept, it says how it goes on from here. */
static void quick_acks(struct drill *d, struct sock *s, int on)
{
	struct tcp_conn *c = s->kind == SOCK_CONN && s->flow ? &s->flow->conn : NULL;

	if (!c || !s->flow->opened || c->flags & TCP_CONN_DONE)
		return;
	c->quick = on ? TCP_QUICK_ACKS : 0;
	if (!on) {
		c->flags |= TCP_CONN_INTERACTIVE;
		return;
	}
	c->flags &= ~TCP_CONN_INTERACTIVE;
	if (c->flags & TCP_CONN_ACK_OWED) {
		c->flags |= TCP_CONN_ACK_NOW;
		output_later(&s->flow->stack, c);
		drill_changed(d);
	}
}

static int set_tcp(struct drill *d, struct sock *s, int name, const void *value, socklen_t n)
{
	int v, error;

	if (name == TCP_CONGESTION) {
		error = set_congestion(s, value, n);
		if (!error)
			apply(d, s);
		return error;
	}
	if (n < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	switch (name) {
	case TCP_NODELAY:
		s->o.nodelay = v;
		break;
	case TCP_CORK:
		s->o.cork = v;
		break;
	case TCP_MAXSEG:
		if (v && (v < 88 || v > 32767))
			return -EINVAL;
		s->o.maxseg = (uint32_t)v;
		break;
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		s->o.user_timeout = (uint32_t)v;
		break;
	case TCP_KEEPIDLE:
		if (v < 1 || v > 32767)
			return -EINVAL;
		s->o.keepidle = (uint32_t)v;
		break;
	case TCP_NOTSENT_LOWAT:
		s->o.notsent_lowat = (uint32_t)v;
		break;
	case TCP_INQ:
		if (v < 0 || v > 1)
			return -EINVAL;
		s->inq = v;
		return 0;
	case TCP_QUICKACK:
		quick_acks(d, s, v);
		return 0;
	case TCP_KEEPINTVL:
		if (v < 1 || v > 32767)
			return -EINVAL;
		s->o.keepintvl = (uint32_t)v;
		break;
	case TCP_KEEPCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		s->o.keepcnt = (uint32_t)v;
		break;
	default:
		return -ENOPROTOOPT;
	}
	apply(d, s);
	return 0;
}

int do_setsockopt(struct drill *d, struct sock *s, int level, int name, const void *value, socklen_t n)
{
	if (s->kind != SOCK_NEW && s->kind != SOCK_LISTEN && s->kind != SOCK_CONN)
		return -ENOTSOCK;
	if (level == SOL_SOCKET)
		return set_socket(d, s, name, value, n);
	if (level == IPPROTO_TCP)
		return set_tcp(d, s, name, value, n);
	return -ENOPROTOOPT;
}

static int give(void *value, socklen_t *n, const void *from, socklen_t length)
{
	if (*n > length)
		*n = length;
	memcpy(value, from, *n);
	return 0;
}

static int get_socket(struct sock *s, int name, void *value, socklen_t *n)
{
	uint32_t memory[9] = {};
	int v;

	switch (name) {
	case SO_LINGER:
		return give(value, n, &s->o.linger, sizeof(s->o.linger));
	case SO_REUSEADDR:
	case SO_REUSEPORT:
		v = s->o.reuse;
		break;
	case SO_RCVBUF:
		v = (int)(2 * (s->o.rcvbuf ? s->o.rcvbuf : DRILL_BUFFER));
		break;
	case SO_SNDBUF:
		v = (int)(s->o.sndbuf ? s->o.sndbuf : DRILL_BUFFER);
		break;
	case SO_KEEPALIVE:
		v = (int)s->o.keepalive;
		break;
	case SO_ERROR:
		v = -sock_pending_error(s);
		break;
	case SO_TYPE:
		v = SOCK_STREAM;
		break;
	case SO_DOMAIN:
		v = s->family;
		break;
	case SO_PROTOCOL:
		v = IPPROTO_TCP;
		break;
	case SO_ACCEPTCONN:
		v = s->kind == SOCK_LISTEN;
		break;
	case SO_MEMINFO: /* packetdrill asks before each assertion; include/uapi/linux/sock_diag.h has the
			    order */
		if (s->kind == SOCK_CONN && s->flow && s->flow->opened) {
			memory[0] = receive_unread(&s->flow->conn);
			memory[5] = s->flow->conn.snd_end - s->flow->conn.snd_una;
		}
		memory[1] = s->o.rcvbuf ? s->o.rcvbuf : DRILL_BUFFER;
		memory[3] = s->o.sndbuf ? s->o.sndbuf : DRILL_BUFFER;
		return give(value, n, memory, sizeof(memory));
	default:
		return -ENOPROTOOPT;
	}
	return give(value, n, &v, sizeof(v));
}

static int get_tcp(struct drill *d, struct sock *s, int name, void *value, socklen_t *n)
{
	static const char names[2][16] = { "cubic", "reno" };
	int v;

	switch (name) {
	case TCP_INFO:
		return info_get(d, s, value, n);
	case TCP_CC_INFO: /* likewise; neither has any */
		*n = 0;
		return 0;
	case TCP_CONGESTION:
		return give(value, n, names[s->o.congestion == TCP_CONGESTION_NEWRENO], sizeof(names[0]));
	case TCP_NODELAY:
		v = s->o.nodelay;
		break;
	case TCP_CORK:
		v = s->o.cork;
		break;
	case TCP_MAXSEG:
		v = s->kind == SOCK_CONN && s->flow ? s->flow->conn.mss
		    : s->o.maxseg		    ? (int)s->o.maxseg
						    : 536;
		break;
	case TCP_USER_TIMEOUT:
		v = (int)s->o.user_timeout;
		break;
	case TCP_NOTSENT_LOWAT:
		v = (int)s->o.notsent_lowat;
		break;
	case TCP_INQ:
		v = s->inq;
		break;
	case TCP_QUICKACK:
		v = !(s->kind == SOCK_CONN && s->flow && s->flow->conn.flags & TCP_CONN_INTERACTIVE);
		break;
	case TCP_KEEPIDLE:
		v = (int)s->o.keepidle;
		break;
	case TCP_KEEPINTVL:
		v = (int)(s->o.keepintvl ? s->o.keepintvl : min_u32(s->o.keepidle, 75));
		break;
	case TCP_KEEPCNT:
		v = s->o.keepcnt ? (int)s->o.keepcnt : TCP_KEEPALIVE_PROBES;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return give(value, n, &v, sizeof(v));
}

int do_getsockopt(struct drill *d, struct sock *s, int level, int name, void *value, socklen_t *n)
{
	if (s->kind != SOCK_NEW && s->kind != SOCK_LISTEN && s->kind != SOCK_CONN)
		return -ENOTSOCK;
	if (level == SOL_SOCKET)
		return get_socket(s, name, value, n);
	if (level == IPPROTO_TCP)
		return get_tcp(d, s, name, value, n);
	return -ENOPROTOOPT;
}
