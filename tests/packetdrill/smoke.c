// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The shared object through the interface and nothing else, as packetdrill uses
 * it: a thread for what blocks, time by usleep() and gettimeofday(). Each story
 * in each family, over the model and over the BPF programs.
 *
 * smoke SHARED-OBJECT
 */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <linux/tcp.h>

#include "interface.h"
#include "wirepeer.h"

#define MS     1000
#define SECOND (1000 * MS)

static struct packetdrill_interface t;
static const char *story;
static int passed, failed, bad;
static bool v6, mapped; /* mapped: an IPv6 socket, IPv4 on the wire */

#define must(condition)                                                                                      \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			printf("# %s: line %d: %s\n", story, __LINE__, #condition);                          \
			bad++;                                                                               \
			return;                                                                              \
		}                                                                                            \
	} while (0)

#define CALL(name, ...) t.name(t.userdata, ##__VA_ARGS__)

static long long now(void)
{
	struct timeval tv;

	CALL(gettimeofday, &tv, NULL);
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static void in(const struct packet *p)
{
	uint8_t bytes[PACKET_MAX];

	if (CALL(netdev_send, bytes, peer_build(p, v6, bytes)))
		bad++;
}

/* The next one out; its time. -1: there is none, or it is malformed. */
static long long out(struct packet *p)
{
	uint8_t bytes[PACKET_MAX];
	size_t n = sizeof(bytes);
	long long at = 0;

	*p = (struct packet){};
	if (CALL(netdev_receive, bytes, &n, &at) || !n || !peer_parse(bytes, (uint32_t)n, v6, p))
		return -1;
	return at;
}

static void mapped_to(const uint8_t v4[4], struct in6_addr *ret)
{
	*ret = (struct in6_addr){ .s6_addr = { [10] = 0xff, 0xff, v4[0], v4[1], v4[2], v4[3] } };
}

static int listening(void)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(HOST_PORT) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(HOST_PORT) };
	bool six = v6 || mapped;
	int fd = CALL(socket, six ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP), on = 1;

	memcpy(&in4.sin_addr, host_address[0], 4);
	if (v6)
		memcpy(&in6.sin6_addr, host_address[1], 16);
	else
		mapped_to(host_address[0], &in6.sin6_addr);
	if (fd < 0 || CALL(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -1;
	if (CALL(bind, fd, six ? (void *)&in6 : (void *)&in4, six ? sizeof(in6) : sizeof(in4)) ||
	    CALL(listen, fd, 1))
		return -1;
	return fd;
}

static const struct packet first_syn = { .flags = SYN,
					 .seq = 0,
					 .window = 32792,
					 .mss = 1000,
					 .sack_permitted = true,
					 .has_wscale = true,
					 .wscale = 7,
					 .has_ts = true,
					 .tsval = 100 };

/* The peer's next segment: right numbers, no payload. */
static struct packet segment(const struct packet *synack, uint32_t seq, uint32_t ack, uint8_t flags)
{
	return (struct packet){ .flags = flags,
				.seq = seq,
				.ack = synack->seq + ack,
				.window = 257,
				.has_ts = true,
				.tsval = synack->tsecr + 1,
				.tsecr = synack->tsval };
}

static int connected(int listener, struct packet *synack)
{
	struct packet ack;

	in(&first_syn);
	if (out(synack) < 0)
		return -1;
	ack = segment(synack, 1, 1, ACK);
	in(&ack);
	return CALL(accept, listener, NULL, NULL);
}

static void handshake(void)
{
	int listener = listening();
	struct packet p, again;
	long long at, later;

	must(listener >= 0);
	in(&first_syn);
	at = out(&p);
	must(at >= 0 && p.flags == (SYN | ACK) && p.ack == 1 && p.sport == HOST_PORT && p.dport == PEER_PORT);
	must(p.mss == (v6 ? 1440 : 1460) && p.sack_permitted && p.has_wscale && p.has_ts && p.tsecr == 100);
	/* nobody answers: it is said again after a second, and two */
	later = out(&again);
	must(later - at > 990 * MS && later - at < 1300 * MS);
	must(again.flags == (SYN | ACK) && again.seq == p.seq && again.ack == 1 && again.tsval == p.tsval);
	later = out(&again);
	must(later - at > 2990 * MS && later - at < 3300 * MS);
	p = (struct packet){ .flags = RST, .seq = 1 };
	in(&p);
	must(out(&again) < 0); /* he has given up, so nothing more */
}

struct blocked {
	int listener, fd;
	long long returned;
	struct sockaddr_storage from;
	socklen_t length;
};

static void *accepts(void *arg)
{
	struct blocked *b = arg;

	b->length = sizeof(b->from);
	b->fd = CALL(accept, b->listener, (struct sockaddr *)&b->from, &b->length);
	b->returned = now();
	return NULL;
}

static void blocking(void)
{
	struct blocked b = { .listener = listening() };
	struct packet p, ack;
	long long began;
	pthread_t thread;

	must(b.listener >= 0);
	began = now();
	must(!pthread_create(&thread, NULL, accepts, &b));
	usleep(20 * MS); /* packetdrill looks into /proc whether it sleeps */
	in(&first_syn);
	CALL(usleep, 100 * MS);
	out(&p);
	ack = segment(&p, 1, 1, ACK);
	in(&ack);
	CALL(usleep, 5 * SECOND); /* whatever the scheduler does, it came back before this */
	pthread_join(thread, NULL);
	must(b.fd >= 0 && b.length == (v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)));
	must(((struct sockaddr_in *)&b.from)->sin_port == htons(PEER_PORT));
	must(b.returned - began >= 100 * MS && b.returned - began < 110 * MS);
	must(!CALL(close, b.fd));
}

