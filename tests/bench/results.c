/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/results.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/clock.h"
#include "util/json.h"

#define NAME_COLUMNS 36

void results_add(struct results *r, const struct metric *m)
{
	if (m->problem)
		fprintf(stderr, "  %-*s -- %s\n", NAME_COLUMNS, m->name, m->problem);
	else
		fprintf(stderr, "  %-*s %8.4g %s\n", NAME_COLUMNS, m->name, m->figure.median,
			m->unit);
	vec_push(&r->metrics, *m);
}

void results_release(struct results *r)
{
	vec_foreach (m, &r->metrics) {
		vec_foreach (peer, &m->peers)
			free(peer->name);
		vec_release(&m->peers);
		free(m->name);
		free(m->problem);
	}
	vec_release(&r->metrics);
}

struct metric *results_find(struct results *r, const char *name)
{
	vec_foreach (m, &r->metrics) {
		if (!m->problem && !strcmp(m->name, name))
			return m;
	}
	return NULL;
}

/* --- the machine --- */

static void add_cpu(struct text *out)
{
	_fclose_ FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		const char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		text_addn(out, value + 2, strcspn(value + 2, "\n"));
		return;
	}
	text_add(out, "unknown CPU");
}

static void add_machine(struct text *out)
{
	struct utsname name;

	add_cpu(out);
	text_addf(out, ", %ld CPUs", sysconf(_SC_NPROCESSORS_ONLN));
	if (!uname(&name))
		text_addf(out, ", %s %.*s", name.sysname, (int)strcspn(name.release, "-"),
			  name.release); /* without the name of a build */
}

/* --- the table --- */

/* A number in so many columns: whole, or with four digits. */
static void print_number(FILE *out, int columns, double value)
{
	if (fabs(value) >= 1e4)
		fprintf(out, "%*.0f", columns, value);
	else
		fprintf(out, "%*.4g", columns, value);
}

static void print_goal(const struct metric *m, FILE *out)
{
	bool is_met = m->is_more_better ? m->figure.median >= m->goal : m->figure.median <= m->goal;

	if (m->goal == 0)
		fprintf(out, " %16s", "");
	else
		fprintf(out, " %s %8.4g %s", m->is_more_better ? ">=" : "<=", m->goal,
			is_met ? "yes" : "NO ");
}

static bool is_ns(const struct metric *m)
{
	return !strcmp(m->unit, "ns");
}

static void print_peers(const struct metric *m, FILE *out)
{
	vec_foreach (peer, &m->peers) {
		if (peer->problem) {
			fprintf(out, "  %s: %s", peer->name, peer->problem);
			continue;
		}
		fprintf(out, "  %s %.4g", peer->name, peer->figure.median);
		if (m->figure.median > 0)
			fprintf(out, " (%.2gx)", peer->figure.median / m->figure.median);
	}
}

static void print_metric(const struct metric *m, FILE *out)
{
	fprintf(out, "%-*s ", NAME_COLUMNS, m->name);
	if (m->problem) {
		fprintf(out, "%10s  %s\n", "--", m->problem);
		return;
	}
	print_number(out, 10, m->figure.median);
	fprintf(out, " %-12s ", m->unit);
	print_number(out, 9, m->figure.low);
	fputs(" ..", out);
	print_number(out, 9, m->figure.high);
	print_goal(m, out);
	if (is_ns(m))
		fprintf(out, "  no-op %.3g", m->noop.median);
	print_peers(m, out);
	fputc('\n', out);
}

void results_print(const struct results *r, FILE *out)
{
	_text_ struct text machine = TEXT_INIT;
	char when[CLOCK_STRLEN];

	add_machine(&machine);
	fprintf(out, "%s; %s\n", machine.buf, clock_format(clock_wall_ns(), when));
	fprintf(out, "ns: a packet, above the no-op program of the same hook; medians, with the "
		     "range of eight tenths\n\n");
	fprintf(out, "%-*s %10s %-12s %20s %16s\n", NAME_COLUMNS, "metric", "median", "", "range",
		"goal");
	vec_foreach (m, &r->metrics)
		print_metric(m, out);
}

/* --- JSON --- */

static void json_double(struct json *j, const char *key, double value)
{
	_text_ struct text t = TEXT_INIT;

	text_addf(&t, "%.6g", isfinite(value) ? value : 0);
	json_raw(j, key, t.buf);
}

static void write_figure(struct json *j, const struct metric *m)
{
	json_double(j, is_ns(m) ? "ns_above_noop" : "value", m->figure.median);
	if (is_ns(m))
		json_double(j, "noop_ns", m->noop.median);
	else
		json_string(j, "unit", m->unit);
	json_array(j, "range");
	json_double(j, NULL, m->figure.low);
	json_double(j, NULL, m->figure.high);
	json_end(j, ']');
}

static void write_metric(struct json *j, const struct metric *m)
{
	json_object(j, NULL);
	json_string(j, "metric", m->name);
	if (m->problem)
		json_string(j, "problem", m->problem);
	else
		write_figure(j, m);
	if (m->goal > 0)
		json_double(j, "goal", m->goal);
	if (m->is_more_better)
		json_bool(j, "is_more_better", true);
	json_object(j, "peers");
	vec_foreach (peer, &m->peers) {
		if (peer->problem)
			json_string(j, peer->name, peer->problem);
		else
			json_double(j, peer->name, peer->figure.median);
	}
	json_end(j, '}');
	json_end(j, '}');
}

int results_write(const struct results *r, const char *path)
{
	_text_ struct text text = TEXT_INIT, machine = TEXT_INIT;
	struct json j = {.out = &text};
	char when[CLOCK_STRLEN];
	_fclose_ FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	add_machine(&machine);
	json_object(&j, NULL);
	json_string(&j, "machine", machine.buf);
	json_string(&j, "date", clock_format(clock_wall_ns(), when));
	json_array(&j, "metrics");
	vec_foreach (m, &r->metrics)
		write_metric(&j, m);
	json_end(&j, ']');
	json_end(&j, '}');
	text_addc(&text, '\n');
	return fwrite(text.buf, 1, text.len, f) == text.len && !fflush(f) ? 0 : -EIO;
}
