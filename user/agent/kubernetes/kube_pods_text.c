/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_pods_text.h"

#include <string.h>

#include "util/address.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/numbering.h"
#include "util/text.h"

/*
 * A line is a string that pods have alike, or a pod: its key, the numbers of its node, labels and
 * text among the strings before it, from 1 on, 0 being none, and its addresses.
 */
#define STRING_MARK '='
#define POD_MARK    '+'
#define FIELDS_MAX  (4 + KUBE_POD_ADDRESSES)
#define PIECE_BYTES 65536 /* handed on together */

struct writer {
	VEC(uint64_t) strings; /* their intern_number(); the place is the number in the text */
	struct numbering numbers;
	struct text piece;
};

struct wanted {
	const struct writer *w;
	uint64_t id;
};

static bool is_id(const void *what, uint32_t number)
{
	const struct wanted *wanted = what;

	return wanted->w->strings.items[number] == wanted->id;
}

static uint64_t number_of(struct writer *w, const char *string)
{
	struct wanted wanted = {.w = w};
	struct numbering_place *place;

	if (!string)
		return 0;
	wanted.id = intern_number(string);
	place = numbering_find(&w->numbers, hash_key(&wanted.id, sizeof(wanted.id)), is_id,
			       &wanted);
	if (place->number)
		return place->number;
	vec_push(&w->strings, wanted.id);
	place->number = (uint32_t)w->strings.count;
	text_addc(&w->piece, STRING_MARK);
	text_add(&w->piece, string);
	text_addc(&w->piece, '\n');
	return place->number;
}

static void write_pod(struct writer *w, const struct kube_object *o)
{
	const uint64_t numbers[] = {number_of(w, o->node), number_of(w, o->labels),
				    number_of(w, o->text)};
	char buf[ADDRESS_STRLEN];

	text_addc(&w->piece, POD_MARK);
	text_add(&w->piece, o->key);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		text_addc(&w->piece, ' ');
		text_add_u64(&w->piece, numbers[i]);
	}
	for (unsigned int i = 0; i < o->address_count; i++) {
		text_addc(&w->piece, ' ');
		text_add(&w->piece, addr_format(&o->addresses[i], buf));
	}
	text_addc(&w->piece, '\n');
}

static void hand_on(struct writer *w, const struct sink *out)
{
	out->put(out->user, w->piece.buf, w->piece.len);
	text_reset(&w->piece);
}

void kube_pods_write(const struct kube_table *pods, const struct sink *out)
{
	struct writer w = {.piece = TEXT_INIT};

	vec_foreach (entry, &pods->entries) {
		write_pod(&w, &(*entry)->object);
		if (w.piece.len >= PIECE_BYTES)
			hand_on(&w, out);
	}
	hand_on(&w, out);
	vec_release(&w.strings);
	numbering_release(&w.numbers);
	text_release(&w.piece);
}

struct reader {
	struct kube_table *pods;
	uint64_t order;
	VEC(const char *) strings; /* in the text */
};

static bool find_string(const struct reader *r, const char *number, const char **ret)
{
	uint64_t i;

	if (!text_to_u64(number, 0, r->strings.count, &i))
		return false;
	*ret = i && r->strings.items ? r->strings.items[i - 1] : NULL;
	return true;
}

/* Cuts the line at its spaces. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
	size_t count = 0;

	for (char *field = line; field && count < FIELDS_MAX; count++) {
		char *space = strchr(field, ' ');

		if (space)
			*space++ = '\0';
		fields[count] = field;
		field = space;
	}
	return count;
}

static void read_pod(struct reader *r, char *line)
{
	const char *node, *labels, *text;
	struct kube_object o = {};
	char *fields[FIELDS_MAX];
	size_t count = split(line, fields);

	if (count < 4 || !find_string(r, fields[1], &node) || !find_string(r, fields[2], &labels) ||
	    !find_string(r, fields[3], &text) || !labels || !text)
		return;
	for (size_t i = 4; i < count; i++) {
		if (!addr_parse(fields[i], &o.addresses[o.address_count]))
			o.address_count++;
	}
	o.key = xstrdup(fields[0]);
	o.labels = xstrdup(labels);
	o.text = xstrdup(text);
	o.node = node ? xstrdup(node) : NULL;
	kube_table_put(r->pods, &o, ++r->order);
}

void kube_pods_read(const struct source *source, struct kube_table *pods)
{
	struct reader r = {.pods = pods};
	_free_ char *copy = xstrdup(source->text);
	char *next;

	for (char *line = copy; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line == STRING_MARK)
			vec_push(&r.strings, line + 1);
		else if (*line == POD_MARK)
			read_pod(&r, line + 1);
	}
	vec_release(&r.strings);
}
