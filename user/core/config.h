/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porch.conf(5) and `ADDR:PORT[,key=value]*`: text in, checked numbers out.
 *
 * Pure: no file is opened and no kernel asked, so the parser can be fuzzed and
 * `porch check` touches nothing. Whatever it returns is within its limits and
 * can be used as it stands.
 */
#ifndef PORCH_CORE_CONFIG_H
#define PORCH_CORE_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <porch/maps.h>

struct porch_err;

/* Limits of a configuration, each named in porch.conf(5). */
#define PORCH_CONFIG_SIZE_MAX	    (1024 * 1024) /* octets of a file */
#define PORCH_CONFIG_INTERFACES_MAX 64
#define PORCH_CONFIG_LISTENERS_MAX  (PORCH_LISTENERS_MAX - 1)
#define PORCH_CONFIG_DENY_MAX	    4096

/* Values of what the configuration leaves out, with their ranges. */
#define PORCH_FLOWS_DEFAULT	   16384u
#define PORCH_FLOWS_MIN		   256u
#define PORCH_FLOWS_MAX		   4194304u
#define PORCH_HALF_OPEN_DEFAULT	   65536u
#define PORCH_HALF_OPEN_MIN	   16u
#define PORCH_HALF_OPEN_MAX	   4194304u
#define PORCH_SYN_RATE_DEFAULT	   1000u
#define PORCH_SYN_RATE_MIN	   10u
#define PORCH_SYN_RATE_MAX	   100000000u
#define PORCH_REPLY_RATE_DEFAULT   0u /* no limit */
#define PORCH_REPLY_RATE_MAX	   100000000u
#define PORCH_UNKNOWN_RATE_DEFAULT 100u
#define PORCH_UNKNOWN_RATE_MAX	   1000000u
#define PORCH_BACKLOG_MAX	   65535u
#define PORCH_BACKLOG_DEFAULT	   4096u /* of afxdp listeners, as net.core.somaxconn; the application's may be less */
#define PORCH_MSS_MIN		   536u
#define PORCH_MSS_MAX		   65495u /* 65535 less IPv4 and TCP headers */

enum porch_mode {
	PORCH_MODE_NATIVE = 0,
	PORCH_MODE_SKB = 1,
};

/* porch_listen_spec.given: keys that were written, as opposed to defaulted. */
#define PORCH_GIVEN_DELIVER  0x01
#define PORCH_GIVEN_PROTECT  0x02
#define PORCH_GIVEN_BACKLOG  0x04
#define PORCH_GIVEN_MSS	     0x08
#define PORCH_GIVEN_OVERFLOW 0x10
#define PORCH_GIVEN_SYN_RATE 0x20

/* One listener as somebody asked for it; keys not given hold their defaults. */
struct porch_listen_spec {
	__u8 address[16]; /* as in maps.h; all zero with `any` */
	bool any;	  /* `*` */
	__u16 port;	  /* 1 to 65535 */
	__u8 deliver;	  /* enum porch_deliver */
	__u8 protect;	  /* enum porch_protect */
	__u8 overflow;	  /* enum porch_overflow */
	__u16 mss;	  /* 0: the route's */
	__u32 backlog;	  /* 0: the service's own */
	__u32 syn_rate;
	__u32 given;	   /* PORCH_GIVEN_* */
	unsigned int line; /* of the file; 0: not from a file */
};

struct porch_config_interface {
	char name[IFNAMSIZ];
	enum porch_mode mode;
	bool mode_given;
	/* This interface's listen= lines, and every [listener] section. */
	struct porch_listen_spec *listeners;
	size_t n_listeners;
	unsigned int line;
};

/* porch_config.given */
#define PORCH_GIVEN_FLOWS	 0x01
#define PORCH_GIVEN_HALF_OPEN	 0x02
#define PORCH_GIVEN_REPLY_RATE	 0x04
#define PORCH_GIVEN_UNKNOWN_RATE 0x08
#define PORCH_GIVEN_SYN_RATE_ALL 0x10

#define PORCH_ALLOW_UIDS_MAX 64

