// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * wire IFACE record FILE sport=N|dport=N [flags=ack] [payload=0|1] [nth=N]
 *	the nth frame that leaves IFACE with exactly these flags (psh aside)
 * wire IFACE send FILE [times=N] [gap=US]
 *	puts it on the wire again
 * wire IFACE ask ADDR:PORT from=ADDR[:PORT] mac=DST [options=HEX] [tags=ID[,ID]] [flags=syn] [seq=N] [ack=N]
 *	[window=N] [ecn=N] [data=TEXT] [then=ack|fin|rst|none] [text=TEXT] [repeat=N] [spread=1] [echo=N]
 *	[answers=N] [until=TEXT] [timeout=MS]
 *	a segment made by hand, and every answer as a JSON line; `then` answers a SYN-ACK,
 *	`text` being its payload, `echo` times. `spread`: from as many ports.
 *	Ends after `timeout`, that many answers, or one with that payload. `from` is an address that nobody has, so that no kernel interferes.
 */
#include "frame.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <unistd.h>

static long sport, dport, payload = -1, nth = 1, times = 1, gap, timeout_ms = 1000, seq = 1000, ack, window = 64240;
static long ecn, repeat = 1, echo = 1, spread, answers;
static const char *flags = "syn", *from, *mac, *options_hex = "020405b4", *tags, *then = "none", *text = "", *data = "", *until = "";

static int wire_open(const char *ifname, uint8_t own_mac[6])
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = {};
	int size = 4 << 20, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	at.sll_ifindex = if_nametoindex(ifname);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (void *)&at, sizeof(at)) || ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		fprintf(stderr, "wire: %s: %s\n", ifname, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &(int){ 1 }, sizeof(int));
	memcpy(own_mac, ifr.ifr_hwaddr.sa_data, 6);
	return fd;
}

/* The stack has taken the outer tag off before a socket sees the frame: put it back. */
static void put_tag(struct msghdr *msg, struct segment *s)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || s->n_tags == 2)
			continue;
		s->tags[1] = s->tags[0];
		s->tags[0] = aux.tp_vlan_tci;
		s->n_tags++;
	}
}

/* The next segment in the given direction before `deadline`, its octets in `frame`. Octets, or -1. */
static ssize_t next_segment(int fd, bool outgoing, int64_t deadline, uint8_t frame[FRAME_MAX], struct segment *s)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct sockaddr_ll who;
		struct iovec iov = { .iov_base = frame, .iov_len = FRAME_MAX };
		struct msghdr msg = { .msg_name = &who, .msg_namelen = sizeof(who), .msg_iov = &iov, .msg_iovlen = 1,
				      .msg_control = control, .msg_controllen = sizeof(control) };
		int wait = poll_time(deadline);
		ssize_t n;

		if (!wait || poll(&p, 1, wait) <= 0)
			return -1;
		n = recvmsg(fd, &msg, MSG_TRUNC);
		if (n <= 0 || n > FRAME_MAX || (who.sll_pkttype == PACKET_OUTGOING) != outgoing || frame_parse(frame, n, s))
			continue;
		put_tag(&msg, s);
		return n;
	}
}

static int record(int fd, const char *path)
{
	int64_t deadline = now_us() + timeout_ms * 1000;
	uint8_t frame[FRAME_MAX], wanted = flags_parse(flags);
	struct segment s;
	ssize_t n;
	FILE *f;

	printf("{\"event\":\"recording\"}\n");
	fflush(stdout);
	while ((n = next_segment(fd, true, deadline, frame, &s)) > 0) {
		if ((s.flags & ~PSH) != wanted || (sport && address_port(&s.from) != sport) ||
		    (dport && address_port(&s.to) != dport) || (payload >= 0 && !s.n_payload != !payload) || --nth)
			continue;
		f = fopen(path, "w");
		if (!f || fwrite(frame, 1, n, f) != (size_t)n || fclose(f)) {
			fprintf(stderr, "wire: %s: %s\n", path, strerror(errno));
			return 1;
		}
		printf("{\"event\":\"recorded\",\"bytes\":%zd,\"port\":%u}\n", n, address_port(&s.from));
		return 0;
	}
	fprintf(stderr, "wire: no such segment in %ld ms\n", timeout_ms);
	return 1;
}

static int send_again(int fd, const char *path)
{
	uint8_t frame[FRAME_MAX];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(frame, 1, sizeof(frame), f) : 0;

	if (f)
		fclose(f);
	for (long i = 0; i < times; i++) {
		if (!n || send(fd, frame, n, 0) != (ssize_t)n) {
			fprintf(stderr, "wire: %s: %s\n", path, strerror(errno));
			return 1;
		}
		if (gap)
			usleep(gap);
	}
	return 0;
}

static void print_segment(const struct segment *s)
{
	struct options o;
	char buf[64];

	options_parse(s, &o);
	printf("{\"flags\":\"%s\",\"seq\":%u,\"ack\":%u,\"window\":%u,\"ttl\":%u,\"ecn\":%u,\"sums\":%s,\"tags\":[",
	       flags_text(s->flags, buf), s->seq, s->ack, s->window, s->ttl, s->ecn, s->sums_right ? "true" : "false");
	for (int i = 0; i < s->n_tags; i++)
		printf("%s%u", i ? "," : "", s->tags[i]);
	printf("],\"mss\":%d,\"wscale\":%d,\"sack\":%s,\"ts\":%s,\"text\":", o.has_mss ? o.mss : -1,
	       o.has_wscale ? o.wscale : -1, o.sack ? "true" : "false", o.has_ts ? "true" : "false");
	print_text((const char *)s->payload, s->n_payload, 64);
	printf("}\n");
	fflush(stdout);
}

