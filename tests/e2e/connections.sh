#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Connections between workloads of one node: revoked, mirrored, answered, and allowed by two sides.
. "$(dirname "$0")/lib.sh"

readonly each=5 # connections of a kind to each port and address: 20 of TCP, 20 of UDP
db4=10.0.32.10 db6=fd00:0:0:30::10 app4=10.0.16.10 app6=fd00:0:0:20::10

add_station app "$app4" "$app6"
add_station db "$db4" "$db6"

# write_policy FILE RULE…
write_policy()
{
	local file=$1
	shift

	two_workloads connections -- "$@" >"$file"
}

# begin_beat ADDRESS,PORT…: from app, until end_beat.
begin_beat()
{
	: >beaten
	nsenter --net=/run/netns/app -- "$python" "$here/flows.py" beat 60 "$each" "$@" \
		>beaten 2>&1 3>&- &
	beating=$!
	wait_for 5 grep -q talking beaten
}

# When what was revoked would have been heard of for long.
end_beat()
{
	sleep 2.5
	kill "$beating"
	wait "$beating" || :
}

flows()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/flows.py" "$@"
}

# gave PORT PROTOCOL revoked|kept: of the beating connections, all of them.
gave()
{
	awk -v port=",$1" -v protocol="$2" -v what="$3" -v since="$revoked_at" '
		index($1, port) && $2 == protocol {
			n++
			print
			wrong += what == "kept" ? $3 != $4 : $5 > since || $4 == 0
		}
		END { exit n != '$((2 * each))' || wrong }' beaten
}

has_event()
{
	"$BULKHEAD" observe --last 1000 --reason "$1" | grep -E -- "$2"
}

# --- revoked while they talk ---

write_policy policy.yaml "{name: first, from: app, to: db, services: [tcp/7001, udp/7001]}" \
	"{name: second, from: app, to: db, services: [tcp/7001-7002, udp/7001-7002]}"
write_policy fewer.yaml "{name: second, from: app, to: db, services: [tcp/7002, udp/7002]}"
write_policy same.yaml "{name: second, from: app, to: db, services: [tcp/7001-7002, udp/7001-7002]}"
flows db echo 7001 7002 >served 2>&1 &
wait_for 5 grep -q serving served
it "the agent enforces" start_agent - --policy policy.yaml --attach app=app --attach db=db --adopt 0
begin_beat "$db4,7001" "$db4,7002" "$db6,7001" "$db6,7002"
sleep 0.5
it "CT-11 a rule goes, another matches" exits_with 0 "$BULKHEAD" apply same.yaml
sleep 0.5
it "CT-11 the last rule of half of them goes" exits_with 0 "$BULKHEAD" apply fewer.yaml
revoked_at=$(date +%s.%N)
for protocol in tcp udp; do
	for address in "$db4" "$db6"; do
		it "CT-11 $protocol to $address is told as revoked" wait_for 2 has_event revoked \
			"$address]?:7001 $protocol .*rule=default "
	done
done
end_beat
for protocol in tcp udp; do
	it "CT-11 those of $protocol without a rule fall silent" gave 7001 "$protocol" revoked
	it "CT-11 those of $protocol with one lose nothing" gave 7002 "$protocol" kept
done
it "CT-11 and none of the others" \
	sh -c "! '$BULKHEAD' observe --last 1000 | grep -E ':7002 '"

# --- the exact answer, and nothing else ---

flows db scatter 7003 7004 >scattered 2>&1 &
wait_for 5 grep -q serving scattered
write_policy one.yaml "{name: ask, from: app, to: db, services: udp/7003}"
it "the policy changes" exits_with 0 "$BULKHEAD" apply one.yaml
for address in "$db4" "$db6"; do
	flows app gather "$address" 7003 5000 >gathered
	it "CT-16 only the port that was asked answers, to the port that asked, $address" \
		test "$(cat gathered)" = "7003 5000"
	it "CT-16 its other port is told, $address" \
		has_event policy "$address]?:7004 -> .*:5000 udp rule=default "
	it "CT-16 so is the other port that it answers, $address" \
		has_event policy "$address]?:7003 -> .*:5001 udp rule=default "
done

# --- both ways at once, with the same ports ---

# bound STATION ADDRESS PORT FROM [SECONDS]: whether a connection from that port opens.
bound()
{
	in_ns "$1" "$python" -c '
import socket, sys
address, port, start = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family) as own:
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(("", start))
    own.settimeout(float(sys.argv[4]))
    own.connect((address, port))' "$2" "$3" "$4" "${5:-10}"
}

flows app echo 7001 7002 >served.app 2>&1 &
wait_for 5 grep -q serving served.app
write_policy one.yaml "{name: forth, from: app, to: db, services: tcp/7001}" \
	"{name: back, from: db, to: app, services: tcp/7002}"
