// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>
#include <unistd.h>

#include "core/config.h"
#include "core/err.h"

static const char whole[] = "# a comment\n"
			    "; another\n"
			    "[porch]\n"
			    "flows = 32768\n"
			    "half-open=1024\n"
			    "  reply-rate   =  50  \n"
			    "unknown-rate = 7\n"
			    "syn-rate = 2000\r\n"
			    "\n"
			    "[interface eth0]\n"
			    "mode = skb\n"
			    "listen = *:80\n"
			    "listen = 192.0.2.1:443,protect=always,mss=1400\n"
			    "[ listener   [2001:db8::1]:8080 ]\n"
			    "protect = monitor\n"
			    "syn-rate = 100\n"
			    "[interface eth1]\n"
			    "listen = *:80,overflow=reset\n"
			    "[deny]\n"
			    "prefix = 192.0.2.0/24\n"
			    "prefix = 2001:db8::/32\n"
			    "prefix = 192.0.2.0/24";

static int parse(const char *text, struct porch_config **ret, struct porch_err *err)
{
	return porch_config_parse(text, strlen(text), ret, err);
}

static void a_whole_file_is_understood(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	const struct porch_config_interface *iface;
	struct porch_err err;

	assert_int_equal(parse(whole, &c, &err), 0);
	assert_int_equal(c->flows, 32768);
	assert_int_equal(c->half_open, 1024);
	assert_int_equal(c->reply_rate, 50);
	assert_int_equal(c->unknown_rate, 7);
	assert_int_equal(c->n_interfaces, 2);
	assert_int_equal(c->n_deny, 2);
	assert_int_equal(porch_config_count_listeners(c), 3);
	iface = porch_config_interface(c, "eth0");
	assert_non_null(iface);
	assert_true(iface->mode_given);
	assert_int_equal(iface->mode, PORCH_MODE_SKB);
	/* its own two, and the section that is everybody's */
	assert_int_equal(iface->n_listeners, 3);
	assert_true(iface->listeners[0].any);
	assert_int_equal(iface->listeners[0].port, 80);
	assert_int_equal(iface->listeners[0].syn_rate, 2000);
	assert_int_equal(iface->listeners[1].protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(iface->listeners[1].mss, 1400);
	assert_int_equal(iface->listeners[1].line, 13);
	assert_int_equal(iface->listeners[2].port, 8080);
	assert_int_equal(iface->listeners[2].protect, PORCH_PROTECT_MONITOR);
	assert_int_equal(iface->listeners[2].syn_rate, 100);
	assert_null(porch_config_interface(c, "eth2"));
}

static void an_empty_file_has_defaults(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	struct porch_err err;

	assert_int_equal(porch_config_parse("", 0, &c, &err), 0);
	assert_int_equal(c->flows, PORCH_FLOWS_DEFAULT);
	assert_int_equal(c->half_open, PORCH_HALF_OPEN_DEFAULT);
	assert_int_equal(c->syn_rate, PORCH_SYN_RATE_DEFAULT);
	assert_int_equal(c->given, 0);
	assert_int_equal(c->n_interfaces + c->n_listeners + c->n_deny, 0);
}

static void the_daemon_has_a_section(void **state)
{
	static const char text[] = "[porchd]\n"
				   "socket = /run/x.sock\n"
				   "user = web\n"
				   "allow-uid = 0, 33 1000\n"
				   "allow-uid = 4294967294\n"
				   "backlog = 65535\n"
				   "accept-timeout = 1\n"
				   "workers = 63\n"
				   "workers-per-queue = 1\n"
				   "rx-frames = 256\n"
				   "tx-frames = 65536\n"
				   "early-frames = 0\n"
				   "early-memory = 1073741824\n"
				   "handback-memory = 0\n"
				   "synack-retries = 0\n"
				   "zero-copy = yes\n"
				   "tx-checksum = yes\n"
				   "fallback = kernel\n";
	_cleanup_config_ struct porch_config *c = NULL;
	const struct porch_daemon_config *d;
	struct porch_err err;

	assert_int_equal(parse(text, &c, &err), 0);
	d = &c->daemon;
	assert_string_equal(d->socket, "/run/x.sock");
	assert_string_equal(d->user, "web");
	assert_int_equal(d->n_allow_uid, 4);
	assert_int_equal(d->allow_uid[1], 33);
	assert_int_equal(d->allow_uid[2], 1000);
	assert_int_equal(d->allow_uid[3], 4294967294u);
	assert_int_equal(d->backlog, 65535);
	assert_int_equal(d->accept_timeout, 1);
	assert_int_equal(d->workers, 63);
	assert_int_equal(d->workers_per_queue, 1);
	assert_int_equal(d->rx_frames, 256);
	assert_int_equal(d->tx_frames, 65536);
	assert_int_equal(d->early_frames, 0);
	assert_int_equal(d->early_memory, 1u << 30);
	assert_int_equal(d->handback_memory, 0);
	assert_int_equal(d->synack_retries, 0);
	assert_int_equal(d->zero_copy, 1);
	assert_int_equal(d->tx_checksum, PORCH_TX_CHECKSUM_YES);
	assert_int_equal(d->fallback, PORCH_FALLBACK_KERNEL);
}

static void without_its_section_the_daemon_has_defaults(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL, *other = NULL;
	struct porch_daemon_config defaults;
	struct porch_err err;

	porch_daemon_config_default(&defaults);
	assert_int_equal(parse("", &c, &err), 0);
	assert_memory_equal(&c->daemon, &defaults, sizeof(defaults));
	/* [porch] is not [porchd] */
	assert_int_equal(parse("[porch]\nflows = 512\n[porchd]\n", &other, &err), 0);
	assert_memory_equal(&other->daemon, &defaults, sizeof(defaults));
	assert_int_equal(defaults.n_allow_uid, 1);
	assert_int_equal(defaults.allow_uid[0], 0);
	assert_int_equal(defaults.zero_copy, 0);
	assert_int_equal(defaults.tx_checksum, PORCH_TX_CHECKSUM_AUTO);
	assert_int_equal(defaults.fallback, PORCH_FALLBACK_DROP);
}

static void afxdp_listeners_of_a_file(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	const struct porch_config_interface *iface;
	struct porch_err err;

	assert_int_equal(parse("[interface a]\nlisten = *:80,deliver=afxdp\n[listener *:81]\nbacklog = 7\n"
			       "deliver = afxdp\n",
			       &c, &err),
			 0);
	iface = porch_config_interface(c, "a");
	assert_int_equal(iface->n_listeners, 2);
	assert_int_equal(iface->listeners[0].protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(iface->listeners[0].backlog, PORCH_BACKLOG_DEFAULT);
	assert_int_equal(iface->listeners[1].deliver, PORCH_DELIVER_AFXDP);
	assert_int_equal(iface->listeners[1].protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(iface->listeners[1].backlog, 7);
}

static void sections_of_a_listener_join_its_lines(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	struct porch_err err;

	assert_int_equal(parse("[listener *:80]\nprotect=always\nmss=1300\n[interface "
			       "a]\nlisten=*:80,overflow=reset\n",
			       &c, &err),
			 0);
	assert_int_equal(c->interfaces[0].n_listeners, 1);
	assert_int_equal(c->interfaces[0].listeners[0].protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(c->interfaces[0].listeners[0].overflow, PORCH_OVERFLOW_RESET);
	assert_int_equal(c->interfaces[0].listeners[0].mss, 1300);
	assert_int_equal(porch_config_count_listeners(c), 1);
}

/* What is wrong, the line that is blamed, and a word of the reason. */
static const struct {
	const char *text;
	unsigned int line;
	const char *word;
} wrong[] = {
	{ "flows = 1\n", 1, "before the first section" },
	{ "\n\n[porch\n", 3, "']'" },
	{ "[porch]\n[proch]\n", 2, "unknown section" },
	{ "[porch eth0]\n", 1, "no argument" },
	{ "[interface]\n", 1, "wants" },
	{ "[listener]\n", 1, "wants" },
	{ "[interface a/b]\n", 1, "cannot be the name" },
	{ "[interface sixteen-letters-]\n", 1, "cannot be the name" },
	{ "[interface ..]\n", 1, "cannot be the name" },
	{ "[interface a]\n[interface b]\n[interface a]\n", 3, "already in line 1" },
	{ "[porch]\nflows\n", 2, "neither" },
	{ "[porch]\n= 3\n", 2, "neither" },
	{ "[porch]\nflows =\n", 2, "no value" },
	{ "[porch]\nflow = 3\n", 2, "unknown key" },
	{ "[porch]\nflows = 255\n", 2, "from 256" },
	{ "[porch]\nflows = 4194305\n", 2, "from 256" },
	{ "[porch]\nflows = 99999999999999999999\n", 2, "from 256" },
	{ "[porch]\nflows = -1\n", 2, "from 256" },
	{ "[porch]\nflows = 0x400\n", 2, "from 256" },
	{ "[porch]\nflows = 0512\n", 2, "from 256" },
	{ "[porch]\nflows = 512\nflows = 512\n", 3, "twice" },
	{ "[interface a]\nmode = generic\n", 2, "native or skb" },
	{ "[interface a]\nmode = skb\nmode = skb\n", 3, "twice" },
	{ "[interface a]\nport = 80\n", 2, "unknown key" },
	{ "[interface a]\nlisten = *:80\nlisten = *:80\n", 3, "already in line 2" },
	{ "[interface a]\nlisten = *:99999\n", 2, "port" },
	{ "[listener *:80]\nprotect = never\n", 2, "protect is" },
	{ "[listener *:80]\nprotect = off\nprotect = off\n", 3, "twice" },
	{ "[listener *:80,mss=1400]\n", 1, "lines of their own" },
	{ "[listener *:80]\n[listener *:80]\n", 2, "already in line 1" },
	{ "[listener *:80]\nprotect=off\n[interface a]\nlisten=*:80,protect=always\n", 4, "otherwise" },
	{ "[interface a]\nlisten=*:80,protect=off\n[interface b]\nlisten=*:80,protect=always\n", 4,
	  "otherwise" },
	{ "[porchd eth0]\n", 1, "no argument" },
	{ "[porchd]\nsocket = porchd.sock\n", 2, "from /" },
	{ "[porchd]\nsocket = "
	  "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaa\n",
	  2, "longer than 107" },
	{ "[porchd]\nuser = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 2, "longer than 31" },
	{ "[porchd]\nuser = a\nuser = a\n", 3, "twice" },
	{ "[porchd]\nallow-uid = root\n", 2, "numbers of users" },
	{ "[porchd]\nallow-uid = -1\n", 2, "numbers of users" },
	{ "[porchd]\nallow-uid = 4294967295\n", 2, "numbers of users" },
	{ "[porchd]\nallow-uid = ,\n", 2, "nobody" },
	{ "[porchd]\nbacklog = 0\n", 2, "from 1 to 65535" },
	{ "[porchd]\nbacklog = 65536\n", 2, "from 1 to 65535" },
	{ "[porchd]\nbacklog = 5\nbacklog = 5\n", 3, "twice" },
	{ "[porchd]\naccept-timeout = 0\n", 2, "from 1 to 3600" },
	{ "[porchd]\nworkers = 64\n", 2, "from 1 to 63" },
	{ "[porchd]\nworkers-per-queue = 0\n", 2, "from 1 to 63" },
	{ "[porchd]\nrx-frames = 128\n", 2, "from 256 to 65536" },
	{ "[porchd]\nrx-frames = 1000\n", 2, "power of two" },
	{ "[porchd]\ntx-frames = 131072\n", 2, "from 64 to 65536" },
	{ "[porchd]\nearly-frames = 65\n", 2, "from 0 to 64" },
	{ "[porchd]\nearly-memory = 16M\n", 2, "from 0 to 1073741824" },
	{ "[porchd]\nsynack-retries = 11\n", 2, "from 0 to 10" },
	{ "[porchd]\nzero-copy = 1\n", 2, "no or yes" },
	{ "[porchd]\ntx-checksum = on\n", 2, "auto, no or yes" },
	{ "[porchd]\ntx-checksum = no\ntx-checksum = yes\n", 3, "given twice" },
	{ "[porchd]\nfallback = pass\n", 2, "drop or kernel" },
	{ "[porchd]\nflows = 512\n", 2, "unknown key" },
	{ "[porch]\nbacklog = 5\n", 2, "unknown key" },
	{ "[listener *:80]\ndeliver = afxdp\nprotect = on-attack\n", 1, "always" },
	{ "[interface a]\nlisten = *:80,deliver=afxdp,protect=on-attack\n", 2, "always" },
	{ "[deny]\nprefix = 192.0.2.1/24\n", 2, "192.0.2.0/24" },
	{ "[deny]\naddress = 192.0.2.1\n", 2, "unknown key" },
};

static void what_is_wrong_is_named_with_its_line(void **state)
{
	char start[16];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct porch_config *c = (void *)1;
		struct porch_err err = {};

		assert_int_equal(parse(wrong[i].text, &c, &err), -EINVAL);
		assert_ptr_equal(c, (void *)1);
		snprintf(start, sizeof(start), "%u: ", wrong[i].line);
		if (strncmp(err.text, start, strlen(start)) || !strstr(err.text, wrong[i].word))
			fail_msg("for <<%s>>: %s", wrong[i].text, err.text);
	}
}

static void limits_hold(void **state)
{
	struct porch_config *c = NULL;
	struct porch_err err = {};
	char *text = calloc(1, PORCH_CONFIG_SIZE_MAX + 2);
	int i, at;

	assert_non_null(text);
	/* 255 listeners are taken, 256 are not */
	at = sprintf(text, "[interface a]\n");
	for (i = 1; i <= PORCH_CONFIG_LISTENERS_MAX; i++)
		at += sprintf(text + at, "listen = *:%d\n", i);
	assert_int_equal(parse(text, &c, &err), 0);
	assert_int_equal(porch_config_count_listeners(c), PORCH_CONFIG_LISTENERS_MAX);
	porch_config_free(c);
	sprintf(text + at, "listen = *:%d\n", i);
	assert_int_equal(parse(text, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "257: more than 255 listeners"));
	/* also when no single section has too many */
	sprintf(text + at, "[listener *:%d]\n", i);
	assert_int_equal(parse(text, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "in all"));
	/* addresses with one port */
	at = sprintf(text, "[interface a]\n");
	for (i = 1; i <= PORCH_CHAIN_MAX + 1; i++)
		at += sprintf(text + at, "listen = 192.0.2.%d:80\n", i);
	assert_int_equal(parse(text, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "10: more than 8 addresses"));
	/* interfaces */
	for (at = 0, i = 0; i <= PORCH_CONFIG_INTERFACES_MAX; i++)
		at += sprintf(text + at, "[interface e%d]\n", i);
	assert_int_equal(parse(text, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "65: more than 64 interfaces"));
	/* a line, a file, a NUL */
	memset(text, '#', 600);
	text[600] = '\0';
	assert_int_equal(parse(text, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1: longer than"));
	memset(text, '\n', PORCH_CONFIG_SIZE_MAX + 1);
	assert_int_equal(porch_config_parse(text, PORCH_CONFIG_SIZE_MAX + 1, &c, &err), -E2BIG);
	assert_int_equal(porch_config_parse("[porch]\n\0\n", 10, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "2: contains a NUL"));
	free(text);
}

static void files_are_named_in_errors(void **state)
{
	char path[] = "/tmp/porch-unit-config-XXXXXX", want[64];
	struct porch_config *c = NULL;
	struct porch_err err = {};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[porch]\nx=1\n", 12), 12);
	close(fd);
	assert_int_equal(porch_config_read(path, &c, &err), -EINVAL);
	snprintf(want, sizeof(want), "%s:2: ", path);
	assert_int_equal(strncmp(err.text, want, strlen(want)), 0);
	unlink(path);
	assert_int_equal(porch_config_read(path, &c, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_not_equal(porch_config_read("/", &c, &err), 0);
	assert_null(c);
}

/* Whatever the octets, the answer is a configuration or a line and a reason. */
static void damaged_files_are_refused_in_order(void **state)
{
	uint64_t seed = 20250101;
	char text[sizeof(whole)];
	int i, j, accepted = 0;

	for (i = 0; i < 20000; i++) {
		struct porch_config *c = NULL;
		struct porch_err err = {};
		size_t len = sizeof(whole) - 1;
		int changes = 1 + unit_random(&seed) % 4;

		memcpy(text, whole, sizeof(whole));
		for (j = 0; j < changes; j++) {
			uint64_t r = unit_random(&seed);
			size_t at = r % len;

			if (r & 0x10000)
				text[at] = (r >> 20) & 0xff;
			else if (r & 0x20000)
				text[at] = "\n[]=,:.*/0aF "[(r >> 20) % 13];
			else
				len = at ? at : 1;
		}
		if (!porch_config_parse(text, len, &c, &err)) {
			accepted++;
			assert_in_range(porch_config_count_listeners(c), 0, PORCH_CONFIG_LISTENERS_MAX);
			porch_config_free(c);
		} else {
			assert_in_range(err.text[0], '1', '9');
			assert_non_null(strstr(err.text, ": "));
			assert_null(c);
		}
	}
	/* the generator damages some files beyond repair and leaves others whole */
	assert_in_range(accepted, 100, 19900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_understood),
		cmocka_unit_test(an_empty_file_has_defaults),
		cmocka_unit_test(the_daemon_has_a_section),
		cmocka_unit_test(without_its_section_the_daemon_has_defaults),
		cmocka_unit_test(afxdp_listeners_of_a_file),
		cmocka_unit_test(sections_of_a_listener_join_its_lines),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(files_are_named_in_errors),
		cmocka_unit_test(damaged_files_are_refused_in_order),
	};

	return unit_run("config", tests);
}
