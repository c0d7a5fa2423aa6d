#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Changing a policy safely: what apply tells before, and every way back after.
. "$(dirname "$0")/lib.sh"

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
serve db tcp/7001 tcp/7002 tcp/7003 tcp/7004

# write_policy FILE MODE PORT…
write_policy()
{
	local file=$1 mode=$2 port rules=()
	shift 2

	for port; do
		rules+=("{name: port-$port, from: app, to: db, services: tcp/$port}")
	done
	two_workloads live -- "${rules[@]}" | sed "s/^spec:$/&\n  mode: $mode/" >"$file"
}

generation()
{
	status_value generation
}

is_past()
{
	[ "$(generation)" -gt "$1" ]
}

# only PORT…: exactly these of the served ports answer.
only()
{
	local port answers=() silence=() of

	for port in 7001 7002 7003 7004; do
		of=("10.0.32.10,$port" "fd00:0:0:30::10,$port")
		case " $* " in
		*" $port "*) answers+=("${of[@]}") ;;
		*) silence+=("${of[@]}") ;;
		esac
	done
	open app "${answers[@]}" && shut app "${silence[@]}"
}

now_ms()
{
	date +%s%3N
}

# opens ADDRESS PORT: within a while; sets in_vain and opened_at.
opens()
{
	in_vain=0 opened_at=0
	in_ns app "$python" "$here/peer.py" opens "$1,$2" 40 >opened || return
	read -r in_vain opened_at <opened
}

# audited KEY=VALUE…: whether the last line of the audit log has them.
audited()
{
	tail -n 1 state/audit.jsonl | "$python" -c '
import json, sys
entry = json.load(sys.stdin)
for term in sys.argv[1:]:
    key, value = term.split("=", 1)
    if str(entry[key]) != value:
        sys.exit(f"{key} is {entry[key]}, not {value}")' "$@"
}

start_here()
{
	start_agent - --policy one.yaml --attach app=app --attach db=db
}

write_policy one.yaml enforce 7001
write_policy two.yaml enforce 7002
write_policy three.yaml enforce 7001 7003
it "the agent enforces" start_here
began=$(now_ms)
it "what the policy says holds" only 7001
# Seconds that such a look takes: deadlines leave the time for some.
look=$((($(now_ms) - began) / 1000 + 1))
it "a start is in the audit log" audited command=start outcome=done who=None

# --- what it tells before ---

start_stream app db 10.0.32.10 7010 60
write_policy with-stream.yaml enforce 7001 7010
it "a policy that allows a stream" exits_with 0 "$BULKHEAD" apply with-stream.yaml
start_stream app db 10.0.32.10 7011 60
wait_for 5 are_connected 7010
before=$(generation)
lines=$(wc -l <state/audit.jsonl)
it "a dry run is fine" exits_with 0 "$BULKHEAD" apply --dry-run --confirm 5 two.yaml
it "it tells the difference" grep -x -e '+ app -> db tcp/7002' out
it "it tells what it would cut, by rule and name" \
	grep -E "^cuts 1 connection of 'port-7010': app 10\.0\.16\.10:[0-9]+ -> db .*:7010 tcp$" \
	out
it "it changes nothing" test "$(generation)" -eq "$before"
it "it is in no log" test "$(wc -l <state/audit.jsonl)" -eq "$lines"
it "nothing waits to be confirmed" exits_with 1 "$BULKHEAD" confirm

# --- the operator's own session ---

