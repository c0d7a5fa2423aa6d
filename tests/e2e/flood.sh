#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# CT-06: a million SYNs of nobody to an allowed port cost no connection a packet.
. "$(dirname "$0")/lib.sh"

readonly held=10000
readonly flood=1000000

add_station server 192.0.2.10
add_station visitor 198.51.100.7
ip route add 198.18.0.0/15 dev visitor
# The stack takes none of them, so that time is spent on the programs.
in_ns server ip route add blackhole 198.18.0.0/15
in_ns server sysctl -qw net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096
in_ns visitor sysctl -qw net.ipv4.ip_local_port_range='10000 60000'

cat >policy.yaml <<'EOF'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: flood}
spec:
  zones:
    - {name: inside, cidrs: [192.0.2.0/24]}
  rules:
    - {name: echo, from: any, to: inside, services: tcp/443}
EOF

# table NAME: how many of its entries are in use.
table()
{
	"$BULKHEAD" status -o json | "$python" -c '
import json, sys
tables = json.load(sys.stdin)["tables"]
print(next(table["used"] for table in tables if table["name"] == sys.argv[1]))' "$1"
}

# A byte through each of the connections, and back.
all_answer()
{
	local answered

	echo >&"${holder[1]}"
	read -r answered <&"${holder[0]}"
	echo "$answered of $held answered"
	[ "$answered" = "$held" ]
}

nothing_is_dropped()
{
	local dropped

	dropped=$(status_value dropped)
	echo "dropped $dropped"
	[ "$dropped" -eq 0 ]
}

# Every packet is in the books of the rule that let it in; the rest was lost on the cable.
are_counted()
{
	local seen

	seen=$("$BULKHEAD" list rules -o json | "$python" -c '
import json, sys
print(sum(rule["packets"] for rule in json.load(sys.stdin) if rule["rule"] == "echo"))')
	echo "the rule let $seen through"
	[ "$seen" -gt $((flood / 10)) ]
}

conns_are_the_held_ones()
{
	local conns

	conns=$(table bh_conns)
	echo "$conns connections"
	[ "$conns" -ge "$held" ] && [ "$conns" -lt $((held + 100)) ]
}

embryonic_is_bounded()
{
	local used

	used=$(table bh_embryonic)
	echo "$used embryonic"
	[ "$used" -gt 1000 ] && [ "$used" -le 32768 ]
}

it "the agent enforces" start_agent server --policy policy.yaml --attach eth0
in_ns server "$python" "$here/flood.py" echo 443 >serve.log 2>&1 &
wait_for 10 grep -q serving serve.log || fail "the server serves"
coproc holder { exec nsenter --net=/run/netns/visitor -- "$python" "$here/flood.py" \
	hold 192.0.2.10 443 "$held" 3>&- 2>hold.log; }
read -r -t 60 opened <&"${holder[0]}" || :
it "$held connections are open" test "${opened:-0}" = "$held"
it "all of them answer before" all_answer

# From here to the server, as a router would that believes every source.
server_mac=$(in_ns server ip -o link show dev eth0 | sed 's/.*link.ether \([^ ]*\).*/\1/')
"$python" "$here/flood.py" syns server "$server_mac" 192.0.2.10 443 "$flood" >syns.log 2>&1 &
syns=$!
sleep 1
it "all of them answer during the flood" all_answer
it "the flood is sent" wait "$syns"
it "all of them answer after it" all_answer
it "no packet of anybody was dropped" nothing_is_dropped
it "new connections open after it" open visitor 192.0.2.10,443
sleep 6 # until connections are counted again
it "connections are the held ones" wait_for 3 conns_are_the_held_ones
it "what nobody answered stays within its table" embryonic_is_bounded
it "what came is counted" are_counted
end_test
