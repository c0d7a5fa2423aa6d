/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/pages.h"

#include <inttypes.h>
#include <string.h>

#include "agent/metrics/http_server.h"
#include "agent/metrics/metrics.h"
#include "agent/metrics/readiness.h"
#include "util/clock.h"
#include "util/exposition.h"
#include "util/log.h"
#include "util/mem.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS 1000000ull

#define FRESH_NS (500 * NS_PER_MS) /* however often metrics are asked for */
#define RETRY_MS 2000
#define SILENT_S 5 /* after which the agent's loop counts as stuck */

#define STATUS_OK          200
#define STATUS_UNAVAILABLE 503

#define PLAIN "text/plain; charset=utf-8"

enum page_id {
	PAGE_METRICS,
	PAGE_HEALTH,
	PAGE_READY,
	PAGE_INDEX,
	PAGE_COUNT
};

/* Writes the page, and returns its status. */
typedef unsigned int page_fn(struct agent *a, struct text *out);

struct page_kind {
	const char *path;
	const char *type;
	uint64_t fresh_ns; /* it is not made again before */
	page_fn *fn;
};

struct pages {
	struct agent *agent;
	struct http_server *server; /* NULL: not yet */
	struct loop_timer *retry;
	bool is_told; /* that the address can't be had */
	struct http_page *made[PAGE_COUNT];
	uint64_t made_ns[PAGE_COUNT];
};

static unsigned int show_metrics(struct agent *a, struct text *out)
{
	metrics_text(a, out);
	return STATUS_OK;
}

static unsigned int show_health(struct agent *a, struct text *out)
{
	uint64_t silent_s = (clock_monotonic_ns() - metrics_sampled_ns(a->metrics)) / NS_PER_S;

	if (silent_s < SILENT_S) {
		text_add(out, "ok\n");
		return STATUS_OK;
	}
	text_addf(out, "no heartbeat for %" PRIu64 " seconds\n", silent_s);
	return STATUS_UNAVAILABLE;
}

static unsigned int show_ready(struct agent *a, struct text *out)
{
	if (!readiness_check(a, out))
		return STATUS_UNAVAILABLE;
	text_add(out, "ok\n");
	return STATUS_OK;
}

static unsigned int show_index(struct agent *a, struct text *out)
{
	(void)a;
	text_add(out, "/metrics\n/healthz\n/readyz\n");
	return STATUS_OK;
}

/* clang-format off */
static const struct page_kind kinds[] = {
	[PAGE_METRICS] = { "/metrics", EXPOSITION_TYPE, FRESH_NS, show_metrics },
	[PAGE_HEALTH]  = { "/healthz", PLAIN,           0,        show_health  },
	[PAGE_READY]   = { "/readyz",  PLAIN,           0,        show_ready   },
	[PAGE_INDEX]   = { "/",        PLAIN,           FRESH_NS, show_index   },
};
/* clang-format on */

static struct http_page *make_page(struct pages *pages, size_t i)
{
	struct text body = TEXT_INIT;
	unsigned int status = kinds[i].fn(pages->agent, &body);

	http_page_free(pages->made[i]);
	pages->made[i] = http_page_new(status, kinds[i].type, &body);
	pages->made_ns[i] = clock_monotonic_ns();
	return pages->made[i];
}

static struct http_page *find_page(void *user, const char *path)
{
	struct pages *pages = user;

	for (size_t i = 0; i < PAGE_COUNT; i++) {
		uint64_t age_ns = clock_monotonic_ns() - pages->made_ns[i];

		if (strcmp(path, kinds[i].path) != 0)
			continue;
		if (pages->made[i] && age_ns < kinds[i].fresh_ns)
			return pages->made[i];
		return make_page(pages, i);
	}
	return NULL;
}

static void open_server(void *user)
{
	struct pages *pages = user;
	const struct agent *a = pages->agent;
	const struct http_config config = {
		.loop = a->loop,
		.at = a->config->metrics,
		.fn = find_page,
		.user = pages,
	};
	char at[LISTEN_ADDRESS_STRLEN];
	_text_ struct text why = TEXT_INIT;

	listen_address_format(&config.at, at);
	if (!http_open(&config, &why, &pages->server)) {
		log_info("msg=\"metrics served\" address=%s", at);
		return;
	}
	if (!pages->is_told)
		log_error("msg=\"metrics not served\" address=%s error=\"%s\" retry_ms=%d", at,
			  why.buf, RETRY_MS);
	pages->is_told = true;
	loop_timer_start(pages->retry, RETRY_MS, 0);
}

void pages_start(struct agent *a)
{
	struct pages *pages;

	if (!a->config->metrics.port)
		return;
	if (!listen_address_is_loopback(&a->config->metrics))
		log_warning("msg=\"metrics are served to others than this machine\"");
	pages = xcalloc(1, sizeof(*pages));
	pages->agent = a;
	pages->retry = loop_timer_new(a->loop, open_server, pages);
	a->pages = pages;
	a->metrics = metrics_new();
	metrics_sample(a);
	open_server(pages);
}

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	http_free(pages->server);
	for (size_t i = 0; i < PAGE_COUNT; i++)
		http_page_free(pages->made[i]);
	free(pages);
}
