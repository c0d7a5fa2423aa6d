/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/last_good_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <nettle/sha2.h>

#include "util/mem.h"

/*
 * The mark, the checksum of what follows its line in hexadecimal, a newline; then the number of
 * texts, and of each the lengths of its name and of itself, and those.
 */
#define MARK       "bulkhead last-good 1 sha256 "
#define MARK_LEN   (sizeof(MARK) - 1)
#define SUM_LEN    ((size_t)2 * SHA256_DIGEST_SIZE)
#define BODY_AT    (MARK_LEN + SUM_LEN + 1)
#define DIGITS     20
#define NAME_BYTES 4096

struct cursor {
	const char *at;
	size_t left;
};

static void add_sum(const char *bytes, size_t len, struct text *out)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, (const uint8_t *)bytes);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		text_addf(out, "%02x", digest[i]);
}

void last_good_format(const source_list *texts, struct text *out)
{
	_text_ struct text body = TEXT_INIT;

	text_addf(&body, "%zu\n", texts->count);
	vec_foreach (source, texts) {
		text_addf(&body, "%zu %zu\n", strlen(source->name), source->len);
		text_add(&body, source->name);
		text_addn(&body, source->text, source->len);
	}
	text_add(out, MARK);
	add_sum(body.buf, body.len, out);
	text_addc(out, '\n');
	text_addn(out, body.buf, body.len);
}

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
	_text_ struct text sum = TEXT_INIT;

	if (content->len < BODY_AT)
		return "it is cut off";
	if (memcmp(content->buf, MARK, MARK_LEN) != 0)
		return "it does not begin as one of this version does";
	add_sum(content->buf + BODY_AT, content->len - BODY_AT, &sum);
	if (memcmp(content->buf + MARK_LEN, sum.buf, SUM_LEN) != 0 ||
	    content->buf[BODY_AT - 1] != '\n')
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
