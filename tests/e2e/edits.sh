#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The policy of a cluster is compiled while its pods come and go: they don't wait for it, and it
# knows of them once it is in force.  EDITS="pods=150000 ..." makes the cluster larger (see
# kube_load.py).
. "$(dirname "$0")/lib.sh"

readonly pod_delay=/mnt/tree/build/tests/e2e/pod_delay
# shellcheck disable=SC2206 # several numbers
readonly numbers=(pods=20000 policies=10000 spaces=2000 nodes=50 pad=200 rate=100
	edits=20 ${EDITS:-})
readonly seconds=10 # of coming and going, and some for the compiler

is_listed()
{
	"$BULKHEAD" status -o json | grep -q '"kind":"Pod","state":"watched"' &&
		[ "$(status_value generation)" -gt 1 ]
}

swaps()
{
	grep -c 'policy in force' agent.log
}

# are_more SWAPS
are_more()
{
	[ "$(swaps)" -gt "$1" ]
}

# delay NAME: of what pod_delay told, in whole milliseconds.
delay()
{
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" delay.log
}

# Every address means what it is to mean, whoever had it before.
all_is_in_place()
{
	local now

	now=$("$python" -c 'import time; print(time.monotonic_ns())')
	{ sed "s/^/$now /" final; echo; } | "$pod_delay" >final.log && grep ' late=0 ' final.log
}

threads()
{
	find "/proc/$agent_pid/task" -mindepth 1 -maxdepth 1 | wc -l
}

is_compiling()
{
	[ "$(threads)" -gt "$idle_threads" ]
}

# add_policy: the next one of late-0, late-1, ..., and then it is being compiled.
add_policy()
{
	echo >&4
	wait_for 5 is_compiling || echo "# nobody saw it being compiled"
}

# has_rule NAME: the policy in force.
has_rule()
{
	"$BULKHEAD" list rules | grep -F "$1"
}

# How long the agent takes for a policy of all that there is.
reload_ms()
{
	local begin=${EPOCHREALTIME/./}

	"$BULKHEAD" apply own.yaml >/dev/null
	echo "$(((${EPOCHREALTIME/./} - begin) / 1000))"
}

hash_in_force()
{
	status_value policy.hash
}

write_own()
{
	cat >own.yaml <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: own}
	spec:
	  zones: [{name: lab, cidrs: [192.0.2.0/24]}, {name: farm, cidrs: [198.51.100.0/24]}]
	END
}

make_certificate api.key api.crt 127.0.0.1
echo t >token
mkfifo go lines
"$python" "$here/kube_load.py" 6443 api.crt api.key "${numbers[@]}" <go >load.log 2>load.err 3>&- &
exec 4>go
wait_for 5 grep -q serving load.log
cat >agent.yaml <<-END
kubernetes: {node: node-0, server: "https://127.0.0.1:6443", ca: api.crt, tokenFile: token}
END
write_own

it "an agent starts as a node" start_agent - --config agent.yaml
it "a large cluster is known" wait_for 60 is_listed
it "with a policy of this machine's own" "$BULKHEAD" apply own.yaml
idle_threads=$(threads)
compile_ms=$(reload_ms)
tail -n +2 -F load.log >lines 2>tail.err 3>&- &
tail_pid=$!
"$pod_delay" <lines >delay.log 2>&1 3>&- &
delay_pid=$!
wait_for 2 test -s load.log
sleep 0.2
before=$(swaps)
echo $((seconds + 4 * compile_ms / 1000)) >&4
wait_for 100 grep -q ^end load.log
it "pods come and go while policies change, and the kernel knows" wait "$delay_pid"
kill "$tail_pid" 2>/dev/null || :
it "each of them" grep -q ' late=0 ' delay.log
# It may have been busy with other things by then, or before.
after_ms=$(reload_ms)
[ "$after_ms" -lt "$compile_ms" ] || compile_ms=$after_ms
echo "# compiling takes about $compile_ms ms; until the kernel knows of a pod: $(cat delay.log)"
it "policies came into force meanwhile" are_more "$((before + 1))"
it "half of the pods waited for no compiler" [ "$(($(delay p50) * 10))" -lt "$compile_ms" ]
it "nor did nine of ten" [ "$(($(delay p90) * 3))" -lt "$compile_ms" ]
it "all are in their places" all_is_in_place

add_policy
it "an operator is answered once what he asks for is in force" \
	"$BULKHEAD" allow --for 60s --from lab --to farm --service tcp/9 --reason test
it "with what was under way" has_rule late-0
add_policy
it "what is wrong is refused meanwhile" exits_with 1 "$BULKHEAD" allow --for 60s --from nobody \
	--to farm --service tcp/9 --reason test
it "and nothing else" wait_for 10 has_rule late-1
add_policy
kill -HUP "$agent_pid"
it "nor is a change lost when all is read again" wait_for 20 has_rule late-2
sleep 1
before=$(swaps)
hash=$(hash_in_force)
kill -HUP "$agent_pid"
wait_for 20 are_more "$before" || :
it "what is made of all that there is is the same" [ "$(hash_in_force)" = "$hash" ]
it "all are in their places still" all_is_in_place
add_policy
it "an agent ends while it compiles" stop_agent TERM
it "what is in force stays" all_is_in_place
it "and starts again" start_agent - --config agent.yaml
it "with what there is by then" wait_for 60 has_rule late-3
it "all are in their places again" wait_for 20 all_is_in_place
end_test
