/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whatever is recorded, reading, replaying and learning from it must end, without a crash or a
 * leak, and what is proposed must load, break no promise and allow what wasn't refused.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/event_reader.h"
#include "policy/replay.h"
#include "tests/unit/learn_proof.h"
#include "util/mem.h"

static const char policy_text[] =
	"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: t}\nspec:\n"
	"  zones:\n"
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"
	"  - {name: data, cidrs: [10.0.1.0/24], mode: audit}\n"
	"  workloads:\n"
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, 10.0.0.11, \"fd00::10\"]}\n"
	"  - {name: db, zone: data, addresses: [10.0.1.10]}\n"
	"  rules:\n"
	"  - {name: r, from: web, to: db, services: tcp/5432}\n"
	"  - {name: no, from: any, to: db, services: tcp/23, action: deny}\n"
	"  never:\n"
	"  - {name: n, from: {cidr: 10.0.0.11}, to: data, services: [tcp/22, udp/0-65535]}\n"
	"  - {name: out, from: data, to: outside}\n"
	"  expect:\n"
	"  - {from: dmz, to: web, services: icmp6/echo-request, verdict: deny}\n";

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy *policy;
static struct compiled *compiled;

/* The reader's messages go nowhere. */
enum exit_code cli_error(const char *format, ...)
{
	(void)format;
	return EXIT_USAGE;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct source source = source_of("t.yaml", policy_text, sizeof(policy_text) - 1);
	struct diags d = {};

	(void)argc;
	(void)argv;
	if (policy_load_sources(&source, 1, &d, &policy) ||
	    policy_compile(policy, &(struct environment){}, &d, &compiled))
		abort();
	return 0;
}

static void read_lines(struct event_reader *reader, const char *s)
{
	while (*s) {
		size_t len = strcspn(s, "\n");
		_free_ char *line = xstrndup(s, len);
		_text_ struct text wrong = TEXT_INIT;

		if (!event_reader_line(reader, line, len, &wrong) != !wrong.len)
			abort();
		s += len + (s[len] == '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = xstrndup((const char *)data, size);
	_event_reader_ struct event_reader reader = {};
	_replay_ struct replay replay = {};
	_learned_ struct learned learned = {};
	_text_ struct text out = TEXT_INIT;
	_text_ struct text yaml = TEXT_INIT;

	read_lines(&reader, text);
	replay_run(compiled, &reader.recording, &replay);
	replay_text(compiled, &reader.recording, &replay, &out);
	replay_json(compiled, &reader.recording, &replay, &out);
	learn(compiled, &reader.recording, &learned);
	learned_json(compiled, &learned, &out);
	learned_yaml(compiled, &learned, &yaml);
	if (learn_proof(policy_text, &reader.recording, &learned, yaml.buf))
		abort();
	return 0;
}
