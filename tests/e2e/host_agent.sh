#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One agent on one host, from the first start to the last trace.
. "$(dirname "$0")/lib.sh"

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7
add_station admin 10.1.2.3
serve server tcp/22 tcp/80 tcp/8080 udp/53
serve visitor tcp/80

pinned_maps()
{
	find /sys/fs/bpf/bulkhead -type f 2>/dev/null
}

# The numbers of the maps that are pinned: they must mean nothing once all is detached.
map_ids()
{
	local pin

	for pin in $(pinned_maps); do
		bpftool map show pinned "$pin" 2>/dev/null | sed -n 's/^\([0-9]*\): .*/\1/p' || :
	done
}

none_of_maps()
{
	local id

	for id; do
		! bpftool map show id "$id" 2>/dev/null || return 1
	done
}

enforces()
{
	reaches visitor 192.0.2.10 tcp/80 && silent visitor 192.0.2.10 tcp/8080
}

start_here()
{
	start_agent server --policy "$policies/web-server.yaml" --attach eth0 "$@"
}

it "without an agent everything answers" reaches visitor 192.0.2.10 tcp/22 tcp/80 tcp/8080 udp/53
it "without an agent everything answers over IPv6" reaches visitor 2001:db8::10 tcp/22 tcp/8080
in_ns server ip route add local 203.0.113.0/28 dev lo
ip route add 203.0.113.0/28 dev server
it "without an agent what only a route takes in answers" reaches visitor 203.0.113.5 tcp/8080
gateway=$(in_ns server ip -6 -o addr show dev eth0 scope link | grep -oE 'fe80[0-9a-f:]+')
ip route add 2001:db8:9::/64 via "$gateway" dev server
in_ns server ip route add local 2001:db8:9::/64 dev lo
it "without an agent it answers over IPv6" reaches visitor 2001:db8:9::5 tcp/8080
in_ns server ip route del local 2001:db8:9::/64 dev lo

it "the agent enforces on a host" start_here
it "the web is open to anyone" reaches visitor 192.0.2.10 tcp/80
it "the web is open to anyone over IPv6" reaches visitor 2001:db8::10 tcp/80
it "the host's other ports are shut" shut visitor 192.0.2.10,22 192.0.2.10,8080
it "the host's other ports are shut over IPv6" shut visitor 2001:db8::10,22 2001:db8::10,8080
it "UDP is no back door" silent visitor 192.0.2.10 udp/53
it "management may use SSH" reaches admin 192.0.2.10 tcp/22
it "management may use nothing else" shut admin 192.0.2.10,8080
it_not "ping is dropped" in_ns visitor ping -nqc1 -W1 192.0.2.10
it_not "ping is dropped over IPv6" in_ns visitor ping -nqc1 -W1 2001:db8::10
it "the host may open nothing itself" shut server 198.51.100.7,80 2001:db8:1::7,80

in_ns server ip addr add 192.0.2.99 dev eth0
ip route add 192.0.2.99 dev server
it "a new address of the host is the host" wait_for 5 reaches visitor 192.0.2.99 tcp/80
it "a new address of the host is shut otherwise" shut visitor 192.0.2.99,8080

# Addresses that no interface has (AnyIP): before the agent came, and while it runs.
it "what only a route takes in is shut, too" shut visitor 203.0.113.5,22 203.0.113.5,8080
in_ns server ip route add local 2001:db8:9::/64 dev lo
it "so is what a new route takes in" wait_for 5 shut visitor 2001:db8:9::5,22 2001:db8:9::5,8080
in_ns server ip route del local 2001:db8:9::/64 dev lo
it "the web is still open to anyone" reaches visitor 192.0.2.10 tcp/80

# --- observe ---

"$BULKHEAD" observe -f >"$work/events" 2>"$work/events.err" &
observer=$!
wait_for 5 is_followed 1
shut visitor 192.0.2.10,8080 || :
line='^[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z deny ingress internet 198\.51\.100\.7:[0-9]+ -> '
line+='web-server\(front\) 192\.0\.2\.10:8080 tcp SYN rule=default reason=policy if=eth0 '
line+='gen=[0-9]+( near=.*)?$'
it "the tail of drops shows the drop" wait_for 5 grep -E "$line" "$work/events"
it "and in nothing but whole lines" sh -c "! grep -vE ' rule=.* reason=.* if=.* gen=' $work/events"
kill -INT "$observer" || :
wait "$observer" || :
it "the tail ends with the books" grep -E 'produced = .* delivered' "$work/events.err"
it "the last events can be read later" \
	sh -c "'$BULKHEAD' observe --last 50 --port 8080 | grep -qE '$line'"
