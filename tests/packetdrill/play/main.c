// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* play --so=FILE [--so-flags=FLAGS] [--ipv6] [--check-ecr] [--isn=N] [-v] SCRIPT...: each script in a
 * process. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "play.h"

#define PATIENCE 20 /* seconds of the machine's clock for a script */

struct play play = {
	.settings = { .tolerance = 4000, .tolerance_share = 0.03, .port = 8080 },
	.next_port = 40000,
	.under_test = -1,
};

static const char *script;

void fail(int line, const char *format, ...)
{
	va_list args;

	printf("%s:%d: ", script, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void skip(int line, const char *why)
{
	printf("%s (line %d)\n", why, line);
	fflush(stdout);
	_exit(PLAY_SKIPPED);
}

char *text(const char *format, ...)
{
	va_list args;
	char *ret;

	va_start(args, format);
	if (vasprintf(&ret, format, args) < 0)
		abort();
	va_end(args);
	return ret;
}

void *zeroed(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		abort();
	return p;
}

static int run(const char *so, const char *flags, char said[4096])
{
	int fds[2], status = -1;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		close(fds[0]);
		dup2(fds[1], STDOUT_FILENO);
		close(fds[1]);
		alarm(PATIENCE);
		script_play(so, flags, script);
		fflush(stdout);
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], said + used, 4095 - used)) > 0)
		used += (size_t)n;
	said[used] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		snprintf(said + used, 4096 - used, "%s\n",
			 WTERMSIG(status) == SIGALRM ? "it did not end" : strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void indented(const char *said)
{
	const char *end;

	for (; *said; said = *end ? end + 1 : end) {
		end = strchrnul(said, '\n');
		printf("#   %.*s\n", (int)(end - said), said);
	}
}

int main(int argc, char **argv)
{
	const char *so = NULL, *flags = "";
	int passed = 0, failed = 0, skipped = 0, i;
	char said[4096];

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strncmp(argv[i], "--so=", 5))
			so = argv[i] + 5;
		else if (!strncmp(argv[i], "--so-flags=", 11))
			flags = argv[i] + 11;
		else if (!strncmp(argv[i], "--isn=", 6))
			play.settings.remote_isn = (uint32_t)strtoul(argv[i] + 6, NULL, 0);
		else if (!strcmp(argv[i], "--ipv6"))
			play.settings.ipv6 = true;
		else if (!strcmp(argv[i], "--check-ecr"))
			play.settings.check_ecr = true;
		else if (!strcmp(argv[i], "-v"))
			play.settings.verbose = true;
		else
			break;
	}
	if (!so || i >= argc || argv[i][0] == '-') {
		fprintf(stderr, "usage: play --so=FILE [--so-flags=FLAGS] [--ipv6] [--check-ecr] [--isn=N] "
				"[-v] SCRIPT...\n");
		return 2;
	}
	if (!strchr(so, '/'))
		so = text("./%s", so);
	for (; i < argc; i++) {
		script = argv[i];
		switch (run(so, flags, said)) {
		case 0:
			printf("ok %d - %s\n", ++passed + failed + skipped, script);
			break;
		case PLAY_SKIPPED:
			said[strcspn(said, "\n")] = 0;
			skipped++;
			printf("ok %d - %s # SKIP %s\n", passed + failed + skipped, script, said);
			break;
		default:
			failed++;
			printf("not ok %d - %s\n", passed + failed + skipped, script);
			indented(said);
		}
	}
	printf("%d passed, %d failed", passed, failed);
	if (skipped)
		printf(", %d skipped", skipped);
	printf("\n");
	return failed ? 1 : 0;
}
