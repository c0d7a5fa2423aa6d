#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# POL-16: a label goes to and fro between two pods, two hundred times under probes: who has it gets
# through, and who hasn't doesn't, from the moment that the change is done.
. "$(dirname "$0")/lib.sh"

readonly flips=200
one4=10.8.0.1 one6=fd00:8::1 two4=10.8.0.2 two6=fd00:8::2 web4=10.8.0.3 web6=fd00:8::3

add_station one "$one4" "$one6"
add_station two "$two4" "$two6"
add_station web "$web4" "$web6"

# write_pods FILE ROLE ROLE: of one and of two.
write_pods()
{
	cat >"$1" <<-END
	apiVersion: v1
	kind: List
	items:
	  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: one, namespace: shop, labels: {role: $2}}
	    status: {podIPs: [{ip: $one4}, {ip: "$one6"}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: two, namespace: shop, labels: {role: $3}}
	    status: {podIPs: [{ip: $two4}, {ip: "$two6"}]}
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: web, namespace: shop, labels: {role: web}}
	    status: {podIPs: [{ip: $web4}, {ip: "$web6"}]}
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: clients, namespace: shop}
	spec:
	  podSelector: {matchLabels: {role: web}}
	  ingress:
	    - from: [{podSelector: {matchLabels: {role: client}}}]
	      ports: [{protocol: UDP, port: 7001}]
	END
}

send()
{
	in_ns "$1" "$python" "$here/labels.py" send "$2" 7001 &
}

judge()
{
	"$python" "$here/labels.py" judge "$1" taken "$2" "$3"
}

write_pods one.yaml client other
write_pods two.yaml other client
in_ns web "$python" "$here/labels.py" take 7001 >taken 2>&1 &
wait_for 5 grep -q serving taken
it "the agent enforces" start_agent - --policy one.yaml --adopt 0 --attach "one=$one4,$one6" \
	--attach "two=$two4,$two6" --attach "web=$web4,$web6"

senders=
for end in "one $web4" "one $web6" "two $web4" "two $web6"; do
	# shellcheck disable=SC2086 # a station and an address
	send $end
	senders="$senders $!"
done
for ((flip = 0; flip < flips; flip++)); do
	who=one other=two
	[ $((flip % 2)) -eq 1 ] || { who=two other=one; }
	before=$EPOCHREALTIME
	"$BULKHEAD" apply "$who.yaml" >/dev/null
	echo "$who $before $EPOCHREALTIME"
	sleep 0.02
done >flips
# shellcheck disable=SC2086 # a list of numbers
it "the probes went on all the time" kill $senders
sleep 0.2
it "every flip is made" test "$(wc -l <flips)" -eq "$flips"
for family in "$one4 $two4" "$one6 $two6"; do
	read -r one two <<<"$family"
	sed "s/^one /$one /; s/^two /$two /" flips >"flips.$one"
	it "only who has the label gets through, $one and $two" judge "flips.$one" "$one" "$two"
	sed 's/^/# /' it.log
done
it "the agent ends" stop_agent TERM

end_test
