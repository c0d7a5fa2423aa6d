/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Services as text: `tcp/443`, `udp/5000-5010`, `icmp/echo-request`, `icmp6/1/4`, `proto/47`,
 * `any`. */
#ifndef POLICY_SERVICES_H
#define POLICY_SERVICES_H

#include "policy/model.h"
#include "util/text.h"

/* Adds what @s names; false with a sentence in @reterr.  Knows no named services. */
bool services_parse(const char *s, services *out, struct text *reterr);

/* Whether @s is meant for services_parse, rightly or wrongly, and not as the name of a service. */
bool services_is_literal(const char *s);

/* Sorts and merges: afterwards the invariant of `services` holds. */
void services_normalise(services *s);

/* Every service there is. */
void services_add_any(services *s);

/* One number of one table, for people: "tcp/443", "icmp/echo-request", "proto/47". */
void service_format(enum bh_service_table table, uint16_t number, struct text *out);

/* A canonical list: "tcp/80, tcp/443, udp/53"; "any" for everything. */
void services_format(const services *s, struct text *out);

#endif
