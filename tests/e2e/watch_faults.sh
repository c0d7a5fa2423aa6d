#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Whatever an API server and the wire do at random, of one kind or of all: once they are right
# again, the agent knows what there is within seconds.  FAULTS="SECONDS [SEED]" takes longer.
. "$(dirname "$0")/lib.sh"

start_api()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=apiserver -addext "subjectAltName=IP:127.0.0.1" \
		-keyout api.key -out api.crt 2>openssl.log
	echo secret >token
	"$python" "$here/kube_api.py" serve 6443 api.crt api.key token api.sock >api.log 2>&1 3>&- &
	wait_for 5 grep -q serving api.log
	# Or it is asked for again after 15 seconds.
	"$python" "$here/kube_api.py" tell api.sock '{"put": {"kind": "ClusterNetworkPolicy",
		"apiVersion": "policy.networking.k8s.io/v1alpha2", "metadata": {"name": "n0"},
		"spec": {"tier": "Admin", "priority": 5, "subject": {"namespaces": {}}}}}' \
		'{"open": true}' >/dev/null
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