/* Who makes the sums of segments that applications send over AF_XDP. */
enum porch_tx_checksum {
	PORCH_TX_CHECKSUM_AUTO = 0, /* the device, where it says that it does in zero-copy mode */
	PORCH_TX_CHECKSUM_NO = 1,
	PORCH_TX_CHECKSUM_YES = 2, /* also the kernel, in copy mode */
};

/* [porchd]; the ranges are in config_daemon.c and porch.conf(5). */
struct porch_daemon_config {
	char socket[108];
	char user[32];			/* whom porchd becomes */
	__u32 allow_uid[PORCH_ALLOW_UIDS_MAX];	/* users that may register */
	__u32 n_allow_uid;
	__u32 backlog;			/* of an accept queue at most */
	__u32 accept_timeout;		/* seconds that a connection may wait in it */
	__u32 workers;			/* registered at once */
	__u32 workers_per_queue;	/* of an RX queue */
	__u32 rx_frames;		/* of an RX queue; a power of two */
	__u32 tx_frames;		/* of a worker on an RX queue; a power of two */
	__u32 early_frames;		/* kept per connection that waits */
	__u32 early_memory;		/* octets of these altogether */
	__u32 handback_memory;		/* octets for connections finished for applications; 0: none are */
	__u32 synack_retries;
	__u8 zero_copy;			/* 1: demanded, 0: copy mode */
	__u8 tx_checksum;		/* enum porch_tx_checksum */
	__u8 fallback;			/* enum porch_fallback */
};

void porch_daemon_config_default(struct porch_daemon_config *ret);

struct porch_config {
	struct porch_daemon_config daemon;
	__u32 flows;
	__u32 half_open;
	__u32 reply_rate;
	__u32 unknown_rate;
	__u32 syn_rate; /* of listeners that do not say */
	__u32 given;	/* PORCH_GIVEN_FLOWS ... */

	struct porch_config_interface *interfaces;
	size_t n_interfaces;

	/* [listener] sections: of every interface, also of one the file does not name */
	struct porch_listen_spec *listeners;
	size_t n_listeners;

	struct porch_prefix *deny;
	size_t n_deny;
};

/*
 * 0, or -EINVAL with `err` saying "LINE: cause", -E2BIG, -ENOMEM. `*ret` is
 * the caller's, to be freed by porch_config_free(), and untouched on failure.
 */
int porch_config_parse(const char *text, size_t len, struct porch_config **ret, struct porch_err *err);
/* Reads `path`, then parses: "PATH:LINE: cause". -errno of open and read as well. */
int porch_config_read(const char *path, struct porch_config **ret, struct porch_err *err);
void porch_config_free(struct porch_config *config);

/* The section of an interface, or NULL. */
const struct porch_config_interface *porch_config_interface(const struct porch_config *config,
							    const char *name);
/* Listeners that differ in address or port, over the whole file. */
size_t porch_config_count_listeners(const struct porch_config *config);

/*
 * `ADDR:PORT[,key=value]*`, or with several words: `ADDR:PORT`, then each
 * `key=value` by porch_listen_spec_set(). -EINVAL, or -EOPNOTSUPP for what is
 * understood but cannot be served.
 */
int porch_listen_spec_parse(const char *text, struct porch_listen_spec *ret, struct porch_err *err);
/* One `key=value` on top of what `spec` holds; `spec` is untouched on failure. */
int porch_listen_spec_set(struct porch_listen_spec *spec, const char *assignment, struct porch_err *err);
/* Defaults that depend on other keys, and what contradicts itself. After the last
 * porch_listen_spec_set(); porch_listen_spec_parse() has done it for its text. */
int porch_listen_spec_complete(struct porch_listen_spec *spec, struct porch_err *err);
bool porch_listen_spec_same(const struct porch_listen_spec *a, const struct porch_listen_spec *b);

static inline void porch_config_freep(struct porch_config **config)
{
	porch_config_free(*config);
}

#define _cleanup_config_ __attribute__((cleanup(porch_config_freep)))

#endif /* PORCH_CORE_CONFIG_H */
