#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A site of 5,000 workloads and 10,000 rules is compiled, loaded and enforced; prints what it takes.
. "$(dirname "$0")/lib.sh"

readonly stations=6

"$python" "$here/generate.py" large 5000 10000 >site.yaml

# measured SENTENCE COMMAND…: says how long it took.
measured()
{
	local sentence=$1 begin=$EPOCHREALTIME
	shift

	it "$sentence" "$@"
	echo "# $sentence: $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ms"
}

measured "5,000 workloads and 10,000 rules compile" exits_with 0 "$BULKHEAD" check site.yaml
cat out

# Rules between workloads, chained so that some stations have several: `NAME ADDRESS4 ADDRESS6`, and
# the questions `FROM TO SERVICE` that are asked of them.
"$python" - "$stations" <<'END'
import json, sys
spec = json.load(open("site.yaml"))["spec"]
by_name = {w["name"]: w for w in spec["workloads"]}
rules = [r for r in spec["rules"] if isinstance(r["from"], str) and r["from"] != r["to"]]
chosen, ports = [], []
for rule in rules:
    if len(chosen) >= int(sys.argv[1]):
        break
    chosen += [n for n in (rule["from"], rule["to"]) if n not in chosen]
    ports.append(rule["services"])
with open("stations", "w") as out:
    for name in chosen:
        print(name, *by_name[name]["addresses"], file=out)
with open("questions", "w") as out:
    for source in chosen:
        for target in chosen:
            if source != target:
                for port in ports:
                    for a, b in zip(by_name[source]["addresses"], by_name[target]["addresses"]):
                        print(a, b, port, file=out)
with open("ports", "w") as out:
    print(*sorted(set(ports)), file=out)
END

attach=()
while read -r name v4 v6; do
	add_station "$name" "$v4" "$v6"
	# shellcheck disable=SC2046 # a list of services
	serve "$name" $(cat ports)
	attach+=(--attach "$name=$name")
done <stations

"$BULKHEAD" explain site.yaml --queries questions | cut -d' ' -f1 >expected
it "some questions are allowed" grep -qx allow expected
it "and some denied" grep -qx deny expected

measured "the agent enforces them" start_agent - --policy site.yaml "${attach[@]}"

# ask_all SECONDS: what the wire says to each question, in order: they stand by station.
ask_all()
{
	local name v4 v6

	while read -r name v4 v6; do
		awk -v a="$v4" -v b="$v6" '$1 == a || $1 == b { print $2, $3 }' questions |
			PATIENCE=$1 in_ns "$name" "$python" "$here/peer.py" ask
	done <stations >seen
}

# Answers that a busy machine was late with are waited for.
wire_agrees()
{
	ask_all 0.7
	diff expected seen >differ && return
	! grep -q '^> allow' differ || ! cat differ || return 1
	ask_all 10
	diff expected seen
}

it "the wire agrees with explain ($(wc -l <questions) questions)" wire_agrees

measured "the same policy is applied again" exits_with 0 "$BULKHEAD" apply site.yaml
measured "status answers" exits_with 0 "$BULKHEAD" status
sed -n '/^TABLE/,$p' out | sed 's/^/# /'
measured "the rules are listed" exits_with 0 "$BULKHEAD" list rules
it "all of them" test "$(grep -cE 'site.yaml:[0-9]+' out)" -eq 10000
measured "the identities are listed" exits_with 0 "$BULKHEAD" list identities
memory=$(awk '/^VmHWM|^VmRSS/ { printf "%s %d MiB  ", $1, $2 / 1024 }' "/proc/$agent_pid/status")
echo "# agent: $memory"

end_test
