// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/opener.c and privileges.c: what the second process gives, and what it cannot do. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "core/err.h"
#include "daemon/daemon.h"
#include "daemon/opener.h"
#include "daemon/privileges.h"

static struct privileges nobody;

static int confine(void *arg)
{
	struct privileges to = nobody;

	to.keep = PRIVILEGES_NET_RAW;
	return privileges_drop(&to, NULL);
}

static int cannot(void *arg)
{
	return -EPERM;
}

static bool root(void)
{
	struct porch_err err;

	return !geteuid() && !privileges_find("nobody", &nobody, &err);
}

#define NEED_ROOT()                                                                                          \
	do {                                                                                                 \
		if (!root())                                                                                 \
			skip();                                                                              \
	} while (0)

static int domain_of(int fd)
{
	int domain = -1;
	socklen_t size = sizeof(domain);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size), 0);
	return domain;
}

/* A datagram that passes over lo. */
static void say_something(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	usleep(10000);
	close(fd);
}

static void gives_sockets(void **state)
{
	struct opener_request xsk = { .type = OPENER_XSK }, packet = { .type = OPENER_PACKET };
	struct sockaddr_ll at;
	socklen_t size = sizeof(at);
	struct opener *opener;
	int fd, i;

	NEED_ROOT();
	assert_int_equal(opener_start(&opener, confine, NULL), 0);
	for (i = 0; i < 20; i++) {
		fd = opener_ask(opener, xsk);
		if (fd == -EAFNOSUPPORT)
			break;
		assert_true(fd >= 0);
		assert_int_equal(domain_of(fd), AF_XDP);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
	packet.ifindex = if_nametoindex("lo");
	fd = opener_ask(opener, packet);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(at.sll_ifindex, packet.ifindex);
	assert_int_equal(at.sll_protocol, 0); /* it receives nothing */
	/* nor can whoever has it change that */
	at = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = packet.ifindex };
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), -1);
	assert_int_equal(errno, EPERM);
	say_something();
	assert_int_equal(recv(fd, &at, sizeof(at), MSG_DONTWAIT), -1);
	close(fd);
	opener_stop(opener);
}

static void refuses_the_rest(void **state)
{
	const struct {
		struct opener_request request;
		int error;
	} rows[] = {
		{ { OPENER_PACKET, 0 }, -ENODEV },
		{ { OPENER_PACKET, 0x7fffffff }, -ENODEV },
		{ { OPENER_PACKET, 0xffffffff }, -ENODEV },
		{ { OPENER_XSK, 1 }, -EINVAL },
		{ { 0, 0 }, -EINVAL },
		{ { 3, 1 }, -EINVAL },
		{ { 0xffffffff, 1 }, -EINVAL },
	};
	struct opener *opener;
	size_t i;

	NEED_ROOT();
	assert_int_equal(opener_start(&opener, confine, NULL), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(opener_ask(opener, rows[i].request), rows[i].error);
	/* and goes on */
	i = opener_ask(opener, (struct opener_request){ OPENER_PACKET, if_nametoindex("lo") });
	assert_true((int)i >= 0);
	close(i);
	opener_stop(opener);
}

/* Messages of any other size, on the serving side itself. */
static void answers_nonsense_with_an_error(void **state)
{
	char nonsense[64] = {};
	int pair[2], n;
	int32_t said;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	child = fork();
	if (!child) {
		close(pair[0]);
		_exit(opener_serve(pair[1]) ? 1 : 0);
	}
	close(pair[1]);
	for (n = 1; n <= 64; n += 3) {
		assert_int_equal(send(pair[0], nonsense, n, 0), n);
		assert_int_equal(recv(pair[0], &said, sizeof(said), 0), sizeof(said));
		assert_int_equal(said, n == sizeof(struct opener_request) ? -EINVAL : -EPROTO);
	}
	close(pair[0]);
	assert_int_equal(waitpid(child, &n, 0), child);
	assert_true(WIFEXITED(n) && !WEXITSTATUS(n));
}

static void is_found_to_be_gone(void **state)
{
	struct opener_request xsk = { .type = OPENER_XSK };
	struct opener *opener;

	NEED_ROOT();
	assert_int_equal(opener_start(&opener, cannot, NULL), 0);
	assert_int_equal(opener_ask(opener, xsk), -EPIPE);
	assert_int_equal(opener_ask(opener, xsk), -EPIPE);
	opener_stop(opener);

	assert_int_equal(opener_start(&opener, confine, NULL), 0);
	kill(opener_pid(opener), SIGKILL);
	assert_int_equal(opener_ask(opener, xsk), -EPIPE);
	opener_stop(opener);

	/* one that does not answer is not waited for for ever, nor believed later */
	assert_int_equal(opener_start(&opener, confine, NULL), 0);
	kill(opener_pid(opener), SIGSTOP);
	assert_int_equal(opener_ask(opener, xsk), -EPIPE);
	kill(opener_pid(opener), SIGCONT);
	assert_int_equal(opener_ask(opener, xsk), -EPIPE);
	opener_stop(opener);
}

static int status_field(pid_t pid, const char *name, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':') {
			line[strcspn(line, "\n")] = '\0';
			snprintf(value, size, "%s",
				 line + strlen(name) + 1 + strspn(line + strlen(name) + 1, "\t "));
			found = 1;
		}
	}
	fclose(file);
	return found;
}

