// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks of the listening sockets behind porch's listeners, by sock_diag.
 *
 * TCP_DEFER_ACCEPT is not among them: the kernel does not show it on a
 * listening socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "core/doctor.h"
#include "core/netlink.h"

struct socket {
	__u8 address[16]; /* as in maps.h; all zero: any */
	__u16 port;
	__u32 ifindex; /* SO_BINDTODEVICE, 0: none */
	bool v6;
	bool v6only;
	bool mptcp;
	bool md5;
	bool transparent; /* IP_TRANSPARENT: a TPROXY service */
	__u32 rcvbuf;
};

struct sockets {
	struct socket *socket;
	size_t n;
};

static bool is_zero(const __u8 *bytes, size_t n)
{
	while (n--) {
		if (*bytes++)
			return false;
	}
	return true;
}

static void parse_socket(const struct nlmsghdr *message, const struct inet_diag_msg *header, struct socket *s)
{
	const struct rtattr *attr[INET_DIAG_SOCKOPT + 1], *ulp[INET_ULP_INFO_MAX + 1];

	memset(s, 0, sizeof(*s));
	s->v6 = header->idiag_family == AF_INET6;
	s->port = ntohs(header->id.idiag_sport);
	s->ifindex = header->id.idiag_if;
	if (s->v6) {
		memcpy(s->address, header->id.idiag_src, 16);
	} else if (header->id.idiag_src[0]) {
		memset(s->address + 10, 0xff, 2);
		memcpy(s->address + 12, header->id.idiag_src, 4);
	}
	porch_nl_attrs(message, sizeof(*header), attr, INET_DIAG_SOCKOPT);
	if (attr[INET_DIAG_SKV6ONLY] && RTA_PAYLOAD(attr[INET_DIAG_SKV6ONLY]) >= 1)
		s->v6only = *(const __u8 *)RTA_DATA(attr[INET_DIAG_SKV6ONLY]);
	if (attr[INET_DIAG_SKMEMINFO] &&
	    RTA_PAYLOAD(attr[INET_DIAG_SKMEMINFO]) > SK_MEMINFO_RCVBUF * sizeof(__u32))
		s->rcvbuf = ((const __u32 *)RTA_DATA(attr[INET_DIAG_SKMEMINFO]))[SK_MEMINFO_RCVBUF];
	if (attr[INET_DIAG_SOCKOPT] &&
	    RTA_PAYLOAD(attr[INET_DIAG_SOCKOPT]) >= sizeof(struct inet_diag_sockopt))
		s->transparent =
			((const struct inet_diag_sockopt *)RTA_DATA(attr[INET_DIAG_SOCKOPT]))->transparent;
	s->md5 = attr[INET_DIAG_MD5SIG] != NULL;
	porch_nl_nested(attr[INET_DIAG_ULP_INFO], ulp, INET_ULP_INFO_MAX);
	if (ulp[INET_ULP_INFO_NAME])
		s->mptcp = !strncmp(RTA_DATA(ulp[INET_ULP_INFO_NAME]), "mptcp",
				    RTA_PAYLOAD(ulp[INET_ULP_INFO_NAME]));
}

static int take_socket(const struct nlmsghdr *message, void *arg)
{
	const struct inet_diag_msg *header = NLMSG_DATA(message);
	struct sockets *sockets = arg;
	struct socket *grown;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) || header->idiag_state != TCP_LISTEN)
		return 0;
	grown = reallocarray(sockets->socket, sockets->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sockets->socket = grown;
	parse_socket(message, header, &grown[sockets->n++]);
	return 0;
}

static int list_sockets(struct sockets *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct porch_nl_request request;
	struct inet_diag_req_v2 *header;
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < 2; i++) {
		header = porch_nl_request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*header));
		header->sdiag_family = families[i];
		header->sdiag_protocol = IPPROTO_TCP;
		header->idiag_states = 1u << TCP_LISTEN;
		/* MD5 keys and the protocol above TCP come along with INFO only */
		header->idiag_ext = 1u << (INET_DIAG_SKMEMINFO - 1) | 1u << (INET_DIAG_INFO - 1);
		r = porch_nl_ask(NETLINK_SOCK_DIAG, &request, take_socket, ret);
		/* no IPv6 in this kernel is no error */
		if (r && !(families[i] == AF_INET6 && r == -ENOENT)) {
			free(ret->socket);
			memset(ret, 0, sizeof(*ret));
			return r;
		}
	}
	return 0;
}

static const char *show(const __u8 address[16], bool any, __u16 port, char *buf, size_t size)
{
	static const __u8 v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char text[INET6_ADDRSTRLEN];

	if (any)
		snprintf(buf, size, "*:%u", port);
	else if (!memcmp(address, v4_mapped, sizeof(v4_mapped)))
		snprintf(buf, size, "%s:%u", inet_ntop(AF_INET, address + 12, text, sizeof(text)), port);
	else
		snprintf(buf, size, "[%s]:%u", inet_ntop(AF_INET6, address, text, sizeof(text)), port);
	return buf;
}

