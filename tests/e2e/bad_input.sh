#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a user gets for a mistake: a sentence, a place, and the exit code that scripts depend on.
. "$(dirname "$0")/lib.sh"

readonly five=$policies/five-zone.yaml

# given LINE…: a policy file, bad.yaml, of a good head and the lines.
given()
{
	printf '%s\n' 'apiVersion: bulkhead.dev/v1' 'kind: ZonePolicy' 'metadata: {name: bad}' \
		'spec:' '  zones:' '    - {name: a, cidrs: [10.0.0.0/24]}' \
		'    - {name: b, cidrs: [10.0.1.0/24]}' "$@" >bad.yaml
}

# says CODE PATTERN COMMAND…: it exits so, and tells so on stderr.
says()
{
	local code=$1 pattern=$2
	shift 2

	exits_with "$code" "$@" || return
	grep -qE -- "$pattern" err && return
	echo "no '$pattern' in:"
	cat err
	return 1
}

# The caret stands under the column that the message names.
caret_fits()
{
	"$python" - err <<-'END'
	import re, sys
	lines = open(sys.argv[1]).read().split("\n")
	places = [(i, re.match(r"[^:]+:(\d+):(\d+): error: ", l)) for i, l in enumerate(lines)]
	places = [(i, m) for i, m in places if m]
	for i, match in places:
	    shift = len(lines[i + 1]) - len(open("bad.yaml").read().split("\n")[int(match[1]) - 1])
	    if lines[i + 2].index("^") != int(match[2]) - 1 + shift:
	        sys.exit(f"the caret of '{lines[i]}' is misplaced")
	sys.exit(not places)
	END
}

refuses()
{
	says 2 "$1" "$BULKHEAD" check bad.yaml && caret_fits
}

# --- check ---

given '  rules:' '    - {name: r, form: a, to: b, services: tcp/80}'
it "a key that is almost right is named" refuses "^bad.yaml:9:17: error: .*'form'.*'from'"
given '  rules:' '    - {name: r, from: a, to: c, services: tcp/80}'
it "an unknown name is an error" refuses "^bad.yaml:9:30: error: .*'c'"
given '  rules:' '    - {name: r, from: a, to: b, services: tcp/80000}'
it "a port too high is an error" refuses "^bad.yaml:9:43: error: .*'tcp/80000'"
given '  rules:' '    - {name: r, from: a, to: b}'
it "a missing key is an error" refuses "^bad.yaml:9:7: error: .*'services'"
given '  rules:' '    - {name: r, from: x, to: b, services: tcp/1}' \
	'    - {name: r, from: a, to: b, services: tcp/2}'
it "every error is shown, the first" refuses "^bad.yaml:9:23: error: .*'x'"
it "every error is shown, the second" refuses "^bad.yaml:10:14: error: .*'r'"
given '    - {name: c, cidrs: [10.0.1.0/24]}'
it "the same prefix twice is an error" refuses "^bad.yaml:8:25: error: "
given '    - {name: c, cidrs: [10.0.1.7/24]}'
it "host bits are an error" refuses "^bad.yaml:8:25: error: "
given '  rules: [{name: r'
it "broken YAML is an error with a place" says 2 '^bad.yaml:[0-9]+:[0-9]+: error: ' \
	"$BULKHEAD" check bad.yaml
printf 'spec:\n\tzones: []\n' >bad.yaml
it "a tab is an error with a place" says 2 '^bad.yaml:2:1: error: ' "$BULKHEAD" check bad.yaml
: >bad.yaml
it "an empty file is an error" says 2 'bad.yaml.*error: ' "$BULKHEAD" check bad.yaml
head -c 300000 /dev/urandom >bad.yaml
it "noise is an error" says 2 'error: ' "$BULKHEAD" check bad.yaml
it "a missing file is an error" says 2 "'nowhere.yaml'" "$BULKHEAD" check nowhere.yaml

given '  rules:' '    - {name: r, from: a, to: b, services: tcp/80}' \
	'  never:' '    - {name: n, from: a, to: b}'
it "a broken promise is a finding" says 1 "^bad.yaml:11:[0-9]+: error: .*'n'" \
	"$BULKHEAD" check bad.yaml
it "and names the rule at fault" says 1 "^bad.yaml:9:[0-9]+: note: .*'r'" \
	"$BULKHEAD" check bad.yaml
it "the last line says failed" grep -qE '^1 documents, 1 rules, .* findings: failed$' out
it "SARIF has it" exits_with 1 "$BULKHEAD" check -o sarif bad.yaml
it "on its line, with the rule at fault" "$python" -c '
import json, sys
result, = json.load(open("out"))["runs"][0]["results"]
place = result["locations"][0]["physicalLocation"]
fault = result["relatedLocations"][0]["physicalLocation"]
sys.exit((result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"],
    fault["region"]["startLine"]) != ("never", "bad.yaml", 11, 9))'
