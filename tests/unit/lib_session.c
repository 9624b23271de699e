// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The beginning of a session: what porchd may say wrongly, and that nothing is left behind by it. */
#include <dirent.h>
#include <sys/wait.h>

#include "tests/unit/lib_client.h"

static struct fake fake;

static int count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake_start(&fake);
}

static void nobody_there(void **state)
{
	struct porch_open_opts opts = { .size = sizeof(opts), .socket = "/tmp/porch-lib-none" };
	struct porch *p = (void *)1;

	assert_int_equal(porch_open(&p, &opts), -ENOENT);
	assert_ptr_equal(p, (void *)1);
	assert_int_equal(porch_open(NULL, &opts), -EINVAL);
	opts.size = 1;
	assert_int_equal(porch_open(&p, &opts), -EINVAL);
	porch_close(NULL);
}

static void options(void **state)
{
	struct porch_open_opts bad[] = {
		{ .credit = LIB_CREDIT_MAX + 1 }, { .flags = 0x80 }, { .memory = 100 }, { .recv_buffer = 1 },
		{ .send_buffer = LIB_BUFFER_MAX + 1 }, { .max_conns = LIB_MAX_CONNS_MAX + 1 },
	};
	struct porch *p;
	char longer[200];

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fake_open(&fake, &p, &bad[i]), -EINVAL);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	bad[0] = (struct porch_open_opts){ .size = sizeof(bad[0]), .socket = longer };
	assert_int_equal(porch_open(&p, &bad[0]), -ENAMETOOLONG);
	assert_int_equal(fake.hellos, 0);
	fake_end(&fake);
}

static void by_environment(void **state)
{
	struct porch *p;

	begin();
	setenv("PORCH_SOCKET", fake.path, 1);
	assert_int_equal(porch_open(&p, NULL), 0);
	unsetenv("PORCH_SOCKET");
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	porch_close(p);
	for (int i = 0; i < 1000 && !fake.goodbyes; i++)
		usleep(1000);
	assert_int_equal(fake.goodbyes, 1);
	fake_end(&fake);
}

static void refused(void **state)
{
	static const int errors[][2] = { { -EACCES, -EACCES }, { -EUSERS, -EUSERS }, { -ENODEV, -ENODEV }, { 5, -EPROTO }, { -100000, -EPROTO } };
	struct porch *p;

	for (int i = 0; i < 5; i++) {
		int files = count_files();

		begin();
		fake.refuse_hello = errors[i][0];
		assert_int_equal(fake_open(&fake, &p, NULL), errors[i][1]);
		fake_end(&fake);
		assert_int_equal(count_files(), files);
	}
}

static void too_slow(void **state)
{
	struct porch *p;

	begin();
	fake.silent = true;
	assert_int_equal(fake_open(&fake, &p, NULL), -ETIMEDOUT);
	fake_end(&fake);
}

/* Each of these is one lie. None may be believed, crash, or leave a file open. */
static void lie(struct fake *f, struct porch_msg *m, int *fds, unsigned int *n_fds)
{
	static const uint32_t type_of[] = {
		PORCH_MSG_WELCOME, PORCH_MSG_WELCOME, PORCH_MSG_WELCOME, PORCH_MSG_WELCOME, PORCH_MSG_WELCOME,
		PORCH_MSG_WELCOME, PORCH_MSG_WELCOME, PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA,
		PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_AREA,
		PORCH_MSG_AREA, PORCH_MSG_AREA, PORCH_MSG_SOCKET, PORCH_MSG_SOCKET, PORCH_MSG_SOCKET, PORCH_MSG_SOCKET,
		PORCH_MSG_SOCKET, PORCH_MSG_SOCKET, PORCH_MSG_SOCKET, PORCH_MSG_SOCKET, PORCH_MSG_BOUND, PORCH_MSG_BOUND,
		PORCH_MSG_READY, PORCH_MSG_READY,
	};

	if (f->mutation >= sizeof(type_of) / sizeof(type_of[0]) || m->type != type_of[f->mutation])
		return;
	switch (f->mutation) {
	case 0: m->version = 99; break;
	case 1: m->welcome.worker = 0; break;
	case 2: m->welcome.worker = PORCH_WORKERS_MAX; break;
	case 3: m->welcome.areas = PORCH_AREAS_MAX + 1; break;
	case 4: m->welcome.session_size = 1ull << 40; break;
	case 5: m->welcome.session_size = 64; break;
	case 6: *n_fds = 2; break;
	case 7: m->area.area = PORCH_AREAS_MAX; break;
	case 8: m->area.frame_size = 3000; break;
	case 9: m->area.rx_frames = 0; break;
	case 10: m->area.rx_frames = 1u << 31; break;
	case 11: m->area.umem = UINT64_MAX - 63; break;
	case 12: m->area.umem_size = UINT64_MAX; break;
	case 13: m->area.head = f->group_size; break;
	case 14: m->area.group_size *= 2; break;
	case 15: m->area.fill_entries = 100; break;
	case 16: m->area.completion_entries = 1u << 31; break;
	case 17: *n_fds = 0; break;
	case 18: m->area.mtu = 0; break;
	case 19: m->socket.area = 63; break;
	case 20: m->socket.area = 1000; break;
	case 21: m->socket.rx_entries = 0; break;
	case 22: m->socket.tx_entries = 3; break;
	case 23: m->socket.tx_first = 0; break;
	case 24: m->socket.tx_frames = UINT32_MAX; break;
	case 25: m->socket.tx_first = UINT32_MAX; break;
	case 26: *n_fds = 0; break;
	case 27: m->mapped.area = 17; break;
	case 28: m->type = PORCH_MSG_WELCOME; break;
	case 29: m->type = 12345; break;
	case 30: m->type = PORCH_MSG_LISTENING; break;
	}
}

