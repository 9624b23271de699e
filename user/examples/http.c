/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http [-q] [-t THREADS] ADDRESS:PORT DIRECTORY
 *
 * Serves the files of DIRECTORY by HTTP/1.1 (RFC 9112) over AF_XDP: GET and HEAD,
 * persistent connections, pipelining. Files are read straight into the send
 * buffer of the connection. Nothing outside DIRECTORY can be named: the kernel
 * itself sees to that (openat2, RESOLVE_BENEATH). ADDRESS, -q and -t as in echo.c.
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/openat2.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXAMPLE "http"
#include "request.h"
#include "worker.h"

#define REQUEST_MAX 8192
#define HEAD_MAX    1024
#define PART	    2048 /* of a file, at least: smaller room is waited out */

struct client {
	struct porch_conn *conn;
	int file;      /* -1: none */
	off_t at, end; /* of it, still to be sent */
	bool last;     /* close when all is sent, */
	bool drain;    /* but not before the client does: RST would take the answer from it */
	uint32_t head, head_sent;
	size_t have; /* octets of `in` */
	char out[HEAD_MAX];
	char in[REQUEST_MAX];
};

static int directory;

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
		{ ".gif", "image/gif" },
		{ ".ico", "image/x-icon" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* As RFC 9110 wants it; made anew once a second. */
static const char *date(void)
{
	static __thread char text[64];
	static __thread time_t of;
	time_t now = time(NULL);
	struct tm tm;

	if (now != of)
		strftime(text, sizeof(text), "%a, %d %b %Y %T GMT", gmtime_r(&now, &tm));
	of = now;
	return text;
}

/* The head of an answer. Without a file (length -1) its body is a line of text, the status. */
static void answer(struct client *c, const struct request *r, const char *status, off_t length,
		   const char *name, const char *value)
{
	size_t n = snprintf(c->out, sizeof(c->out),
			    "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: %lld\r\n%s%s: %s\r\n%s\r\n", status,
			    date(), length < 0 ? (long long)strlen(status) + 1 : (long long)length,
			    length < 0 ? "Content-Type: text/plain\r\n" : "", name, value,
			    c->last  ? "Connection: close\r\n"
			    : r->old ? "Connection: keep-alive\r\n"
				     : "");

	if (length < 0 && !r->head)
		n += snprintf(c->out + n, sizeof(c->out) - n, "%s\n", status);
	c->head = n;
	c->head_sent = 0;
}

/* What else the client has sent cannot be told from the next request: this is the last answer. */
static void refuse(struct client *c, const struct request *r, const char *status)
{
	c->last = c->drain = true;
	answer(c, r, status, -1, "Allow", "GET, HEAD");
}

/* Opens it beneath the directory. -errno; a directory is not a file here, -EISDIR. */
static int open_file(const char *path, struct stat *st)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	char index[REQUEST_MAX];
	int fd;

	path += strspn(path, "/");
	if (!*path || path[strlen(path) - 1] == '/') {
		snprintf(index, sizeof(index), "%sindex.html", path);
		path = index;
	}
	fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return S_ISDIR(st->st_mode) ? -EISDIR : -ENOENT;
}

static void respond(struct client *c, char *text)
{
	struct request r = {};
	struct stat st = {};
	char slash[256];
	int fd;

	if (!parse_request(text, &r)) {
		refuse(c, &r, "400 Bad Request");
		return;
	}
	if (strcmp(r.method, "GET") && !r.head) {
		refuse(c, &r, "405 Method Not Allowed");
		return;
	}
	/* A body to a GET means nothing, and what follows it cannot be told from it. */
	c->drain = r.body;
	c->last = !r.persistent || r.body;
	r.path = path_of(r.target);
	if (!r.path) {
		refuse(c, &r, "400 Bad Request");
		return;
	}
	fd = open_file(r.path, &st);
	if (fd == -EISDIR && strlen(r.path) < sizeof(slash) - 1 && !strpbrk(r.path, "\r\n%?#")) {
		snprintf(slash, sizeof(slash), "%s/", r.path);
		answer(c, &r, "301 Moved Permanently", -1, "Location", slash);
	} else if (fd < 0) {
		answer(c, &r, fd == -EACCES || fd == -EPERM ? "403 Forbidden" : "404 Not Found", -1,
		       "Cache-Control", "no-store");
	} else {
		answer(c, &r, "200 OK", st.st_size, "Content-Type",
		       type_of(r.path[strlen(r.path) - 1] == '/' ? ".html" : r.path));
		if (r.head || !st.st_size) {
			close(fd);
			return;
		}
		c->file = fd;
		c->at = 0;
		c->end = st.st_size;
	}
}