static int ask_prepare(struct segment *s, const char *to)
{
	if (!from || !mac || address_parse(to, &s->to) || address_parse(from, &s->from) ||
	    s->to.sa.sa_family != s->from.sa.sa_family)
		return -1;
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &s->dmac[0], &s->dmac[1], &s->dmac[2], &s->dmac[3], &s->dmac[4],
		   &s->dmac[5]) != 6)
		return -1;
	if (tags)
		s->n_tags = sscanf(tags, "%hu,%hu", &s->tags[0], &s->tags[1]);
	for (const char *p = options_hex; *p; p += 2, s->n_options++)
		if (s->n_options == 40 || sscanf(p, "%2hhx", &s->options[s->n_options]) != 1)
			return -1;
	s->flags = flags_parse(flags);
	s->ttl = 64;
	s->ecn = ecn;
	s->seq = seq;
	s->ack = ack;
	s->window = window;
	s->payload = (const uint8_t *)data;
	s->n_payload = strlen(data);
	return s->n_options & 3 ? -1 : 0;
}

static int put(int fd, const struct segment *s)
{
	uint8_t frame[FRAME_MAX];
	size_t n = frame_build(s, frame);

	if (send(fd, frame, n, 0) == (ssize_t)n)
		return 0;
	fprintf(stderr, "wire: %s\n", strerror(errno));
	return -1;
}

/* What `s` (our SYN) becomes once the SYN-ACK `r` is here. */
static void final_ack(struct segment *s, const struct segment *r)
{
	struct options o;
	uint32_t tsval;

	options_parse(s, &o);
	tsval = o.tsval;
	options_parse(r, &o);
	s->seq = r->ack;
	s->ack = r->seq + 1;
	s->n_options = 0;
	if (o.has_ts) {
		const uint8_t ts[12] = { 1, 1, 8, 10, tsval >> 24, tsval >> 16, tsval >> 8, tsval, o.tsval >> 24,
					 o.tsval >> 16, o.tsval >> 8, o.tsval };

		memcpy(s->options, ts, 12);
		s->n_options = 12;
	}
	s->flags = !strcmp(then, "fin") ? ACK | FIN : !strcmp(then, "rst") ? RST : ACK;
	s->payload = (const uint8_t *)text;
	s->n_payload = strlen(text);
	if (s->n_payload)
		s->flags |= PSH;
}

static int ask(int fd, struct segment *s)
{
	int64_t deadline = now_us() + timeout_ms * 1000;
	uint8_t frame[FRAME_MAX];
	bool answered = false;
	struct segment r;

	for (long i = 0; i < repeat; i++) {
		if (put(fd, s))
			return 1;
		if (spread && i + 1 < repeat)
			address_set_port(&s->from, address_port(&s->from) + 1);
	}
	while (next_segment(fd, false, deadline, frame, &r) > 0) {
		if (memcmp(&r.to.in6, &s->from.in6, s->from.len) || memcmp(&r.from.in6, &s->to.in6, s->to.len))
			continue;
		print_segment(&r);
		if (!--answers || (*until && r.n_payload == strlen(until) && !memcmp(r.payload, until, r.n_payload)))
			return 0;
		if ((r.flags & (SYN | ACK)) == (SYN | ACK) && strcmp(then, "none") && !answered) {
			answered = true;
			final_ack(s, &r);
			for (long i = 0; i < echo; i++)
				if (put(fd, s))
					return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "sport", &sport, NULL }, { "dport", &dport, NULL }, { "payload", &payload, NULL }, { "nth", &nth, NULL },
		{ "times", &times, NULL }, { "gap", &gap, NULL }, { "timeout", &timeout_ms, NULL }, { "seq", &seq, NULL },
		{ "ack", &ack, NULL }, { "window", &window, NULL }, { "ecn", &ecn, NULL }, { "repeat", &repeat, NULL },
		{ "echo", &echo, NULL }, { "spread", &spread, NULL }, { "answers", &answers, NULL }, { "until", NULL, &until }, { "flags", NULL, &flags }, { "from", NULL, &from }, { "mac", NULL, &mac },
		{ "options", NULL, &options_hex }, { "tags", NULL, &tags }, { "then", NULL, &then },
		{ "text", NULL, &text }, { "data", NULL, &data }, { NULL, NULL, NULL },
	};
	struct segment s = {};
	int fd;

	if (argc < 4 || words_parse("wire", words, argc - 4, argv + 4) || !flags_parse(flags)) {
		fprintf(stderr, "usage: wire IFACE record|send FILE | ask ADDR:PORT [key=value]...\n");
		return 2;
	}
	fd = wire_open(argv[1], s.smac);
	if (fd < 0)
		return 1;
	if (!strcmp(argv[2], "record"))
		return record(fd, argv[3]);
	if (!strcmp(argv[2], "send"))
		return send_again(fd, argv[3]);
	if (ask_prepare(&s, argv[3])) {
		fprintf(stderr, "wire: from, to, mac, tags or options make no sense\n");
		return 2;
	}
	return ask(fd, &s);
}
