/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/agent_peer.h"

#include <stdio.h>
#include <string.h>

#include "util/mem.h"

#define INTERFACE "agent0"

/* With the server's addresses, whose packets a host's endpoint decides. */
static bool make_interface(void)
{
	return !system("ip link add " INTERFACE " type veth peer name agent1 && "
		       "ip address add 10.128.0.1/9 dev " INTERFACE " && "
		       "ip address add fd20::1/32 dev " INTERFACE " nodad && "
		       "ip link set agent1 up && ip link set " INTERFACE " up");
}

void agent_peer_begin(const struct shape *shape, struct effort *effort, struct agent_peer *ret)
{
	_text_ struct text text = TEXT_INIT;
	struct peer peer = {.target = {BENCH_XDP, -1}, .reply = {BENCH_TC, -1}, .is_agent = true};

	*ret = (struct agent_peer){};
	shape_text(shape, false, &text);
	if (make_interface() && !agent_run_begin(&text, INTERFACE, &ret->run)) {
		peer.target.fd = agent_run_program(&ret->run, INTERFACE, false);
		peer.reply.fd = agent_run_program(&ret->run, INTERFACE, true);
	}
	if (peer.target.fd < 0 || peer.reply.fd < 0) {
		fprintf(stderr, "bench: there is no running agent to measure\n");
		closep(&peer.target.fd);
		closep(&peer.reply.fd);
		return;
	}
	peer.name = xstrdup("running-agent");
	vec_push(&effort->peers, peer);
}

void agent_peer_end(struct agent_peer *peer, struct effort *effort)
{
	struct peer *last = effort->peers.count ? &effort->peers.items[effort->peers.count - 1]
						: NULL;

	if (last && last->is_agent) {
		close(last->target.fd);
		close(last->reply.fd);
		free(last->name);
		effort->peers.count--;
	}
	agent_run_end(&peer->run, NULL);
	if (system("ip link delete " INTERFACE))
		fprintf(stderr, "bench: interface '" INTERFACE "' stays\n");
}