it "JUnit has it" exits_with 1 "$BULKHEAD" check -o junit bad.yaml
it "as a test that fails" "$python" -c '
import sys, xml.etree.ElementTree as tree
case, = tree.parse("out").findall(".//testcase[failure]")
sys.exit((case.get("classname"), case.get("name")) != ("never", "n"))'
given '  expect:' '    - {from: a, to: b, services: tcp/80, verdict: allow}'
it "a failed test is a finding" says 1 '^bad.yaml:9:7: error: ' "$BULKHEAD" check bad.yaml
given '  rules:' '    - {name: r, from: a, to: b, services: any}'
it "lint is a warning with its id" says 0 '^bad.yaml:9:14: warning: .*\[BH005\]$' \
	"$BULKHEAD" check bad.yaml
it "and the last line still says ok" grep -qE '^1 documents, 1 rules, .* findings: ok$' out
it "unless warnings count as errors" says 1 'BH005' "$BULKHEAD" check --strict bad.yaml
for policy in "$policies"/*.yaml; do
	it "$(basename "$policy") is good" exits_with 0 "$BULKHEAD" check --strict "$policy"
	it "and the last line says ok" grep -qE '^1 documents, .* 0 findings: ok$' out
done

# --- explain ---

explain()
{
	exits_with "$1" "$BULKHEAD" explain "$five" --from "$2" --to "$3" --service "$4"
}

it "explain exits 0 for an allow" explain 0 web api tcp/8080
it "and names the rule and its place" grep -qE "web-to-api.*five-zone.yaml:[0-9]+" out
it "explain exits 1 for a deny" explain 1 edge-lb postgres tcp/5432
it "explain takes addresses" explain 0 203.0.113.99 10.0.0.11 tcp/443
it "explain takes IPv6 addresses" explain 0 2001:db8:77::1 fd00:0:0:10::11 tcp/443
it "two families are an error" explain 2 203.0.113.99 fd00:0:0:10::11 tcp/443
it "an unknown name is an error" explain 2 nobody api tcp/8080
it "an unknown service is an error" explain 2 web api tcp/http
it "explain works without root" \
	exits_with 0 setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$BULKHEAD" explain "$five" --from web --to api --service tcp/8080
printf '%s\n' '# comment' '' 'web api tcp/8080' 'client api tcp/8080' 'any any tcp/23' >queries
it "queries get one line each" exits_with 0 "$BULKHEAD" explain "$five" --queries queries
printf '%s\n' 'allow web-to-api' 'deny default' 'deny no-telnet' >expected
it "in order" diff expected out
echo 'nobody api tcp/1' >>queries
it "an unknown name in a query is told" says 2 "'nobody'" \
	"$BULKHEAD" explain "$five" --queries queries
it "the other queries are answered" grep -qx error out

# --- diff ---

given '  rules:' '    - {name: r, from: a, to: b, services: tcp/80}'
mv bad.yaml old.yaml
given '  rules:' '    - {name: s, from: a, to: b, services: tcp/81}'
it "a policy equals itself" exits_with 0 "$BULKHEAD" diff old.yaml old.yaml
it "and nothing is printed" test ! -s out
it "a difference is a finding" exits_with 1 "$BULKHEAD" diff old.yaml bad.yaml
it "and is printed" grep -qx -e '+ a -> b tcp/81' out
it "a difference as JSON" exits_with 1 "$BULKHEAD" diff -o json old.yaml bad.yaml
it "has prefixes, too" grep -qF '"cidrs":["10.0.0.0/24"]' out
it "one policy alone is an error" says 2 'two policies are due' "$BULKHEAD" diff old.yaml
given '  rules:' '    - {name: r, form: a, to: b, services: tcp/80}'
it "a difference from what does not compile is an error" \
	says 2 "^bad.yaml:9:17: error: " "$BULKHEAD" diff old.yaml bad.yaml
mv old.yaml bad.yaml

# --- the command line ---

it "an unknown command is an error" says 2 "'frobnicate'" "$BULKHEAD" frobnicate
it "an unknown option is an error" says 2 "'--frobnicate'" "$BULKHEAD" check --frobnicate
it "no command is an error" exits_with 2 "$BULKHEAD"
it "help for an unknown command is an error" says 2 "'frobnicate'" "$BULKHEAD" help frobnicate
commands="check explain diff lab run apply confirm rollback allow observe status list detach"
for command in $commands; do
	it "$command --help helps" exits_with 0 "$BULKHEAD" $command --help
	it "help $command is the same" \
		cmp <("$BULKHEAD" $command --help) <("$BULKHEAD" help $command)
done
for command in 'status' 'observe' 'list rules' 'apply bad.yaml' 'confirm' 'rollback' \
	'allow --for 1 --from a --to b --service any --reason none'; do
	# shellcheck disable=SC2086 # several words
	it "$command without an agent is an error" says 2 'bulkhead: ' "$BULKHEAD" $command
done
it "list of what there is not is an error" exits_with 2 "$BULKHEAD" list frobs
it "a policy directory that is not there stops the agent" \
	exits_with 2 "$BULKHEAD" run --policy nowhere --state-dir "$work/state"
it "an interface that is not there stops the agent" \
	exits_with 1 "$BULKHEAD" run --policy "$five" --attach nic9 --state-dir "$work/state"
it "and leaves no trace" test ! -e /sys/fs/bpf/bulkhead

end_test
