// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The engine against Linux' own TCP, over a TUN device and a link with seeded
 * loss, delay, reordering and marks in real time; and Linux against Linux over
 * the same link with the same seeds, in turn. What Linux counts of a peer that
 * does wrong must be nothing; how fast it is, is printed, and must not be far
 * from Linux' own (LEAST). `linux N [ROW]`: the median of N of each instead of 3.
 * Needs root, for namespaces of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/linux_link.h"
#include "tests/sim/linux_peer.h"

#define ROUNDS_MOST 25
#define AT_ONCE	    5	/* jobs: a relay mostly waits */
#define LEAST	    0.5 /* of Linux' throughput: for stalls; few rounds of random loss scatter */

/* Rows; `compare`: with cubic and reno, against Linux to Linux. */
static const struct row {
	const char *name;
	uint32_t loss, reorder, mark; /* in 100,000 */
	uint32_t octets;
	bool compare, no_timestamps, no_sack, no_wscale, ecn;
} rows[] = {
	{ .name = "no loss", .octets = 4 << 20, .compare = true },
	{ .name = "0.1 % loss", .loss = 100, .octets = 4 << 20, .compare = true },
	{ .name = "1 % loss", .loss = 1000, .octets = 2 << 20, .compare = true },
	{ .name = "5 % loss", .loss = 5000, .octets = 768 << 10, .compare = true },
	{ .name = "2 % late", .reorder = 2000, .octets = 4 << 20, .compare = true },
	{ .name = "1 % marked", .mark = 1000, .octets = 2 << 20, .ecn = true, .compare = true },
	{ .name = "no timestamps", .loss = 500, .octets = 1 << 20, .no_timestamps = true },
	{ .name = "no SACK", .loss = 500, .octets = 1 << 20, .no_sack = true },
	{ .name = "no window scaling", .loss = 500, .octets = 1 << 20, .no_wscale = true },
	{ .name = "none of them, late and lost",
	  .loss = 500,
	  .reorder = 1000,
	  .octets = 1 << 20,
	  .no_timestamps = true,
	  .no_sack = true,
	  .no_wscale = true },
};

struct job {
	const struct row *row;
	bool reno;
	uint16_t port;
	/* results, of octets a second */
	double ours[ROUNDS_MOST], theirs[ROUNDS_MOST];
	uint64_t errors;
	char what[200];
};

static int passed, failed, rounds = 3;