session=$("$BULKHEAD" list connections -o json | "$python" -c '
import json, sys
for c in json.load(sys.stdin):
    if c["dst"].get("port") == 7010:
        print(c["src"]["ip"], c["src"]["port"], c["dst"]["ip"], c["dst"]["port"])
        break')
it "the session is known" test -n "$session"
it "who would cut their own session is refused" \
	exits_with 1 env SSH_CONNECTION="$session" "$BULKHEAD" apply two.yaml
it "and told why" grep 'it would cut your own session; --force' err
it "that is in the audit log" audited command=apply outcome=refused
it "the policy in force is untouched" test "$(generation)" -eq "$before"
it "somebody else's session is no reason" \
	exits_with 0 env SSH_CONNECTION="192.0.2.1 5 192.0.2.2 22" \
	"$BULKHEAD" apply --dry-run two.yaml
# sudo takes SSH_CONNECTION away; then the session is that of the server above.
cp "$python" sshd
cat >server.py <<'END'
import os, socket, subprocess, sys
listener = socket.create_server(("10.0.32.10", 7012))
print("serving", flush=True)
client, _ = listener.accept()
os.environ.pop("SSH_CONNECTION", None)
sys.exit(subprocess.call(["sh", "-c", f"{sys.argv[1]} apply two.yaml; exit $?"]))
END
write_policy with-session.yaml enforce 7001 7010 7012
"$BULKHEAD" apply with-session.yaml >/dev/null
in_ns db ./sshd server.py "$BULKHEAD" >session.out 2>session.err &
session_pid=$!
wait_for 5 grep serving session.out
in_ns app bash -c 'exec 3<>/dev/tcp/10.0.32.10/7012; sleep 60' &
wait "$session_pid" && status=0 || status=$?
it "who is logged in by SSH is refused, too" test "$status" -eq 1
it "and told why" grep 'it would cut your own session; --force' session.err
"$BULKHEAD" apply with-stream.yaml >/dev/null
it "--force does it all the same" \
	exits_with 0 env SSH_CONNECTION="$session" "$BULKHEAD" apply --force two.yaml
it "the new policy is in force" only 7002
it "that is in the audit log, with who did it" audited command=apply outcome=done note=None
it "by the numbers of whoever asked" \
	grep -E '"who":\{"uid":0,"gid":0,"pid":[0-9]+,"login":' state/audit.jsonl

# --- back ---

it "rollback goes back" exits_with 0 "$BULKHEAD" rollback
it "it tells the difference, too" grep -x -e '- app -> db tcp/7002' out
it "the policy before is in force" only 7001
it "that is in the audit log" audited command=rollback outcome=done
it "rollback goes back further" exits_with 0 "$BULKHEAD" rollback 1
it "what was undone is in force" only 7002
it "by a number" exits_with 0 "$BULKHEAD" rollback 3
it "an earlier policy is in force" only 7001
it "there is no policy ten back" exits_with 1 "$BULKHEAD" rollback 10
for round in 1 2 3 4 5 6 7; do
	"$BULKHEAD" apply three.yaml >/dev/null
	"$BULKHEAD" apply one.yaml >/dev/null
done
it "ten are kept beside the one in force" test "$(ls state/history | wc -l)" -eq 11
it "the tenth can be gone back to" exits_with 0 "$BULKHEAD" rollback 10 --dry-run

# --- until confirmed ---

ends=$(($(date +%s) + 3 + 3 * look))
it "a policy to be confirmed" exits_with 0 "$BULKHEAD" apply --confirm $((3 + 3 * look)) two.yaml
it "it says until when" grep -E "^until 20.*Z, unless 'bulkhead confirm' comes first" out
PATIENCE=3 it "it is in force" holds_until "$ends" only 7002
it "that is in the audit log" holds_until "$ends" audited command=apply "outcome=to be confirmed"
it "nobody confirms it" wait_for 10 only 7001
it "that is in the audit log" wait_for 3 audited command=automatic-rollback outcome=done who=None
it "it is too late then" exits_with 1 "$BULKHEAD" confirm

it "a policy to be confirmed" exits_with 0 "$BULKHEAD" apply --confirm $((4 + 3 * look)) two.yaml
it "it is confirmed" exits_with 0 "$BULKHEAD" confirm
it "that is in the audit log" audited command=confirm outcome=done
sleep $((5 + 3 * look))
it "it stays" only 7002
it "the one before is one back" exits_with 0 "$BULKHEAD" rollback
it "and is in force" only 7001

it "a policy to be confirmed" exits_with 0 "$BULKHEAD" apply --confirm 600 two.yaml
before=$(generation)
ip addr add 192.0.2.77/32 dev lo
it "this machine's addresses may change meanwhile" wait_for 5 is_past "$before"
it "it is in force still" only 7002
it "another one has to wait" exits_with 1 "$BULKHEAD" apply three.yaml
it "it is told what for" grep 'a policy waits to be confirmed until' err
it "is taken back at once" exits_with 0 "$BULKHEAD" rollback
it "the policy before is in force" only 7001
ip addr del 192.0.2.77/32 dev lo
it "no file speaks of it any more" test ! -e state/pending.json

# --- and the agent dies ---

earliest=$(($(now_ms) + 4000 + 2000 * look))
it "a policy to be confirmed" exits_with 0 "$BULKHEAD" apply --confirm $((4 + 2 * look)) two.yaml
latest=$(($(now_ms) + 4000 + 2000 * look))
kill -9 "$agent_pid"
wait "$agent_pid" || :
PATIENCE=3 it "it is in force without an agent" holds_until $((earliest / 1000)) only 7002
it "the kernel goes back without an agent" opens 10.0.32.10 7001
echo "# after the deadline: $((in_vain - latest)) ms in vain, $((opened_at - earliest)) ms open"
it "by the deadline" test "$in_vain" -lt $((latest + 1000)) -a "$opened_at" -gt $((earliest - 500))
it "for both families" only 7001
it "the disk knows of it" grep -q '"back_to"' state/pending.json
it "a new agent goes on with the policy before" start_here
it "which is in force" only 7001
it "that is in the audit log" grep -q 'the agent ended before the policy was confirmed' \
	state/audit.jsonl
it "no file speaks of it any more" test ! -e state/pending.json

it "a policy that is not in the files" exits_with 0 "$BULKHEAD" apply three.yaml
it "and one to be confirmed after it" exits_with 0 "$BULKHEAD" apply --confirm 600 two.yaml
kill -9 "$agent_pid"
wait "$agent_pid" || :
it "a new agent does not wait for the deadline" start_here
it "and goes back to what was applied" only 7001 7003
it "rules are counted where they were left" \
	sh -c "'$BULKHEAD' list rules | grep -E '^port-7001 '"

# --- break-glass ---

"$BULKHEAD" apply one.yaml >/dev/null
it "a reason is due" \
	exits_with 2 "$BULKHEAD" allow --for 8s --from app --to db --service tcp/7004
it "somebody unknown is refused" exits_with 1 \
	"$BULKHEAD" allow --for 8s --from nobody --to db --service tcp/7004 --reason why
it "and hears of that rule, not of an end of any" \
	sh -c "grep -q nobody '$work/err' && ! grep 'and end' '$work/err' '$work/out'"
it "and leaves nothing" test ! -e state/temporary.json
access=$((25 + 10 * look))
ends=$(($(date +%s) + access))
it "access for a while" exits_with 0 "$BULKHEAD" allow --for "${access}s" --from app --to db \
	--service tcp/7004 --reason "INC-42 \"quoted\""
it "it is open" holds_until "$ends" only 7001 7004
it "it is in the list of rules" holds_until "$ends" \
	sh -c "'$BULKHEAD' list rules | grep -E '^temporary-[0-9]+-1 +allow'"
it "and in the audit log, with the reason" grep -q 'INC-42 \\"quoted\\"' state/audit.jsonl
ends_first=$(($(date +%s) + 5 + 4 * look))
it "by address, too" exits_with 0 "$BULKHEAD" allow --for "$((5 + 4 * look))s" \
	--from fd00:0:0:20::10 --to fd00:0:0:30::10 --service tcp/7002 --reason migration
it "it is open" holds_until "$ends_first" open app fd00:0:0:30::10,7002
it "over IPv4 it is not" shut app 10.0.32.10,7002
it "the first to end ends first" wait_for 20 shut app fd00:0:0:30::10,7002
it "by itself" holds_until "$ends" only 7001 7004
it "another policy" exits_with 0 "$BULKHEAD" apply three.yaml
it "has it, too" holds_until "$ends" only 7001 7003 7004
kill -9 "$agent_pid"
wait "$agent_pid" || :
it "the agent starts again" start_here
it "and has it still" holds_until "$ends" only 7001 7004
while [ "$(date +%s)" -le "$ends" ]; do
	sleep 0.2
done
it "it ends by itself" wait_for 5 only 7001
it "its rule is gone" wait_for 5 sh -c "! '$BULKHEAD' list rules | grep temporary-"
it "that is in the audit log" wait_for 3 audited command=allow outcome=ended

# --- from audit to enforce ---

# is_counted_at_once POLICY: whether each of many packets is told of by the apply that comes next.
is_counted_at_once()
{
	in_ns app "$python" - "$1" <<-'END'
	import json, socket, sys
	text = open(sys.argv[1]).read()
	request = {"op": "apply", "sources": [{"name": "one", "text": text}], "dry_run": True}

	def audited():
	    with socket.socket(socket.AF_UNIX) as agent:
	        agent.connect("/run/bulkhead/control.sock")
	        agent.sendall(json.dumps(request).encode() + b"\n")
	        return json.loads(agent.makefile().readline())["audited"]["connections"]

	first = audited()
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
	    for number in range(1, 51):
	        own.sendto(b"x", ("10.0.32.10", 8000 + number))
	        told = audited()
	        assert told == first + number, f"{told - first} of {number}"
	END
}

write_policy audit.yaml audit 7001
it "a policy that only audits" exits_with 0 "$BULKHEAD" apply audit.yaml
it "to enforce it tells that nothing was seen" \
	exits_with 0 "$BULKHEAD" apply --dry-run --strict one.yaml
it "in its words" grep -E '^denies what was audited; nothing of it was seen since 20' out
open app 10.0.32.10,7002
open app fd00:0:0:30::10,7003
open app 10.0.32.10,7001
it "what was audited is told" exits_with 0 "$BULKHEAD" apply --dry-run one.yaml
it "by rule" grep -E "^drops what was audited: 2 connections of 'default' since 20" out
it "with an example" grep -E ', such as app 10\.0\.16\.10 -> db 10\.0\.32\.10 tcp/7002$' out
it "--strict refuses it" exits_with 1 "$BULKHEAD" apply --strict one.yaml
write_policy fits.yaml enforce 7001 7002 7003
it "a policy that allows it is fine" exits_with 0 "$BULKHEAD" apply --strict fits.yaml
it "and is in force" only 7001 7002 7003
"$BULKHEAD" apply audit.yaml >/dev/null
it "what was audited a moment ago counts" is_counted_at_once one.yaml

it "the audit log is for root only" test "$(stat -c %a state/audit.jsonl)" = 600
it "every line of it is JSON" "$python" -c '
import json
for line in open("state/audit.jsonl"):
    json.loads(line)'
it "the agent ends in order" stop_agent TERM

end_test
