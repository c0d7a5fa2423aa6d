#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `bulkhead top`: on a terminal, with keys and sizes, and as text and JSON for scripts.
. "$(dirname "$0")/lib.sh"

# again STATION WORD…: what a peer says, all the time.
again()
{
	while :; do
		in_ns "$1" "$python" "$here/peer.py" "${@:2}" || :
		sleep 0.2
	done >/dev/null 2>&1
}

# Some denied connections and some allowed ones.
traffic()
{
	again app reach 10.0.32.10 tcp/5432 &
	again app shut 10.0.32.10,81 10.0.32.10,80 &
	again db shut 10.0.16.10,22 &
}

screen()
{
	"$python" "$here/screen.py" "$@"
}

# shows FILTER…: of the JSON of one look, all of these Python expressions are true.
shows()
{
	timeout 60 "$BULKHEAD" top --once -d 4 -o json >look.json && "$python" - "$@" <<-'END'
	import json, sys
	look = json.load(open("look.json"))
	talkers, zones, rules = look["talkers"], look["zones"], look["rules"]
	rule = {r["rule"]: r for r in rules}
	for expression in sys.argv[1:]:
	    print(expression, eval(expression))
	    if not eval(expression):
	        sys.exit(1)
	END
}

two_workloads shop -- '{name: app-to-db, from: app, to: db, services: tcp/5432}' >policy.yaml
add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
serve db tcp/5432

it "needs an agent" exits_with 2 "$BULKHEAD" top --once
it "needs some time" exits_with 2 "$BULKHEAD" top -d 0
it "enforces" start_agent - --policy policy.yaml --attach app=app --attach db=db --event-rate 0
traffic

it "tells of talkers, zones and rules, whose sums are one" wait_for 15 shows \
	'[t for t in talkers if t["from"] == "app(internal)" and t["service"] == "tcp/80"]' \
	'[t for t in talkers if t["to"] == "app(internal)" and t["rule"] == "default"]' \
	'{z["from_zone"] for z in zones} == {z["to_zone"] for z in zones} == {"internal", "data"}' \
	'rule["app-to-db"]["packets_rate"] > 0' \
	'rule["default"]["packets_rate"] > 0' \
	'sum(t["events"] for t in talkers) == sum(z["events"] for z in zones) > 0' \
	'abs(look["dropped_rate"] - rule["default"]["packets_rate"]) <= 3'
it "prints text as often as it is told" sh -c \
	"'$BULKHEAD' top -n 2 | grep -c '^drops ' | grep -x 2"
it "prints one part" sh -c "'$BULKHEAD' top --once --part rules --filter app-to | tail -n 1 |
	grep -E '^app-to-db +allow +policy.yaml:[0-9]+ '"

it "shows all, or one part after the other" screen 110x30 \
	'see:app\(internal\) +db\(data\) +tcp/80 +deny +default(.|\n)*zones:(.|\n)*rules:' \
	'key:\t' 'miss:rules:' see:talkers: 'key:\t' see:zones: 'miss:talkers:' \
	'key:\t' see:rules: 'key:\t' 'see:talkers:(.|\n)*zones:' key:q end -- "$BULKHEAD" top
it "sorts, filters and scrolls" screen 100x40 'see:by rate' key:s 'see:by total' key:s \
	'see:by name' see:builtin-arp key:/app-tox "see:filter 'app-tox_'" miss:builtin-arp \
	'key:\e' see:builtin-arp 'key:/app-to\r' "see:filter 'app-to'" miss:builtin-arp \
	see:app-to-db 'key:\e' see:builtin-arp 'key:\e[6~' miss:builtin-arp \
	'key:\e[5~' see:builtin-arp key:q end -- "$BULKHEAD" top
it "pauses, and follows the size of its window" screen 100x30 see:tcp/80 key:p see:PAUSED still \
	size:50x10 see:drops size:60x24 'see:tcp/80 +deny +[0-9.]+ +[0-9]+$' \
	size:40x30 'see:tcp/80 +[0-9.]+$' size:150x50 see:rules: key:p miss:PAUSED \
	size:8x2 see:drops \
	$'key:\x03' end -- "$BULKHEAD" top

# An agent that is gone, and comes back.
screen 120x30 'see:tcp/80' tell:begun 'see:no agent answers|agent is gone' tell:gone see:tcp/80 \
	'miss:no agent answers|agent is gone' 'see:drops [1-9]' key:q end \
	-- "$BULKHEAD" top >screen.log 2>&1 &
watcher=$!
wait_for 15 test -e begun || :
it "the agent ends" stop_agent TERM
wait_for 15 test -e gone || :
it "and starts again" start_agent - --policy policy.yaml --attach app=app --attach db=db
it "waits for it" wait "$watcher"

end_test
