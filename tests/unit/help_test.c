/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BULKHEAD_GOLDEN=write makes the golden files anew; review the difference. */
#include "cli/cli.h"

#include <string.h>

#include "tests/test.h"
#include "util/mem.h"
#include "util/source.h"

#define WORDS_MAX   32
#define COLUMNS_MAX 100
#define GOLDEN      "tests/golden/help/%s.ok"

static void every_command_says_what_it_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = commands[i];

		assert_row(c->name, c->summary && *c->summary && c->arguments && c->examples);
		assert_row(c->name, c->summary[strlen(c->summary) - 1] != '.');
		assert_row(c->name, !strchr(c->summary, '\n'));
		assert_row(c->name, c->run != NULL);
	}
}

static void every_option_has_help_and_a_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct option_table *table = &commands[i]->options;

		for (size_t k = 0; k < table->count; k++) {
			const struct option *o = &table->items[k];

			assert_row(commands[i]->name, o->help && *o->help);
			assert_row(o->name,
				   o->help[strlen(o->help) - 1] != '.' || strstr(o->help, "..."));
			assert_row(o->name,
				   o->type == OPTION_TERM || o->offset < commands[i]->values_size);
		}
	}
}

/* An example is a command line that this very command takes. */
static void check_example(const struct command *command, const char *example, size_t len)
{
	_free_ char *line = xstrndup(example, len);
	_arguments_ struct arguments args = {};
	_text_ struct text error = TEXT_INIT;
	char *argv[WORDS_MAX + 1] = {}, *rest = line;

	for (size_t n = 0; rest && n < WORDS_MAX; n++)
		argv[n] = strsep(&rest, " ");
	assert_row_string(line, argv[0], "bulkhead");
	assert_row_string(line, argv[1], command->name);
	options_parse(&command->options, command->values_size, argv + 2, &args, &error);
	assert_row_string(line, error.buf, "");
}

static void every_example_is_a_line_that_the_command_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const char *s = commands[i]->examples;
		size_t lines = 0;

		while (*s) {
			size_t len = strcspn(s, "\n");

			if (*s != '#' && strncmp(s, "sudo ", 5)) {
				check_example(commands[i], s, len);
				lines++;
			}
			s += len + (s[len] == '\n');
		}
		assert_row(commands[i]->name, lines > 0);
	}
}

static void help_fits_a_screen_in_width(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		_text_ struct text help = TEXT_INIT;

		command_help(commands[i], &help);
		for (const char *s = help.buf; *s; s += strcspn(s, "\n") + 1)
			assert_row(s, strcspn(s, "\n") <= COLUMNS_MAX);
	}
}

static void write_file(const char *path, const struct text *text)
{
	_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text->buf, 1, text->len, f), text->len);
}

static void help_is_as_it_was_reviewed(void **state)
{
	const char *golden = getenv("BULKHEAD_GOLDEN");

	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		_text_ struct text path = TEXT_INIT;
		_text_ struct text help = TEXT_INIT;
		struct source expected = {};

		command_help(commands[i], &help);
		text_addf(&path, GOLDEN, commands[i]->name);
		if (golden && !strcmp(golden, "write"))
			write_file(path.buf, &help);
		assert_row(path.buf, !source_read(path.buf, &expected));
		assert_row_string(path.buf, help.buf, expected.text);
		source_release(&expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_says_what_it_does),
		cmocka_unit_test(every_option_has_help_and_a_place),
		cmocka_unit_test(every_example_is_a_line_that_the_command_takes),
		cmocka_unit_test(help_fits_a_screen_in_width),
		cmocka_unit_test(help_is_as_it_was_reviewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
