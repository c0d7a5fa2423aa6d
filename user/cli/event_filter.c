/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_filter.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "cli/values.h"
#include "util/when.h"

/* clang-format off */
static const char *const verdicts[] = {
#define X(id, word, help) word,
	BH_VERDICTS(X)
#undef X
};

static const char *const types[] = { "drop", "audit", "allow", "alert" };

static const char *const reasons[] = {
#define X(id, word, help) word,
	BH_REASONS(X)
#undef X
};
/* clang-format on */

struct event_field {
	const char *name; /* of the option */
	const char *key;  /* of the event, or of its end */
	bool (*matches)(const struct event_term *term, const cJSON *event);
	/* False with a sentence in @reterr; NULL: every value is possible. */
	bool (*read)(struct event_term *term, struct text *reterr);
};

static bool read_word(const struct event_term *term, const char *const *words, size_t count,
		      struct text *reterr)
{
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(words[i], term->value))
			return true;
	nearest = text_nearest(term->value, words, count);
	text_addf(reterr, "'--%s': there is no '%s'", term->field->name, term->value);
	if (nearest) {
		text_addf(reterr, "; did you mean '%s'?", nearest);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		text_addf(reterr, "%s %s", i ? "," : "; there are", words[i]);
	return false;
}

static bool read_verdict(struct event_term *term, struct text *reterr)
{
	return read_word(term, verdicts, COUNT(verdicts), reterr);
}

static bool read_type(struct event_term *term, struct text *reterr)
{
	return read_word(term, types, COUNT(types), reterr);
}

static bool read_reason(struct event_term *term, struct text *reterr)
{
	return read_word(term, reasons, COUNT(reasons), reterr);
}

/* What is no address is a name. */
static bool read_end(struct event_term *term, struct text *reterr)
{
	(void)reterr;
	term->is_prefix = !prefix_parse(term->value, &term->prefix, NULL);
	return true;
}

static bool read_address(struct event_term *term, struct text *reterr)
{
	_text_ struct text detail = TEXT_INIT;
	const char *wrong = prefix_parse(term->value, &term->prefix, &detail);

	if (wrong)
		text_addf(reterr, "'--%s': '%s': %s", term->field->name, term->value, wrong);
	term->is_prefix = !wrong;
	return !wrong;
}

static bool read_port(struct event_term *term, struct text *reterr)
{
	uint64_t port;

	if (text_to_u64(term->value, 0, UINT16_MAX, &port))
		return true;
	text_addf(reterr, "'--%s': '%s' is not a port from 0 to %u", term->field->name, term->value,
		  UINT16_MAX);
	return false;
}

static bool is_text(const cJSON *object, const char *key, const char *value)
{
	const char *text = value_text(object, key);

	return text && !strcmp(text, value);
}

/* An alert has its own names for them. */
static const cJSON *end_of(const cJSON *event, const char *key)
{
	const cJSON *end = value_of(event, key);

	if (end)
		return end;
	return value_of(event, strcmp(key, "src") ? "target" : "source");
}

/* What says no type tells of a packet. */
static const char *type_of(const cJSON *event)
{
	const char *type = value_text(event, "type");
	const char *verdict = value_text(event, "verdict");

	if (type || !verdict)
		return type;
	return !strcmp(verdict, "deny") || !strcmp(verdict, "reject") ? "drop" : verdict;
}

static bool matches_type(const struct event_term *term, const cJSON *event)
{
	const char *type = type_of(event);

	return type && !strcmp(type, term->value);
}

static bool matches_text(const struct event_term *term, const cJSON *event)
{
	return is_text(event, term->field->key, term->value);
}

static bool has_address(const struct event_term *term, const cJSON *end)
{
	const char *ip = value_text(end, "ip");
	struct bh_addr addr;

	if (!ip || addr_parse(ip, &addr))
		return false;
	/* ::/0 does not hold IPv4. */
	return addr_is_v4(&addr) == prefix_is_v4(&term->prefix) && prefix_has(&term->prefix, &addr);
}

static bool matches_end(const struct event_term *term, const cJSON *event)
{
	const cJSON *end = end_of(event, term->field->key);
	bool is_named = value_text(end, "workload") || value_text(end, "zone");

	if (term->is_prefix)
		return has_address(term, end);
	if (is_text(end, "workload", term->value) || is_text(end, "zone", term->value))
		return true;
	return !is_named && value_of(end, "ip") && !strcmp(term->value, "outside");
}

static bool is_in_namespace(const struct event_term *term, const cJSON *end)
{
	const char *workload = value_text(end, "workload");
	size_t len = strlen(term->value);

	return workload && !strncmp(workload, term->value, len) && workload[len] == '/';
}

