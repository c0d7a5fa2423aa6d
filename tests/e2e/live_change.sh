#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A policy that changes under running connections: the revoked one stops, the other loses no byte.
. "$(dirname "$0")/lib.sh"

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10

# write_policy FILE PORT…: a rule for each.
write_policy()
{
	local file=$1 rules=() port
	shift

	for port; do
		rules+=("{name: port-$port, from: app, to: db, services: tcp/$port}")
	done
	two_workloads live -- "${rules[@]}" >"$file"
}

generation()
{
	status_value generation
}

generation_is()
{
	[ "$(generation)" -eq "$1" ]
}

has_event()
{
	"$BULKHEAD" observe --last 1000 --reason "$1" | grep -E -- "$2"
}

mkdir policy
write_policy policy/live.yaml 7001 7002 7003 7004
write_policy fewer.yaml 7002 7004
it "the agent enforces" start_agent - --policy policy --attach app=app --attach db=db

start_stream app db 10.0.32.10 7001 600
start_stream app db 10.0.32.10 7002 8
start_stream app db fd00:0:0:30::10 7003 600
start_stream app db fd00:0:0:30::10 7004 8
it "four streams are known" wait_for 5 are_connected 7001 7002 7003 7004

before=$(generation)
it "apply --dry-run changes nothing" exits_with 0 "$BULKHEAD" apply --dry-run fewer.yaml
it "and tells what would" \
	sh -c "'$BULKHEAD' apply --dry-run fewer.yaml |
		grep -qx -e '- app -> db tcp/7001, tcp/7003'"
it "the generation stays" generation_is "$before"
it "apply swaps the policy" exits_with 0 "$BULKHEAD" apply fewer.yaml
it "the generation goes up" test "$(generation)" -gt "$before"
it "the stream without a rule is revoked" \
	wait_for 5 has_event revoked 'deny .*:7001 tcp .* rule=default reason=revoked '
it "the stream without a rule is revoked over IPv6" \
	wait_for 5 has_event revoked 'deny .*:7003 tcp .* rule=default reason=revoked '
it "what follows belongs to no connection" \
	wait_for 5 has_event no-connection 'deny .*:7001 tcp .* reason=no-connection '
it "streams with a rule are not revoked" \
	sh -c "! '$BULKHEAD' observe --last 1000 | grep -E ':700[24] '"
it "a new connection is refused, too" shut app 10.0.32.10,7001 fd00:0:0:30::10,7003

# Twenty more changes while the other streams run.
for round in 1 2 3 4 5 6 7 8 9 10; do
	"$BULKHEAD" apply policy/live.yaml >/dev/null
	"$BULKHEAD" apply fewer.yaml >/dev/null
done
it "twenty more changes pass" generation_is $((before + 21))

# --- what does not compile changes nothing ---

before=$(generation)
echo 'spec: {rules: [{name: no-from}]}' >broken.yaml
it "a broken policy is refused" exits_with 2 "$BULKHEAD" apply broken.yaml
it "and says where" grep -E 'broken.yaml:1:[0-9]+: error: ' err
it "the policy in force is untouched" generation_is "$before"
cat >unkept.yaml <<'END'
  never:
    - {name: app-never-db, from: app, to: db}
END
cat policy/live.yaml unkept.yaml >unkept-promise.yaml
it "a policy that breaks its promise is refused" exits_with 1 "$BULKHEAD" apply unkept-promise.yaml
it "the policy in force is still untouched" generation_is "$before"

# --- SIGHUP reads the files again ---

write_policy policy/live.yaml 7002 7004 7005
kill -HUP "$agent_pid"
it "SIGHUP takes the new files" wait_for 5 generation_is $((before + 1))
serve db tcp/7005
it "the new rule is in force" reaches app 10.0.32.10 tcp/7005
cp broken.yaml policy/
kill -HUP "$agent_pid"
sleep 1
it "SIGHUP with a broken file changes nothing" generation_is $((before + 1))
it "the rules in force are the good ones" reaches app fd00:0:0:30::10 tcp/7005

it "the stream whose rule stayed lost no byte" is_whole 7002
it "the stream whose rule stayed lost no byte over IPv6" is_whole 7004
it "the agent ends in order" stop_agent TERM

end_test
