#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods of a large cluster come and go, without a policy being compiled; prints what it takes.
# CHURN="pods=150000 policies=10000 ..." makes it larger (see kube_load.py),
# make test-churn is the largest that is meant to be good.
. "$(dirname "$0")/lib.sh"

readonly numbers=${CHURN:-}
readonly patience=${CHURN_PATIENCE:-20}

# numbers_of NAME: of the agent's process.
memory_kib()
{
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$agent_pid/status"
}

cpu_ms()
{
	awk '{ print ($14 + $15) * 10 }' "/proc/$agent_pid/stat"
}

is_listed()
{
	"$BULKHEAD" status -o json | grep -q '"kind":"Pod","state":"watched"' &&
		[ "$(status_value generation)" -gt 1 ]
}

make_certificate api.key api.crt 127.0.0.1
echo t >token
mkfifo go
# shellcheck disable=SC2086 # several numbers
"$python" "$here/kube_load.py" 6443 api.crt api.key $numbers <go >load.log 2>load.err 3>&- &
exec 4>go
wait_for 5 grep -q serving load.log
cat >agent.yaml <<-END
kubernetes: {node: node-0, server: "https://127.0.0.1:6443", ca: api.crt, tokenFile: token}
END

begin=${EPOCHREALTIME/./}
it "an agent starts as a node" start_agent - --config agent.yaml
echo "# before: $(memory_kib VmRSS) KiB"
it "a large cluster is known" wait_for "$patience" is_listed
echo "# cold start: $(((${EPOCHREALTIME/./} - begin) / 1000)) ms, $(cpu_ms) ms of CPU," \
	"at most $(memory_kib VmHWM) KiB, now $(memory_kib VmRSS) KiB"
# Not a pipeline: whether tail is still writing when all is known says nothing.
mkfifo lines
tail -n +2 -F load.log >lines 2>tail.err 3>&- &
tail_pid=$!
/mnt/tree/build/tests/e2e/pod_delay <lines >delay.log 2>&1 3>&- &
delay_pid=$!
wait_for 2 test -s load.log
sleep 0.2
cpu=$(cpu_ms)
begin=${EPOCHREALTIME/./}
swaps=$(grep -c 'policy in force' agent.log)
echo >&4
wait_for 100 grep -q ^end load.log
took=$(((${EPOCHREALTIME/./} - begin) / 1000))
it "its pods come and go, and the kernel knows" wait "$delay_pid"
kill "$tail_pid" 2>/dev/null || :
it "each of them" grep -q ' late=0 ' delay.log
case $numbers in
*edits=*) it "as policies change" [ "$(grep -c 'policy in force' agent.log)" -gt "$swaps" ] ;;
*) it "and no policy was compiled for it" [ "$(grep -c 'policy in force' agent.log)" = "$swaps" ] ;;
esac
echo "# $(tail -n 1 load.log) changes in $took ms: $(($(cpu_ms) - cpu)) ms of CPU," \
	"memory at most $(memory_kib VmHWM) KiB, now $(memory_kib VmRSS) KiB"
echo "# milliseconds until the kernel knows: $(cat delay.log)"
end_test