static void data(void)
{
	int listener = listening(), fd, value = -1;
	struct packet synack, p, got;
	struct tcp_info info = {};
	socklen_t n = sizeof(info);
	char buf[2000] = {};

	must(listener >= 0);
	fd = connected(listener, &synack);
	must(fd >= 0);
	p = segment(&synack, 1, 1, ACK | PSH);
	p.length = 700;
	memset(p.payload, 'x', 700);
	in(&p);
	must(!CALL(ioctl, fd, SIOCINQ, &value) && value == 700);
	must(out(&got) >= 0 && got.flags == ACK && got.ack == 701 && got.seq == synack.seq + 1);
	must(CALL(recv, fd, buf, sizeof(buf), MSG_PEEK) == 700 && CALL(read, fd, buf, sizeof(buf)) == 700 &&
	     buf[699] == 'x');
	must(CALL(recv, fd, buf, sizeof(buf), MSG_DONTWAIT) == -1 && errno == EAGAIN);
	must(CALL(write, fd, buf, 1500) == 1500);
	must(out(&got) >= 0 && got.length == 988 && got.seq == synack.seq + 1 && got.ack == 701);
	must(out(&got) >= 0 && got.length == 512 && got.seq == synack.seq + 989 && got.flags & PSH);
	must(!CALL(ioctl, fd, SIOCOUTQ, &value) && value == 1500);
	/* the way packetdrill's assertions ask: not through the interface */
	must(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n));
	must(info.tcpi_state == 1 && info.tcpi_unacked == 2 && info.tcpi_snd_cwnd == 10 &&
	     info.tcpi_snd_mss == 988);
	p = segment(&synack, 701, 1501, ACK);
	in(&p);
	must(!CALL(ioctl, fd, SIOCOUTQ, &value) && value == 0);
	must(CALL(write, listener, buf, 1) == -1 && CALL(write, 12345, buf, 1) == -1 && errno == EBADF);
}

static void ending(void)
{
	int listener = listening(), fd;
	struct packet synack, p, got;
	char buf[10];

	must(listener >= 0);
	fd = connected(listener, &synack);
	must(fd >= 0);
	must(!CALL(close, fd));
	must(out(&got) >= 0 && got.flags & FIN && got.seq == synack.seq + 1);
	p = segment(&synack, 1, 2, ACK);
	in(&p);
	p = segment(&synack, 1, 2, FIN | ACK);
	in(&p);
	must(out(&got) >= 0 && got.flags == ACK && got.ack == 2 && got.seq == synack.seq + 2);
	/* TIME-WAIT: his FIN again is answered, for a minute */
	CALL(usleep, 30 * SECOND);
	p.tsval += 30000;
	in(&p);
	must(out(&got) >= 0 && got.flags == ACK && got.ack == 2 && got.seq == synack.seq + 2);
	must(got.has_ts && got.tsval - synack.tsval >= 30000 && got.tsval - synack.tsval < 30100);
	CALL(usleep, 50 * SECOND);
	p = segment(&synack, 1, 2, ACK); /* and never a bare ACK */
	in(&p);
	must(out(&got) < 0);
	/* nobody listens there */
	p = (struct packet){ .flags = SYN, .seq = 5, .dport = HOST_PORT + 1 };
	in(&p);
	must(out(&got) >= 0 && got.flags == (RST | ACK) && got.ack == 6);
	must(CALL(read, fd, buf, 1) == -1 && errno == EBADF);
}

