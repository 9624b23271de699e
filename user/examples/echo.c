/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo [-1q] [-t THREADS] ADDRESS:PORT
 *
 * Sends back what it receives (RFC 862), over AF_XDP: the smallest complete use
 * of libporch. ADDRESS is IPv4, [IPv6], or * for every address; porchd must run,
 * and a listener with deliver=afxdp must cover it:
 *
 *	porch attach eth0 --listen '*:7,deliver=afxdp' && porchd & echo '*:7'
 *
 *   -1  close each connection after its first answer
 *   -q  thread i serves RX queue i alone, and owns its rings
 *   -t  threads, each with its own struct porch
 */
#include <getopt.h>
#include <stdbool.h>

#define EXAMPLE "echo"
#include "worker.h"

#define PIECES 16

static bool once;

static void example_accepted(struct porch_conn *c)
{
	porch_conn_set(c, PORCH_NODELAY, 1);
}

/* Straight out of the receive buffer; what does not fit the send buffer stays there, and closes the client's
 * window. */
static void example_ready(struct porch_conn *c)
{
	for (;;) {
		struct porch_piece pieces[PIECES];
		ssize_t n = porch_recv_zc(c, pieces, PIECES), sent = 0;
		size_t done = 0;
		bool full = false;

		if (n == -EAGAIN) {
			porch_conn_want(c, PORCH_IN | PORCH_OUT);
			return;
		}
		/* The end: what is still to be sent will be, then FIN. Or an error. */
		if (n <= 0) {
			porch_conn_close(c);
			return;
		}
		for (ssize_t i = 0; i < n && !full; i++) {
			sent = porch_send(c, pieces[i].data, pieces[i].length);
			if (sent > 0)
				done += sent;
			full = sent != (ssize_t)pieces[i].length;
		}
		porch_recv_done(c, done);
		if ((sent < 0 && sent != -EAGAIN) || (once && !full)) {
			porch_conn_close(c);
			return;
		}
		/* Nothing more is read until there is room. */
		if (full) {
			porch_conn_want(c, PORCH_OUT);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long threads = 1;
	int option;

	while ((option = getopt(argc, argv, "1qt:")) != -1) {
		if (option == '1')
			once = true;
		else if (option == 'q')
			own_queue = true;
		else
			threads = option == 't' ? strtoul(optarg, NULL, 10) : 0;
	}
	if (!threads || threads > THREADS_MAX || argc - optind != 1 ||
	    parse_address(argv[optind], &address)) {
		fprintf(stderr, "usage: echo [-1q] [-t THREADS] ADDRESS:PORT\n");
		return 2;
	}
	return serve_all(threads);
}
