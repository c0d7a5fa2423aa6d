/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON from an API server that arrives in pieces, handed on value by value.  Whether a value is
 * right inside is for a parser to say: here only its end is found.
 */
#ifndef AGENT_KUBERNETES_KUBE_STREAM_H
#define AGENT_KUBERNETES_KUBE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "util/text.h"

/*
 * The largest part of an answer that is ever in memory: more than what JSON makes of the 1.5 MiB
 * that etcd takes, a byte being six at worst, as nobody may stop all by one large object.
 */
#define KUBE_VALUE_MAX (16ul * 1024 * 1024)

/* Ends with NUL behind its @len bytes. */
struct kube_value {
	const char *key; /* of a list's member; NULL: one of its items, or an event of a watch */
	const char *text;
	size_t len;
};

/* What isn't 0 ends the feeding, and is its result. */
typedef int kube_value_fn(void *user, const struct kube_value *value);

enum kube_place {
	KUBE_PLACE_START,
	KUBE_PLACE_KEY,
	KUBE_PLACE_COLON,
	KUBE_PLACE_VALUE,
	KUBE_PLACE_NEXT,
	KUBE_PLACE_ITEM,
	KUBE_PLACE_ITEM_NEXT,
	KUBE_PLACE_END
};

struct kube_stream {
	bool is_list; /* one object, of whose "items" each is a value; else objects in a row */
	kube_value_fn *fn;
	void *user;
	enum kube_place place;
	struct text key;
	struct text value; /* the one that is not at its end yet */
	bool is_inside;    /* a value, or a key */
	bool is_string;
	bool is_escape;
	bool is_scalar; /* number, true, false, null */
	size_t depth;
};

/* Ready for another answer; @s was zeroed, or used before. */
void kube_stream_start(struct kube_stream *s, bool is_list, kube_value_fn *fn, void *user);
void kube_stream_release(struct kube_stream *s);

/* -EBADMSG: it is not what it should be.  -EMSGSIZE: a value is longer than KUBE_VALUE_MAX. */
int kube_stream_feed(struct kube_stream *s, const char *bytes, size_t len);

/* Whether an answer may end here. */
bool kube_stream_is_whole(const struct kube_stream *s);

#endif
