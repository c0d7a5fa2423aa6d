/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is detected, and from when on it counts: `detect` of agent.yaml. */
#ifndef AGENT_DETECT_DETECT_CONFIG_H
#define AGENT_DETECT_DETECT_CONFIG_H

#include <stdint.h>

/* clang-format off */
/* X(id, code, the key of its threshold, whose unit is, threshold by default, least, most, what) */
#define DETECTIONS(X)                                                                             \
	X(VERTICAL,   "BD001", "ports",      "ports",    10,    2, 32,                            \
	  "one source tries many ports of one host")                                              \
	X(SWEEP,      "BD002", "hosts",      "hosts",    10,    2, 32,                            \
	  "one source tries one port of many hosts")                                              \
	X(DATA_OUT,   "BD003", "dataOut",    "attempts", 1,     1, 1000000,                       \
	  "a workload of a data zone tries to reach out of data zones")                           \
	X(MANAGEMENT, "BD004", "management", "attempts", 1,     1, 1000000,                       \
	  "a front or internal zone tries to reach a management zone")                            \
	X(FIRST,      "BD005", "quiet",      "quiet_s",  86400, 1, UINT32_MAX,                    \
	  "the first denied connection of a workload that was quiet until then")                  \
	X(BEACON,     "BD006", "beats",      "attempts", 6,     3, 100,                           \
	  "a source tries a denied address at regular intervals")                                 \
	X(CROWD,      "BD007", "sources",    "sources",  20,    2, 64,                            \
	  "many sources are denied on their way to one workload")                                 \
	X(SPOOFED,    "BD008", "spoofed",    "packets",  5,     1, 1000000,                       \
	  "an interface sends from addresses that are not its own")                               \
	X(NOISE,      "BD009", "noise",      "packets",  3000,  1, UINT32_MAX,                    \
	  "a source is denied so often that the limit of events may hide what else it does")
/* clang-format on */

enum detection {
#define X(id, code, key, unit, by_default, least, most, what) DETECT_##id,
	DETECTIONS(X)
#undef X
	DETECTION_COUNT
};

/* What is counted is forgotten after so long; then one alert a source and id, until so long. */
#define DETECT_WINDOW_S   600
#define DETECT_COOLDOWN_S 600
#define DETECT_SPAN_MAX_S 86400 /* of both */

struct detect_config {
	uint32_t window_s;
	uint32_t cooldown_s;
	uint32_t threshold[DETECTION_COUNT]; /* 0: it is off */
};

#endif