/* 1: all of it is on its way; 0: no more room; or -errno. */
static int send_answer(struct client *c)
{
	while (c->head_sent < c->head) {
		ssize_t n = porch_send(c->conn, c->out + c->head_sent, c->head - c->head_sent);

		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		c->head_sent += n;
	}
	while (c->file >= 0) {
		off_t left = c->end - c->at;
		struct porch_piece piece;
		ssize_t n = porch_send_zc_get(c->conn, left < PART ? left : PART, &piece);

		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		n = pread(c->file, piece.data, (off_t)piece.length < left ? piece.length : (size_t)left,
			  c->at);
		/* Shorter than it was: the length is promised, so this is the end. */
		if (n <= 0) {
			porch_send_zc_commit(c->conn, 0);
			return -EIO;
		}
		n = porch_send_zc_commit(c->conn, n);
		if (n < 0)
			return n;
		c->at += n;
		if (c->at == c->end) {
			close(c->file);
			c->file = -1;
		}
	}
	return 1;
}

static void finish(struct client *c, bool abort)
{
	if (c->file >= 0)
		close(c->file);
	if (abort)
		porch_conn_abort(c->conn);
	else
		porch_conn_close(c->conn);
	free(c);
}

/* Answers, and reads requests, one after the other, as far as it goes. */
static void example_ready(struct porch_conn *conn)
{
	struct client *c = porch_conn_user(conn);

	for (;;) {
		int r = send_answer(c);
		char *end = NULL;
		ssize_t n;

		if (!r) {
			porch_conn_want(conn, PORCH_OUT);
			return;
		}
		if (r > 0 && c->last && c->drain && porch_shutdown(conn, SHUT_WR) != -ENOTCONN) {
			while ((n = porch_recv(conn, c->in, sizeof(c->in))) > 0)
				;
			if (n == -EAGAIN) {
				porch_conn_want(conn, PORCH_IN);
				return;
			}
		}
		if (r < 0 || c->last) {
			finish(c, r == -EIO);
			return;
		}
		if (c->have)
			end = memmem(c->in, c->have, "\r\n\r\n", 4);
		if (end) {
			size_t length = end + 4 - c->in;

			end[2] = 0;
			if (memchr(c->in, 0, length - 2))
				refuse(c, &(struct request){}, "400 Bad Request");
			else
				respond(c, c->in);
			c->have -= length;
			memmove(c->in, c->in + length, c->have);
			continue;
		}
		if (c->have == sizeof(c->in)) {
			refuse(c, &(struct request){}, "431 Request Header Fields Too Large");
			continue;
		}
		n = porch_recv(conn, c->in + c->have, sizeof(c->in) - c->have);
		if (n == -EAGAIN) {
			porch_conn_want(conn, PORCH_IN | PORCH_OUT);
			return;
		}
		if (n <= 0) {
			finish(c, false);
			return;
		}
		c->have += n;
	}
}

static void example_accepted(struct porch_conn *conn)
{
	struct client *c = malloc(sizeof(*c));

	if (!c) {
		porch_conn_abort(conn);
		return;
	}
	c->conn = conn;
	c->file = -1;
	c->last = c->drain = false;
	c->head = c->head_sent = c->have = 0;
	porch_conn_set_user(conn, c);
	porch_conn_set(conn, PORCH_NODELAY, 1);
	porch_conn_set(conn, PORCH_KEEPALIVE, 60);
}

int main(int argc, char **argv)
{
	unsigned long threads = 1;
	int option;

	while ((option = getopt(argc, argv, "qt:")) != -1) {
		if (option == 'q')
			own_queue = true;
		else
			threads = option == 't' ? strtoul(optarg, NULL, 10) : 0;
	}
	if (!threads || threads > THREADS_MAX || argc - optind != 2 ||
	    parse_address(argv[optind], &address)) {
		fprintf(stderr, "usage: http [-q] [-t THREADS] ADDRESS:PORT DIRECTORY\n");
		return 2;
	}
	directory = open(argv[optind + 1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		fprintf(stderr, "http: %s: %s\n", argv[optind + 1], strerror(errno));
		return 1;
	}
	return serve_all(threads);
}
