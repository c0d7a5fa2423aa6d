/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/pcapng.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define VERSION_MAJOR    1
#define SECTION_LENGTH   UINT64_MAX /* not known */
#define LINK_ETHERNET    1

#define OPTION_END     0
#define OPTION_COMMENT 1
#define OPTION_NAME    2 /* of an interface */
#define OPTION_PROGRAM 4 /* of a section */
#define OPTION_FLAGS   2 /* of a packet */
#define FLAG_INBOUND   1u
#define FLAG_OUTBOUND  2u
#define OPTION_LEN_MAX UINT16_MAX

#define ALIGN       4
#define FRAME_BYTES 12 /* of a block: type, and length twice */

/* Everything is in this machine's byte order: BYTE_ORDER_MAGIC tells. */
static void add_u16(struct text *out, uint16_t value)
{
	text_addn(out, (const char *)&value, sizeof(value));
}

static void add_u32(struct text *out, uint32_t value)
{
	text_addn(out, (const char *)&value, sizeof(value));
}

static void add_padded(struct text *out, const void *bytes, size_t len)
{
	static const char zeroes[ALIGN];

	text_addn(out, bytes, len);
	text_addn(out, zeroes, -len % ALIGN);
}

static void add_option(struct text *out, uint16_t code, const void *value, size_t len)
{
	if (len > OPTION_LEN_MAX)
		len = OPTION_LEN_MAX;
	add_u16(out, code);
	add_u16(out, (uint16_t)len);
	add_padded(out, value, len);
}

static void write_block(const struct pcapng *p, uint32_t type, const struct text *body)
{
	uint32_t length = (uint32_t)body->len + FRAME_BYTES;

	fwrite(&type, sizeof(type), 1, p->out);
	fwrite(&length, sizeof(length), 1, p->out);
	fwrite(body->buf, 1, body->len, p->out);
	fwrite(&length, sizeof(length), 1, p->out);
}

void pcapng_begin(struct pcapng *p, FILE *out)
{
	static const char program[] = "bulkhead";
	const uint64_t length = SECTION_LENGTH;
	_text_ struct text body = TEXT_INIT;

	*p = (struct pcapng){.out = out};
	add_u32(&body, BYTE_ORDER_MAGIC);
	add_u16(&body, VERSION_MAJOR);
	add_u16(&body, 0);
	text_addn(&body, (const char *)&length, sizeof(length));
	add_option(&body, OPTION_PROGRAM, program, strlen(program));
	add_option(&body, OPTION_END, NULL, 0);
	write_block(p, BLOCK_SECTION, &body);
}

/* The interface's number, which is described if it was not before. */
static uint32_t interface_of(struct pcapng *p, const char *name)
{
	_text_ struct text body = TEXT_INIT;

	for (size_t i = 0; i < p->names.count; i++) {
		if (!strcmp(p->names.items[i], name))
			return (uint32_t)i;
	}
	add_u16(&body, LINK_ETHERNET);
	add_u16(&body, 0);
	add_u32(&body, 0); /* no limit to what is captured */
	add_option(&body, OPTION_NAME, name, strlen(name));
	add_option(&body, OPTION_END, NULL, 0);
	write_block(p, BLOCK_INTERFACE, &body);
	vec_push(&p->names, xstrdup(name));
	return (uint32_t)p->names.count - 1;
}

void pcapng_add(struct pcapng *p, const struct pcapng_packet *packet)
{
	uint32_t interface = interface_of(p, packet->interface);
	uint32_t flags = packet->is_outbound ? FLAG_OUTBOUND : FLAG_INBOUND;
	_text_ struct text body = TEXT_INIT;

	add_u32(&body, interface);
	add_u32(&body, (uint32_t)(packet->time_us >> 32));
	add_u32(&body, (uint32_t)packet->time_us);
	add_u32(&body, packet->captured);
	add_u32(&body, packet->length);
	add_padded(&body, packet->bytes, packet->captured);
	add_option(&body, OPTION_COMMENT, packet->comment, strlen(packet->comment));
	add_option(&body, OPTION_FLAGS, &flags, sizeof(flags));
	add_option(&body, OPTION_END, NULL, 0);
	write_block(p, BLOCK_PACKET, &body);
}

void pcapng_release(struct pcapng *p)
{
	vec_foreach (name, &p->names)
		free(*name);
	vec_release(&p->names);
}
