/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of joint services as numbers, and as text. */
#ifndef POLICY_DIFF_SERVICES_H
#define POLICY_DIFF_SERVICES_H

#include "policy/joint.h"
#include "util/text.h"

/*
 * The numbers of these joint services that occur in @families, and what people call them: "any",
 * "tcp/80, tcp/443", "any except icmp/echo-request".
 */
void diff_services(const struct joint_services *s, struct list changed, uint8_t families,
		   services *numbers_of, struct text *out);

#endif
