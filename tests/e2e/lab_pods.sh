#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# NetworkPolicies with Pods as documents: every pod is a station, and the wire is what explain says.
. "$(dirname "$0")/lib.sh"

cat >pods.yaml <<-'END'
	apiVersion: v1
	kind: List
	items:
	  - {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
	  - {apiVersion: v1, kind: Namespace, metadata: {name: lab}}
	  - apiVersion: v1
	    kind: Node
	    metadata: {name: node-a}
	    status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: web, namespace: shop, labels: {app: web}}
	    spec: {nodeName: node-a}
	    status: {podIPs: [{ip: 10.8.0.1}, {ip: "fd00:8::1"}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: api-1, namespace: shop, labels: {app: api}}
	    status: {podIPs: [{ip: 10.8.0.2}, {ip: "fd00:8::2"}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: api-2, namespace: shop, labels: {app: api}}
	    status: {podIP: 10.8.0.3}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: tester, namespace: lab}
	    status: {podIPs: [{ip: 10.8.1.1}, {ip: "fd00:8:1::1"}]}
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: deny-all, namespace: shop}
	spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: web-to-api, namespace: shop}
	spec:
	  podSelector: {matchLabels: {app: api}}
	  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: web-out, namespace: shop}
	spec:
	  podSelector: {matchLabels: {app: web}}
	  policyTypes: [Egress]
	  egress: [{to: [{podSelector: {}}], ports: [{port: 8080}, {port: 8081}]}]
END

agrees()
{
	split_lab
	"$BULKHEAD" explain pods.yaml --queries questions >answers || return 1
	awk '{ print $1 == "deny" ? "stopped" : "through" }' answers | diff - seen
}

has_stations()
{
	local name

	for name; do
		grep -q "\"name\":\"$name\"" lab.json || return 1
	done
}

# Its pods share identities: each drop is of one of them.
tells_of_drop()
{
	"$python" - "$@" <<-'END'
	import json, sys
	lab = json.load(open("lab.json"))["labs"][0]
	sys.exit(not any((e["from"], e["to"]) == tuple(sys.argv[1:]) for e in lab["events"]))
	END
}

for topology in node hosts; do
	it "$topology: the wire is what the policy says" \
		exits_with 0 "$BULKHEAD" lab --topology "$topology" -o json pods.yaml
	cp out lab.json
	it "$topology: every pod is a station" \
		has_stations shop/web shop/api-1 shop/api-2 lab/tester node-a
	it "$topology: some probes got through, and some didn't" \
		grep -qE '"allowed":[1-9][0-9]*,"denied":[1-9][0-9]*,"mismatches":0' lab.json
	it "$topology: the wire agrees with explain" agrees
	it "$topology: drops are told of the pod that it was" tells_of_drop lab/tester shop/api-2
	it "$topology leaves nothing" nothing_is_left
done

end_test
