/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An application that speaks wire.h itself: for stories about porchd alone, and
 * for what no library would ever write.
 */
#ifndef PORCH_TESTS_FAKE_APP_H
#define PORCH_TESTS_FAKE_APP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/if_xdp.h>
#include <porch/maps.h>
#include <porch/wire.h>

#define FAKE_FLOWS 65536

struct fake_ring {
	uint32_t *producer, *consumer;
	void *descs;
	uint32_t mask;
	void *map;
	size_t size;
};

struct fake_area {
	bool used;
	int memfd, owner, xsk;
	struct porch_msg area, socket;
	uint8_t *memory, *umem;
	struct porch_area_head *head;
	struct fake_ring rx, tx, fill, completion;
	struct porch_ring_end give, back;
	uint64_t free_tx[65536];
	uint32_t n_free_tx;
	bool leased;
};

struct fake {
	int control, session_fd, wake_worker, wake_daemon;
	uint32_t number;
	struct porch_session *session;
	struct porch_ring_end accept, inject, finish;
	struct fake_area areas[PORCH_AREAS_MAX];
	uint64_t accepted, segments, frames;
	uint32_t credit;
	uint32_t closing[FAKE_FLOWS];	/* serial of flows whose FIN was answered with ours */
	bool keep;		/* frames that were received */
	bool mute;		/* answers nothing */
};

/* fake_session.c. All exit with a line on stderr when porchd does not do its part. */
void fake_register(struct fake *f, const char *path, uint32_t queue);
uint32_t fake_listen(struct fake *f, uint16_t port, uint32_t backlog);
void fake_control(struct fake *f);	/* what has come on the control socket */
void fake_send(struct fake *f, struct porch_msg *m);
void fake_send_fd(struct fake *f, struct porch_msg *m, int fd);	/* porchd may have had enough: no error then */
void fake_kick(struct fake *f);

/* fake_frames.c */
int fake_work(struct fake *f);		/* one round over all rings; work done */
bool fake_lease(struct fake_area *a, uint32_t me, uint64_t *busy);
void fake_unlease(struct fake_area *a, uint64_t busy);

/* fake_garbage.c: what to write where; false: no such thing. */
bool fake_garbage(struct fake *f, const char *what, uint64_t seed);

#endif /* PORCH_TESTS_FAKE_APP_H */
