#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What goes on in the kernel without an agent: rules expire on time, zones stand as they declare.
. "$(dirname "$0")/lib.sh"

readonly down_after=8 # seconds: within them a busy machine is asked what goes on at first

add_station client 10.0.1.1 fd00:1::1
add_station shut 10.0.2.1 fd00:2::1
add_station ajar 10.0.3.1 fd00:3::1
add_station kept 10.0.4.1 fd00:4::1
for station in shut ajar kept; do
	serve "$station" tcp/22 tcp/80 tcp/81 tcp/82
done

# write_policy SECONDS: one of its rules ends then.
write_policy()
{
	cat >policy.yaml <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: down}
	spec:
	  zones:
	    - {name: front,  cidrs: [10.0.1.0/24, "fd00:1::/64"]}
	    - {name: closed, cidrs: [10.0.2.0/24, "fd00:2::/64"], whenAgentIsDown: closed}
	    - {name: open,   cidrs: [10.0.3.0/24, "fd00:3::/64"], whenAgentIsDown: open}
	    - {name: keep,   cidrs: [10.0.4.0/24, "fd00:4::/64"], whenAgentIsDown: keep}
	  workloads:
	    - {name: client, zone: front,  addresses: [10.0.1.1, "fd00:1::1"]}
	    - {name: shut,   zone: closed, addresses: [10.0.2.1, "fd00:2::1"]}
	    - {name: ajar,   zone: open,   addresses: [10.0.3.1, "fd00:3::1"]}
	    - {name: kept,   zone: keep,   addresses: [10.0.4.1, "fd00:4::1"]}
	  failsafe:
	    - {direction: ingress, services: tcp/22, from: front}
	  rules:
	    - {name: web, from: client, to: [shut, ajar, kept], services: [tcp/80, tcp/7001]}
	    - name: for-a-while
	      from: client
	      to: kept
	      services: [tcp/81, tcp/7002]
	      expires: "$(date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ)"
	END
}

start_here()
{
	start_agent - --policy policy.yaml --down-after "${down_after}s" --attach client=client \
		--attach shut=shut --attach ajar=ajar --attach kept=kept
}

is_open()
{
	reaches client 10.0.4.1 tcp/81 && reaches client fd00:4::1 tcp/81
}

is_over()
{
	silent client 10.0.4.1 tcp/81 && silent client fd00:4::1 tcp/81
}

drops()
{
	status_value "drops.$1.packets"
}

until_time()
{
	while [ "$(date +%s)" -lt "$1" ]; do
		sleep 0.1
	done
}

write_policy $(($(date +%s) + 3600))
it "the agent enforces" start_here
end=$(($(date +%s) + 40))
write_policy "$end"
it "a rule is to end soon" "$BULKHEAD" apply policy.yaml
it "what the rules say holds" holds_until "$end" reaches client 10.0.4.1 tcp/80 tcp/81
it "the rule that ends later holds over IPv6, too" holds_until "$end" \
	reaches client fd00:4::1 tcp/81
it "what no rule allows is shut" shut client 10.0.3.1,82 10.0.4.1,82
start_stream client kept 10.0.4.1 7002 600
start_stream client kept fd00:4::1 7001 40

down_at=$(($(date +%s) + down_after - 2))
it_not "the agent is killed" stop_agent KILL
PATIENCE=3 it "at first everything goes on" holds_until "$down_at" reaches client 10.0.2.1 tcp/80
sleep $((down_after + 1))
it "a closed zone is shut" shut client 10.0.2.1,80 fd00:2::1,80
it "but failsafe is open" reaches client 10.0.2.1 tcp/22
it "an open zone is open" reaches client 10.0.3.1 tcp/80 tcp/82
it "an open zone is open over IPv6" reaches client fd00:3::1 tcp/82
it "a zone that keeps goes on" reaches client 10.0.4.1 tcp/80
it "and goes on to deny" shut client 10.0.4.1,82 fd00:4::1,82
it "the rule has not ended yet" holds_until "$end" is_open
until_time "$end"
it "with nobody there, the rule ends on its second" is_over
it "the others don't" reaches client 10.0.4.1 tcp/80
it_not "its connection is cut" grep -qE '^[0-9]+ [0-9a-f]{64}$' "$work/sink.7002"

it "an agent is there again" start_here
it "and says how often zones stood for themselves" test "$(status_value agent_down.packets)" -gt 0
it "as does the status for people" grep -q 'decided by whenAgentIsDown' <("$BULKHEAD" status)
it "what was closed has its reason" test "$(drops agent-down)" -gt 0
has_drops()
{
	[ "$(drops "$1")" -gt 0 ]
}

it "what was cut has its" wait_for 5 has_drops revoked
it "the closed zone is open again" reaches client 10.0.2.1 tcp/80
it "the open zone is shut again" shut client 10.0.3.1,82
it "what has ended stays so" is_over
it "a connection that nothing concerned lost no byte" is_whole 7001
kill "${pumps[7002]}" 2>/dev/null || :

it "the agent is stopped" stop_agent TERM
it "and started in time" start_here
it "that is no gap" reaches client 10.0.2.1 tcp/80
it "the agent is stopped for longer" stop_agent TERM
sleep $((down_after + 1))
it "an orderly stop counts, too" shut client 10.0.2.1,80
it "detach leaves nothing" "$BULKHEAD" detach

end_test