static void say(bool ok, const char *format, ...)
{
	va_list args;

	printf("%s - ", ok ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	passed += ok;
	failed += !ok;
}

/* The engine's application, as linux_peer.c's server is. */
struct served {
	uint16_t port;
	uint32_t octets, done;
	bool asked, wrong, closed;
};

static void serve(struct tcp_stack *stack, struct tcp_conn *conn, void *user)
{
	static uint8_t buf[65536];
	struct served *v = user;
	uint32_t i;
	ssize_t n, got;

	if (v->closed)
		return;
	while ((got = tcp_recv(stack, conn, buf, sizeof(buf))) > 0) {
		v->asked = true;
		for (i = 0; v->port == PORT_RECEIVES && i < (uint32_t)got; i++)
			v->wrong |= buf[i] != peer_octet(v->done + i);
		if (v->port == PORT_RECEIVES)
			v->done += (uint32_t)got;
	}
	while (v->port == PORT_SENDS && v->asked && v->done < v->octets) {
		uint32_t part = min_u32(sizeof(buf), v->octets - v->done);

		for (i = 0; i < part; i++)
			buf[i] = peer_octet(v->done + i);
		n = tcp_send(stack, conn, buf, part);
		if (n <= 0)
			break;
		v->done += (uint32_t)n;
	}
	if (tcp_error(conn) || (v->port == PORT_SENDS ? v->done == v->octets : got == 0)) {
		tcp_close(stack, conn);
		v->closed = true;
	}
}

/* One transfer; octets a second, below 0: failed. */
static double transfer(const struct job *job, bool linux_too, uint64_t seed, struct outcome *o)
{
	const struct row *row = job->row;
	struct transfer t = {
		.congestion = job->reno ? "reno" : "cubic",
		.port = job->port,
		.octets = row->octets,
		.no_timestamps = row->no_timestamps,
		.no_sack = row->no_sack,
		.no_wscale = row->no_wscale,
		.ecn = row->ecn,
		.reordered = row->reorder,
	};
	struct link link = {
		.loss = row->loss,
		.reorder = row->reorder,
		.mark = row->mark,
		.delay = 5 * TCP_MS,
		.rate = 12500000,
		.queue = 150,
		.random = { seed * 2654435761 + 1, seed * 40503 + 77 },
	};
	struct served served = { .port = job->port, .octets = row->octets };
	struct link_end *end = NULL;
	int tun, other = -1, result, unused = -1, status;
	pid_t pid, peer = 0;

	memset(o, 0, sizeof(*o));
	o->seconds = -9;
	if (linux_too)
		peer = peer_start(&t, true, &other, &unused);
	else
		end = link_end_new(&link, job->reno ? TCP_CONGESTION_NEWRENO : TCP_CONGESTION_CUBIC, serve,
				   &served);
	pid = peer_start(&t, false, &tun, &result);
	if (pid < 0 || peer < 0)
		return -9;
	link_run(&link, tun, other, result, end);
	if (read(result, o, sizeof(*o)) != sizeof(*o))
		o->seconds = -8;
	if (peer > 0) {
		kill(peer, SIGKILL);
		waitpid(peer, &status, 0);
		close(unused);
		close(other);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(result);
	close(tun);
	if (end)
		link_end_free(end);
	if (served.wrong)
		return -7;
	return o->seconds > 0 ? row->octets / o->seconds : o->seconds;
}

/* In a process of its own. */
static void job_run(struct job *job)
{
	struct outcome o;
	int i;

	for (i = 0; i < (job->row->compare ? rounds : 1); i++) {
		job->ours[i] = transfer(job, false, (uint64_t)(1000 + i), &o);
		job->errors += o.errors;
		if (o.errors)
			memcpy(job->what, o.what, sizeof(o.what));
		if (job->row->compare)
			job->theirs[i] = transfer(job, true, (uint64_t)(1000 + i), &o);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void job_say(struct job *job)
{
	const char *way = job->port == PORT_SENDS ? "to Linux" : "from Linux",
		   *congestion = job->reno ? "reno" : "cubic";
	int n = job->row->compare ? rounds : 1;
	double ours, theirs, least;

	qsort(job->ours, (size_t)n, sizeof(double), by_value);
	qsort(job->theirs, (size_t)n, sizeof(double), by_value);
	ours = job->ours[n / 2];
	theirs = job->theirs[n / 2];
	least = job->ours[0];
	if (job->row->compare)
		say(least > 0 && !job->errors && theirs > 0 && ours >= LEAST * theirs,
		    "%-12s %-5s %-10s %6.0f KiB/s, Linux to Linux %6.0f: %.2f; errors Linux saw:%s",
		    job->row->name, congestion, way, ours / 1024, theirs / 1024, ours / theirs,
		    job->errors ? job->what : " none");
	else
		say(least > 0 && !job->errors, "%s, %s: %.0f KiB/s; errors Linux saw:%s", job->row->name, way,
		    ours / 1024, job->errors ? job->what : " none");
}

int main(int argc, char **argv)
{
	static struct job *jobs;
	size_t n = 0, i, begun = 0, running = 0;
	int reno, port;

	if (geteuid() || access("/dev/net/tun", R_OK | W_OK)) {
		printf("skipped: needs root and /dev/net/tun\n0 passed, 0 failed, 1 skipped\n");
		return 0;
	}
	if (argc > 1)
		rounds = (int)min_u32((uint32_t)atoi(argv[1]), ROUNDS_MOST);
	signal(SIGPIPE, SIG_IGN);
	jobs = mmap(NULL, 4 * sizeof(rows) / sizeof(rows[0]) * sizeof(*jobs), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		return 1;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (reno = 0; reno <= rows[i].compare; reno++)
			for (port = PORT_SENDS; port <= PORT_RECEIVES; port++)
				if (argc < 3 || !strcmp(argv[2], rows[i].name))
					jobs[n++] = (struct job){ .row = &rows[i],
								  .reno = reno,
								  .port = (uint16_t)port };
	while (begun < n || running) {
		if (begun < n && running < AT_ONCE) {
			struct job *job = &jobs[begun++];

			job->ours[0] = -10;
			if (!fork()) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				job_run(job);
				_exit(0);
			}
			running++;
			continue;
		}
		if (wait(NULL) > 0)
			running--;
	}
	for (i = 0; i < n; i++)
		job_say(&jobs[i]);
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
