#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A cluster that outgrows the tables that were made for it gets larger ones, with the next agent;
# until then, what was in force is.
. "$(dirname "$0")/lib.sh"

# room_of TABLE: how many entries it can have.
room_of()
{
	"$BULKHEAD" status -o json |
		"$python" -c 'import json, sys
print(*[t["capacity"] for t in json.load(sys.stdin)["tables"] if t["name"] == sys.argv[1]])' "$1"
}

# serve NUMBER=…: a cluster in place of the one before.
serve()
{
	[ -z "${load_pid:-}" ] || kill "$load_pid"
	wait "${load_pid:-}" 2>/dev/null || :
	: >load.log
	"$python" "$here/kube_load.py" 6443 api.crt api.key "$@" <go >load.log 2>load.err 3>&- &
	load_pid=$!
	wait_for 5 grep -q serving load.log
}

rules_are()
{
	grep -q "policy in force.* rules=$1 " agent.log
}

has_ended()
{
	! kill -0 "$agent_pid" 2>/dev/null
}

make_certificate api.key api.crt 127.0.0.1
echo t >token
mkfifo go
exec 4<>go
cat >agent.yaml <<-END
kubernetes: {node: node-0, server: "https://127.0.0.1:6443", ca: api.crt, tokenFile: token}
END

serve pods=100 policies=20 spaces=10
it "an agent starts that knows nothing of its cluster" start_agent - --config agent.yaml
it "the cluster's policy fits" wait_for 10 rules_are 20
usual=$(room_of bh_blocks)
it "the agent ends" stop_agent TERM
rm -r /sys/fs/bpf/bulkhead

: >agent.log
serve pods=5500 policies=5000 spaces=50 apps=100 pad=0
it "one that knows it starts where nothing is pinned" start_agent - --config agent.yaml
it "its tables are smaller" [ "$(room_of bh_blocks)" -lt "$usual" ]
identities=$(room_of bh_identities)
it "that the cluster has outgrown them ends the agent" wait_for 20 has_ended
it "which says why" grep -q "its next start makes room" agent.log
it_not "and has put nothing in force" rules_are 5000
it "what was in force is" [ -e /sys/fs/bpf/bulkhead/maps/bh_control ]

: >agent.log
it "the next one starts" start_agent - --config agent.yaml
it "it has room" [ "$(room_of bh_identities)" -gt "$identities" ]
it "the policy is in force" wait_for 20 rules_are 5000
it "nothing is left to be said to another start" wait_for 5 test ! -e state/room
end_test
