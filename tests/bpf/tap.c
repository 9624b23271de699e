// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type, newer than Debian 12's headers */

static int tap_fd = -1;

static int command(const char *text)
{
	return system(text);
}

static const char *configure(void)
{
	static const char script[] =
		"exec 2>/dev/null; set -e\n"
		"sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0\n"
		"sysctl -qw net.ipv6.conf.default.router_solicitations=0\n"
		"ip link set lo up\n"
		"ip link set porch0 address 02:50:00:00:00:01 mtu 1500 up\n"
		"ip addr add 192.0.2.1/24 dev porch0; ip addr add 192.0.2.9/24 dev porch0\n"
		"ip -6 addr add 2001:db8:5:100::1/64 dev porch0 nodad\n"
		"ip -6 addr add 2001:db8:5::1/64 dev porch0 nodad; ip -6 addr add 2001:db8:5::9/64 dev "
		"porch0 nodad\n"
		"ip neigh add 192.0.2.254 lladdr 02:43:00:00:00:02 dev porch0\n"
		"ip -6 neigh add 2001:db8:5::fe lladdr 02:43:00:00:00:02 dev porch0\n"
		"ip route add default via 192.0.2.254\n"
		"ip -6 route add default via 2001:db8:5::fe\n";

	return command(script) ? "ip(8) could not configure the TAP device" : NULL;
}

static const char *tap_open(void)
{
	__u32 ifindex;
	struct handshake *skel = harness_skeleton();
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	const char *why;

	strcpy(request.ifr_name, "porch0");
	tap_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap_fd < 0 || ioctl(tap_fd, TUNSETIFF, &request))
		return "no TAP device here";
	why = configure();
	if (why)
		return why;
	ifindex = if_nametoindex("porch0");
	world_wire(ifindex);
	if (bpf_link_create(bpf_program__fd(skel->progs.porch_tc), ifindex, TCX_INGRESS, NULL) < 0)
		return "no TCX here (kernel 6.6 and newer)";
	if (bpf_xdp_attach(ifindex, bpf_program__fd(skel->progs.porch_xdp), 0, NULL))
		return "no XDP on the TAP device";
	if (!bpf_program__attach(skel->progs.porch_sk_state))
		return "the tracepoint program does not attach";
	return NULL;
}

void tap_drain(void)
{
	__u8 frame[FRAME_MAX];

	while (read(tap_fd, frame, sizeof(frame)) > 0)
		;
}

static __u16 last_port; /* of the client that sent last */

void tap_send(const struct packet *p)
{
	struct frame f;

	last_port = p->sport;
	packet_build(p, &f);
	if (write(tap_fd, f.bytes, f.length) != (ssize_t)f.length)
		fail("the TAP device took no frame: %s", strerror(errno));
}

bool tap_receive(struct decoded *d)
{
	struct frame f = {};
	ssize_t n;

	while ((n = read(tap_fd, f.bytes, sizeof(f.bytes))) > 0) {
		__u32 at = get16(f.bytes + 12) == 0x86dd ? 20 : 23; /* neighbour discovery and the like */
		const char *wrong;

		f.length = n;
		if (f.bytes[at] != 6 || (get16(f.bytes + 12) != 0x86dd && get16(f.bytes + 12) != 0x0800))
			continue;
		wrong = packet_decode(&f, d);
		/* an earlier row's closed socket asks again */
		if ((d->flags & FIN) && d->dport != last_port)
			continue;
		/* the kernel leaves its own sums to the device */
		if (wrong && !strstr(wrong, "TCP checksum"))
			fail("sent: %s", wrong);
		return true;
	}
	return false;
}

bool tap_connect(const struct packet *syn, struct decoded *synack, struct packet *ack)
{
	tap_drain();
	tap_send(syn);
	if (!tap_receive(synack)) {
		fail("no SYN-ACK");
		return false;
	}
	if (synack->flags != (SYN | ACK) && synack->flags != (SYN | ACK | ECE)) {
		fail("the answer's flags are 0x%x", synack->flags);
		return false;
	}
	*ack = client_ack(syn, synack);
	return true;
}

/* ---- sockets ---- */

static int bound(int v6, __u16 port, int protocol)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, v6 ? (void *)&a6 : (void *)&a4, v6 ? sizeof(a6) : sizeof(a4))) {
		close(fd);
		return -1;
	}
	return fd;
}

int listen_on(int v6, __u16 port, int backlog)
{
	int fd = bound(v6, port, 0);

	if (fd < 0 || listen(fd, backlog))
		fail("no socket listens: %s", strerror(errno));
	return fd;
}

int listen_mptcp(int v6, __u16 port)
{
	int fd = bound(v6, port, 262 /* IPPROTO_MPTCP */);

	if (fd >= 0 && listen(fd, 16)) {
		close(fd);
		return -1;
	}
	return fd;
}

int listen_md5(int v6, __u16 port, const __u8 client[16])
{
	struct tcp_md5sig key = { .tcpm_keylen = 3, .tcpm_key = "abc" };
	int fd = bound(v6, port, 0);

	if (v6) {
		struct sockaddr_in6 *a = (void *)&key.tcpm_addr;

		a->sin6_family = AF_INET6;
		memcpy(&a->sin6_addr, client, 16);
	} else {
		struct sockaddr_in *a = (void *)&key.tcpm_addr;

		a->sin_family = AF_INET;
		memcpy(&a->sin_addr, client + 12, 4);
	}
	if (fd >= 0 && (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)) || listen(fd, 16))) {
		close(fd);
		return -1;
	}
	return fd;
}

int accept_from(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	if (poll(&p, 1, 1000) != 1)
		return -1;
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void sysctl_set(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* ---- rows on the wire ---- */

__u16 fresh_port(void)
{
	static __u16 port = 20000;

	return port++;
}

struct packet fresh_syn(int v6, const char *offers)
{
	struct packet syn = client_syn(v6, offers);

	syn.sport = fresh_port();
	return syn;
}

int flow_state(const struct packet *p)
{
	struct porch_tuple t = tuple_of(p);
	struct porch_flow *f = flow_of(&t);

	return f ? f->state : PORCH_FLOW_FREE;
}

bool expect_frame(__u16 flags, struct decoded *d, const char *what)
{
	if (!tap_receive(d)) {
		fail("%s: nothing was sent", what);
		return false;
	}
	if (d->flags != flags)
		fail("%s: flags are 0x%x, not 0x%x", what, d->flags, flags);
	return d->flags == flags;
}

void expect_silence(const char *what)
{
	struct decoded d;

	if (tap_receive(&d))
		fail("%s: a segment with flags 0x%x was sent", what, d.flags);
}

int tap_main(void (*rows)(int v6))
{
	static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };
	const char *why;

	harness_load(&options);
	why = tap_open();
	if (why) {
		row("real sockets behind a TAP device");
		row_skip(why);
		row_end("");
		return harness_end();
	}
	for (int v6 = 0; v6 < 2; v6++)
		rows(v6);
	return harness_end();
}