static bool matches_namespace(const struct event_term *term, const cJSON *event)
{
	return is_in_namespace(term, value_of(event, "src")) ||
	       is_in_namespace(term, value_of(event, "dst"));
}

static bool matches_address(const struct event_term *term, const cJSON *event)
{
	return has_address(term, end_of(event, "src")) || has_address(term, end_of(event, "dst"));
}

static bool has_port(const struct event_term *term, const cJSON *end)
{
	const cJSON *port = value_of(end, "port");
	uint64_t wanted;

	return cJSON_IsNumber(port) && text_to_u64(term->value, 0, UINT16_MAX, &wanted) &&
	       (uint64_t)port->valuedouble == wanted;
}

static bool matches_port(const struct event_term *term, const cJSON *event)
{
	return has_port(term, value_of(event, "src")) || has_port(term, value_of(event, "dst"));
}

/* clang-format off */
static const struct event_field fields[] = {
	{ "type",      NULL,        matches_type,    read_type    },
	{ "verdict",   "verdict",   matches_text,    read_verdict },
	{ "from",      "src",       matches_end,     read_end     },
	{ "to",        "dst",       matches_end,     read_end     },
	{ "ip",        NULL,        matches_address, read_address },
	{ "port",      NULL,        matches_port,    read_port    },
	{ "protocol",  "proto",     matches_text,    NULL         },
	{ "reason",    "reason",    matches_text,    read_reason  },
	{ "rule",      "rule",      matches_text,    NULL         },
	{ "interface", "interface", matches_text,    NULL         },
	{ "namespace", NULL,        matches_namespace, NULL       },
};
/* clang-format on */

static const struct event_field *find_field(const char *name)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

int event_filter_add(struct event_filter *f, const char *field, const char *value, bool is_negated,
		     struct text *reterr)
{
	struct event_term term = {
		.field = find_field(field),
		.value = value,
		.is_negated = is_negated,
	};

	assert(term.field);
	if (term.field->read && !term.field->read(&term, reterr))
		return -EINVAL;
	vec_push(&f->terms, term);
	return 0;
}

int event_filter_read(struct event_filter *f, const struct arguments *args, struct text *reterr)
{
	bool is_negated = false;
	int err = 0;

	vec_foreach (given, &args->given) {
		const char *name = given->option->name;
		bool is_field = find_field(name) != NULL;

		if (is_negated && !is_field)
			break;
		if (is_field)
			err = event_filter_add(f, name, given->value, is_negated, reterr);
		if (err)
			return err;
		is_negated = !strcmp(name, "not");
	}
	if (!is_negated)
		return 0;
	text_add(reterr, "'--not' needs a filter right behind it, such as --not --verdict allow");
	return -EINVAL;
}

/* Whether a term of the field of @term, itself or another, lets the event through. */
static bool matches_any_of_field(const struct event_filter *f, const struct event_term *term,
				 const cJSON *event)
{
	vec_foreach (other, &f->terms)
		if (other->field == term->field && !other->is_negated &&
		    other->field->matches(other, event))
			return true;
	return false;
}

static bool is_in_time(const struct event_filter *f, const cJSON *event)
{
	const char *time = value_text(event, "time");
	uint64_t ns;

	if (!f->since_ns && !f->until_ns)
		return true;
	if (!time || !time_parse(time, &ns))
		return false;
	return ns >= f->since_ns && (!f->until_ns || ns <= f->until_ns);
}

bool event_filter_matches(const struct event_filter *f, const cJSON *event)
{
	if (!is_in_time(f, event))
		return false;
	vec_foreach (term, &f->terms) {
		if (term->is_negated ? term->field->matches(term, event)
				     : !matches_any_of_field(f, term, event))
			return false;
	}
	return true;
}

bool event_filter_names(const struct event_filter *f, const char *field, const char *value)
{
	vec_foreach (term, &f->terms)
		if (!term->is_negated && !strcmp(term->field->name, field) &&
		    !strcmp(term->value, value))
			return true;
	return false;
}

bool event_filter_wants_only(const struct event_filter *f, const char *field, const char *value)
{
	bool is_wanted = false;

	vec_foreach (term, &f->terms) {
		if (strcmp(term->field->name, field) != 0 || term->is_negated)
			continue;
		if (strcmp(term->value, value) != 0)
			return false;
		is_wanted = true;
	}
	return is_wanted;
}

bool event_filter_is_empty(const struct event_filter *f)
{
	return !f->terms.count && !f->since_ns && !f->until_ns;
}

void event_filter_release(struct event_filter *f)
{
	vec_release(&f->terms);
}
