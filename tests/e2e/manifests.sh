#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The manifests for a cluster: PR-05.
. "$(dirname "$0")/lib.sh"

readonly manifests=$here/../../scripts/deploy/kubernetes
readonly watched=$here/../../user/agent/kubernetes/kube_object.h

# manifests QUESTION [ARGUMENT]
manifests()
{
	"$python" "$here/manifests.py" "$1" "$manifests" "${@:2}"
}

# renders NAME PATH: what kubectl makes of it is in NAME.yaml.
renders()
{
	HOME=$work kubectl kustomize "$manifests/$2" >"$1.yaml"
}

# An API server that knows where such objects belong, and has none of them.
start_api()
{
	make_certificate api.key api.crt 127.0.0.1
	echo secret >token
	serve_api api.crt api.key token
	tell '{"open": true}'
}

# applies PATH COUNT: as a user does, so many objects, but for that nothing is made.
applies()
{
	HOME=$work kubectl apply -k "$manifests/$1" --dry-run=client --validate=false \
		--server https://127.0.0.1:6443 --certificate-authority api.crt --token secret \
		>applied || return
	cat applied
	[ "$(grep -c 'created (dry run)' applied)" -eq "$2" ]
}

# rendered NAME QUESTION [ARGUMENT…]
rendered()
{
	"$python" "$here/manifests.py" "$2" "$1.yaml" "${@:3}"
}

# is_as_safe NAME…: as the base, each of them.
is_as_safe()
{
	local name

	for name; do
		rendered "$name" is_as_safe "$watched" || return
	done
}

# starts_as_configured NAME: it enforces, and asks an API server that is not there.
starts_as_configured()
{
	export NODE_NAME=node-a KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1
	rendered "$1" print_config agent.yaml >agent.yaml
	rendered "$1" print_config zones.yaml >zones.yaml
	start_agent - --config agent.yaml --policy zones.yaml || return
	wait_for 5 grep 'cluster not read' agent.log
}

it "kustomize finds every file" manifests lists_all
it "kubectl makes manifests of them" renders all .
it "of the base, for overlays" renders base base
it "which is the same" rendered base differs_in all.yaml
it "of the overlay to audit" renders audit overlays/audit
it "of the one for metrics" renders metrics overlays/metrics
it "PR-05: overlays are as safe" is_as_safe all audit metrics
it "one changes the configuration, and the pods with it" rendered audit differs_in base.yaml \
	ConfigMap/bulkhead DaemonSet/bulkhead
it "to what only reports" rendered audit only_reports
it "the other adds a Service" rendered metrics differs_in base.yaml \
	ConfigMap/bulkhead DaemonSet/bulkhead Service/bulkhead-metrics
it "and is found by who scrapes" rendered metrics is_scraped base.yaml
it "an API server is there" start_api
it "kubectl applies them" applies . 7
it "and an overlay" applies overlays/metrics 8
it "PR-05: the container is confined" manifests is_confined
it "PR-05: it runs on every node, and is not evicted" manifests is_everywhere
it "PR-05: nodes get another release some at a time" manifests is_replaced_in_parts
it "PR-05: of the node it has three directories" manifests writes_nothing_else
it "PR-05: the role is to read what the agent reads, and to say what it says" \
	manifests may_read_what_it_reads "$watched"
it "ZonePolicies are where the agent looks for them" manifests defines_zonepolicies "$watched"
it "two nodes write a status without a conflict" manifests is_merged_by_node
for name in all audit; do
	it "the configuration ($name) is one" starts_as_configured "$name"
	it "and the agent stops" stop_agent TERM
done
end_test
