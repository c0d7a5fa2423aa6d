/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_pods_text.h"

#include <string.h>

#include "util/address.h"
#include "util/mem.h"

/*
 * A line is a string that pods have alike, or a pod: its key, the numbers of its node, labels and
 * text among the strings before it, from 1 on, 0 being none, and its addresses.
 */
#define STRING_MARK '='
#define POD_MARK    '+'
#define FIELDS_MAX  (4 + KUBE_POD_ADDRESSES)

struct writer {
	struct map numbers; /* intern_number() -> the one in the text */
	struct text *out;
};

static uint64_t number_of(struct writer *w, const char *string)
{
	uint64_t id, number;
	bool is_new;

	if (!string)
		return 0;
	id = intern_number(string);
	number = *map_put(&w->numbers, &id, sizeof(id), w->numbers.count + 1, &is_new);
	if (is_new) {
		text_addc(w->out, STRING_MARK);
		text_add(w->out, string);
		text_addc(w->out, '\n');
	}
	return number;
}

static void write_pod(struct writer *w, const struct kube_object *o)
{
	const uint64_t numbers[] = {number_of(w, o->node), number_of(w, o->labels),
				    number_of(w, o->text)};
	char buf[ADDRESS_STRLEN];

	text_addc(w->out, POD_MARK);
	text_add(w->out, o->key);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		text_addc(w->out, ' ');
		text_add_u64(w->out, numbers[i]);
	}
	for (unsigned int i = 0; i < o->address_count; i++) {
		text_addc(w->out, ' ');
		text_add(w->out, addr_format(&o->addresses[i], buf));
	}
	text_addc(w->out, '\n');
}

void kube_pods_write(const struct kube_table *pods, struct text *out)
{
	struct writer w = {.out = out};

	vec_foreach (entry, &pods->entries)
		write_pod(&w, &(*entry)->object);
	map_release(&w.numbers);
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
