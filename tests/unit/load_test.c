/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/load.h"

#define HEAD "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nspec:\n"

/* A directory of the test's own, and what loading something of it gave. */
struct fixture {
	char directory[32];
	struct diags diags;
	struct policy *policy;
	int err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->directory, sizeof(f->directory), "/tmp/load_test.XXXXXX");
	if (!mkdtemp(f->directory) || chdir(f->directory) < 0)
		return -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"b.yaml", "a.yaml",  "c.yml", ".hidden.yaml", "d.txt",
					    "link",   "x.yaml/", "empty", "hole.yaml"};
	struct fixture *f = *state;

	policy_free(f->policy);
	diags_release(&f->diags);
	for (size_t i = 0; i < COUNT(files); i++)
		remove(files[i]);
	if (chdir("/") < 0 || rmdir(f->directory) < 0)
		return -1;
	free(f);
	return 0;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void write_zone(const char *file, const char *zone)
{
	_text_ struct text text = TEXT_INIT;

	text_addf(&text, HEAD "  zones: [{name: %s}]\n", zone);
	write_file(file, text.buf);
}

static void load(struct fixture *f, const char *first, const char *second)
{
	const char *paths[] = {first, second};

	f->err = policy_load(paths, second ? 2 : 1, &f->diags, &f->policy);
}

/* The zones' names, in order. */
static void assert_zones(const struct fixture *f, const char *want)
{
	_text_ struct text got = TEXT_INIT;

	vec_foreach (zone, &f->policy->zones) {
		text_add(&got, zone == f->policy->zones.items ? "" : " ");
		text_add(&got, zone->name);
	}
	assert_int_equal(f->err, 0);
	assert_string_equal(got.buf, want);
}

static void assert_refused(const struct fixture *f, const char *message)
{
	assert_int_not_equal(f->err, 0);
	assert_int_equal(f->diags.errors, 1);
	assert_string_equal(f->diags.list.items[0].message, message);
	assert_null(f->diags.list.items[0].at.source);
}

static void a_directory_is_its_yaml_files_sorted(void **state)
{
	struct fixture *f = *state;

	write_zone("b.yaml", "two");
	write_zone("a.yaml", "one");
	write_zone("c.yml", "three");
	write_zone(".hidden.yaml", "hidden");
	write_zone("d.txt", "other");
	assert_int_equal(mkdir("x.yaml", 0700), 0);
	load(f, ".", NULL);
	assert_zones(f, "one two three");
	assert_string_equal(f->policy->sources.items[0]->name, "./a.yaml");
	assert_int_equal(f->policy->documents, 3);
}

static void files_are_read_in_the_order_given(void **state)
{
	struct fixture *f = *state;

	write_zone("b.yaml", "two");
	write_zone("a.yaml", "one");
	load(f, "b.yaml", "a.yaml");
	assert_zones(f, "two one");
}

static void a_file_is_read_once_whatever_it_is_called(void **state)
{
	struct fixture *f = *state;

	write_zone("a.yaml", "one");
	assert_int_equal(symlink("a.yaml", "link"), 0);
	load(f, "link", ".//");
	assert_zones(f, "one");
	assert_int_equal(f->policy->sources.count, 1);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	struct fixture *f = *state;

	load(f, "nowhere.yaml", NULL);
	assert_refused(f, "cannot read 'nowhere.yaml': No such file or directory");
}

static void a_directory_without_policies_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir("empty", 0700), 0);
	load(f, "empty", NULL);
	assert_refused(f, "the directory 'empty' has no *.yaml or *.yml file");
}

static void a_file_of_more_than_64_mib_is_an_error(void **state)
{
	struct fixture *f = *state;
	_close_ int fd = open("hole.yaml", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, 64l * 1024 * 1024 + 1), 0);
	load(f, "hole.yaml", NULL);
	assert_refused(f, "'hole.yaml' is larger than 64 MiB");
}

static void every_file_is_read_though_one_is_missing(void **state)
{
	struct fixture *f = *state;

	write_file("a.yaml", HEAD "  colour: red\n  rules: [{nam: x}]\n");
	load(f, "nowhere.yaml", "a.yaml");
	assert_int_not_equal(f->err, 0);
	assert_int_equal(f->diags.errors, 6);
}