static bool serves(const struct socket *s, const struct porch_doctor_target *target,
		   const struct porch_doctor_listener *l)
{
	if (s->port != l->port || (s->ifindex && s->ifindex != (__u32)target->ifindex))
		return false;
	if (l->any || !memcmp(s->address, l->address, 16))
		return true;
	if (!is_zero(s->address, 16))
		return false;
	/* the any address of its family, or of both */
	return s->v6 == !is_zero(l->address, 10) || (s->v6 && !s->v6only);
}

static bool has_ipv6_address(void)
{
	FILE *file = fopen("/proc/net/if_inet6", "re");
	char line[128];
	bool found = false;

	if (!file)
		return false;
	/* last word: the interface; link-local addresses carry no service */
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "fe80", 4) && strcmp(line + strlen(line) - 3, "lo\n"))
			found = true;
	}
	fclose(file);
	return found;
}

static void judge(const struct porch_doctor_target *target, const struct porch_doctor_listener *l,
		  const struct sockets *sockets, struct porch_report *report)
{
	bool v4 = false, v6 = false, mptcp = false, md5 = false, transparent = false;
	char name[INET6_ADDRSTRLEN + 16];
	size_t i, n = 0;

	show(l->address, l->any, l->port, name, sizeof(name));
	for (i = 0; i < sockets->n; i++) {
		const struct socket *s = &sockets->socket[i];

		if (!serves(s, target, l))
			continue;
		n++;
		v4 |= !s->v6 || (is_zero(s->address, 16) && !s->v6only);
		v6 |= s->v6;
		mptcp |= s->mptcp;
		md5 |= s->md5;
		transparent |= s->transparent;
	}
	if (!n) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s: no socket listens there, in this network namespace", name);
		porch_advise(report,
			     "start the service; one in a container has its own namespace: attach there");
	} else if (mptcp) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s: an MPTCP listener, whose SYNs porch leaves to the kernel", name);
		porch_advise(report, "switch MPTCP off in the service (Go: GODEBUG=multipathtcp=0; nginx: no "
				     "'multipath')");
	} else if (md5) {
		porch_find(report, PORCH_DOCTOR_FAIL, "%s: has TCP-MD5 keys: its SYNs are left to the kernel",
			   name);
		porch_advise(report, "do not list this port; let the firewall name its peers instead");
	} else if (l->any && !v6 && has_ipv6_address()) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%s: the service listens on IPv4 only, '*' means IPv6 as well", name);
		porch_advise(report,
			     "let it listen on [::]:%u too, or list its IPv4 addresses instead of '*'",
			     l->port);
	} else if (l->any && !v4) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%s: the service listens on IPv6 only, '*' means IPv4 as well", name);
		porch_advise(report,
			     "let it listen on 0.0.0.0:%u too, or list its IPv6 addresses instead of '*'",
			     l->port);
	} else if (transparent) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%s: a transparent proxy; porch serves this host's own addresses only", name);
		porch_advise(report, "connections to foreign addresses pass untouched, and unprotected");
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "%s: %zu listening socket%s", name, n, n == 1 ? "" : "s");
	}
}

/* Nothing listed yet: what not to list. */
static void survey(const struct sockets *sockets, struct porch_report *report)
{
	char name[INET6_ADDRSTRLEN + 16];
	size_t i, odd = 0;

	for (i = 0; i < sockets->n; i++) {
		const struct socket *s = &sockets->socket[i];

		if (!s->mptcp && !s->md5)
			continue;
		odd++;
		show(s->address, is_zero(s->address, 16), s->port, name, sizeof(name));
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%s %s: the kernel would refuse its connections from porch", name,
			   s->mptcp ? "is an MPTCP listener" : "has TCP-MD5 keys");
		porch_advise(report, "%s",
			     s->mptcp ? "switch MPTCP off in the service, or do not list its port"
				      : "do not list its port");
	}
	if (!odd)
		porch_find(report, PORCH_DOCTOR_OK, "no listening socket (of %zu) uses MPTCP or TCP-MD5",
			   sockets->n);
}

static void check_listeners(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct sockets sockets;
	size_t i;
	int r;

	r = list_sockets(&sockets);
	if (r) {
		porch_find(report, PORCH_DOCTOR_WARN, "listening sockets cannot be listed: %s", strerror(-r));
		porch_advise(report, "modprobe tcp_diag (the kernel needs CONFIG_INET_DIAG)");
		return;
	}
	for (i = 0; i < target->n_listeners; i++) {
		/* of deliver=afxdp nobody expects one */
		if (!target->listeners[i].afxdp)
			judge(target, &target->listeners[i], &sockets, report);
	}
	if (!target->n_listeners)
		survey(&sockets, report);
	free(sockets.socket);
}

const struct porch_doctor_check porch_doctor_listening_checks[] = {
	{ "listener", check_listeners },
	{},
};
