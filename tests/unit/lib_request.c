// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The HTTP example's reading of requests: what it takes, what it refuses, and no octet beyond the head. */
#include "tests/unit/unit.h"
#include "user/examples/request.h"

static bool parse(const char *text, struct request *r)
{
	static char copy[9000];

	memset(r, 0, sizeof(*r));
	strcpy(copy, text);
	return parse_request(copy, r);
}

static void taken(void **state)
{
	struct request r;

	assert_true(parse("GET / HTTP/1.1\r\nHost: a\r\n", &r));
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.target, "/");
	assert_true(r.persistent && !r.head && !r.body && !r.old);
	assert_true(parse("HEAD /x HTTP/1.1\r\nhost:a\r\nConnection: Close\r\n", &r));
	assert_true(r.head && !r.persistent);
	assert_true(parse("GET / HTTP/1.0\r\n", &r));
	assert_true(r.old && !r.persistent);
	assert_true(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", &r));
	assert_true(r.old && r.persistent);
	assert_true(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\n", &r));
	assert_true(r.body);
	assert_true(parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", &r));
	assert_false(r.body);
	assert_true(parse("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", &r));
	assert_true(r.body);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", "\r\n", "GET\r\n", "GET / \r\n", "GET /\r\n", " / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/2.0\r\nHost: a\r\n",
		"GET / HTTP/1.1\r\n", "GET / HTTP/1.11\r\nHost: a\r\n", "GET / http/1.1\r\nHost: a\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n",
		"GET / HTTP/1.1\nHost: a\r\n", "GET / HTTP/1.1\r\nHost : a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n", "GET / HTTP/1.1\r\n: a\r\n", "GET / HTTP/1.\r\nHost: a\r\n",
	};
	struct request r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i], &r))
			print_message("taken: %s\n", bad[i]);
		assert_false(parse(bad[i], &r));
	}
}

static void paths(void **state)
{
	static const char *const rows[][2] = {
		{ "/", "/" }, { "/a?b", "/a" }, { "/a#b", "/a" }, { "/%41%2f", "/A/" }, { "/%zz", NULL }, { "/%4", NULL },
		{ "/%00", NULL }, { "/%0a", NULL }, { "a", NULL }, { "*", NULL }, { "", NULL }, { "http://x", "/" },
		{ "http://x/y?z", "/y" }, { "HTTP://x/%2e%2e/y", "/../y" }, { "/%", NULL }, { "/%%41", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[64], *path;

		strcpy(target, rows[i][0]);
		path = path_of(target);
		if (rows[i][1])
			assert_string_equal(path, rows[i][1]);
		else
			assert_null(path);
	}
}

/* Anything at all, by seed: every result lies inside the text. */
static void anything(void **state)
{
	static const char alphabet[] = "GETHEAD/ HTTP/1.10: \r\n\r\n%2fhost?#close-\x80";
	uint64_t seed = 3;

	for (int turn = 0; turn < 200000; turn++) {
		struct request r = {};
		size_t n = unit_random(&seed) % 120;
		char *text = malloc(n + 1);

		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[unit_random(&seed) % (sizeof(alphabet) - 1)];
		text[n] = 0;
		if (turn % 2 && n > 20)
			memcpy(text, "GET /%41 HTTP/1.1\r\n", 19);
		if (parse_request(text, &r)) {
			char *path = path_of(r.target);

			assert_true(!path || (path >= text && path <= text + n && *path == '/'));
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(refused),
		cmocka_unit_test(paths),
		cmocka_unit_test(anything),
	};

	return unit_run("lib_request", tests);
}
