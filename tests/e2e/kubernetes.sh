#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A node of a cluster: its pods are found, and what the API server says of policies and pods is
# enforced on them, whatever becomes of the API server.
. "$(dirname "$0")/lib.sh"

readonly control=$work/api.sock
readonly server=https://127.0.0.1:6443
readonly kinds=8 # of objects, each of which is watched
readonly good='{"rules": [{"name": "no-late", "action": "deny", "from": "shop/late",
	"to": "shop/web", "services": "tcp/7777"}]}'
other_pid=

# start_api PORT [CERTIFICATE]: with a cluster whose web may be reached at the port.
start_api()
{
	serve_api "${2:-api}.crt" "${2:-api}.key" server-token
	fill_cluster "$1"
	tell '{"open": true}'
}

# ask EXPRESSION: of what agents wrote about the ZonePolicy.
ask()
{
	"$python" "$here/kube_api.py" ask "$control" zones "$1"
}

# How often somebody wrote, or tried to.
status_writes()
{
	ask True | sed 's/.*"writes": {.*"status": \([0-9]*\).*/\1/'
}

# put_zones SPEC [NAME]
put_zones()
{
	tell '{"put": {"kind": "ZonePolicy", "apiVersion": "bulkhead.dev/v1",
		"metadata": {"name": "'"${2:-zones}"'"}, "spec": '"$1"'}}'
}

# put_pod SPACE NAME LABEL NUMBER [PHASE]: of the number of its addresses, 0.10 or 1.11.
put_pod()
{
	tell '{"put": {"kind": "Pod", "apiVersion": "v1",
		"metadata": {"name": "'"$2"'", "namespace": "'"$1"'",
			"labels": {"app": "'"$3"'"}, "managedFields": [{"manager": "kubelet"}]},
		"spec": {"nodeName": "node-a", "containers": [{"name": "main", "image": "x",
			"ports": [{"name": "web", "containerPort": 80, "protocol": "TCP"}]}]},
		"status": {"phase": "'"${5:-Running}"'", "podIP": "10.244.'"$4"'",
			"podIPs": [{"ip": "10.244.'"$4"'"}, {"ip": "fd00:10:0:'"${4/./::}"'"}],
			"hostIP": "192.0.2.1"}}}'
}

# put_policy NAME SELECTED FROM PORT
put_policy()
{
	tell '{"put": {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
		"metadata": {"name": "'"$1"'", "namespace": "shop", "generation": 1},
		"spec": {"podSelector": {"matchLabels": {"app": "'"$2"'"}},
			"policyTypes": ["Ingress"],
			"ingress": [{"from": [{"podSelector": {"matchLabels":
				{"app": "'"$3"'"}}}],
				"ports": [{"protocol": "TCP", "port": '"$4"'}]}]}}}'
}

fill_cluster()
{
	local space

	for space in shop other; do
		tell '{"put": {"kind": "Namespace", "apiVersion": "v1",
			"metadata": {"name": "'"$space"'"}}}'
	done
	tell \
		'{"put": {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-a"},
		"status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}}'
	put_zones "$good"
	put_pod shop web web 0.10
	put_pod shop client client 0.11
	put_pod shop intruder intruder 0.12
	put_pod shop db db 1.10
	put_pod shop cache cache 1.11
	put_policy web-in web client "$1"
	put_policy db-in db cache 80
}

# The bridge of a CNI, and pods at it.
add_bridge()
{
	ip link add cni0 type bridge
	ip addr add 10.244.1.1/24 dev cni0
	ip addr add fd00:10:0:1::1/64 dev cni0 nodad
	ip link set dev cni0 up
}

# add_bridged NAME NUMBER [DEVICE]: a device of its own has the addresses, behind a second bridge.
add_bridged()
{
	local device=${3:-eth0}

	ip netns add "$1"
	ip link add name "$1" type veth peer name eth0 netns "$1"
	ip link set dev "$1" master cni0 up
	in_ns "$1" ip link set dev lo up
	in_ns "$1" ip link set dev eth0 up
	if [ "$device" != eth0 ]; then
		in_ns "$1" ip link add "$device" type bridge
		in_ns "$1" ip link set dev eth0 master "$device"
		in_ns "$1" ip link set dev "$device" up
	fi
	in_ns "$1" ip addr add "10.244.$2/24" dev "$device"
	in_ns "$1" ip addr add "fd00:10:0:${2/./::}/64" dev "$device" nodad
	in_ns "$1" ip route add default via 10.244.1.1
	in_ns "$1" ip -6 route add default via fd00:10:0:1::1
}

