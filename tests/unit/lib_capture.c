// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pcap records: whole, in order, with the right lengths; a reader that is slow, or gone. */
#include <limits.h>
#include <signal.h>

#include "tests/unit/lib_client.h"

static struct fake fake;
static struct porch *p;
static struct porch_listener *l;
static volatile sig_atomic_t sigpipe;

static void on_sigpipe(int number)
{
	sigpipe = 1;
}

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

static void end(void)
{
	porch_close(p);
	fake_end(&fake);
}

static void turn(void)
{
	struct porch_event events[8];

	porch_poll(p, events, 8, 0);
}

static struct porch_conn *take(void)
{
	struct porch_conn *c;

	turn();
	assert_int_equal(porch_accept(l, &c), 0);
	return c;
}

/* Reads a capture: how many records; the last one's included and original length. */
static int records(int fd, bool header, uint32_t last[2])
{
	uint32_t head[6], record[4];
	uint8_t frame[PIPE_BUF];
	int n = 0;

	if (header) {
		assert_int_equal(read(fd, head, 24), 24);
		assert_int_equal(head[0], 0xa1b2c3d4);
		assert_int_equal(head[1], 2 | 4 << 16);
		assert_int_equal(head[5], 1);
	}
	while (read(fd, record, 16) == 16) {
		assert_true(record[1] < 1000000);
		assert_true(record[2] <= record[3]);
		assert_int_equal(read(fd, frame, record[2]), record[2]);
		assert_true(record[2] < 14 || frame[12] == 8);
		last[0] = record[2];
		last[1] = record[3];
		n++;
	}
	return n;
}

static void to_a_file(void **state)
{
	FILE *f = tmpfile();
	struct client me;
	struct porch_conn *c;
	uint32_t last[2];
	char data[1000];

	begin();
	assert_int_equal(porch_capture(p, fileno(f), 100), 0);
	me = client_new(&fake, 10, 0);
	c = take();
	client_send(&me, SEG_ACK | SEG_PSH, data, 500);
	turn();
	porch_recv(c, data, 1000);
	porch_send(c, data, 1000);
	turn();
	assert_int_equal(fake.n_sent, 1);
	assert_int_equal(porch_capture(p, -1, 0), 0);
	client_send(&me, SEG_ACK, "", 0);
	turn();
	assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
	assert_int_equal(records(fileno(f), true, last), 2);
	assert_int_equal(last[0], 100);
	assert_int_equal(last[1], fake.sent[0].length);
	fclose(f);
	end();
}

/* `porch capture`: records alone, of one interface; and it ends with its reader. */
static void to_a_pipe(void **state)
{
	struct porch_msg msg = { .type = PORCH_MSG_CAPTURE, .version = PORCH_WIRE_VERSION };
	struct sigaction act = { .sa_handler = on_sigpipe };
	struct client me;
	uint32_t last[2];
	int fds[2];

	sigaction(SIGPIPE, &act, NULL);
	for (int other = 0; other < 2; other++) {
		begin();
		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		msg.capture.ifindex = FAKE_IFINDEX + other;
		msg.capture.snaplen = 65535;
		assert_int_equal(control_send(fake.control, &msg, &fds[1], 1), 0);
		close(fds[1]);
		for (int i = 0; i < 100 && p->capture.fd < 0; i++)
			porch_poll(p, &(struct porch_event){ 0 }, 1, 5);
		assert_true(p->capture.fd >= 0);
		me = client_new(&fake, 10, 0);
		take();
		for (int i = 0; i < 10; i++) {
			client_send(&me, SEG_ACK | SEG_PSH, "0123456789", 10);
			turn();
		}
		assert_true(records(fds[0], false, last) >= (other ? 0 : 10));
		if (other)
			assert_int_equal(read(fds[0], last, 1), -1);
		close(fds[0]);
		for (int i = 0; i < 3; i++) {
			client_send(&me, SEG_ACK | SEG_PSH, "x", 1);
			turn();
		}
		assert_int_equal(p->capture.fd < 0, !other);
		assert_int_equal(sigpipe, 0);
		end();
	}
	signal(SIGPIPE, SIG_DFL);
}

/* A full pipe: what does not fit is left out, whole records of it, and nobody waits. */
static void slow_reader(void **state)
{
	struct porch_msg msg = { .type = PORCH_MSG_CAPTURE, .version = PORCH_WIRE_VERSION };
	struct client me;
	uint32_t last[2];
	int fds[2], n;

	begin();
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	msg.capture.snaplen = 65535;
	assert_int_equal(control_send(fake.control, &msg, &fds[1], 1), 0);
	close(fds[1]);
	for (int i = 0; i < 100 && p->capture.fd < 0; i++)
		porch_poll(p, &(struct porch_event){ 0 }, 1, 5);
	me = client_new(&fake, 10, 0);
	take();
	for (int i = 0; i < 100; i++) {
		client_send(&me, SEG_ACK | SEG_PSH, (char[700]){}, 700);
		turn();
	}
	n = records(fds[0], false, last);
	assert_true(n > 0 && n < 100);
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	close(fds[0]);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_a_file),
		cmocka_unit_test(to_a_pipe),
		cmocka_unit_test(slow_reader),
	};

	return unit_run("lib_capture", tests);
}
