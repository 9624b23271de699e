// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client.h"

#include <stdio.h>

struct packet client_syn(int v6, const char *offers)
{
	struct packet p = {
		.v6 = v6,
		.sport = CLIENT_PORT,
		.dport = PORT,
		.seq = CLIENT_ISN,
		.flags = SYN,
	};

	address_client(p.source, v6, 7);
	address_server(p.dest, v6, 1);
	offers_parse(offers, &p.options);
	return p;
}

struct packet client_ack(const struct packet *syn, const struct decoded *synack)
{
	struct packet p = *syn;
	char text[64];

	p.flags = ACK;
	p.seq = syn->seq + 1;
	p.ack = synack->seq + 1;
	p.payload = 0;
	p.options.length = 0;
	if (synack->has_ts) {
		snprintf(text, sizeof(text), "N N T%u:%u", CLIENT_TSVAL + 20, synack->tsval);
		offers_parse(text, &p.options);
	}
	return p;
}

struct ends ends_of(const struct packet *p, __u32 irs)
{
	struct ends e = { .v6 = p->v6, .remote_port = p->sport, .local_port = p->dport, .irs = irs };

	memcpy(e.remote, p->source, 16);
	memcpy(e.local, p->dest, 16);
	return e;
}

struct cookie expected_cookie(const struct packet *syn, const struct carried *c)
{
	struct ends e = ends_of(syn, syn->seq);
	struct porch_keys keys;
	__u8 key[16];

	keys_get(&keys);
	reference_key(keys.master, world.host->epoch, key);
	return reference_cookie(key, world.host->epoch, &e, c);
}

int send_packet(const struct packet *p, struct frame *out)
{
	struct frame in;

	packet_build(p, &in);
	return run_xdp(&in, out);
}

/* What of the SYN the cookie should carry, given what the answer granted. */
static struct carried carried_by(const struct packet *syn, const struct decoded *d)
{
	struct carried c = { .ts = d->has_ts, .wscale = -1, .sack = d->has_sack, .ecn = !!(d->flags & ECE) };
	struct decoded offered;
	struct packet copy = *syn;
	struct frame f;

	/* the SYN's own MSS and scale, read from a clean frame of it */
	memset(&copy.tag, 0, sizeof(copy.tag));
	copy.ip_options.length = copy.extensions.length = 0;
	copy.bad_ip_checksum = copy.bad_tcp_checksum = 0;
	packet_build(&copy, &f);
	packet_decode(&f, &offered);
	c.mss = offered.mss ? offered.mss : syn->v6 ? 1220 : 536;
	if (c.mss > 16383)
		c.mss = 16383;
	if (d->has_wscale)
		c.wscale = offered.wscale > 14 ? 14 : offered.wscale;
	return c;
}

static void check_link(const struct packet *syn, const struct decoded *d)
{
	__u32 tags = 0;

	while (tags < TAGS_MAX && syn->tag[tags].tpid)
		tags++;
	if (memcmp(d->dst_mac, client_mac, 6) || memcmp(d->src_mac, porch_mac, 6))
		fail("the MAC addresses are not swapped");
	expect_u32("number of tags", d->tags, tags);
	if (memcmp(d->tag, syn->tag, sizeof(d->tag)))
		fail("the tags are not those of the SYN");
}

static void check_network(const struct packet *syn, const struct decoded *d)
{
	expect_u32("IPv6", d->v6, syn->v6);
	if (memcmp(d->source, syn->dest, 16) || memcmp(d->dest, syn->source, 16))
		fail("the addresses are not swapped");
	expect_u32("TOS", d->tos, 0);
	expect_u32("TTL", d->ttl, syn->v6 ? world.host->hop_limit : world.host->ttl);
	expect_u32("IP header", d->ip_header, syn->v6 ? 40 : 20);
	if (syn->v6) {
		expect_u32("flow label", d->flow_label, 0);
	} else {
		expect_u32("IPv4 id", d->id, 0);
		expect_u32("fragment word", d->fragment, DONT_FRAGMENT);
	}
}

bool expect_synack(const struct packet *syn, const struct frame *out, const struct answer *a,
		   struct decoded *d)
{
	const char *wrong = packet_decode(out, d);
	struct carried carried;
	struct cookie cookie;
	char wanted[256];

	if (wrong) {
		fail("SYN-ACK: %s", wrong);
		return false;
	}
	if (out->meta)
		fail("the SYN-ACK has metadata in front");
	check_link(syn, d);
	check_network(syn, d);
	expect_u32("source port", d->sport, syn->dport);
	expect_u32("destination port", d->dport, syn->sport);
	expect_u32("ack", d->ack, syn->seq + 1);
	expect_u32("flags", d->flags, SYN | ACK | (a->ecn ? ECE : 0));
	expect_u32("urgent pointer", d->urgent, 0);
	expect_u32("payload", d->payload, 0);
	if (!a->in_place)
		expect_u32("octets behind the datagram", d->trailer, 0);
	if (a->window)
		expect_u32("window", d->window, a->window);
	if (a->options) {
		/* a bare M is the interface's */
		if (!strcmp(a->options, "M") || !strncmp(a->options, "M ", 2))
			snprintf(wanted, sizeof(wanted), "M%u%s", syn->v6 ? MSS6 : MSS4, a->options + 1);
		else
			snprintf(wanted, sizeof(wanted), "%s", a->options);
		if (strcmp(wanted, offers_text(&d->options)))
			fail("options are \"%s\", not \"%s\"", offers_text(&d->options), wanted);
	}
	if (d->has_ts) {
		struct packet clean = *syn;
		struct decoded offered;
		struct frame f;

		clean.ip_options.length = clean.extensions.length = 0;
		clean.bad_ip_checksum = clean.bad_tcp_checksum = 0;
		packet_build(&clean, &f);
		packet_decode(&f, &offered);
		expect_u32("TSecr", d->tsecr, offered.tsval);
	}
	carried = carried_by(syn, d);
	cookie = expected_cookie(syn, &carried);
	expect_u32("cookie", d->seq, cookie.isn);
	expect_u32("TSval", d->tsval, cookie.tsval);
	return true;
}

bool connect_syn(const struct packet *syn, const struct answer *a, struct decoded *d)
{
	static const struct answer any = { .in_place = 1 };
	struct frame out;
	int verdict = send_packet(syn, &out);

	expect_verdict(verdict, XDP_TX, "SYN");
	return verdict == XDP_TX && expect_synack(syn, &out, a ? a : &any, d);
}

const struct porch_meta *connect_whole(const struct packet *syn, struct packet *ack)
{
	static struct frame out;
	struct decoded d;
	struct frame in;

	if (!connect_syn(syn, NULL, &d))
		return NULL;
	*ack = client_ack(syn, &d);
	packet_build(ack, &in);
	expect_verdict(run_xdp(&in, &out), XDP_PASS, "final ACK");
	return expect_meta(&in, &out, PORCH_META_PROOF);
}
