/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Command lines by table: `--name VALUE`, `--name=VALUE`, `-x VALUE`, `-xVALUE`; options and
 * operands in any order, `--` ends the options.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"
#include "util/vec.h"

typedef VEC(const char *) strings;

/* What an option writes at its offset.  Given twice, the last counts, but for lists and terms. */
enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_CHOICE,   /* const char *: one of the words of `value`, "text|json" */
	OPTION_LIST,     /* strings, in order */
	OPTION_NUMBER,   /* uint32_t, up to `max` (0: any) */
	OPTION_DURATION, /* uint32_t, seconds: 30, 30s, 5m, 1h, 2d */
	OPTION_TIME,     /* uint64_t, ns since 1970: RFC 3339, or a duration before now */
	OPTION_TERM,     /* nothing: the command reads arguments.given, in order of appearance */
};

struct option {
	const char *name; /* "from" for --from */
	char letter;      /* 'o' for -o; 0: none */
	enum option_type type;
	size_t offset;        /* into the command's values */
	const char *value;    /* what --help calls the value; NULL: takes none */
	const char *help;     /* no full stop */
	const char *fallback; /* taken as the value if the option isn't given; NULL: zeroes */
	uint32_t max;
};

struct option_table {
	const struct option *items;
	size_t count;
};

/* clang-format off */
#define OPTION_TABLE(array) { (array), COUNT(array) }
/* clang-format on */

struct given_option {
	const struct option *option;
	const char *value; /* NULL for a flag */
};

/* A parsed command line.  Strings are argv's, the rest is owned; a zeroed one is empty. */
struct arguments {
	const struct option_table *table;
	void *values; /* the command's own struct */
	strings operands;
	size_t behind_dashes; /* how many of the operands, the last ones, stood behind `--` */
	VEC(struct given_option) given;
	bool is_help; /* --help or -h: what follows it was not read */
};

/*
 * @argv starts behind the command's name and ends in NULL.  -EINVAL with a sentence in @reterr;
 * *ret is to be released in either case.
 */
int options_parse(const struct option_table *table, size_t values_size, char *const *argv,
		  struct arguments *ret, struct text *reterr);
void arguments_release(struct arguments *args);
#define _arguments_ _cleanup_(arguments_release)

/* Whether the option was on the command line. */
bool arguments_have(const struct arguments *args, const char *name);

/* Two aligned columns, a line an option. */
void options_help(const struct option_table *table, struct text *out);

#endif
