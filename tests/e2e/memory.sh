#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the agent and its tables take stays bounded, however often the policy and addresses change;
# tables grow at a start that brings a larger policy, and traffic goes on meanwhile.
. "$(dirname "$0")/lib.sh"

readonly limit_kib=$((40 * 1024))
readonly slack_kib=1024

resident_kib()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}

is_at_most()
{
	echo "$1 KiB, at most $2"
	[ "$1" -le "$2" ]
}

takes_less_than()
{
	[ "$(resident_kib)" -lt "$1" ]
}

# table_kib NAME
table_kib()
{
	"$BULKHEAD" status | awk -v name="$1" '$1 == name { print $NF }'
}

# --- 1,000 rules and 1,000 workloads ---

"$python" "$here/generate.py" large 1000 1000 >one.yaml
sed 's/"name": "r7"/"name": "other"/; s/"tcp\/1100"/"tcp\/1101"/' one.yaml >other.yaml
it "the two policies differ" test -n "$(diff one.yaml other.yaml)"

# change_policy TIMES
change_policy()
{
	local i
	for ((i = 0; i < $1; i++)); do
		"$BULKHEAD" apply other.yaml && "$BULKHEAD" apply one.yaml || return 1
	done
}

# A hundred addresses of this machine come and go, in groups.
change_addresses()
{
	local verb
	for verb in add del add del; do
		seq 1 50 | sed "s|.*|addr $verb 10.9.0.&/32 dev lo|" | ip -batch - || return 1
		sleep 0.2
	done
}

add_station w0 10.0.0.1
it "the agent starts" start_agent - --policy one.yaml --attach w0=w0
fresh=$(resident_kib)
it "it takes at most 40 MiB with 1,000 rules and workloads" is_at_most "$fresh" "$limit_kib"
it "the policy changes" change_policy 6
it "addresses come and go" change_addresses
early=$(resident_kib)
it "the policy changes on and on" change_policy 6
it "so do addresses" change_addresses
late=$(resident_kib)
it "it takes at most 40 MiB still" is_at_most "$late" "$limit_kib"
it "and no more than before" is_at_most "$late" $((early + slack_kib))
it "less, when the policy before is forgotten" wait_for 15 takes_less_than "$late"
it "it is named still" exits_with 0 "$BULKHEAD" list rules
echo "# resident: $fresh KiB, then $early, $late, $(resident_kib)"
it "the agent stops" stop_agent TERM
it "nothing stays" "$BULKHEAD" detach

# --- tables that grow ---

two_workloads small -- '{name: stream, from: app, to: db, services: tcp/5000-5010}' >small.yaml
awk '/^  rules:/ {
	for (i = 1; i <= 4200; i++)
		printf "    - {name: w%d, zone: internal, addresses: [\"%s:%x\"]}\n", i,
			"fd00:0:0:20::1", i
} { print }' small.yaml >large.yaml
add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
serve db tcp/5010

it "an agent starts with a small policy" \
	start_agent - --policy small.yaml --attach app=app --attach db=db
small=$(table_kib bh_identities)
start_stream app db 10.0.32.10 5000 6
it "one that needs larger tables is refused" exits_with 1 "$BULKHEAD" apply large.yaml
it "with a word on what to do" grep -q "; a start with this policy makes room" err
it "the one in force stays" open app 10.0.32.10,5010
it "the agent stops" stop_agent TERM
it "a start with it makes room" \
	start_agent - --policy large.yaml --attach app=app --attach db=db
it "in a larger table" test "$(table_kib bh_identities)" -gt "$small"
it "its rules are in force" open app 10.0.32.10,5010
it "and the stream is whole" is_whole 5000
it "the small policy fits, too" exits_with 0 "$BULKHEAD" apply small.yaml
it "the agent stops again" stop_agent TERM
it "nothing stays of the grown ones" "$BULKHEAD" detach
it "no pin, either" test ! -e /sys/fs/bpf/bulkhead

end_test