it "a filter that nothing matches shows nothing" \
	sh -c "[ -z \"\$('$BULKHEAD' observe --last 50 --port 4711)\" ]"

# --- status and list ---

is_json()
{
	"$@" -o json | "$python" -c 'import json, sys; json.load(sys.stdin)'
}

it "status tells" exits_with 0 "$BULKHEAD" status
it "status is JSON" is_json "$BULKHEAD" status
for what in endpoints identities rules connections; do
	it "list $what tells" exits_with 0 "$BULKHEAD" list $what
	it "list $what is JSON" is_json "$BULKHEAD" list $what
done
"$BULKHEAD" list endpoints >"$work/endpoints"
it "the endpoint has XDP and tc" \
	grep -E 'eth0.*(xdp-native|xdp-generic).*(tcx|clsact)' "$work/endpoints"
"$BULKHEAD" list rules >"$work/rules"
it "a rule says where it is written" \
	grep -E 'web-from-anywhere.*web-server.yaml:[0-9]+' "$work/rules"
"$BULKHEAD" list identities >"$work/identities"
it "identities know the workload" grep web-server "$work/identities"

# --- a second agent, the end of the first, and the next ---

it "a second agent is refused" exits_with 1 \
	in_ns server timeout 60 "$BULKHEAD" run --state-dir "$work/state" \
	--policy "$policies/web-server.yaml" --attach eth0
it "and the first one goes on" "$BULKHEAD" status
it "enforcement goes on" enforces

generation=$(status_value generation)
in_ns server "$python" "$here/peer.py" sink 443 >"$work/sink" 2>&1 &
sink=$!
wait_for 5 grep serving "$work/sink"
in_ns visitor "$python" "$here/peer.py" pump 192.0.2.10 443 6 >"$work/pump" &
pump=$!
sleep 0.5
it "SIGTERM ends the agent" stop_agent TERM
it "without the agent the policy is in force" enforces
it "the next agent takes over" start_here
it "the generation goes on" test "$(status_value generation)" -gt "$generation"
it "the policy is in force" enforces
wait "$pump" || :
wait "$sink" || :
it "a stream across the restart loses nothing" \
	test "$(cat "$work/pump")" = "$(tail -n1 "$work/sink")"

# --- another set of interfaces ---

in_ns server ip link add name spare0 type veth peer name spare1
stop_agent TERM || :
start_here --attach spare0
it "a restart may enforce on one more" \
	sh -c "[ \$('$BULKHEAD' list endpoints | grep -cE 'eth0|spare0') -eq 2 ]"
stop_agent KILL || :
start_here
it "and on one less" sh -c "! '$BULKHEAD' list endpoints | grep -q spare0"
it_not "which is then free" sh -c "nsenter --net=/run/netns/server ip link show spare0 | grep xdp"
it "the other goes on" enforces

# --- detach ---

stop_agent TERM || :
ids=$(map_ids)
it "there are maps to be removed" test -n "$ids"
it "detach" exits_with 0 in_ns server "$BULKHEAD" detach
it "detach leaves no trace" has_no_trace server
# shellcheck disable=SC2086 # a list of numbers
it "detach frees the maps" wait_for 10 none_of_maps $ids
it "everything answers again" reaches visitor 192.0.2.10 tcp/22 tcp/8080

it "the agent enforces again" start_here
kill -KILL "$agent_pid"
wait "$agent_pid" || :
it "with the agent killed the policy is in force" enforces
it "detach needs no agent" exits_with 0 in_ns server "$BULKHEAD" detach
it "it leaves no trace either" has_no_trace server
it "detach of nothing is fine" exits_with 0 in_ns server "$BULKHEAD" detach
it "and everything answers" reaches visitor 192.0.2.10 tcp/22 tcp/8080

end_test
