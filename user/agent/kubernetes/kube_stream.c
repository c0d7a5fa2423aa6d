/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_stream.h"

#include <errno.h>
#include <string.h>

#define ITEMS "items"

void kube_stream_start(struct kube_stream *s, bool is_list, kube_value_fn *fn, void *user)
{
	kube_stream_release(s);
	s->is_list = is_list;
	s->fn = fn;
	s->user = user;
}

void kube_stream_release(struct kube_stream *s)
{
	if (s->key.buf) {
		text_release(&s->key);
		text_release(&s->value);
	}
	*s = (struct kube_stream){.key = TEXT_INIT, .value = TEXT_INIT};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_open(char c)
{
	return c == '{' || c == '[';
}

static bool is_close(char c)
{
	return c == '}' || c == ']';
}

static void begin(struct kube_stream *s, char c)
{
	text_reset(&s->value);
	text_addc(&s->value, c);
	s->is_inside = true;
	s->is_string = c == '"';
	s->is_escape = false;
	s->depth = is_open(c) ? 1 : 0;
	s->is_scalar = !s->depth && !s->is_string;
}

static int hand_on(struct kube_stream *s, const char *key)
{
	const struct kube_value value = {key, s->value.buf, s->value.len};

	return s->fn(s->user, &value);
}

static int finish(struct kube_stream *s)
{
	s->is_inside = s->is_scalar = false;
	switch (s->place) {
	case KUBE_PLACE_KEY:
		text_reset(&s->key);
		text_addn(&s->key, s->value.buf + 1, s->value.len - 2);
		s->place = KUBE_PLACE_COLON;
		return 0;
	case KUBE_PLACE_VALUE:
		s->place = KUBE_PLACE_NEXT;
		return hand_on(s, s->key.buf);
	case KUBE_PLACE_ITEM:
		s->place = KUBE_PLACE_ITEM_NEXT;
		return hand_on(s, NULL);
	case KUBE_PLACE_START:
		return hand_on(s, NULL);
	case KUBE_PLACE_COLON:
	case KUBE_PLACE_NEXT:
	case KUBE_PLACE_ITEM_NEXT:
	case KUBE_PLACE_END:
		break;
	}
	return -EBADMSG; /* no value begins there */
}

/* Between values: @c, which is no space, is punctuation or begins one. */
static int step(struct kube_stream *s, char c)
{
	bool is_begin = false;
	enum kube_place next = s->place;

	switch (s->place) {
	case KUBE_PLACE_START:
		is_begin = c == '{' && !s->is_list;
		next = c == '{' && s->is_list ? KUBE_PLACE_KEY : next;
		break;
	case KUBE_PLACE_KEY:
		is_begin = c == '"';
		next = c == '}' ? KUBE_PLACE_END : next;
		break;
	case KUBE_PLACE_COLON:
		next = c == ':' ? KUBE_PLACE_VALUE : next;
		break;
	case KUBE_PLACE_VALUE:
		if (c == '[' && !strcmp(s->key.buf, ITEMS))
			next = KUBE_PLACE_ITEM;
		else
			is_begin = !is_close(c) && c != ',' && c != ':';
		break;
	case KUBE_PLACE_ITEM:
		is_begin = c == '{';
		next = c == ']' ? KUBE_PLACE_NEXT : next;
		break;
	case KUBE_PLACE_NEXT:
		next = c == ',' ? KUBE_PLACE_KEY : c == '}' ? KUBE_PLACE_END : next;
		break;
	case KUBE_PLACE_ITEM_NEXT:
		next = c == ',' ? KUBE_PLACE_ITEM : c == ']' ? KUBE_PLACE_NEXT : next;
		break;
	case KUBE_PLACE_END:
		break;
	}
	if (is_begin)
		begin(s, c);
	else if (next == s->place)
		return -EBADMSG;
	s->place = next;
	return 0;
}

/* How many bytes from here on can't end the value, nor change what is meant by those behind. */
static size_t dull(const struct kube_stream *s, const char *bytes, size_t len)
{
	size_t i = 0;

	if (s->is_escape || s->is_scalar)
		return 0;
	if (s->is_string) {
		while (i < len && bytes[i] != '"' && bytes[i] != '\\')
			i++;
		return i;
	}
	while (i < len && bytes[i] != '"' && !is_open(bytes[i]) && !is_close(bytes[i]))
		i++;
	return i;
}

/* Within a value.  True if it ended with @c. */
static bool take(struct kube_stream *s, char c)
{
	text_addc(&s->value, c);
	if (s->is_escape) {
		s->is_escape = false;
	} else if (s->is_string) {
		s->is_escape = c == '\\';
		s->is_string = c != '"';
	} else if (c == '"') {
		s->is_string = true;
	} else if (is_open(c)) {
		s->depth++;
	} else if (is_close(c)) {
		s->depth--;
	}
	return !s->depth && !s->is_string && !s->is_scalar;
}

static int feed_byte(struct kube_stream *s, char c)
{
	if (s->is_inside && s->is_scalar && (is_space(c) || is_close(c) || c == ',')) {
		int err = finish(s);

		if (err)
			return err;
	}
	if (s->is_inside)
		return take(s, c) ? finish(s) : 0;
	return is_space(c) ? 0 : step(s, c);
}

int kube_stream_feed(struct kube_stream *s, const char *bytes, size_t len)
{
	int err = 0;

	while (len && !err) {
		size_t skip = s->is_inside ? dull(s, bytes, len) : 0;

		if (s->is_inside && s->value.len + skip >= KUBE_VALUE_MAX)
			return -EMSGSIZE;
		text_addn(&s->value, bytes, skip);
		bytes += skip;
		len -= skip;
		if (!len)
			break;
		err = feed_byte(s, *bytes);
		bytes++;
		len--;
	}
	return err;
}

bool kube_stream_is_whole(const struct kube_stream *s)
{
	if (s->is_list)
		return s->place == KUBE_PLACE_END;
	return s->place == KUBE_PLACE_START && !s->is_inside;
}
