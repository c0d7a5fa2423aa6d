/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IN-12: what was written is read again whole, or refused. */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "agent/policies/durable.h"
#include "agent/policies/last_good.h"
#include "util/mem.h"

#define BLOCK 64
#define PODS  2000
#define LARGE 20000 /* lines: more than a text may have that stays on the heap */

static void write_odd(const void *user, const struct sink *out)
{
	static const char odd[] = "a: \0 b\n5 7\nnoise";

	(void)user;
	out->put(out->user, odd, 5);
	out->put(out->user, odd + 5, sizeof(odd) - 1 - 5);
}

static void put(void *user, const char *bytes, size_t len)
{
	text_addn(user, bytes, len);
}

/* Two texts, one with a NUL and a line like those that stand between them. */
static void write_example(struct text *out)
{
	const struct made_source first = {"dir/odd name.yaml", write_odd, NULL};
	struct source second;
	_text_ struct text large = TEXT_INIT;
	char sum[LAST_GOOD_SUM_LEN + 1];
	source_view texts = {};

	for (int i = 0; i < 100; i++)
		text_addf(&large, "line: %d\n", i);
	second = source_of("-", large.buf, large.len);
	vec_push(&texts, &second);
	last_good_format(&texts, &first, &(struct sink){put, out}, sum);
	memcpy(out->buf + LAST_GOOD_SUM_AT, sum, LAST_GOOD_SUM_LEN);
	vec_release(&texts);
	source_release(&second);
}

static int parse(const struct text *content)
{
	_source_list_ source_list texts = {};
	_text_ struct text why = TEXT_INIT;
	int err = last_good_parse(content, &why, &texts);

	assert_true(!err == !why.len);
	assert_true(!err || !texts.count);
	return err;
}

static void reads_what_was_written(void **state)
{
	_source_list_ source_list texts = {};
	_text_ struct text content = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	(void)state;
	write_example(&content);
	assert_int_equal(last_good_parse(&content, &why, &texts), 0);
	assert_int_equal(texts.count, 2);
	assert_string_equal(texts.items[0].name, "dir/odd name.yaml");
	assert_int_equal(texts.items[0].len, 16);
	assert_memory_equal(texts.items[0].text, "a: \0 b\n5 7\nnoise", 16);
	assert_string_equal(texts.items[1].name, "-");
	assert_memory_equal(texts.items[1].text, "line: 0\n", 8);
}

static void refuses_every_length_but_its_own(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t len = 0; len < content.len; len++) {
		_text_ struct text cut = TEXT_INIT;

		text_addn(&cut, content.buf, len);
		if (parse(&cut) != -EBADMSG)
			fail_msg("the first %zu bytes are taken for all", len);
	}
	text_addc(&content, '\n');
	assert_int_equal(parse(&content), -EBADMSG);
}

static void refuses_every_byte_that_was_changed(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t i = 0; i < content.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			content.buf[i] ^= (char)(1 << bit);
			if (parse(&content) != -EBADMSG)
				fail_msg("bit %d of byte %zu may be either", bit, i);
			content.buf[i] ^= (char)(1 << bit);
		}
	}
	assert_int_equal(parse(&content), 0);
}

static void refuses_every_block_that_is_lost(void **state)
{
	_text_ struct text content = TEXT_INIT;

	(void)state;
	write_example(&content);
	for (size_t at = 0; at < content.len; at += BLOCK) {
		size_t len = content.len - at < BLOCK ? content.len - at : BLOCK;
		char kept[BLOCK];

		memcpy(kept, content.buf + at, len);
		memset(content.buf + at, 0, len);
		if (parse(&content) != -EBADMSG)
			fail_msg("the block at %zu may be zeros", at);
		memcpy(content.buf + at, kept, len);
	}
}

static void put_pod(struct kube_table *pods, int number, const char *phase)
{
	_text_ struct text json = TEXT_INIT;
	struct kube_object pod;

	text_addf(&json,
		  "{\"metadata\":{\"name\":\"pod-%d\",\"namespace\":\"shop\"},"
		  "\"status\":{\"phase\":\"%s\",\"podIP\":\"10.0.%d.%d\"}}",
		  number, phase, number / 250, number % 250 + 1);
	assert_int_equal(kube_object_read(KUBE_POD, json.buf, &pod), 0);
	kube_table_put(pods, &pod, (uint64_t)number);
}

static struct loaded_policy *new_policy(void)
{
	return loaded_policy_new(xcalloc(1, sizeof(struct policy)), 0, NULL, 0);
}

/* Of what was kept: how many pods, and how many of their addresses. */
static void count_kept(const struct last_good *lg, size_t *ret_pods, size_t *ret_addresses)
{
	_source_list_ source_list texts = {};
	_text_ struct text why = TEXT_INIT;
	struct kube_pods claims = {};
	struct kube_table pods = {.pods = &claims};

	assert_int_equal(last_good_read(lg, &why, &texts), 0);
	assert_string_equal(texts.items[0].name, PODS_SOURCE);
	kube_pods_read(&texts.items[0], &pods);
	*ret_pods = pods.entries.count;
	*ret_addresses = claims.claims.count;
	kube_table_release(&pods);
	kube_pods_release(&claims);
}

