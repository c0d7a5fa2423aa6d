/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every kind of lint finding: its id, and what it finds. */
#ifndef POLICY_LINT_ID_H
#define POLICY_LINT_ID_H

/* clang-format off */
#define LINT_IDS(X)                                                                        \
	X(BH001, "an allow rule from a zone as wide as the internet to other than a front zone") \
	X(BH002, "a CIDR where a workload or label would name it")                               \
	X(BH003, "a zone of data that is allowed to reach out")                                  \
	X(BH004, "a management port that is open to a zone other than management")               \
	X(BH005, "a rule that allows any service")                                               \
	X(BH006, "a rule that never decides anything")                                           \
	X(BH007, "a workload that no rule speaks of")                                            \
	X(BH008, "two zones that allow the same service in both directions")                     \
	X(BH009, "a rule that has expired, or will soon")                                        \
	X(BH010, "zones that overlap")                                                           \
	X(BH011, "a service, zone or workload that nothing uses")                                \
	X(BH012, "a port of a protocol in plain text, across zones")
/* clang-format on */

#endif