write_config()
{
	cat >agent.yaml <<-END
	attach: ["late*=?", "d[b]=?"]
	kubernetes: {node: node-a, server: "$server", ca: api.crt, tokenFile: token, silence: 2s,
	             podEvents: on}
	END
}

start_node()
{
	start_agent - --config agent.yaml
}

# Another node of the cluster, on which there is nothing.
start_other()
{
	cat >other.yaml <<-END
	socket: $work/other.sock
	bpffs: /sys/fs/bpf/other
	kubernetes: {node: node-b, server: "$server", ca: api.crt, tokenFile: token}
	END
	"$BULKHEAD" run --state-dir "$work/other" --config other.yaml >other.out 2>other.log 3>&- &
	other_pid=$!
}

# attached POD…: to an interface, each of them.
attached()
{
	local list pod

	list=$("$BULKHEAD" list endpoints -o json)
	for pod; do
		grep -F "\"workload\":\"$pod\"" <<<"$list" | grep -qv '"ingress":"none"' || return 1
	done
}

everybody_is_attached()
{
	attached shop/web shop/client shop/intruder shop/db shop/cache
}

status_says()
{
	{ "$BULKHEAD" status || :; } | grep -F "$1"
}

# lets PORT: the client to the web, and no other port.
lets()
{
	local other=$((8160 - $1))

	reaches client 10.244.0.10 "tcp/$1" && reaches client fd00:10::10 "tcp/$1" &&
		shut client "10.244.0.10,$other" "fd00:10::10,$other"
}

lets_intruder()
{
	reaches intruder 10.244.0.10 "tcp/$1"
}

# is_read_again PORT [SECONDS]
is_read_again()
{
	put_policy web-in web client "$1"
	sleep 0.15 # what is tried too early waits longer
	wait_for "${2:-20}" reaches client 10.244.0.10 "tcp/$1"
}

# survives PORT FAULTS: nothing changes while it is there, and all is followed afterwards.
survives()
{
	local before

	before=$(generation)
	tell '{"fault": "'"$2"'", "resource": "networkpolicies"}' '{"cut": true}'
	sleep 0.2
	[ "$(generation)" = "$before" ] && is_read_again "$1"
}

# counts: how many watches there were, and how many lists.
counts()
{
	"$python" "$here/kube_api.py" tell "$control" '{}' |
		sed 's/.*"watches": \([0-9]*\), "lists": \([0-9]*\).*/\1 \2/'
}

# tell_nothing: until silence has ended a watch of each kind.
tell_nothing()
{
	local end=$((SECONDS + 120)) watches_before

	read -r watches_before lists_before <<<"$(counts)"
	tell '{"mute": true}'
	watches=$watches_before
	while [ "$watches" -lt $((watches_before + kinds)) ]; do
		everything_is_watched && [ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
		read -r watches lists <<<"$(counts)"
	done
	watches=$((watches - watches_before))
}

# After the third silence in a row a list is due: whoever looks as late as that may look again.
told_nothing()
{
	for _ in 1 2 3; do
		tell '{"mute": false}'
		sleep 1
		wait_for 5 everything_is_watched && tell_nothing || return 1
		[ "$watches" -ge $((2 * kinds)) ] || return 0
	done
}

everything_is_watched()
{
	"$BULKHEAD" status -o json >status.json
	! grep -E '"state":"(failing|listed)"' status.json
}

generation()
{
	status_value generation
}

make_certificate api.key api.crt 127.0.0.1
make_certificate other.key other.crt 192.0.2.9
echo first >server-token
echo first >token
add_bridge
add_station web 10.244.0.10 fd00:10::10
add_station client 10.244.0.11 fd00:10::11
add_station intruder 10.244.0.12 fd00:10::12
add_bridged db 1.10
add_bridged cache 1.11 br0
# Some have a route for each pod there, too.
ip route add 10.244.1.10 dev cni0
ip -6 route add fd00:10:0:1::10 dev cni0
serve web tcp/80 tcp/8080 tcp/7777
serve db tcp/80 tcp/8080
write_config
start_api 80

it "an agent starts as a node" start_node
it "pods are found by their routes and behind a bridge" wait_for 10 everybody_is_attached
it "a NetworkPolicy is enforced" lets 80
it "the status of a ZonePolicy says that it is in force" wait_for 5 ask 'nodes["node-a"] == {
	"name": "node-a", "observedGeneration": 1, "enforcedGeneration": 1, "inForce": True,
	"errors": []}'
