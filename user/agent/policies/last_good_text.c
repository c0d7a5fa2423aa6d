/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/last_good_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "util/mem.h"

/*
 * The mark, the checksum of what follows its line in hexadecimal, a newline; then the number of
 * texts, and of each the lengths of its name and of itself, and those.
 */
#define MARK       LAST_GOOD_MARK
#define MARK_LEN   LAST_GOOD_SUM_AT
#define SUM_LEN    LAST_GOOD_SUM_LEN
#define BODY_AT    (MARK_LEN + SUM_LEN + 1)
#define DIGITS     20
#define NAME_BYTES 4096

_Static_assert(SUM_LEN == (size_t)2 * SHA256_DIGEST_SIZE, "two digits a byte");

struct cursor {
	const char *at;
	size_t left;
};

static void end_sum(struct sha256_ctx *ctx, char ret[SUM_LEN + 1])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void sum_of(const char *bytes, size_t len, char ret[SUM_LEN + 1])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, (const uint8_t *)bytes);
	end_sum(&ctx, ret);
}

/* --- what is written --- */

struct body {
	struct sha256_ctx ctx;
	const struct sink *out;
};

static void put(void *user, const char *bytes, size_t len)
{
	struct body *body = user;

	sha256_update(&body->ctx, len, (const uint8_t *)bytes);
	body->out->put(body->out->user, bytes, len);
}

static void count(void *user, const char *bytes, size_t len)
{
	size_t *sum = user;

	(void)bytes;
	*sum += len;
}

static void put_head(struct body *body, const char *name, size_t len)
{
	_text_ struct text head = TEXT_INIT;

	text_addf(&head, "%zu %zu\n%s", strlen(name), len, name);
	put(body, head.buf, head.len);
}

static void put_made(struct body *body, const struct made_source *source)
{
	const struct sink into = {put, body};
	size_t len = 0;

	source->write(source->user, &(struct sink){count, &len});
	put_head(body, source->name, len);
	source->write(source->user, &into);
}

void last_good_format(const source_view *texts, const struct made_source *first,
		      const struct sink *out, char ret_sum[static SUM_LEN + 1])
{
	_text_ struct text line = TEXT_INIT;
	struct body body = {.out = out};

	sha256_init(&body.ctx);
	text_addf(&line, MARK "%*s\n", (int)SUM_LEN, "");
	out->put(out->user, line.buf, line.len);
	text_reset(&line);
	text_addf(&line, "%zu\n", texts->count + (first != NULL));
	put(&body, line.buf, line.len);
	if (first)
		put_made(&body, first);
	vec_foreach (source, texts) {
		put_head(&body, (*source)->name, (*source)->len);
		put(&body, (*source)->text, (*source)->len);
	}
	end_sum(&body.ctx, ret_sum);
}

/* --- what is read --- */

static bool take_number(struct cursor *c, char end, uint64_t max, uint64_t *ret)
{
	const char *found = memchr(c->at, end, c->left < DIGITS ? c->left : DIGITS);
	_text_ struct text digits = TEXT_INIT;

	if (!found)
		return false;
	text_addn(&digits, c->at, (size_t)(found - c->at));
	c->left -= digits.len + 1;
	c->at += digits.len + 1;
	return text_to_u64(digits.buf, 0, max, ret);
}

static bool take_source(struct cursor *c, source_list *out)
{
	_text_ struct text name = TEXT_INIT;
	uint64_t name_len, len;

	if (!take_number(c, ' ', NAME_BYTES, &name_len) ||
	    !take_number(c, '\n', SOURCE_MAX, &len) || c->left < name_len + len)
		return false;
	text_addn(&name, c->at, name_len);
	vec_push(out, source_of(name.buf, c->at + name_len, len));
	c->at += name_len + len;
	c->left -= name_len + len;
	return true;
}

static bool take_sources(struct cursor *c, source_list *out)
{
	uint64_t count;

	if (!take_number(c, '\n', c->left, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!take_source(c, out))
			return false;
	}
	return !c->left;
}

static const char *what_is_wrong(const struct text *content)
{
	char sum[SUM_LEN + 1];

	if (content->len < BODY_AT)
		return "it is cut off";
	if (memcmp(content->buf, MARK, MARK_LEN) != 0)
		return "it does not begin as one of this version does";
	sum_of(content->buf + BODY_AT, content->len - BODY_AT, sum);
	if (memcmp(content->buf + MARK_LEN, sum, SUM_LEN) != 0 || content->buf[BODY_AT - 1] != '\n')
		return "its checksum is not that of its content: it is torn, or was changed";
	return NULL;
}

int last_good_parse(const struct text *content, struct text *reterr, source_list *ret)
{
	_source_list_ source_list texts = {};
	const char *wrong = what_is_wrong(content);
	struct cursor c;

	if (!wrong) {
		c = (struct cursor){content->buf + BODY_AT, content->len - BODY_AT};
		if (!take_sources(&c, &texts))
			wrong = "its lengths don't add up";
	}
	if (wrong) {
		text_add(reterr, wrong);
		return -EBADMSG;
	}
	*ret = texts;
	texts = (source_list){};
	return 0;
}