/* The rule, the workload and the zone of a policy in which each stands in a file of its own. */
static void names_are_shared_between_files(void **state)
{
	struct fixture *f = *state;

	write_file("a.yaml", HEAD "  rules: [{name: r, from: z, to: w, services: [s, udp/53]}]\n"
				  "  workloads: [{name: w, zone: z, addresses: 10.0.0.1}]\n");
	write_file("b.yaml", HEAD "  zones: [{name: y}, {name: z}]\n"
				  "  services: [{name: s, ports: tcp/1}]\n");
	load(f, "a.yaml", "b.yaml");
	assert_int_equal(f->err, 0);
	assert_int_equal(f->policy->workloads.items[0].zone, 1);
	assert_int_equal(f->policy->rules.items[0].from->kind, SELECT_ZONE);
	assert_int_equal(f->policy->rules.items[0].from->zone, 1);
	assert_int_equal(f->policy->rules.items[0].to->kind, SELECT_WORKLOAD);
	assert_int_equal(f->policy->rules.items[0].services.count, 2);
	assert_string_equal(f->policy->rules.items[0].service_text, "s, udp/53");
}

static void things_know_their_places(void **state)
{
	struct fixture *f = *state;
	const struct policy *p;

	write_file("a.yaml",
		   HEAD "  zones: [{name: z}]\n"
			"  rules:\n    - {from: z, to: z, services: any, name: r}\n"
			"  never:\n    - {from: z, to: any, name: n}\n"
			"  expect:\n    - {from: z, to: z, services: any, verdict: allow}\n");
	load(f, "a.yaml", NULL);
	assert_int_equal(f->err, 0);
	p = f->policy;
	assert_int_equal(p->zones.items[0].at.line, 4);
	assert_int_equal(p->zones.items[0].at.column, 18);
	assert_int_equal(p->rules.items[0].at.column, 45); /* its name */
	assert_int_equal(p->nevers.items[0].at.line, 8);
	assert_int_equal(p->nevers.items[0].at.column, 7); /* the entry */
	assert_int_equal(p->expects.items[0].at.line, 10);
	assert_int_equal(p->expects.items[0].verdict, BH_VERDICT_ALLOW);
}

static void modes_come_from_the_document(void **state)
{
	struct fixture *f = *state;
	const struct policy *p;

	write_file("a.yaml", HEAD "  mode: audit\n  zones: [{name: a}, {name: b, mode: off}]\n"
				  "  workloads: [{name: w, addresses: 10.0.0.1, mode: enforce}]\n");
	write_file("b.yaml", HEAD "  zones: [{name: c}]\n"
				  "  workloads: [{name: x, addresses: 10.0.0.2}]\n");
	load(f, "a.yaml", "b.yaml");
	assert_int_equal(f->err, 0);
	p = f->policy;
	assert_int_equal(p->zones.items[0].mode, MODE_AUDIT);
	assert_int_equal(p->zones.items[1].mode, MODE_OFF);
	assert_int_equal(p->zones.items[2].mode, MODE_ENFORCE);
	assert_int_equal(p->workloads.items[0].mode, MODE_ENFORCE);
	assert_int_equal(p->workloads.items[0].document_mode, MODE_AUDIT);
	assert_int_equal(p->workloads.items[1].mode, MODE_UNSET);
	assert_int_equal(p->workloads.items[1].document_mode, MODE_ENFORCE);
}

/* Many rules with a name for many ports: what they hold together is bounded. */
static void named_services_cannot_balloon(void **state)
{
	struct fixture *f = *state;
	_text_ struct text text = TEXT_INIT;

	text_add(&text, HEAD "  services:\n    - name: s\n      ports:\n");
	for (unsigned int port = 0; port < 65536; port += 2)
		text_addf(&text, "        - tcp/%u\n", port);
	text_add(&text, "  rules:\n");
	for (unsigned int i = 0; i < 600; i++)
		text_addf(&text, "    - {name: r%u, from: any, to: any, services: s}\n", i);
	write_file("a.yaml", text.buf);
	load(f, "a.yaml", NULL);
	assert_int_not_equal(f->err, 0);
	assert_int_equal(f->diags.errors, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_is_its_yaml_files_sorted),
		TEST(files_are_read_in_the_order_given),
		TEST(a_file_is_read_once_whatever_it_is_called),
		TEST(what_cannot_be_read_is_an_error),
		TEST(a_directory_without_policies_is_an_error),
		TEST(a_file_of_more_than_64_mib_is_an_error),
		TEST(every_file_is_read_though_one_is_missing),
		TEST(names_are_shared_between_files),
		TEST(things_know_their_places),
		TEST(modes_come_from_the_document),
		TEST(named_services_cannot_balloon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