it "behind a bridge, too" reaches cache 10.244.1.10 tcp/80
it "by IPv6, too" reaches cache fd00:10:0:1::10 tcp/80
it "and denies there" shut cache 10.244.1.10,8080 fd00:10:0:1::10,8080
it "other pods are denied, from routes to the bridge" shut client 10.244.1.10,80 \
	fd00:10:0:1::10,80
it "an Event at a pod says what was dropped there" wait_for 5 ask 'any(
	"it sent to shop/db 10.244.1.10, tcp/80: rule default, reason policy" in e["note"]
	and len(e["regarding"]["uid"]) == 36 for e in events["client"])'
put_policy web-in web client 8080
it "a changed policy is followed" wait_for 5 lets 8080
put_pod shop intruder client 0.12
it "so are changed labels" wait_for 5 reaches intruder 10.244.0.10 tcp/8080
put_pod shop intruder intruder 0.12
it "both ways" wait_for 5 shut intruder 10.244.0.10,8080

# Before anything fails: what has failed may be listed again at any time.
lists_before='' lists=none
it "watches that have nothing to tell are no fault" told_nothing
it "nor is a list due soon" [ "$lists_before" = "$lists" ]
tell '{"mute": false}'

it "an expired watch is listed again" is_read_again 80
tell '{"compact": true}' '{"cut": true}'
it "and followed" is_read_again 8080
port=80
for faults in '500 410 429' 'garbage half nothing' 'slow silent huge'; do
	it "what fails ($faults) changes nothing, and is got over" survives "$port" "$faults"
	port=$((8160 - port))
done
it "the server sees no curl" [ "$("$python" "$here/kube_api.py" tell "$control" '{}' |
	grep -o '\[.*\]')" = '["bulkhead-agent"]' ]

echo second >server-token
tell '{"cut": true}'
sleep 0.5
echo second >token
it "a token that has changed is read again" is_read_again "$port"
port=$((8160 - port))

last=$((8160 - port))
stop_api
start_api "$port" other
it "a server with another certificate is not believed" wait_for 10 status_says SSL
stop_api
it "LI-27: without a server the last policy stands" lets "$last"
stop_agent TERM || :
it "an agent starts without one" start_node
it "and says why it begins with what was known" grep -q "not been listed yet" agent.log
it "and enforces what was known" everybody_is_attached
it "as it was" lets "$last"
add_station late 10.244.0.13 fd00:10::13
wait_for 5 grep -q 'attached interface=late' agent.log || :
it "LI-27: what may be a new pod is closed" shut late "10.244.0.10,$last"
before=$(generation)
start_api "$last"
wait_for 20 grep -q 'is read again' agent.log || :
sleep 1
it "that the server is back changes nothing" [ "$(generation)" = "$before" ]
it "LI-27: and it is followed within seconds" is_read_again "$port" 5
start_other
it "an interface that may be a pod's is closed before it is known" shut late "10.244.0.10,$port"
put_pod shop late client 0.13
tell '{"put": {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
	"metadata": {"name": "more", "namespace": "shop"},
	"spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
		"ingress": [{"ports": [{"port": 7777}]}]}}}'
it "and then is that pod's" wait_for 5 reaches late 10.244.0.10 "tcp/$port"
it "others may do more" wait_for 5 reaches client 10.244.0.10 tcp/7777
it "but for what a ZonePolicy denies it, which knew its name before" shut late 10.244.0.10,7777
tell '{"delete": ["pods", "shop/late"]}'
put_pod shop client client 0.11 Succeeded
it "a pod that has ended is nobody" wait_for 5 shut client "10.244.0.10,$port"
tell '{"delete": ["pods", "shop/client"]}'
put_pod other stranger client 0.11
it "and who gets its address is not taken for it" wait_for 5 attached other/stranger
it "but for itself" shut client "10.244.0.10,$port"
put_pod shop heir client 0.11
it "nor is one that gets it while the other still says that it has it" \
	wait_for 5 attached shop/heir
