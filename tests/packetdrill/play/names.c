// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Constants that scripts name. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include "play.h"

/* Newer than the C library, some of them: a script may still name them. */
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef TCP_INQ
#define TCP_INQ 36
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif

#define N(name)                                                                                              \
	{                                                                                                    \
#name, name                                                                                  \
	}

static const struct {
	const char *name;
	long long value;
} names[] = {
	N(AF_INET),
	N(AF_INET6),
	N(PF_INET),
	N(PF_INET6),
	N(AF_UNSPEC),
	N(SOCK_STREAM),
	N(SOCK_DGRAM),
	N(SOCK_NONBLOCK),
	N(SOCK_CLOEXEC),
	N(IPPROTO_IP),
	N(IPPROTO_IPV6),
	N(IPPROTO_TCP),
	N(IPPROTO_UDP),
	N(IPPROTO_ICMP),
	N(SOL_SOCKET),
	{ "SOL_TCP", IPPROTO_TCP },
	{ "SOL_IP", IPPROTO_IP },
	{ "SOL_IPV6", IPPROTO_IPV6 },
	N(INADDR_ANY),
	{ "INADDR_LOOPBACK", INADDR_LOOPBACK },
	N(SHUT_RD),
	N(SHUT_WR),
	N(SHUT_RDWR),
	N(F_GETFL),
	N(F_SETFL),
	N(F_GETFD),
	N(F_SETFD),
	N(FD_CLOEXEC),
	N(O_RDONLY),
	N(O_WRONLY),
	N(O_RDWR),
	N(O_NONBLOCK),
	N(O_APPEND),
	N(FIONREAD),
	N(FIONBIO),
	N(SIOCINQ),
	N(SIOCOUTQ),
	N(SIOCOUTQNSD),
	N(SIOCATMARK),
	N(MSG_PEEK),
	N(MSG_DONTWAIT),
	N(MSG_WAITALL),
	N(MSG_TRUNC),
	N(MSG_NOSIGNAL),
	N(MSG_MORE),
	N(MSG_EOR),
	N(MSG_OOB),
	N(MSG_CTRUNC),
	N(MSG_ERRQUEUE),
	N(MSG_FASTOPEN),
	N(MSG_ZEROCOPY),
	N(MSG_CONFIRM),
	N(SO_REUSEADDR),
	N(SO_REUSEPORT),
	N(SO_LINGER),
	N(SO_KEEPALIVE),
	N(SO_SNDBUF),
	N(SO_RCVBUF),
	N(SO_ERROR),
	N(SO_SNDTIMEO),
	N(SO_RCVTIMEO),
	N(SO_RCVLOWAT),
	N(SO_SNDLOWAT),
	N(SO_OOBINLINE),
	N(SO_TYPE),
	N(SO_PROTOCOL),
	N(SO_DOMAIN),
	N(SO_ACCEPTCONN),
	N(SO_PRIORITY),
	N(SO_MARK),
	N(SO_MAX_PACING_RATE),
	N(SO_ZEROCOPY),
	N(SO_TIMESTAMPING),
	N(SO_TIMESTAMP),
	N(SO_BUSY_POLL),
	N(SO_INCOMING_CPU),
	N(SO_BINDTODEVICE),
	N(SO_MEMINFO),
	N(SO_SNDBUFFORCE),
	N(SO_RCVBUFFORCE),
	N(SO_NO_CHECK),
	N(SO_DEBUG),
	N(SO_DONTROUTE),
	N(SO_BROADCAST),
	N(TCP_NODELAY),
	N(TCP_CORK),
	N(TCP_MAXSEG),
	N(TCP_KEEPIDLE),
	N(TCP_KEEPINTVL),
	N(TCP_KEEPCNT),
	N(TCP_SYNCNT),
	N(TCP_LINGER2),
	N(TCP_DEFER_ACCEPT),
	N(TCP_WINDOW_CLAMP),
	N(TCP_INFO),
	N(TCP_QUICKACK),
	N(TCP_CONGESTION),
	N(TCP_MD5SIG),
	N(TCP_THIN_LINEAR_TIMEOUTS),
	N(TCP_THIN_DUPACK),
	N(TCP_USER_TIMEOUT),
	N(TCP_FASTOPEN),
	N(TCP_TIMESTAMP),
	N(TCP_NOTSENT_LOWAT),
	N(TCP_CC_INFO),
	N(TCP_SAVE_SYN),
	N(TCP_SAVED_SYN),
	N(TCP_ULP),
	N(TCP_REPAIR),
	N(TCP_QUEUE_SEQ),
	N(TCP_INQ),
	N(TCP_TX_DELAY),
	N(TCP_FASTOPEN_CONNECT),
	N(TCP_FASTOPEN_KEY),
	N(IP_TOS),
	N(IP_TTL),
	N(IP_MTU_DISCOVER),
	N(IP_RECVERR),
	N(IP_MTU),
	N(IPV6_TCLASS),
	N(IPV6_RECVERR),
	N(IP_BIND_ADDRESS_NO_PORT),
	N(IP_PMTUDISC_DO),
	N(IP_PMTUDISC_DONT),
	N(IP_PMTUDISC_WANT),
	N(IP_PMTUDISC_PROBE),
	N(IPV6_V6ONLY),
	N(IPV6_MTU_DISCOVER),
	N(IPV6_UNICAST_HOPS),
	N(POLLIN),
	N(POLLOUT),
	N(POLLPRI),
	N(POLLERR),
	N(POLLHUP),
	N(POLLNVAL),
	N(POLLRDHUP),
	N(POLLRDNORM),
	N(POLLWRNORM),
	N(POLLRDBAND),
	N(POLLWRBAND),
	N(POLLMSG),
	N(EPOLLIN),
	N(EPOLLOUT),
	N(EPOLLPRI),
	N(EPOLLERR),
	N(EPOLLHUP),
	N(EPOLLRDHUP),
	N(EPOLLET),
	N(EPOLLONESHOT),
	N(EPOLLRDNORM),
	N(EPOLLWRNORM),
	N(EPOLLRDBAND),
	N(EPOLLWRBAND),
	N(EPOLLMSG),
	N(EPOLLEXCLUSIVE),
	N(EPOLLWAKEUP),
	N(EPOLL_CTL_ADD),
	N(EPOLL_CTL_MOD),
	N(EPOLL_CTL_DEL),
	N(EPOLL_CLOEXEC),
	N(SPLICE_F_MOVE),
	N(SPLICE_F_NONBLOCK),
	N(SPLICE_F_MORE),
	N(SPLICE_F_GIFT),
	{ "NULL", 0 },
	/* what packetdrill tells the code in a script */
	{ "TCP_INFINITE_SSTHRESH", 0x7fffffff },
	N(TCP_CA_Open),
	N(TCP_CA_Disorder),
	N(TCP_CA_CWR),
	N(TCP_CA_Recovery),
	N(TCP_CA_Loss),
	N(TCPI_OPT_TIMESTAMPS),
	N(TCPI_OPT_SACK),
	N(TCPI_OPT_WSCALE),
	N(TCPI_OPT_ECN),
	N(TCPI_OPT_ECN_SEEN),
	N(TCPI_OPT_SYN_DATA),
	{ "TCP_ESTABLISHED", 1 },
	{ "TCP_SYN_SENT", 2 },
	{ "TCP_SYN_RECV", 3 },
	{ "TCP_FIN_WAIT1", 4 },
	{ "TCP_FIN_WAIT2", 5 },
	{ "TCP_TIME_WAIT", 6 },
	{ "TCP_CLOSE", 7 },
	{ "TCP_CLOSE_WAIT", 8 },
	{ "TCP_LAST_ACK", 9 },
	{ "TCP_LISTEN", 10 },
	{ "TCP_CLOSING", 11 },
	{ "True", 1 },
	{ "False", 0 },
};

bool name_value(const char *name, long long *ret)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i].name, name)) {
			*ret = names[i].value;
			return true;
		}
	}
	return false;
}

const char *errno_name(int error)
{
	return error ? strerrorname_np(error) : "no error";
}
