/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fake porchd's control socket: included by lib_fake.h alone. */

static inline void fake_send(struct fake *f, struct porch_msg *msg, const int *fds, unsigned int n_fds)
{
	int own[3] = { -1, -1, -1 };

	msg->version = PORCH_WIRE_VERSION;
	for (unsigned int i = 0; i < n_fds; i++)
		own[i] = fds[i];
	if (f->tamper)
		f->tamper(f, msg, own, &n_fds);
	control_send(f->control, msg, own, n_fds);
}

static inline void fake_send_areas(struct fake *f)
{
	for (int i = 0; i < FAKE_AREAS; i++) {
		struct porch_msg msg = { .type = PORCH_MSG_AREA };
		int fds[2] = { f->group_fd, f->area[i].pipe[0] };

		msg.area.area = i;
		msg.area.ifindex = FAKE_IFINDEX;
		msg.area.queue = i;
		msg.area.mtu = f->mtu ? f->mtu : 1500;
		msg.area.group_size = f->group_size;
		msg.area.head = (uint8_t *)f->area[i].head - f->group;
		msg.area.umem = f->area[i].umem - f->group;
		msg.area.umem_size = FAKE_UMEM;
		msg.area.frame_size = FAKE_FRAME;
		msg.area.rx_frames = FAKE_RX_FRAMES;
		msg.area.fill_entries = FAKE_ENTRIES;
		msg.area.completion_entries = FAKE_ENTRIES;
		msg.area.tx_metadata = f->tx_metadata;
		fake_send(f, &msg, fds, 2);
		msg = (struct porch_msg){ .type = PORCH_MSG_SOCKET };
		msg.socket.area = i;
		msg.socket.rx_entries = FAKE_ENTRIES;
		msg.socket.tx_entries = FAKE_ENTRIES;
		msg.socket.tx_first = FAKE_RX_FRAMES;
		msg.socket.tx_frames = FAKE_TX_FRAMES;
		fake_send(f, &msg, fds + 1, 1);
	}
}

static inline void fake_refuse(struct fake *f, int error)
{
	struct porch_msg msg = { .type = PORCH_MSG_REFUSED, .result = error, .text = "because" };

	fake_send(f, &msg, NULL, 0);
}

static inline void fake_hello(struct fake *f)
{
	struct porch_msg msg = { .type = PORCH_MSG_WELCOME };
	int fds[3] = { f->session_fd, f->wake_worker, f->wake_daemon };

	f->hellos++;
	if (f->refuse_hello) {
		fake_refuse(f, f->refuse_hello);
		return;
	}
	msg.welcome.worker = FAKE_WORKER;
	msg.welcome.areas = FAKE_AREAS;
	msg.welcome.generation = 1;
	msg.welcome.session_size = f->session_size;
	fake_send(f, &msg, fds, 3);
	fake_send_areas(f);
}

static inline void fake_bound(struct fake *f)
{
	struct porch_msg msg = { .type = PORCH_MSG_BOUND };

	for (int i = 0; i < FAKE_AREAS; i++) {
		msg.mapped.area = i;
		fake_send(f, &msg, NULL, 0);
	}
	msg = (struct porch_msg){ .type = PORCH_MSG_READY };
	fake_send(f, &msg, NULL, 0);
	f->ready++;
}

static inline void fake_listen(struct fake *f, const struct porch_msg *asked)
{
	struct porch_msg msg = *asked;
	uint32_t handle = 0;

	if (f->refuse_listen) {
		fake_refuse(f, f->refuse_listen);
		f->listens++;
		return;
	}
	while (f->session->listener[handle].state)
		handle++;
	memset(&f->session->listener[handle], 0, sizeof(f->session->listener[handle]));
	f->session->listener[handle].state = 1;
	memcpy(f->session->listener[handle].address, msg.listen.address, 16);
	f->session->listener[handle].port = msg.listen.port;
	msg.type = PORCH_MSG_LISTENING;
	msg.listen.handle = handle;
	msg.listen.limit = msg.listen.backlog;
	fake_send(f, &msg, NULL, 0);
	f->listens++;
}