it "which is let through, as itself" wait_for 5 reaches client 10.244.0.10 "tcp/$port"
tell '{"delete": ["pods", "shop/heir"]}'
it "and then it is the other's again" wait_for 5 attached other/stranger
it "again for itself" wait_for 5 shut client "10.244.0.10,$port"
tell '{"fault": "403 403", "resource": "events"}'
tell '{"put": {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
	"metadata": {"name": "wrong", "namespace": "shop"},
	"spec": {"podSelector": {"matchLabels": {"app": "cache"}}, "policyTypes": ["Ingress"],
	"ingress": [{"frum": []}]}}}'
it "a policy that can't be read isolates whom it selects" wait_for 5 shut db 10.244.1.11,80
it "status tells of it" wait_for 5 status_says 'NetworkPolicy 1 refused'
it "an Event says what is wrong with it, once it may" wait_for 8 ask '
	events["wrong"][0]["note"].startswith("spec.ingress[0].frum: unknown key") and
	len(events["wrong"]) == 1'
it "other nodes have their own place in a status" wait_for 10 ask 'len(nodes) == 2 and
	nodes["node-a"] == dict(nodes["node-b"], name="node-a")'
kill "$other_pid"
put_zones '{"rulez": []}'
it "a ZonePolicy that turns wrong is refused" wait_for 5 status_says 'ZonePolicy 1 refused'
put_policy web-in web intruder "$port"
it "and neither holds up anything" wait_for 5 reaches intruder 10.244.0.10 "tcp/$port"
it "its status says where it is wrong, and what is in force" wait_for 5 ask 'nodes["node-a"] == {
	"name": "node-a", "observedGeneration": 2, "enforcedGeneration": 1, "inForce": False,
	"errors": [{"path": "spec.rulez", "message": nodes["node-a"]["errors"][0]["message"]}]}'
it "so does an Event" wait_for 5 ask 'events["zones"][0]["reason"] == "Refused"'
put_zones '{"zonez": []}' typo
it "one that is wrong from the start is left out" wait_for 5 status_says 'from the start: typo'
put_zones '{"rules": [{"name": "no-intruder", "action": "deny", "from": "shop/intruder",
	"to": "shop/web", "services": "tcp/7777"}]}' other
it "and no other is held up by it" wait_for 5 shut intruder 10.244.0.10,7777
it "an Event says that nothing of it is in force" wait_for 5 ask '
	"nothing of it is in force" in events["typo"][0]["note"]'
put_zones '{"rulez": []}' other
wait_for 5 status_says 'ZonePolicy 3 refused' || :
stop_agent TERM || :
it "an agent starts where they have turned wrong" start_node
port=$((8160 - port))
put_policy web-in web intruder "$port"
it "and follows all others" wait_for 10 lets_intruder "$port"
it "while what was in force before it denies" shut intruder 10.244.0.10,7777
tell '{"delete": ["zonepolicies", "typo"]}' '{"delete": ["zonepolicies", "other"]}'
it "until it is deleted" wait_for 5 lets_intruder 7777
tell '{"fault": "500 409 nothing 403", "resource": "status"}'
put_zones "$good"
it "put right, its status says so, whatever becomes of the first tries" wait_for 12 ask '
	nodes["node-a"]["inForce"] and nodes["node-a"]["enforcedGeneration"] == 3'
writes=$(status_writes)
tell '{"fault": "hang", "resource": "status"}'
put_zones '{"mode": "audit"}'
port=$((8160 - port))
put_policy web-in web intruder "$port"
it "nothing waits for a server that hangs" wait_for 5 lets_intruder "$port"
it "nor is it asked all the time" ask "writes['status'] < $writes + 6"

stop_agent TERM || :
sed -i '1i mode: audit' agent.yaml
it "an agent that only reports starts in the place of one that enforces" start_node
it "and what was denied goes through" wait_for 10 open client "10.244.1.10,80"
end_test