struct wait {
	const struct last_good *lg;
	struct loop *loop;
};

static void stop_when_over(void *user)
{
	const struct wait *wait = user;

	if (!wait->lg->job)
		loop_stop(wait->loop);
}

static void wait_for_job(const struct last_good *lg, struct loop *loop)
{
	struct wait wait = {lg, loop};
	struct loop_timer *timer = loop_timer_new(loop, stop_when_over, &wait);

	loop_timer_start(timer, 1, 1);
	loop_run(loop);
	loop_timer_stop(timer);
}

/* They come and go while it is written. */
static void pods_are_kept_as_they_were_when_it_began(void **state)
{
	char directory[] = "/tmp/last-good-XXXXXX";
	struct last_good lg = {.directory = mkdtemp(directory)};
	struct kube_pods claims = {};
	struct kube_table pods = {.pods = &claims};
	struct loaded_policy *loaded = new_policy();
	size_t count, addresses;
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	for (int i = 0; i < PODS; i++)
		put_pod(&pods, i, "Running");
	last_good_begin(&lg, loop, loaded, &pods);
	assert_non_null(lg.job);
	kube_table_remove(&pods, "shop/pod-0");
	for (int i = 1; i < PODS; i++)
		put_pod(&pods, i, "Failed"); /* which has no address */
	lg.is_behind = true;
	wait_for_job(&lg, loop);
	assert_true(loaded->is_kept);
	count_kept(&lg, &count, &addresses);
	assert_int_equal(count, PODS);
	assert_int_equal(addresses, PODS);

	last_good_begin(&lg, loop, loaded, &pods); /* what came meanwhile is still to be kept */
	last_good_keep(&lg, loaded, &pods);
	assert_false(lg.is_behind);
	count_kept(&lg, &count, &addresses);
	assert_int_equal(count, PODS - 1);
	assert_int_equal(addresses, 0);

	assert_int_equal(durable_remove(directory, LAST_GOOD_FILE), 0);
	assert_int_equal(rmdir(directory), 0);
	loop_free(loop);
	loaded_policy_drop(loaded);
	kube_table_release(&pods);
	kube_pods_release(&claims);
}

static void a_directory_that_is_gone_is_tried_again(void **state)
{
	struct last_good lg = {.directory = "/nowhere/at/all"};
	struct loaded_policy *loaded = new_policy();
	struct kube_table pods = {};
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	last_good_begin(&lg, loop, loaded, &pods);
	loaded_policy_drop(loaded_policy_use(loaded));
	last_good_finish(&lg);
	assert_null(lg.job);
	assert_false(loaded->is_kept);
	assert_true(lg.is_behind && lg.is_failing);
	loop_free(loop);
	loaded_policy_drop(loaded);
}

static struct loaded_policy *new_large_policy(void)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));
	struct source *source = xcalloc(1, sizeof(*source));
	_text_ struct text text = TEXT_INIT;

	for (int i = 0; i < LARGE; i++)
		text_addf(&text, "line: %d\n", i);
	*source = source_of("large.yaml", text.buf, text.len);
	vec_push(&policy->sources, source);
	return loaded_policy_new(policy, 0, NULL, 0);
}

/* As if a copy of an earlier one had been put back (cp); and as if the disk had lost it. */
static void nobody_takes_a_texts_memory_away(void **state)
{
	static const char *const commands[] = {"echo", ":"};
	char directory[] = "/tmp/last-good-XXXXXX";
	struct last_good lg = {.directory = mkdtemp(directory)};

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct loaded_policy *loaded = new_large_policy();
		const struct source *source = loaded->policy->sources.items[0];
		_text_ struct text command = TEXT_INIT;

		last_good_keep(&lg, loaded, NULL);
		assert_true(loaded->is_kept && source->mapped);
		text_addf(&command, "%s > %s/" LAST_GOOD_FILE, commands[i], directory);
		assert_int_equal(system(command.buf), 0);
		assert_memory_equal(source->text, "line: 0\n", 8);
		assert_memory_equal(source->text + source->len - 6, "19999\n", 7);
		loaded_policy_drop(loaded);
	}
	assert_int_equal(durable_remove(directory, LAST_GOOD_FILE), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(refuses_every_length_but_its_own),
		cmocka_unit_test(refuses_every_byte_that_was_changed),
		cmocka_unit_test(refuses_every_block_that_is_lost),
		cmocka_unit_test(pods_are_kept_as_they_were_when_it_began),
		cmocka_unit_test(a_directory_that_is_gone_is_tried_again),
		cmocka_unit_test(nobody_takes_a_texts_memory_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
