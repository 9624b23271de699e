/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plays packetdrill scripts against a shared object with packetdrill's interface:
 * the part of the language that passive opens of TCP need, read and carried out
 * as packetdrill does.
 *
 *   lexer.c     words and numbers         names.c   {constants}
 *   expr.c      arguments and values      code.c    %{ assertions }%
 *   packet.c    a packet as written       script.c  events and options
 *   build.c     a packet into octets      match.c   octets against a packet
 *   call.c      calls, io.c those that move data, ready.c poll and epoll
 *   thread.c    calls that block          run.c     the events, in their time
 *
 * A process plays one script and ends: nothing is freed, and what is wrong is
 * said once, with its line, by fail().
 */
#ifndef PORCH_PLAY_H
#define PORCH_PLAY_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../interface.h"

#define PLAY_SKIPPED 77 /* exit status: not a script for a stack without active open */

_Noreturn void fail(int line, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void skip(int line, const char *why);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *zeroed(size_t n);

/* ---- lexer.c ---- */
enum token {
	T_END,
	T_INT,
	T_FLOAT,
	T_WORD,
	T_STRING,
	T_SHELL,    /* `...` */
	T_CODE,	    /* %{ ... }% */
	T_OPTION,   /* --name or --name=value */
	T_ELLIPSIS, /* ... */
	T_CHAR,
};

struct lexer {
	const char *at;
	int line; /* of `at` */
	/* the token in hand */
	enum token type;
	int token_line;
	long long number;
	double real;
	char *text, *value; /* T_OPTION: name and value */
	char c;
};

void lexer_start(struct lexer *l, const char *input);
void lexer_next(struct lexer *l);
bool is_char(const struct lexer *l, char c);
bool is_word(const struct lexer *l, const char *word);
bool take_char(struct lexer *l, char c);
bool take_word(struct lexer *l, const char *word);
void want_char(struct lexer *l, char c);
long long want_int(struct lexer *l, long long least, long long most, const char *what);

/* ---- expr.c ---- */
enum expr_kind {
	E_ANY, /* ... */
	E_INT,
	E_WORD,
	E_STRING,
	E_OR,	 /* a | b */
	E_LIST,	 /* [a, b] or {a, b} */
	E_FIELD, /* name = value, or name(arguments) = value */
	E_CALL,	 /* name(arguments) */
};

struct expr {
	enum expr_kind kind;
	int line;
	long long number;
	const char *text;
	struct expr *first, *next; /* what it consists of; its neighbour in a list */
	struct expr *arguments;	   /* E_FIELD */
};

struct expr *expr_parse(struct lexer *l);
struct expr *expr_list(struct lexer *l, char end);
long long expr_int(const struct expr *e);
const struct expr *expr_field(const struct expr *e, const char *name); /* NULL: has none */
int expr_count(const struct expr *list);
const struct expr *expr_nth(const struct expr *list, int n);

/* ---- names.c ---- */
bool name_value(const char *name, long long *ret);
const char *errno_name(int error);

/* ---- packet.c ---- */
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };
#define ECN_ANY	  (-1)
#define ECN_ECT01 4

struct packet {
	bool inbound, icmp, options_any;
	uint8_t flags, option_octets;
	uint8_t options[40];
	uint16_t source, dest; /* 0: the connection's */
	uint32_t seq, ack, length;
	int window; /* -1: any */
	uint16_t urgent;
	int ecn;      /* 0 to 3, ECN_ECT01 or ECN_ANY */
	int tos, ttl; /* -1: any */
	/* ICMP; seq and length are those of the segment that it quotes */
	uint8_t type4, code4, type6, code6;
	uint32_t mtu;
};

void packet_parse(struct lexer *l, struct packet *p);
char *packet_text(const struct packet *p);

/* ---- script.c ---- */
enum event_kind {
	EVENT_PACKET,
	EVENT_CALL,
	EVENT_CODE,
	EVENT_SHELL,
};

enum time_kind {
	TIME_ABSOLUTE,
	TIME_RELATIVE,
	TIME_ANY,
};

struct call {
	const char *name;
	struct expr *arguments, *result;
	const char *error; /* NULL: none is expected */
	bool blocks;
	long long ends; /* microseconds */
};

struct event {
	struct event *next;
	int line;
	enum event_kind kind;
	enum time_kind when;
	bool range;
	long long at, until; /* microseconds; made absolute when it is played */
	struct packet packet;
	struct call call;
	const char *code;
};

struct settings {
	bool ipv6, check_ecr, strict_segments, verbose;
	long long tolerance; /* microseconds */
	double tolerance_share;
	uint32_t ts_tick; /* microseconds of a tick of TSval; 0: not checked */
	bool ts_ecr_scaled;
	uint16_t port;
	uint32_t remote_isn; /* what a script calls 0 */
};

struct event *script_parse(const char *input, struct settings *s);

/* ---- the connection that packets belong to ---- */
#define TS_PAIRS 1024

struct connection {
	bool listening, started, answered, ts_known;
	uint8_t remote[16], local[16]; /* 4 octets, or 16 */
	uint16_t remote_port, local_port;
	uint32_t remote_shift, local_shift; /* live number less the script's */
	uint32_t ts_script, ts_live;	    /* of the first TSval */
	struct {
		uint32_t script, live;
	} ts[TS_PAIRS];
	int ts_count;
};

struct play {
	struct settings settings;
	struct packetdrill_interface so;
	struct connection connection;
	uint16_t next_port;
	long long start; /* of the script, by the so's clock */
	int under_test;	 /* live descriptor that code asks for TCP_INFO, or -1 */
};

extern struct play play;

/* ---- build.c ---- */
uint16_t checksum(bool ipv6, const uint8_t *ip, uint32_t l4, uint32_t n, uint8_t protocol);
void packet_send(int line, const struct packet *p);

/* ---- match.c ---- */
void packet_expect(const struct event *e);

/* ---- call.c ---- */
void call_run(int line, const struct call *c);
int fd_live(const struct expr *e);
void fd_is(long long script, int live);
struct arguments {
	int line, count;
	const struct expr *e[8];
	const struct call *call;
};
long argument_int(const struct arguments *a, int n);
/* io.c, ready.c: true if the call is theirs */
bool call_io(const struct arguments *a, long *result);
bool call_ready(const struct arguments *a, long *result);

/* ---- thread.c ---- */
void thread_run(const struct event *e);
void thread_settle(void);
void thread_end(void);

/* ---- code.c ---- */
void code_run(int line, const char *code);

/* ---- run.c ---- */
long long play_now(void); /* microseconds since the script began */
void play_wait(const struct event *e);
void time_check(int line, const char *what, const struct event *e, long long at, long long wanted);
void script_play(const char *so, const char *flags, const char *script);

#endif /* PORCH_PLAY_H */