static void reset(void)
{
	int listener = listening(), fd, value = 0;
	socklen_t n = sizeof(value);
	struct packet synack, p;
	char buf[10];

	must(listener >= 0);
	fd = connected(listener, &synack);
	must(fd >= 0);
	p = segment(&synack, 1, 1, RST | ACK);
	in(&p);
	must(!CALL(getsockopt, fd, SOL_SOCKET, SO_ERROR, &value, &n) && value == ECONNRESET);
	must(CALL(read, fd, buf, 1) == 0); /* said once */
	must(!CALL(close, fd));
	/* the same tuple is free for a next one */
	p = first_syn;
	p.seq = 1000000;
	p.tsval = 5000;
	in(&p);
	must(out(&synack) >= 0 && synack.ack == 1000001);
}

static void full_queue(void)
{
	int listener = listening();
	struct packet synack[3], p;

	must(listener >= 0);
	for (uint16_t i = 0; i < 3; i++) {
		p = first_syn;
		p.sport = (uint16_t)(PEER_PORT + i);
		in(&p);
		must(out(&synack[i]) >= 0);
	}
	for (uint16_t i = 0; i < 3; i++) {
		p = segment(&synack[i], 1, 1, ACK);
		p.sport = (uint16_t)(PEER_PORT + i);
		in(&p);
	}
	/* a backlog of one holds two; the third is asked again, and comes in when there is room */
	must(CALL(accept, listener, NULL, NULL) >= 0 && CALL(accept, listener, NULL, NULL) >= 0);
	must(out(&p) >= 0 && p.flags == (SYN | ACK) && p.seq == synack[2].seq && p.dport == PEER_PORT + 2);
	p = segment(&synack[2], 1, 1, ACK);
	p.sport = PEER_PORT + 2;
	in(&p);
	must(CALL(accept, listener, NULL, NULL) >= 0);
}

static void mapped_addresses(void)
{
	struct sockaddr_in6 from = {};
	socklen_t n = sizeof(from);
	struct packet synack, p;
	struct in6_addr peer;
	int listener;

	mapped = !v6;
	listener = listening();
	mapped = false;
	must(listener >= 0);
	in(&first_syn);
	must(out(&synack) >= 0 && synack.flags == (SYN | ACK));
	p = segment(&synack, 1, 1, ACK);
	in(&p);
	must(CALL(accept, listener, (struct sockaddr *)&from, &n) >= 0);
	must(n == sizeof(from) && from.sin6_family == AF_INET6 && from.sin6_port == htons(PEER_PORT));
	mapped_to(peer_address[0], &peer);
	must(!memcmp(&from.sin6_addr, v6 ? (const void *)peer_address[1] : &peer, 16));
}

static const struct {
	const char *name;
	void (*run)(void);
} stories[] = {
	{ "SYN, SYN-ACK, and again", handshake },
	{ "accept() that blocks", blocking },
	{ "data both ways", data },
	{ "both close", ending },
	{ "the peer resets", reset },
	{ "a full accept queue", full_queue },
	{ "an IPv6 socket", mapped_addresses },
};

int main(int argc, char **argv)
{
	static const char *const backends[] = { "backend=model", "backend=bpf" };
	packetdrill_interface_init_t init;
	bool root = geteuid() == 0;
	int skipped = 0;
	void *handle;

	setvbuf(stdout, NULL, _IOLBF, 0);
	handle = dlopen(argc > 1 ? argv[1] : "build/tests/packetdrill/porch_packetdrill.so",
			RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	*(void **)&init = handle ? dlsym(handle, "packetdrill_interface_init") : NULL;
	if (!init) {
		printf("# %s\n0 passed, 1 failed\n", dlerror());
		return 1;
	}
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]) * 4; i++) {
		const char *backend = backends[i / 2 % 2];

		story = stories[i / 4].name;
		v6 = i & 1;
		if (i / 2 % 2 && !root) {
			printf("ok - %s, %s, %s # SKIP needs root: loads BPF programs\n", story, backend,
			       v6 ? "IPv6" : "IPv4");
			skipped++;
			continue;
		}
		bad = 0;
		init(backend, &t);
		stories[i / 4].run();
		CALL(free);
		printf("%s - %s, %s, %s\n", bad ? "not ok" : "ok", story, backend, v6 ? "IPv6" : "IPv4");
		if (bad)
			failed++;
		else
			passed++;
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return !!failed;
}
