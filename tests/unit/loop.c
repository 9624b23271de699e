// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/loop.c: what it calls, when it sleeps, and that it does not miss a wake-up. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/loop.h"

static struct daemon d;
static struct loop *loop;
static int sleeps, wakes, called, work;
static bool pending;

static void say(struct daemon *dd, bool asleep)
{
	if (asleep)
		sleeps++;
	else
		wakes++;
}

static bool ask(struct daemon *dd)
{
	return pending;
}

static const struct loop_sleep sleeping = { say, ask };

static int setup(void **state)
{
	memset(&d, 0, sizeof(d));
	sleeps = wakes = called = work = 0;
	pending = false;
	if (loop_new(&d, &sleeping, &loop))
		return -1;
	d.loop = loop;
	return 0;
}

static int teardown(void **state)
{
	loop_free(loop);
	return 0;
}

static int event(unsigned int value)
{
	int fd = eventfd(value, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Idle turns until it has looked at descriptors. */
static void turns(int n)
{
	while (n--) {
		usleep(200);
		loop_turn(loop, false);
	}
}

static void count_call(struct daemon *dd, uint32_t events, void *arg)
{
	uint64_t value;

	assert_ptr_equal(dd, &d);
	called++;
	if (arg)
		assert_int_equal(read(*(int *)arg, &value, sizeof(value)), sizeof(value));
}

static void descriptors(void **state)
{
	int fd = event(1), r;

	r = loop_add(loop, fd, EPOLLIN, count_call, &fd);
	assert_int_equal(r, 0);
	assert_int_equal(loop_add(loop, fd, EPOLLIN, count_call, &fd), -EEXIST);
	assert_int_equal(loop_add(loop, -1, EPOLLIN, count_call, NULL), -EBADF);
	assert_int_equal(loop_add(loop, LOOP_FDS_MAX, EPOLLIN, count_call, NULL), -ENFILE);
	turns(3);
	assert_int_equal(called, 1);
	assert_int_equal(eventfd_write(fd, 1), 0);
	turns(3);
	assert_int_equal(called, 2);
	assert_int_equal(loop_change(loop, fd, 0), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	turns(3);
	assert_int_equal(called, 2);
	loop_remove(loop, fd);
	loop_remove(loop, fd);
	loop_remove(loop, 12345);
	assert_int_equal(loop_change(loop, fd, EPOLLIN), -ENOENT);
	turns(3);
	assert_int_equal(called, 2);
	close(fd);
}

static int pair[2];

static void remove_the_other(struct daemon *dd, uint32_t events, void *arg)
{
	int other = pair[arg == &pair[0]];

	called++;
	loop_remove(loop, other);
	close(other);
	/* the number comes back at once, for something else that is readable */
	assert_int_equal(event(1), other);
	assert_int_equal(loop_add(loop, other, EPOLLIN, count_call, NULL), 0);
	loop_remove(loop, *(int *)arg);
}

/* Both are readable in one batch; the second event is of a descriptor that is gone. */
static void an_event_of_a_removed_one_is_nobodys(void **state)
{
	int i;

	for (i = 0; i < 2; i++) {
		pair[i] = event(1);
		assert_int_equal(loop_add(loop, pair[i], EPOLLIN, remove_the_other, &pair[i]), 0);
	}
	usleep(200);
	loop_turn(loop, false);
	assert_int_equal(called, 1);
	turns(1);
	assert_int_equal(called, 2);
	close(pair[0]);
	close(pair[1]);
}

static char order[64];

static void note(struct daemon *dd, void *arg)
{
	strcat(order, arg);
}

static void timers_in_their_order(void **state)
{
	struct loop_timer t[5] = {};

	order[0] = '\0';
	loop_timer_arm(loop, &t[0], d.now + 3, note, "c");
	loop_timer_arm(loop, &t[1], d.now + 1, note, "a");
	loop_timer_arm(loop, &t[2], d.now + 2, note, "x");
	loop_timer_arm(loop, &t[3], d.now + 2, note, "b");
	loop_timer_arm(loop, &t[4], d.now + 3600 * NS_PER_SEC, note, "z");
	loop_timer_stop(loop, &t[2]);
	loop_timer_stop(loop, &t[2]);
	loop_timer_arm(loop, &t[2], d.now + 4, note, "d");
	loop_timer_arm(loop, &t[1], d.now + 1, note, "a"); /* again: it runs once */
	turns(2);
	assert_string_equal(order, "abcd");
	assert_false(t[0].armed);
	assert_true(t[4].armed);
	loop_timer_stop(loop, &t[4]);
}

static struct loop_timer again;

static void arm_again(struct daemon *dd, void *arg)
{
	called++;
	loop_timer_arm(loop, &again, dd->now, arm_again, NULL);
}

static void a_timer_that_is_always_due_does_not_stop_the_turn(void **state)
{
	loop_timer_arm(loop, &again, d.now, arm_again, NULL);
	turns(5);
	assert_true(called >= 1 && called <= 5);
	loop_timer_stop(loop, &again);
}

static int poll_work(struct daemon *dd)
{
	called++;
	return work ? work-- : 0;
}

static void stop_it(struct daemon *dd, void *arg)
{
	loop_stop(loop, 7);
	loop_stop(loop, 8);
}

static void pollers_and_the_end(void **state)
{
	struct loop_timer t = {};

	assert_int_equal(loop_add_poller(loop, poll_work), 0);
	work = 3;
	loop_timer_arm(loop, &t, d.now + 20 * NS_PER_MS, stop_it, NULL);
	assert_int_equal(loop_run(loop), 7);
	assert_true(called > 3);
	assert_int_equal(work, 0);
	assert_int_equal(sleeps, wakes);
	assert_true(sleeps >= 1);
	/* it did not spin for all twenty milliseconds */
	assert_true(called < 100);
}

static void spins_as_long_as_asked(void **state)
{
	struct loop_timer t = {};
	uint64_t began;

	assert_int_equal(loop_add_poller(loop, poll_work), 0);
	loop_timer_arm(loop, &t, d.now + 60 * NS_PER_MS, note, "end");
	loop_spin(loop, 10 * NS_PER_MS);
	work = 1;
	began = loop_clock();
	while (!sleeps)
		loop_turn(loop, true);
	assert_true(loop_clock() - began >= 10 * NS_PER_MS);
	assert_true(called >= 10);
	loop_timer_stop(loop, &t);
}

/* After work it looks again before it sleeps. */
static void naps_before_it_sleeps(void **state)
{
	struct loop_timer t = {};
	int turn;

	assert_int_equal(loop_add_poller(loop, poll_work), 0);
	loop_timer_arm(loop, &t, d.now + 20 * NS_PER_MS, note, "end");
	work = 1;
	for (turn = 0; turn < 1 + LOOP_NAPS; turn++) {
		loop_turn(loop, true);
		assert_int_equal(sleeps, 0);
	}
	loop_turn(loop, true);
	assert_int_equal(sleeps, 1);
	loop_timer_stop(loop, &t);
}

static void no_sleep_while_something_is_pending(void **state)
{
	uint64_t before;
	struct loop_timer t = {};

	loop_timer_arm(loop, &t, d.now + 500 * NS_PER_MS, note, "never");
	pending = true;
	before = loop_clock();
	loop_turn(loop, true);
	assert_true(loop_clock() - before < 400 * NS_PER_MS);
	assert_int_equal(sleeps, 1);
	assert_int_equal(wakes, 1);
	loop_timer_stop(loop, &t);
}

/* An AF_XDP socket: it wakes, and the poller does the rest. */
static void a_descriptor_without_a_function_wakes(void **state)
{
	int fd = event(1);
	uint64_t before = loop_clock();
	struct loop_timer t = {};

	loop_timer_arm(loop, &t, d.now + 500 * NS_PER_MS, note, "never");
	assert_int_equal(loop_add(loop, fd, EPOLLIN, NULL, NULL), 0);
	loop_turn(loop, true);
	assert_true(loop_clock() - before < 400 * NS_PER_MS);
	loop_remove(loop, fd);
	loop_timer_stop(loop, &t);
	close(fd);
}

static void sleeps_until_the_timer_and_not_before(void **state)
{
	struct loop_timer t = {};
	uint64_t at = d.now + 30 * NS_PER_MS;

	order[0] = '\0';
	loop_timer_arm(loop, &t, at, note, "t");
	while (!*order)
		loop_turn(loop, true);
	assert_true(loop_clock() >= at);
	assert_true(sleeps <= 3);
}

static void many_descriptors(void **state)
{
	int fds[300], i;

	for (i = 0; i < 300; i++) {
		fds[i] = event(1);
		assert_int_equal(loop_add(loop, fds[i], EPOLLIN, count_call, &fds[i]), 0);
	}
	turns(8);
	assert_int_equal(called, 300);
	for (i = 0; i < 300; i++) {
		loop_remove(loop, fds[i]);
		close(fds[i]);
	}
}

static void lines_of_a_kind_are_limited(void **state)
{
	struct log_rate rate = {};
	uint64_t now = 1;
	uint32_t held, i, allowed = 0;

	for (i = 0; i < 100; i++)
		allowed += log_rate_allow(&rate, now, &held);
	assert_int_equal(allowed, LOG_BURST);
	assert_false(log_rate_allow(&rate, now + LOG_WINDOW_NS - 1, &held));
	assert_true(log_rate_allow(&rate, now + LOG_WINDOW_NS, &held));
	assert_int_equal(held, 100 - LOG_BURST + 1);
	assert_true(log_rate_allow(&rate, now + 2 * LOG_WINDOW_NS, &held));
	assert_int_equal(held, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(descriptors),
		test(an_event_of_a_removed_one_is_nobodys),
		test(timers_in_their_order),
		test(a_timer_that_is_always_due_does_not_stop_the_turn),
		test(pollers_and_the_end),
		test(spins_as_long_as_asked),
		test(naps_before_it_sleeps),
		test(no_sleep_while_something_is_pending),
		test(a_descriptor_without_a_function_wakes),
		test(sleeps_until_the_timer_and_not_before),
		test(many_descriptors),
		test(lines_of_a_kind_are_limited),
	};

	return unit_run("loop", tests);
}
