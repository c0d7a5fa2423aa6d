/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "util/clock.h"
#include "util/mem.h"
#include "util/when.h"

#define HELP_COLUMN 28 /* where the second column of the help begins */

static const struct option help_option = {
	.name = "help",
	.letter = 'h',
	.help = "print this",
};

static bool is_word_of(const char *word, const char *choices)
{
	size_t len;

	assert(word && choices);
	len = strlen(word);
	for (const char *c = choices; len && !strchr(word, '|'); c++) {
		if (!strncmp(c, word, len) && (c[len] == '|' || !c[len]))
			return true;
		c = strchr(c, '|');
		if (!c)
			return false;
	}
	return false;
}

static bool to_number(const struct option *o, const char *value, uint32_t *ret)
{
	uint64_t number;

	if (!text_to_u64(value, 0, o->max ? o->max : UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

/* Writes a value at its place; false if it is none of the option's type. */
static bool put_value(const struct option *o, const char *value, void *values)
{
	void *place = (char *)values + o->offset;

	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return true;
	case OPTION_CHOICE:
		if (!is_word_of(value, o->value))
			return false;
		*(const char **)place = value;
		return true;
	case OPTION_TEXT:
		*(const char **)place = value;
		return true;
	case OPTION_LIST:
		vec_push((strings *)place, value);
		return true;
	case OPTION_NUMBER:
		return to_number(o, value, place);
	case OPTION_DURATION:
		return duration_parse(value, place);
	case OPTION_TIME:
		return when_parse(value, clock_wall_ns(), place);
	case OPTION_TERM:
		return true;
	}
	return false;
}

static void say_expected(const struct option *o, const char *value, struct text *out)
{
	text_addf(out, "'--%s': '%s' is ", o->name, value);
	switch (o->type) {
	case OPTION_CHOICE:
		text_addf(out, "none of %s", o->value);
		break;
	case OPTION_NUMBER:
		text_addf(out, "not a number from 0 to %u", o->max ? o->max : UINT32_MAX);
		break;
	case OPTION_DURATION:
		text_add(out, "not a duration such as 30s, 5m or 1h");
		break;
	case OPTION_TIME:
		text_add(out, "neither a time such as 2026-11-21T09:00:00Z nor a duration such as "
			      "5m");
		break;
	case OPTION_FLAG:
	case OPTION_TEXT:
	case OPTION_LIST:
	case OPTION_TERM:
		assert(!"types that take any value");
	}
}

static int take(struct arguments *args, const struct option *o, const char *value,
		struct text *reterr)
{
	if (!put_value(o, value, args->values)) {
		say_expected(o, value, reterr);
		return -EINVAL;
	}
	vec_push(&args->given, (struct given_option){.option = o, .value = value});
	return 0;
}

static const struct option *find_long(const struct option_table *table, const char *name,
				      size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->items[i].name) == len && !memcmp(table->items[i].name, name, len))
			return &table->items[i];
	return NULL;
}

static const struct option *find_short(const struct option_table *table, char letter)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->items[i].letter == letter)
			return &table->items[i];
	return NULL;
}

static void say_unknown(const struct option_table *table, const char *name, size_t len,
			struct text *out)
{
	_free_ char *word = xstrndup(name, len);
	VEC(const char *) names = {};
	const char *nearest;

	for (size_t i = 0; i < table->count; i++)
		vec_push(&names, table->items[i].name);
	vec_push(&names, help_option.name);
	nearest = text_nearest(word, names.items, names.count);
	vec_release(&names);
	text_addf(out, "unknown option '--%s'", word);
	if (nearest)
		text_addf(out, "; did you mean '--%s'?", nearest);
}

/* The value that stands in the next word; moves @argv there. */
static int take_next(struct arguments *args, const struct option *o, char *const **argv,
		     struct text *reterr)
{
	const char *value = (*argv)[1];

