/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A running agent's pinned programs as a peer: what is measured of ours must be what is shipped. */
#ifndef BENCH_AGENT_PEER_H
#define BENCH_AGENT_PEER_H

#include "tests/bench/agent_run.h"
#include "tests/bench/measure.h"

struct agent_peer {
	struct agent_run run;
};

/* Adds it to @effort's peers, and takes it from there again.  Without an agent there is no peer. */
void agent_peer_begin(const struct shape *shape, struct effort *effort, struct agent_peer *ret);
void agent_peer_end(struct agent_peer *peer, struct effort *effort);

#endif
