#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Whatever an API server and the wire do at random, of one kind or of all: once they are right
# again, the agent knows what there is within seconds.  FAULTS="SECONDS [SEED]" takes longer.
. "$(dirname "$0")/lib.sh"

start_api()
{
	make_certificate api.key api.crt 127.0.0.1
	echo secret >token
	serve_api api.crt api.key token
	# Or it is asked for again after 15 seconds.
	tell '{"put": {"kind": "ClusterNetworkPolicy",
		"apiVersion": "policy.networking.k8s.io/v1alpha2", "metadata": {"name": "n0"},
		"spec": {"tier": "Admin", "priority": 5, "subject": {"namespaces": {}}}}}' \
		'{"open": true}'
}

start_api
cat >agent.yaml <<-END
kubernetes: {node: node-a, server: "https://127.0.0.1:6443", ca: api.crt, tokenFile: token,
             silence: 1s}
END
export BULKHEAD_NETFILTER_OFF=1 # so that it follows EndpointSlices, too
it "an agent starts as a node" start_agent - --config agent.yaml
# The last retry may wait as long as the first ones took.
read -r seconds seed <<<"${FAULTS:-4}"
it "after $seconds seconds of faults it has followed" \
	"$python" "$here/kube_faults.py" api.sock "$seconds" 60 $seed
tail -n 1 it.log
it "and goes on" kill -0 "$agent_pid"
end_test