static void expect_field(pid_t pid, const char *name, const char *value)
{
	char got[128] = "";

	assert_true(status_field(pid, name, got, sizeof(got)));
	assert_string_equal(got, value);
}

static void is_nobody_with_one_capability(void **state)
{
	struct opener *opener;
	char ids[64];
	pid_t pid;
	int fd;

	NEED_ROOT();
	assert_int_equal(opener_start(&opener, confine, NULL), 0);
	fd = opener_ask(opener, (struct opener_request){ OPENER_PACKET, if_nametoindex("lo") });
	assert_true(fd >= 0); /* it is confined by now */
	close(fd);
	pid = opener_pid(opener);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody.uid, nobody.uid, nobody.uid, nobody.uid);
	expect_field(pid, "Uid", ids);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody.gid, nobody.gid, nobody.gid, nobody.gid);
	expect_field(pid, "Gid", ids);
	expect_field(pid, "Groups", "");
	expect_field(pid, "CapEff", "0000000000002000");
	expect_field(pid, "CapPrm", "0000000000002000");
	expect_field(pid, "CapInh", "0000000000000000");
	expect_field(pid, "CapBnd", "0000000000000000");
	expect_field(pid, "CapAmb", "0000000000000000");
	expect_field(pid, "NoNewPrivs", "1");
	opener_stop(opener);
}

/* The main process's drop, in a child: everything is tried that would take it back. */
static int drop_and_try(void)
{
	struct porch_err err;

	if (privileges_drop(&nobody, &err))
		return 10;
	if (!setuid(0) || !setgid(0) || !setgroups(1, (gid_t[]){ 0 }))
		return 11;
	if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM)
		return 12;
	if (socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1) >= 0)
		return 13;
	if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0)
		return 14;
	if (!prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) || prctl(PR_GET_DUMPABLE))
		return 15;
	if (!unshare(CLONE_NEWNET))
		return 16;
	return 0;
}

static void the_drop_is_for_good(void **state)
{
	pid_t child;
	int status;

	NEED_ROOT();
	child = fork();
	if (!child)
		_exit(drop_and_try());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void nobody_cannot_drop(void **state)
{
	struct privileges other;
	struct porch_err err;
	pid_t child;
	int status;

	NEED_ROOT();
	assert_int_equal(privileges_find("no-such-user-here", &other, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no such user"));
	child = fork();
	if (!child) {
		if (privileges_drop(&nobody, &err))
			_exit(1);
		other = nobody;
		other.uid++;
		_exit(privileges_drop(&other, &err) ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_sockets),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(answers_nonsense_with_an_error),
		cmocka_unit_test(is_found_to_be_gone),
		cmocka_unit_test(is_nobody_with_one_capability),
		cmocka_unit_test(the_drop_is_for_good),
		cmocka_unit_test(nobody_cannot_drop),
	};

	return unit_run("opener", tests);
}