static inline void fake_rejoined(struct fake *f)
{
	struct porch_msg msg = { .type = PORCH_MSG_READY };

	if (f->refuse_rejoin) {
		fake_refuse(f, f->refuse_rejoin);
		f->rejoins++;
		return;
	}
	f->session->generation++;
	fake_send(f, &msg, NULL, 0);
	for (uint32_t i = 0; i < PORCH_WORKER_LISTENERS; i++) {
		if (!f->session->listener[i].state)
			continue;
		msg = (struct porch_msg){ .type = PORCH_MSG_LISTENING };
		memcpy(msg.listen.address, f->session->listener[i].address, 16);
		msg.listen.port = f->session->listener[i].port;
		msg.listen.handle = i;
		fake_send(f, &msg, NULL, 0);
	}
	f->rejoins++;
	f->ready++;
}

static inline void fake_message(struct fake *f, struct porch_msg *msg, const int *fds, unsigned int n_fds,
				bool *rejoining)
{
	switch (msg->type) {
	case PORCH_MSG_HELLO:
		*rejoining = false;
		fake_hello(f);
		break;
	case PORCH_MSG_REJOIN:
		*rejoining = n_fds == 3 && msg->hello.worker == FAKE_WORKER;
		f->rejoin_messages++;
		break;
	case PORCH_MSG_AREA:
	case PORCH_MSG_SOCKET:
		f->rejoin_messages += *rejoining && n_fds == (msg->type == PORCH_MSG_AREA ? 2 : 1);
		break;
	case PORCH_MSG_MAPPED:
		if (*rejoining)
			fake_rejoined(f);
		else
			fake_bound(f);
		break;
	case PORCH_MSG_LISTEN:
		fake_listen(f, msg);
		break;
	case PORCH_MSG_UNLISTEN:
		f->session->listener[msg->listen.handle].state = 0;
		msg->type = PORCH_MSG_UNLISTENED;
		fake_send(f, msg, NULL, 0);
		f->unlistens++;
		break;
	case PORCH_MSG_HANDBACK:
		if (f->handback)
			f->handback(f, msg, fds, n_fds);
		break;
	case PORCH_MSG_GOODBYE:
		f->goodbyes++;
		break;
	}
}

static inline void *fake_run(void *argument)
{
	struct fake *f = argument;
	bool rejoining = false;

	while (!f->stop) {
		int fds[3] = { -1, -1, -1 };
		unsigned int n_fds;
		struct porch_msg msg;
		int r;

		if (f->control < 0) {
			f->control = accept4(f->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			usleep(200);
			continue;
		}
		r = control_receive(f->control, &msg, fds, &n_fds);
		if (r == -EAGAIN) {
			usleep(200);
			continue;
		}
		if (!r && !f->silent)
			fake_message(f, &msg, fds, n_fds, &rejoining);
		for (unsigned int i = 0; i < n_fds; i++)
			close(fds[i]);
		if (r) {
			close(f->control);
			f->control = -1;
		}
	}
	return NULL;
}

static inline void fake_up(struct fake *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, f->path);
	f->listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listening, 4), 0);
	f->stop = 0;
	f->control = -1;
	assert_int_equal(pthread_create(&f->thread, NULL, fake_run, f), 0);
	f->running = true;
}

/* As if porchd was killed: the socket is gone, what it had shared is not. */
static inline void fake_die(struct fake *f)
{
	if (!f->running)
		return;
	f->stop = 1;
	pthread_join(f->thread, NULL);
	f->running = false;
	close(f->listening);
	if (f->control >= 0)
		close(f->control);
	f->control = -1;
	unlink(f->path);
}

static inline int fake_start(struct fake *f)
{
	fake_current = f;
	strcpy(f->dir, "/tmp/porch-lib-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	f->sent = calloc(FAKE_SENT_MAX, sizeof(*f->sent));
	for (int i = 0; i < FAKE_AREAS; i++) {
		struct stat st;

		assert_int_equal(pipe2(f->area[i].pipe, O_CLOEXEC | O_NONBLOCK), 0);
		assert_int_equal(fstat(f->area[i].pipe[0], &st), 0);
		f->area[i].inode = st.st_ino;
	}
	fake_memory(f);
	fake_up(f);
	return 0;
}

static inline void fake_end(struct fake *f)
{
	fake_die(f);
	fake_memory_drop(f);
	for (int i = 0; i < FAKE_AREAS; i++) {
		close(f->area[i].pipe[0]);
		close(f->area[i].pipe[1]);
	}
	free(f->sent);
	rmdir(f->dir);
}

static inline int fake_open(struct fake *f, struct porch **p, const struct porch_open_opts *opts)
{
	struct porch_open_opts o = opts ? *opts : (struct porch_open_opts){};

	o.size = sizeof(o);
	o.socket = f->path;
	return porch_open(p, &o);
}