it "the policy changes again" exits_with 0 "$BULKHEAD" apply one.yaml
for pair in "$db4 $app4" "$db6 $app6"; do
	read -r db app <<<"$pair"
	it "CT-14 forth, $db" bound app "$db" 7001 6000
	it_not "CT-14 not back from the same port, $app" bound db "$app" 7001 6000 0.7
	it "CT-14 back by its own rule, $app" bound db "$app" 7002 6000
	it_not "CT-14 not forth by that one, $db" bound app "$db" 7002 6000 0.7
	it "CT-14 forth once more, $db" bound app "$db" 7001 6001
done
it "the agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null

# --- two sides, each with a policy of its own ---

# write_sides EGRESS INGRESS: `- {}` allows, nothing doesn't.
write_sides()
{
	cat >sides.yaml <<-END
	apiVersion: v1
	kind: List
	items:
	  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: app, namespace: shop, labels: {app: app}}
	    status: {podIPs: [{ip: $app4}, {ip: "$app6"}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: db, namespace: shop, labels: {app: db}}
	    status: {podIPs: [{ip: $db4}, {ip: "$db6"}]}
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: app-out, namespace: shop}
	spec: {podSelector: {matchLabels: {app: app}}, policyTypes: [Egress], egress: [$1]}
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: db-in, namespace: shop}
	spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [$2]}
	END
}

# blames SIDE…: whom explain says to deny.
blames()
{
	local side

	"$BULKHEAD" explain sides.yaml --from shop/app --to shop/db --service tcp/7001 >why || :
	cat why
	for side in egress ingress; do
		if [[ " $* " = *" $side "* ]]; then
			grep -qE "^ +$side of .*: denied by default" why || return 1
		else
			grep -qE "^ +$side of .*: allowed by " why || return 1
		fi
	done
}

both_open()
{
	open app "$db4,7001" "$db6,7001"
}

both_shut()
{
	shut app "$db4,7001" "$db6,7001"
}

write_sides "{}" "{}"
it "the agent enforces the pods' policies" start_agent - --policy sides.yaml \
	--attach "app=$app4,$app6" --attach "db=$db4,$db6"
it "CT-19 both sides allow" both_open
it "CT-19 and explain says so" blames
write_sides "" "{}"
"$BULKHEAD" apply sides.yaml >/dev/null
it "CT-19 the sender's side doesn't" both_shut
it "CT-19 and explain names it" blames egress
write_sides "{}" ""
"$BULKHEAD" apply sides.yaml >/dev/null
it "CT-19 the receiver's side doesn't" both_shut
it "CT-19 and explain names that" blames ingress
it "CT-19 the drop is told" has_event policy "$app4:[0-9]+ -> .*$db4:7001 tcp "
write_sides "" ""
"$BULKHEAD" apply sides.yaml >/dev/null
it "CT-19 neither side does" both_shut
it "CT-19 and explain names both" blames egress ingress
it "the agent ends again" stop_agent TERM
"$BULKHEAD" detach >/dev/null

# --- addresses that another workload has now ---

# write_owner APP4 APP6 HEIR4 HEIR6: all of the zone may call db.
write_owner()
{
	cat >owner.yaml <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: owner}
	spec:
	  zones:
	    - {name: internal, cidrs: [10.0.16.0/20, "fd00:0:0:20::/64"]}
	    - {name: data,     cidrs: [10.0.32.0/20, "fd00:0:0:30::/64"]}
	  workloads:
	    - {name: app,  zone: internal, addresses: [$1, "$2"]}
	    - {name: heir, zone: internal, addresses: [$3, "$4"]}
	    - {name: db,   zone: data,     addresses: [$db4, "$db6"]}
	  rules:
	    - {name: call, from: internal, to: db, services: [tcp/7001-7002, udp/7001-7002]}
	END
}

write_owner "$app4" "$app6" 10.0.16.99 fd00:0:0:20::99
it "the agent enforces that" start_agent - --policy owner.yaml --adopt 0 --attach app=app \
	--attach db=db
begin_beat "$db4,7001" "$db6,7001"
sleep 0.5
generation=$(status_value generation)
write_owner 10.0.16.99 fd00:0:0:20::99 "$app4" "$app6"
it "its addresses go to another workload, which may do the same" \
	exits_with 0 "$BULKHEAD" apply owner.yaml
revoked_at=$(date +%s.%N)
end_beat
for protocol in tcp udp; do
	it "its connections of $protocol are not the other's" gave 7001 "$protocol" revoked
done
it "what it still sends is told" has_event spoofed-source "$app4:[0-9]+ -> .*$db4:7001 tcp "
it "with the names of the policy" \
	has_event spoofed-source "heir\(internal\) $app4:[0-9]+ -> db\(data\) .*gen=[0-9]+"
it "the agent ends for good" stop_agent TERM

end_test
