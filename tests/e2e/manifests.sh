#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The manifests for a cluster: PR-05.
. "$(dirname "$0")/lib.sh"

readonly manifests=$here/../../scripts/deploy/kubernetes
readonly watched=$here/../../user/agent/kube_object.h

# manifests QUESTION [ARGUMENT]
manifests()
{
	"$python" "$here/manifests.py" "$1" "$manifests" "${@:2}"
}

# starts_as_configured: it enforces, and asks an API server that is not there.
starts_as_configured()
{
	export NODE_NAME=node-a KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1
	manifests print_config agent.yaml >agent.yaml
	manifests print_config zones.yaml >zones.yaml
	start_agent - --config agent.yaml --policy zones.yaml || return
	wait_for 5 grep 'cluster not read' agent.log
}

it "kustomize finds every file" manifests lists_all
it "PR-05: the container is confined" manifests is_confined
it "PR-05: it runs on every node, and is not evicted" manifests is_everywhere
it "PR-05: nodes get another release some at a time" manifests is_replaced_in_parts
it "PR-05: of the node it has three directories" manifests writes_nothing_else
it "PR-05: the role is to read what the agent reads" manifests may_read_what_it_reads "$watched"
it "ZonePolicies are where the agent looks for them" manifests defines_zonepolicies "$watched"
it "the configuration is one" starts_as_configured
it "and the agent stops" stop_agent TERM
end_test