static void lies(void **state)
{
	for (uint32_t i = 0; i < 31; i++) {
		struct porch *p = (void *)1;
		int files = count_files(), r;

		begin();
		fake.tamper = lie;
		fake.mutation = i;
		r = fake_open(&fake, &p, NULL);
		if (r != -EPROTO)
			print_message("lie %u: %d\n", i, r);
		assert_int_equal(r, -EPROTO);
		assert_ptr_equal(p, (void *)1);
		fake_end(&fake);
		assert_int_equal(count_files(), files);
	}
}

/* The same in the session memory. */
static void lies_in_memory(void **state)
{
	for (int i = 0; i < 13; i++) {
		struct porch *p;
		struct porch_session *s;
		int r;

		begin();
		s = fake.session;
		switch (i) {
		case 0: s->magic++; break;
		case 1: s->version++; break;
		case 2: s->accept.offset = 1ull << 60; break;
		case 3: s->accept.entries = 3; break;
		case 4: s->accept.entry_size = 64; break;
		case 5: s->inject.entry_size = 8; break;
		case 6: s->inject.entries = 1u << 31; break;
		case 7: s->finish.offset = 0; break;
		case 8: s->finish.offset += 1; break;
		case 9: s->area[1].give.entries = 1u << 31; break;
		case 10: s->area[0].back.entries = 1; break;	/* no room for every frame */
		case 11: s->area[0].back.offset = fake.session_size - 64; break;
		case 12: fake.accept.ring->produced = 1000; break;
		}
		r = fake_open(&fake, &p, NULL);
		if (r != -EPROTO)
			print_message("lie %d: %d\n", i, r);
		assert_int_equal(r, -EPROTO);
		fake_end(&fake);
	}
}

/* Memory that could be taken away under us. */
static void unsealed(void **state)
{
	struct porch *p;
	int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	begin();
	close(fake.session_fd);
	fake.session_fd = dup(fd);
	assert_int_equal(fake_open(&fake, &p, NULL), -EPROTO);
	fake_end(&fake);
	begin();
	close(fake.group_fd);
	fake.group_fd = dup(fd);
	assert_int_equal(fake_open(&fake, &p, NULL), -EPROTO);
	fake_end(&fake);
	close(fd);
}

static void in_a_child(void **state)
{
	struct porch_listener *l;
	struct porch *p;
	int status;
	pid_t child;

	begin();
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
	child = fork();
	if (!child) {
		struct porch_event e;
		struct porch_conn *c;
		int bad = 0;

		bad += porch_poll(p, &e, 1, 0) != -ECHILD;
		bad += porch_accept(l, &c) != -ECHILD;
		bad += porch_state(p) != -ECHILD;
		bad += porch_fd(p) != -ECHILD;
		porch_listener_close(l);
		porch_close(p);
		_exit(bad);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* nothing the child did was felt here */
	assert_int_equal(porch_poll(p, &(struct porch_event){}, 1, 0), 0);
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	assert_int_equal(fake.goodbyes + fake.unlistens, 0);
	porch_close(p);
	fake_end(&fake);
}

static void listening(void **state)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_addr = { { { [15] = 1 } } } };
	struct sockaddr_un other = { .sun_family = AF_UNIX };
	struct porch_listener *l, *more[PORCH_WORKER_LISTENERS];
	struct porch *p;

	begin();
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(porch_listen(p, (struct sockaddr *)&other, sizeof(other), 1, &l), -EAFNOSUPPORT);
	assert_int_equal(porch_listen(p, (struct sockaddr *)&six, 8, 1, &l), -EINVAL);
	fake.refuse_listen = -EADDRNOTAVAIL;
	assert_int_equal(porch_listen(p, (struct sockaddr *)&six, sizeof(six), 1, &l), -EADDRNOTAVAIL);
	fake.refuse_listen = 0;
	for (int i = 0; i < PORCH_WORKER_LISTENERS; i++) {
		six.sin6_port = htons(1000 + i);
		assert_int_equal(porch_listen(p, (struct sockaddr *)&six, sizeof(six), 1, &more[i]), 0);
		assert_int_equal(fake.session->listener[i].port, 1000 + i);
		assert_int_equal(fake.session->listener[i].address[15], 1);
		assert_int_equal(fake.session->listener[i].granted, LIB_CREDIT_DEFAULT);
	}
	assert_int_equal(porch_listen(p, (struct sockaddr *)&six, sizeof(six), 1, &l), -EMFILE);
	porch_listener_set_user(more[3], &six);
	assert_ptr_equal(porch_listener_user(more[3]), &six);
	porch_close(p);
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_there), cmocka_unit_test(options),  cmocka_unit_test(by_environment),
		cmocka_unit_test(refused),	cmocka_unit_test(too_slow), cmocka_unit_test(lies),
		cmocka_unit_test(lies_in_memory), cmocka_unit_test(unsealed), cmocka_unit_test(in_a_child),
		cmocka_unit_test(listening),
	};

	return unit_run("lib_session", tests);
}