	if (!value || !strncmp(value, "--", 2)) {
		text_addf(reterr, "'--%s' needs a value: --%s %s", o->name, o->name, o->value);
		return -EINVAL;
	}
	++*argv;
	return take(args, o, value, reterr);
}

static int parse_long(struct arguments *args, char *const **argv, struct text *reterr)
{
	const char *name = **argv + 2;
	size_t len = strcspn(name, "=");
	const struct option *o = find_long(args->table, name, len);

	if (!o) {
		say_unknown(args->table, name, len, reterr);
		return -EINVAL;
	}
	if (!o->value && name[len]) {
		text_addf(reterr, "'--%s' takes no value", o->name);
		return -EINVAL;
	}
	if (!o->value)
		return take(args, o, NULL, reterr);
	if (name[len])
		return take(args, o, name + len + 1, reterr);
	return take_next(args, o, argv, reterr);
}

static int parse_short(struct arguments *args, char *const **argv, struct text *reterr)
{
	const char *word = **argv;
	const struct option *o = find_short(args->table, word[1]);

	if (!o || (!o->value && word[2])) {
		text_addf(reterr, "unknown option '%s'", word);
		return -EINVAL;
	}
	if (!o->value)
		return take(args, o, NULL, reterr);
	if (word[2])
		return take(args, o, word + 2, reterr);
	return take_next(args, o, argv, reterr);
}

static void take_fallbacks(struct arguments *args)
{
	for (size_t i = 0; i < args->table->count; i++) {
		const struct option *o = &args->table->items[i];
		bool is_taken = !o->fallback || put_value(o, o->fallback, args->values);

		assert(is_taken);
		(void)is_taken;
	}
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int options_parse(const struct option_table *table, size_t values_size, char *const *argv,
		  struct arguments *ret, struct text *reterr)
{
	int err = 0;

	*ret = (struct arguments){.table = table, .values = xcalloc(1, values_size)};
	take_fallbacks(ret);
	for (; *argv && !err; argv++) {
		if (!strcmp(*argv, "--"))
			break;
		if (is_help(*argv)) {
			ret->is_help = true;
			return 0;
		}
		if (!strncmp(*argv, "--", 2))
			err = parse_long(ret, &argv, reterr);
		else if (**argv == '-' && (*argv)[1])
			err = parse_short(ret, &argv, reterr);
		else
			vec_push(&ret->operands, *argv);
	}
	if (err || !*argv)
		return err;
	for (argv++; *argv; argv++, ret->behind_dashes++)
		vec_push(&ret->operands, *argv);
	return 0;
}

void arguments_release(struct arguments *args)
{
	for (size_t i = 0; args->values && i < args->table->count; i++) {
		const struct option *o = &args->table->items[i];

		if (o->type == OPTION_LIST)
			vec_release((strings *)((char *)args->values + o->offset));
	}
	vec_release(&args->operands);
	vec_release(&args->given);
	free(args->values);
	args->values = NULL;
}

bool arguments_have(const struct arguments *args, const char *name)
{
	vec_foreach (given, &args->given)
		if (!strcmp(given->option->name, name))
			return true;
	return false;
}

static void add_option_help(const struct option *o, struct text *out)
{
	size_t start = out->len;

	if (o->letter)
		text_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		text_addf(out, "      --%s", o->name);
	if (o->value)
		text_addf(out, " %s", o->value);
	if (out->len - start > HELP_COLUMN - 2) {
		text_addc(out, '\n');
		start = out->len;
	}
	text_addf(out, "%*s%s", (int)(HELP_COLUMN - (out->len - start)), "", o->help);
	if (o->fallback)
		text_addf(out, " (default: %s)", o->fallback);
	text_addc(out, '\n');
}

void options_help(const struct option_table *table, struct text *out)
{
	for (size_t i = 0; i < table->count; i++)
		add_option_help(&table->items[i], out);
	add_option_help(&help_option, out);
}
