// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/doctor_exec.h"
#include "core/util.h"

#define OUTPUT_MAX (16 * 1024 * 1024)

/* The folders a root's own tools are in; $PATH is the caller's word only. */
static int find_program(const char *name, char *path, size_t size)
{
	static const char *const folders[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, size, "%s/%s", folders[i], name);
		if (!access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

static void run(const char *path, const char *const *argv, int out)
{
	static char *const environment[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	execve(path, (char *const *)argv, environment);
	_exit(127);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int collect(int fd, long long deadline, char **ret, size_t *len)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, used = 0;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		long long left = deadline - now_ms();
		ssize_t n;

		if (size - used < 4096) {
			char *grown = realloc(text, size ? 2 * size : 16384);

			if (!grown)
				return -ENOMEM;
			text = grown;
			size = size ? 2 * size : 16384;
		}
		if (left <= 0 || !poll(&ready, 1, left))
			return -ETIME;
		n = read(fd, text + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		used += n;
		if (used > OUTPUT_MAX)
			return -EFBIG;
	}
	text[used] = '\0';
	*len = used;
	*ret = TAKE_PTR(text);
	return 0;
}

int porch_doctor_output_of(const char *const *argv, int seconds, char **ret, size_t *len)
{
	char *text = NULL;
	char path[128];
	int ends[2], status, r;
	size_t n = 0;
	pid_t child;

	r = find_program(argv[0], path, sizeof(path));
	if (r)
		return r;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child < 0) {
		r = -errno;
		close(ends[0]);
		close(ends[1]);
		return r;
	}
	if (!child)
		run(path, argv, ends[1]);
	close(ends[1]);
	r = collect(ends[0], now_ms() + 1000LL * seconds, &text, &n);
	close(ends[0]);
	if (r)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!r && (!WIFEXITED(status) || WEXITSTATUS(status)))
		r = -EIO;
	if (r) {
		free(text);
		return r;
	}
	*ret = text;
	*len = n;
	return 0;
}
