// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include <bpf/bpf.h>

#include "core/netlink.h"
#include "core/err.h"
#include "core/listeners.h"
#include "core/pins.h"
#include "core/seed.h"
#include "core/util.h"

#define STATE(name) (1u << TCP_##name)
#define CONNECTIONS                                                                                          \
	(STATE(ESTABLISHED) | STATE(FIN_WAIT1) | STATE(FIN_WAIT2) | STATE(TIME_WAIT) | STATE(CLOSE_WAIT) |   \
	 STATE(LAST_ACK) | STATE(CLOSING))

static void mapped(__u8 to[16], const __be32 from[4], __u8 family)
{
	if (family == AF_INET6) {
		memcpy(to, from, 16);
		return;
	}
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, from, 4);
}

static int dump(__u8 family, __u32 states, porch_nl_fn fn, void *arg)
{
	struct porch_nl_request request;
	struct inet_diag_req_v2 *header =
		porch_nl_request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*header));
	int r;

	header->sdiag_family = family;
	header->sdiag_protocol = IPPROTO_TCP;
	header->idiag_states = states;
	r = porch_nl_ask(NETLINK_SOCK_DIAG, &request, fn, arg);
	return family == AF_INET6 && (r == -ENOENT || r == -EAFNOSUPPORT) ? 0 : r;
}

struct seed {
	const struct porch_tables *tables;
	int program;
};

static int seed_one(const struct nlmsghdr *message, void *arg)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	struct porch_seed_args args = {};
	struct seed *seed = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)))
		return 0;
	args.tuple.local_port = ntohs(socket->id.idiag_sport);
	args.tuple.remote_port = ntohs(socket->id.idiag_dport);
	mapped(args.tuple.local, socket->id.idiag_src, socket->idiag_family);
	mapped(args.tuple.remote, socket->id.idiag_dst, socket->idiag_family);
	if (!porch_listener_covering(seed->tables, args.tuple.local, args.tuple.local_port))
		return 0;
	/* No state change will come for a TIME-WAIT. One whose FIN-WAIT-2 shrank to one has no inode either.
	 */
	args.closing = socket->idiag_state == TCP_TIME_WAIT ||
		       (socket->idiag_state == TCP_FIN_WAIT2 && !socket->idiag_inode);
	return bpf_prog_test_run_opts(seed->program, &opts) ? -errno : 0;
}

int porch_seed_connections(const struct porch_tables *tables, const char *dir, struct porch_err *err)
{
	struct seed seed = { .tables = tables };
	char path[2 * PORCH_PIN_PATH];
	_cleanup_close_ int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/porch_seed", dir);
	seed.program = fd = bpf_obj_get(path);
	if (fd < 0) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	r = dump(AF_INET, CONNECTIONS, seed_one, &seed);
	if (!r)
		r = dump(AF_INET6, CONNECTIONS, seed_one, &seed);
	if (r == -ENOENT)
		return porch_err_set(
			err, r,
			"connections of this host cannot be listed: this kernel has no sock_diag "
			"for TCP; run 'modprobe tcp_diag', then try again");
	return r ? porch_err_set(err, r, "connections of this host: sock_diag: %s", strerror(-r)) : 0;
}

struct sockets {
	struct porch_listen_socket *all;
	size_t n;
};

static int take_socket(const struct nlmsghdr *message, void *arg)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	const struct rtattr *attrs[INET_DIAG_SKV6ONLY + 1];
	struct porch_listen_socket one = {}, *all;
	struct sockets *sockets = arg;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)))
		return 0;
	porch_nl_attrs(message, sizeof(*socket), attrs, INET_DIAG_SKV6ONLY);
	mapped(one.address, socket->id.idiag_src, socket->idiag_family);
	one.port = ntohs(socket->id.idiag_sport);
	one.accept_queue = socket->idiag_rqueue;
	one.backlog = socket->idiag_wqueue;
	one.v6only = attrs[INET_DIAG_SKV6ONLY] && *(const __u8 *)RTA_DATA(attrs[INET_DIAG_SKV6ONLY]);
	all = reallocarray(sockets->all, sockets->n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	sockets->all = all;
	all[sockets->n++] = one;
	return 0;
}

int porch_listen_sockets(struct porch_listen_socket **ret, size_t *n)
{
	struct sockets sockets = {};
	int r;

	r = dump(AF_INET, STATE(LISTEN), take_socket, &sockets);
	if (!r)
		r = dump(AF_INET6, STATE(LISTEN), take_socket, &sockets);
	if (r) {
		free(sockets.all);
		return r;
	}
	*ret = sockets.all;
	*n = sockets.n;
	return 0;
}

static bool is_v4(const __u8 address[16])
{
	static const __u8 prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(address, prefix, sizeof(prefix));
}

static bool is_wildcard_for(const struct porch_listen_socket *socket, bool v4)
{
	static const __u8 any4[16] = { [10] = 0xff, [11] = 0xff }, any6[16];

	if (!memcmp(socket->address, any6, 16))
		return !v4 || !socket->v6only;
	return v4 && !memcmp(socket->address, any4, 16);
}

bool porch_listen_sockets_match(const struct porch_listen_socket *sockets, size_t n,
				const struct porch_listener_entry *listener, __u32 *accept_queue, __u32 *backlog)
{
	__u32 waiting[2] = {}, room[2] = {};
	bool found[2] = {};
	size_t i;

	for (i = 0; i < n; i++) {
		int exact = listener->any_address || !memcmp(sockets[i].address, listener->address, 16);

		if (sockets[i].port != listener->port ||
		    (!exact && !is_wildcard_for(&sockets[i], is_v4(listener->address))))
			continue;
		found[exact] = true;
		waiting[exact] += sockets[i].accept_queue;
		room[exact] += sockets[i].backlog;
	}
	if (!found[0] && !found[1])
		return false;
	/* a socket of that very address keeps the wildcard's from its connections */
	*accept_queue = waiting[found[1]];
	*backlog = room[found[1]];
	return true;
}
