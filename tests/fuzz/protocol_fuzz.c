/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * IN-13: what comes over the control socket, what comes out of a lane, and what people write as
 * an address or a service.  By the first byte; nothing may crash, and what was read reads the same
 * again.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "agent/control/request.h"
#include "agent/events/event_json.h"
#include "cli/cli.h"
#include "cli/event_line.h"
#include "cli/event_reader.h"
#include "policy/services.h"
#include "util/address.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The reader's messages go nowhere. */
enum exit_code cli_error(const char *format, ...)
{
	(void)format;
	return EXIT_USAGE;
}

static void try_request(const char *line, size_t len)
{
	_text_ struct text error = TEXT_INIT;
	struct request request = {};

	if (!request_parse(line, len, &request, &error))
		request_release(&request);
	else if (!error.len)
		abort();
}

/* A record of any bytes gives one line of JSON, which its readers take. */
static void try_event(const void *bytes, size_t len)
{
	const struct event_end end = {.workload = "w", .zone = "z", .labels_json = "{}"};
	const struct event_names names = {.src = end, .rule = "r", .interface = "i"};
	_event_reader_ struct event_reader reader = {};
	_text_ struct text json = TEXT_INIT, line = TEXT_INIT, error = TEXT_INIT;
	struct bh_event event = {};
	cJSON *parsed;

	memcpy(&event, bytes, len < sizeof(event) ? len : sizeof(event));
	event_json(&event, &names, &json);
	parsed = cJSON_ParseWithLength(json.buf, json.len);
	if (!parsed || strpbrk(json.buf, "\r\n"))
		abort();
	event_line(parsed, false, &line);
	event_row(parsed, false, &line);
	cJSON_Delete(parsed);
	event_reader_line(&reader, json.buf, json.len, &error);
}

static void try_prefix(const char *s)
{
	_text_ struct text error = TEXT_INIT;
	char once[ADDRESS_STRLEN], twice[ADDRESS_STRLEN];
	struct prefix prefix, again;

	if (prefix_parse(s, &prefix, &error))
		return;
	prefix_format(&prefix, once);
	if (prefix_parse(once, &again, NULL) || again.len != prefix.len ||
	    addr_cmp(&again.addr, &prefix.addr) || strcmp(prefix_format(&again, twice), once) != 0)
		abort();
}

static void try_services(const char *s)
{
	_text_ struct text error = TEXT_INIT, once = TEXT_INIT, twice = TEXT_INIT;
	services list = {}, again = {};

	if (!services_parse(s, &list, &error)) {
		if (!error.len)
			abort();
		return;
	}
	services_normalise(&list);
	services_format(&list, &once);
	if (list.count == 1) {
		if (!services_parse(once.buf, &again, NULL))
			abort();
		services_normalise(&again);
		services_format(&again, &twice);
		if (strcmp(once.buf, twice.buf) != 0)
			abort();
	}
	vec_release(&list);
	vec_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *s = NULL;

	if (!size)
		return 0;
	s = xstrndup((const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		try_request((const char *)data + 1, size - 1);
		break;
	case 1:
		try_event(data + 1, size - 1);
		break;
	case 2:
		try_prefix(s);
		break;
	case 3:
		try_services(s);
		break;
	}
	return 0;
}
