/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What packetdrill asks of a shared object that it is to test instead of the
 * kernel: one function, which fills this struct. The order of the members and
 * the types are those of gtests/net/packetdrill/packetdrill.h in
 * google/packetdrill, which so_testing.c and run_system_call.c call.
 *
 *   netdev_send     one IP packet into the stack under test
 *   netdev_receive  the next one out of it: *count is the room, then the length
 *                   (0: there is none), *time_usecs when it left. packetdrill
 *                   asks again as long as it returns -1
 *   usleep, gettimeofday  the only clock; packetdrill sleeps up to a few
 *                   microseconds before an event and then asks for the time
 *                   again and again
 *   socket calls    return -1 and errno as the kernel's do; those that a script
 *                   says will block are called from a second thread, which asks
 *                   for the time when they return. Descriptors have to be ones of
 *                   the process: what a script leaves open packetdrill closes with
 *                   close(2), not with the close here
 */
#ifndef PORCH_PACKETDRILL_INTERFACE_H
#define PORCH_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *u);
	int (*socket)(void *u, int domain, int type, int protocol);
	int (*bind)(void *u, int fd, const struct sockaddr *address, socklen_t length);
	int (*listen)(void *u, int fd, int backlog);
	int (*accept)(void *u, int fd, struct sockaddr *address, socklen_t *length);
	int (*connect)(void *u, int fd, const struct sockaddr *address, socklen_t length);
	ssize_t (*read)(void *u, int fd, void *buf, size_t n);
	ssize_t (*readv)(void *u, int fd, const struct iovec *iov, int count);
	ssize_t (*recv)(void *u, int fd, void *buf, size_t n, int flags);
	ssize_t (*recvfrom)(void *u, int fd, void *buf, size_t n, int flags, struct sockaddr *address,
			    socklen_t *length);
	ssize_t (*recvmsg)(void *u, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *u, int fd, const void *buf, size_t n);
	ssize_t (*writev)(void *u, int fd, const struct iovec *iov, int count);
	ssize_t (*send)(void *u, int fd, const void *buf, size_t n, int flags);
	ssize_t (*sendto)(void *u, int fd, const void *buf, size_t n, int flags,
			  const struct sockaddr *address, socklen_t length);
	ssize_t (*sendmsg)(void *u, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *u, int fd, int command, ...);
	int (*ioctl)(void *u, int fd, unsigned long request, ...);
	int (*close)(void *u, int fd);
	int (*shutdown)(void *u, int fd, int how);
	int (*getsockopt)(void *u, int fd, int level, int name, void *value, socklen_t *length);
	int (*setsockopt)(void *u, int fd, int level, int name, const void *value, socklen_t length);
	int (*poll)(void *u, struct pollfd *fds, nfds_t n, int timeout);
	int (*netdev_send)(void *u, const void *packet, size_t count);
	int (*netdev_receive)(void *u, void *packet, size_t *count, long long *time_usecs);
	int (*usleep)(void *u, useconds_t usec);
	int (*gettimeofday)(void *u, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *u, int size);
	int (*epoll_ctl)(void *u, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *u, int epfd, struct epoll_event *events, int most, int timeout);
	int (*pipe)(void *u, int fds[2]);
	int (*splice)(void *u, int in, loff_t *in_offset, int out, loff_t *out_offset, size_t n,
		      unsigned int flags);
};

typedef void (*packetdrill_interface_init_t)(const char *flags, struct packetdrill_interface *ret);

#endif /* PORCH_PACKETDRILL_INTERFACE_H */
