// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porch capture IFACE: the frames of deliver=afxdp, which pass the kernel's own
 * taps by. Workers write them; porchd only tells them where to.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/packet.h"
#include "cli/pcap.h"
#include "cli/porchd.h"
#include "core/util.h"

#define SNAPLEN_MAX (PIPE_BUF - sizeof(struct pcap_record))
#define SNAPLEN_MIN 64
#define PIPE_OCTETS (1024 * 1024) /* what workers find no room for is lost */

struct capture {
	const struct cli *cli;
	const char *ifname;
	const char *path; /* NULL: a line for each frame */
	FILE *out;
	__u32 snaplen;
	unsigned long count; /* 0: no end */
	unsigned long seen;
	sigset_t before; /* signals that end it are let in only while nothing is half done */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

static bool complete(const struct capture *c)
{
	return c->count && c->seen >= c->count;
}

static int write_record(const struct capture *c, const struct pcap_record *r, const __u8 *frame)
{
	if (fwrite(r, sizeof(*r), 1, c->out) != 1 ||
	    (r->included && fwrite(frame, r->included, 1, c->out) != 1))
		return -EIO;
	return 0;
}

static int show_record(const struct capture *c, const struct pcap_record *r, const __u8 *frame)
{
	struct output_options line = { .json = true };
	json_t *packet = packet_describe(frame, r->included, r->length);
	time_t second = r->sec;
	char text[PACKET_TEXT];
	struct tm tm = {};

	if (!packet)
		return -ENOMEM;
	if (c->cli->output.json) {
		json_object_set_new(packet, "time", json_real(r->sec + r->usec / 1e6));
		return output(c->out, &line, NULL, NULL, packet);
	}
	localtime_r(&second, &tm);
	fprintf(c->out, "%02d:%02d:%02d.%06u %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec, r->usec,
		packet_text(packet, text));
	json_decref(packet);
	return ferror(c->out) ? -EIO : 0;
}

/* All records that are whole by now. */
static int take_records(struct capture *c, struct pcap_stream *s)
{
	struct pcap_record record;
	const __u8 *frame;
	int r = 0;

	while (!complete(c) && (r = pcap_next(s, &record, &frame)) > 0) {
		r = c->path ? write_record(c, &record, frame) : show_record(c, &record, frame);
		if (r)
			return r;
		c->seen++;
	}
	/* whoever reads along sees what there is */
	return r < 0 ? r : fflush(c->out) ? -EIO : 0;
}

/* 1: there is something to read, or nobody writes any more; 0: stopped. */
static int wait_for(const struct capture *c, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!stopped) {
		if (ppoll(&p, 1, NULL, &c->before) > 0)
			return 1;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int copy(struct capture *c, int fd)
{
	static struct pcap_stream s;
	size_t room;
	ssize_t n;
	void *at;
	int r = 0;

	while (!r && !complete(c)) {
		r = wait_for(c, fd);
		if (r <= 0)
			return r;
		at = pcap_room(&s, &room);
		n = read(fd, at, room);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		s.to += n;
		r = take_records(c, &s);
	}
	return r;
}

static int begin(struct capture *c)
{
	struct pcap_file header;

	if (!c->path || !strcmp(c->path, "-"))
		c->out = stdout;
	else
		c->out = fopen(c->path, "we");
	if (!c->out)
		return -errno;
	if (!c->path)
		return 0;
	pcap_file_header(&header, c->snaplen);
	return fwrite(&header, sizeof(header), 1, c->out) != 1 || fflush(c->out) ? -EIO : 0;
}

/* Says how it ended, unless a program listens. */
static int end(struct capture *c, int r)
{
	const char *name = c->path ? c->path : "stdout";
	struct porch_err err = {};

	if (c->out && c->out != stdout && fclose(c->out) && !r)
		r = -EIO;
	if (r == -EPROTO)
		porch_err_set(&err, r, "a worker writes what is no record; %lu frames were captured before",
			      c->seen);
	else if (r && r != -EPIPE)
		porch_err_set(&err, r, "%s: %s", name, strerror(-r));
	if (*err.text)
		return cli_fail(c->cli, &err);
	if (r == -EPIPE)
		cli_warn(c->cli, "no application is registered with porchd%s", c->seen ? " any more" : "");
	if (!c->cli->output.json)
		fprintf(stderr, "%lu frame%s captured on %s\n", c->seen, c->seen == 1 ? "" : "s", c->ifname);
	return PORCH_EXIT_DONE;
}

static int run(struct capture *c, __u32 ifindex)
{
	struct sigaction action = { .sa_handler = stop };
	_cleanup_close_ int from = -1, to = -1;
	struct porch_err err = {};
	int fds[2], r;
	sigset_t ends;

	if (pipe2(fds, O_CLOEXEC))
		return cli_fail(c->cli, &(struct porch_err){ "no pipe can be made" });
	from = fds[0];
	to = fds[1];
	fcntl(to, F_SETPIPE_SZ, PIPE_OCTETS);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &c->before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (porchd_capture(ifindex, c->snaplen, to, &err))
		return cli_fail(c->cli, &err);
	close(TAKE_FD(to));
	r = begin(c);
	return end(c, r ? r : copy(c, from));
}

/* 0, or an exit code after having said why. */
static int parse_number(const struct cli *cli, const char *option, const char *text, unsigned long min,
			unsigned long max, unsigned long *ret)
{
	char *rest;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &rest, 10);
	if (*text < '0' || *text > '9' || *rest || errno || n < min || n > max)
		return cli_usage(cli, "%s wants a number from %lu to %lu, not '%.32s'", option, min, max,
				 text);
	*ret = n;
	return 0;
}

int verb_capture(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "write", required_argument, NULL, 'w' },
		{ "snaplen", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{},
	};
	struct capture c = { .cli = cli };
	unsigned long snaplen = SNAPLEN_MAX;
	struct porch_err err = {};
	__u32 ifindex;
	int o, r = 0;

	opterr = 0;
	while (!r && (o = getopt_long(argc, argv, ":w:s:c:", options, NULL)) != -1) {
		if (o == 'w')
			c.path = optarg;
		else if (o == 's')
			r = parse_number(cli, "-s", optarg, SNAPLEN_MIN, SNAPLEN_MAX, &snaplen);
		else if (o == 'c')
			r = parse_number(cli, "-c", optarg, 1, 1ul << 40, &c.count);
		else
			return cli_usage(cli, "%s: %s; capture takes -w FILE, -s SNAPLEN and -c COUNT",
					 argv[optind - 1], o == ':' ? "wants a value" : "unknown option");
	}
	if (r)
		return r;
	if (argc - optind != 1)
		return cli_usage(cli, "capture wants one interface, as in 'porch capture eth0 -w FILE'");
	if (c.path && !strcmp(c.path, "-") && isatty(STDOUT_FILENO))
		return cli_usage(
			cli,
			"-w - writes pcap, which is nothing for a terminal; redirect it, or leave -w out");
	c.ifname = argv[optind];
	c.snaplen = snaplen;
	ifindex = if_nametoindex(c.ifname);
	if (!ifindex) {
		porch_err_set(&err, -ENODEV, "%s: no such interface; 'ip link' lists those of this namespace",
			      c.ifname);
		return cli_fail(cli, &err);
	}
	return run(&c, ifindex);
}
